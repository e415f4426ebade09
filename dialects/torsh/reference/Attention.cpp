//===-- Attention.cpp - Reference semantics of attention
//----------------------------------------------------===//
#include "dialects/torsh/reference/Call.h"
#include "dialects/torsh/reference/Iteration.h"
#include <cmath>

using namespace llvm;
using namespace mlir;

namespace torsh::reference {
namespace {

/// What is wrong with the operands' shapes, else success.
Error checkShapes(const Call &call, const Tensor &q, const Tensor &k, const Tensor &v, const Tensor *mask) {
  const int64_t rank = q.rank();
  if (rank < 2 || k.rank() != rank || v.rank() != rank)
    return call.misfit("q, k and v must have one rank, of at least 2");
  ArrayRef<int64_t> batch = ArrayRef<int64_t>(q.shape).drop_back(2);
  if (ArrayRef<int64_t>(k.shape).drop_back(2) != batch || ArrayRef<int64_t>(v.shape).drop_back(2) != batch ||
      q.shape[rank - 1] != k.shape[rank - 1] || k.shape[rank - 2] != v.shape[rank - 2])
    return call.misfit("q " + describe(q.shape, q.elementType) + ", k " + describe(k.shape, k.elementType) +
                       " and v " + describe(v.shape, v.elementType) + " do not fit");
  if (!mask)
    return Error::success();
  SmallVector<int64_t> scores(batch);
  scores.append({q.shape[rank - 2], k.shape[rank - 2]});
  bool fits = mask->rank() == rank;
  for (int64_t dim = 0; fits && dim < rank; ++dim)
    fits = mask->shape[dim] == 1 || mask->shape[dim] == scores[dim];
  return fits ? Error::success()
              : call.misfit("the mask " + describe(mask->shape, mask->elementType) +
                            " does not fit the scores " + describe(scores, q.elementType));
}

/// e^(score - largest) in place, and their sum. A key whose score is -inf is hidden and weighs 0.
double exponentiate(MutableArrayRef<double> scores) {
  double largest = -INFINITY, sum = 0;
  for (double score : scores)
    largest = maximumOf(largest, score, Type());
  for (double &score : scores) {
    score = score == -INFINITY ? 0 : std::exp(score - largest);
    sum += score;
  }
  return sum;
}

Results evaluateAttention(AttentionOp op, Call &call) {
  const Tensor &q = call[op.getQ()], &k = call[op.getK()], &v = call[op.getV()],
               *mask = call.find(op.getMask());
  if (Error error = checkShapes(call, q, k, v, mask))
    return error;
  const int64_t rank = q.rank(), queries = q.shape[rank - 2], keys = k.shape[rank - 2];
  const int64_t depth = q.shape[rank - 1], width = v.shape[rank - 1];
  SmallVector<int64_t> shape = q.shape, rows(ArrayRef<int64_t>(q.shape).drop_back());
  shape[rank - 1] = width;
  Expected<Tensor> y = call.allocate(q.elementType, shape);
  if (!y)
    return y.takeError();
  const double scale = op.getScale().convertToDouble();
  SmallVector<int64_t> maskStrides;
  if (mask) {
    maskStrides = stridesOf(mask->shape);
    for (int64_t dim = 0; dim < rank; ++dim)
      if (mask->shape[dim] == 1)
        maskStrides[dim] = 0;
  }
  std::vector<double> scores(keys);
  // One row of queries after the other; `rows` are the batch dims and the query's index.
  forEachIndex(rows, [&](ArrayRef<int64_t> index, int64_t row) {
    const int64_t sample = row / queries, query = row % queries;
    const double *queryRow = q.floats.data() + row * depth;
    const double *keyRows = k.floats.data() + sample * keys * depth;
    const double *valueRows = v.floats.data() + sample * keys * width;
    int64_t maskRow = 0;
    for (size_t dim = 0; mask && dim < index.size(); ++dim)
      maskRow += index[dim] * maskStrides[dim];
    for (int64_t j = 0; j < keys; ++j) {
      double sum = 0;
      for (int64_t d = 0; d < depth; ++d)
        sum += queryRow[d] * keyRows[j * depth + d];
      scores[j] = sum * scale + (mask ? mask->floats[maskRow + j * maskStrides[rank - 1]] : 0);
      if (op.getCausal() && j > query + keys - queries)
        scores[j] = -INFINITY;
    }
    double total = exponentiate(scores);
    double *out = y->floats.data() + row * width;
    for (int64_t j = 0; j < keys; ++j)
      if (double weight = scores[j]; weight != 0) // a hidden value has no influence, NaN included
        for (int64_t d = 0; d < width; ++d)
          out[d] += weight / total * valueRows[j * width + d];
  });
  return single(std::move(y));
}

} // namespace

void addAttention(HandlerTable &table) { table.add<AttentionOp>(evaluateAttention); }

} // namespace torsh::reference
