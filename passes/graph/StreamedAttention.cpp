//===-- StreamedAttention.cpp - Which softmax is computed between two products ------------------------------===//
#include "passes/graph/StreamedAttention.h"
#include "passes/graph/BufferViews.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace torsh {
namespace {

/// Fewer queries than this do not pay for packing the keys.
constexpr int64_t fewestQueries = 12;
/// The largest head whose block of keys stays in the cache.
constexpr int64_t largestHead = 512;

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// The axis of an operand that is neither a batch nor the contracting dim; none unless there is one of each.
std::optional<int64_t> getFreeAxis(Value operand, ArrayRef<int64_t> batch, ArrayRef<int64_t> contract) {
  int64_t rank = typeOf(operand).getRank();
  if (contract.size() != 1 || rank != int64_t(batch.size()) + 2)
    return std::nullopt;
  for (int64_t axis = 0; axis < rank; ++axis)
    if (axis != contract[0] && !llvm::is_contained(batch, axis))
      return axis;
  return std::nullopt;
}

/// Whether the kernel can walk a product: an ordinary right operand whose elements along `axis` are neighbours.
bool isReadable(Value right, int64_t axis) {
  return !right.getDefiningOp<UnpackOp>() && isContiguousAlong(right, axis);
}

bool isLargestHead(DimAttr dim) {
  auto size = dim::asConstant(dim);
  return size && *size > 0 && *size <= largestHead;
}

/// Whether `sum` is weights times values with the weights' dims as the softmax has them.
bool sumsWeights(DotGeneralOp sum, Value weights) {
  int64_t last = typeOf(weights).getRank() - 1;
  if (sum.getLhs() != weights || sum.getRhs() == weights || sum.getLhsContract() != ArrayRef<int64_t>(last) ||
      last != int64_t(sum.getLhsBatch().size()) + 1)
    return false;
  for (auto [index, axis] : llvm::enumerate(sum.getLhsBatch()))
    if (axis != int64_t(index))
      return false;
  auto column = getFreeAxis(sum.getRhs(), sum.getRhsBatch(), sum.getRhsContract());
  return column && isReadable(sum.getRhs(), *column) && isLargestHead(getDims(sum.getY()).back()) &&
         isa<FloatType>(typeOf(sum.getY()).getElementType());
}

/// Whether `scores` is queries times keys, enough of them.
bool isScores(DotGeneralOp scores, size_t batches) {
  if (scores.getLhsBatch().size() != batches)
    return false;
  auto query = getFreeAxis(scores.getLhs(), scores.getLhsBatch(), scores.getLhsContract());
  auto key = getFreeAxis(scores.getRhs(), scores.getRhsBatch(), scores.getRhsContract());
  if (!query || !key)
    return false;
  auto count = dim::asConstant(getDims(scores.getLhs())[*query]);
  return (!count || *count >= fewestQueries) &&
         isContiguousAlong(scores.getLhs(), scores.getLhsContract()[0]) &&
         isReadable(scores.getRhs(), scores.getRhsContract()[0]) &&
         isLargestHead(getDims(scores.getLhs())[scores.getLhsContract()[0]]);
}

} // namespace

std::optional<StreamedAttention> matchStreamedAttention(SoftmaxOp softmax) {
  Value x = softmax.getX();
  if (int64_t(softmax.getAxis()) != typeOf(x).getRank() - 1 || !softmax->hasOneUse())
    return std::nullopt;
  auto sum = dyn_cast<DotGeneralOp>(*softmax->getUsers().begin());
  if (!sum || sum->getBlock() != softmax->getBlock() || !sumsWeights(sum, softmax.getY()))
    return std::nullopt;
  // Back from the softmax through elementwise ops that feed nothing else, to the only product behind them.
  llvm::SmallSetVector<Operation *, 8> ops;
  ops.insert(softmax);
  DotGeneralOp scores;
  for (size_t i = 0; i < ops.size(); ++i)
    for (Value operand : ops[i]->getOperands()) {
      Operation *producer = operand.getDefiningOp();
      if (!producer || ops.contains(producer) || producer->getBlock() != softmax->getBlock() ||
          getDims(operand) != getDims(x))
        continue;
      if (auto dot = dyn_cast<DotGeneralOp>(producer)) {
        if (scores && scores != dot)
          return std::nullopt;
        scores = dot;
      } else if (producer->hasTrait<ElementwiseOp>() &&
                 llvm::all_of(producer->getUsers(), [&](Operation *user) { return ops.contains(user); })) {
        ops.insert(producer);
      }
    }
  if (!scores || !isScores(scores, sum.getLhsBatch().size()) ||
      !llvm::all_of(scores->getUsers(), [&](Operation *user) { return ops.contains(user); }))
    return std::nullopt;
  // What the scores meet must not wait for them in another way.
  ops.insert(scores);
  ops.insert(sum);
  return StreamedAttention{scores, sum, SmallVector<Operation *>(ops.begin(), ops.end())};
}

} // namespace torsh
