//===-- TreeEnsemble.cpp - Reference semantics of the ops of decision trees ---------------------------------===//
#include "dialects/torsh/reference/TreeEnsemble.h"
#include "dialects/torsh/TreeEnsemble.h"
#include "llvm/ADT/bit.h"
#include <cmath>

using namespace llvm;
using namespace mlir;

namespace torsh::reference {
namespace {

/// The keys count up from the most negative number.
uint64_t sortKey(double value, bool wide) {
  if (std::isnan(value))
    return wide ? UINT64_MAX : UINT32_MAX;
  if (value == 0)
    return uint64_t(1) << (wide ? 63 : 31);
  uint64_t magnitude =
      wide ? llvm::bit_cast<uint64_t>(std::fabs(value)) : llvm::bit_cast<uint32_t>(float(std::fabs(value)));
  uint64_t zero = uint64_t(1) << (wide ? 63 : 31);
  return value > 0 ? zero + magnitude : zero - 1 - magnitude;
}

Results evaluateSortKey(SortKeyOp op, Call &call) {
  const Tensor &x = call[op.getX()];
  Tensor y = Tensor::zeros(call.resultElementType(), x.shape);
  for (auto [key, value] : zip_equal(y.ints, x.floats))
    key = int64_t(sortKey(value, x.elementType.isF64()));
  return single(std::move(y));
}

/// The trees as one row of keys sees them.
struct Forest {
  const Tensor &nodes, &trees;
  ArrayRef<int64_t> row;
  unsigned half;

  uint64_t threshold(int64_t node) const { return uint64_t(nodes.ints[2 * node]); }
  int64_t column(int64_t node) const { return nodes.ints[2 * node + 1] & int64_t((uint64_t(1) << half) - 1); }
  int64_t distance(int64_t node) const {
    uint64_t word = uint64_t(nodes.ints[2 * node + 1]);
    return int64_t((half == 16 ? word & UINT32_MAX : word) >> half);
  }

  /// The leaf that the row reaches in a tree; -1 when the tables do not describe one.
  int64_t findLeaf(int64_t tree) const {
    int64_t node = trees.ints[4 * tree];
    int64_t most = trees.ints[4 * tree + 1] + trees.ints[4 * tree + 2];
    for (int64_t step = 0; step <= most; ++step) {
      if (node < 0 || node >= nodes.shape[0] || column(node) >= int64_t(row.size()))
        return -1;
      if (distance(node) == 0)
        return column(node) + 1 == int64_t(row.size()) ? node : -1;
      node += distance(node) + (threshold(node) < uint64_t(row[column(node)]));
    }
    return -1;
  }
};

Results evaluateTreeEnsemble(TreeEnsembleOp op, Call &call) {
  const Tensor &keys = call[op.getKeys()], &nodes = call[op.getNodes()], &trees = call[op.getTrees()];
  const Tensor *leaves = op.getLeaves() ? call.find(op.getLeaves()) : nullptr;
  Expected<Tensor> y = call.allocateResult(0);
  if (!y)
    return y.takeError();
  int64_t chunks = y->shape[0], rows = keys.shape[0], columns = keys.shape[1], targets = y->shape[2];
  bool wide = y->elementType.isF64();
  if (y->shape[1] != rows || chunks < 1)
    return call.misfit("the result does not have the rows of the keys, or no chunks");
  double neutral = op.getKind() == ReduceKind::sum   ? 0
                   : op.getKind() == ReduceKind::min ? INFINITY
                                                     : -INFINITY;
  std::fill(y->floats.begin(), y->floats.end(), neutral);
  int64_t share = (trees.shape[0] + chunks - 1) / chunks;
  for (int64_t row = 0; row < rows; ++row) {
    Forest forest{nodes, trees, ArrayRef(keys.ints).slice(row * columns, columns), wide ? 32u : 16u};
    if (forest.row.back() != 0)
      return call.misfit("the last column of the keys is not 0");
    for (int64_t tree = 0; tree < trees.shape[0]; ++tree) {
      int64_t leaf = forest.findLeaf(tree);
      if (leaf < 0)
        return call.misfit("a row reaches no leaf of tree " + Twine(tree));
      uint64_t held = forest.threshold(leaf);
      if (leaves && held >= uint64_t(leaves->shape[0]))
        return call.misfit("a leaf of tree " + Twine(tree) + " holds a row that is not there");
      int64_t first = leaves ? 0 : trees.ints[4 * tree + 3], last = leaves ? targets : first + 1;
      if (first < 0 || last > targets)
        return call.misfit("tree " + Twine(tree) + " is for a target that is not there");
      for (int64_t target = first; target < last; ++target) {
        double value = leaves ? leaves->floats[held * targets + target]
                       : wide ? llvm::bit_cast<double>(held)
                              : double(llvm::bit_cast<float>(uint32_t(held)));
        double &sum = y->floats[((tree / share) * rows + row) * targets + target];
        switch (op.getKind()) {
        case ReduceKind::min:
          sum = std::isnan(value) || value < sum ? value : sum;
          break;
        case ReduceKind::max:
          sum = std::isnan(value) || value > sum ? value : sum;
          break;
        default:
          sum += value;
        }
      }
    }
  }
  return single(std::move(y));
}

} // namespace

void addTreeEnsemble(HandlerTable &table) {
  table.add<SortKeyOp>(evaluateSortKey);
  table.add<TreeEnsembleOp>(evaluateTreeEnsemble);
}

} // namespace torsh::reference
