//===-- TreeTables.h - The tables that torsh.tree_ensemble reads --------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_ML_TREETABLES_H
#define TORSH_FRONTENDS_ONNX_OPS_ML_TREETABLES_H

#include "frontends/onnx/ops/ml/TreeModel.h"

namespace torsh::onnx {

/// A column of keys: a feature, and whether a missing value is less than all numbers there and not greater.
struct KeyColumn {
  int64_t feature;
  bool missingIsLow;
};

/// See torsh.tree_ensemble for the layout. Elements of the tables stand as 64-bit integers.
struct TreeTables {
  std::vector<KeyColumn> columns; ///< without the last one, which is 0
  std::vector<int64_t> nodes;     ///< two words each
  std::vector<int64_t> trees;     ///< four entries each
  std::vector<double> leaves;     ///< rows of all targets; empty when each tree is for one target
  std::vector<bool> targetHasLeaf;
  double averageSteps = 0; ///< of a row through all trees, were all branches equally likely
};

/// Packs the trees for keys of 64 bits (`wide`) or 32. No result when they do not fit into 32 bits; a failure, reported,
/// when the nodes are no trees.
llvm::FailureOr<std::optional<TreeTables>> packTrees(NodeImport &node, const TreeModel &model, bool wide);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_ML_TREETABLES_H
