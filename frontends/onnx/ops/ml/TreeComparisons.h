//===-- TreeComparisons.h - Trees whose every node is "key <= threshold" ------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_ML_TREECOMPARISONS_H
#define TORSH_FRONTENDS_ONNX_OPS_ML_TREECOMPARISONS_H

#include "frontends/onnx/ops/ml/TreeTables.h"
#include "llvm/ADT/DenseMap.h"

namespace torsh::onnx {

/// A node that goes left when its column's key is not above the threshold, or a leaf. Nodes may have several parents:
/// a test for equality is two comparisons that share a side.
struct KeyNode {
  uint64_t threshold = 0; ///< of a leaf: what it holds
  int64_t column = -1;    ///< -1 for a leaf
  int64_t left = -1, right = -1;
};

/// Writes the modes of a model as such comparisons.
class ComparisonBuilder {
public:
  ComparisonBuilder(const TreeModel &model, bool wide, llvm::ArrayRef<uint64_t> leafWords)
      : model(model), wide(wide), leafWords(leafWords) {}

  /// The nodes of one tree, the root first. Empty when a node has two parents or is its own ancestor.
  std::vector<KeyNode> build(int64_t root, std::vector<bool> &visited);
  std::vector<KeyColumn> columns;

private:
  int64_t columnOf(int64_t feature, bool missingIsLow);
  uint64_t keyOf(double value) const;
  uint64_t missingKey() const { return wide ? UINT64_MAX : UINT32_MAX; }
  int64_t add(uint64_t threshold, int64_t column, int64_t left, int64_t right);
  void expand(const TreeNode &from, int64_t to, int64_t yes, int64_t no);
  void expandSet(llvm::ArrayRef<uint64_t> keys, int64_t column, int64_t to, int64_t yes, int64_t no,
                 int64_t missing);

  const TreeModel &model;
  bool wide;
  llvm::ArrayRef<uint64_t> leafWords;
  llvm::DenseMap<std::pair<int64_t, int64_t>, int64_t> columnNumbers;
  std::vector<KeyNode> nodes;
};

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_ML_TREECOMPARISONS_H
