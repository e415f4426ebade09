//===-- TreeModel.h - An ensemble of trees as a file states it ----------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_ML_TREEMODEL_H
#define TORSH_FRONTENDS_ONNX_OPS_ML_TREEMODEL_H

#include "frontends/onnx/ops/ml/MlOps.h"

namespace torsh::onnx {

enum class TreeMode : uint8_t { Leq, Lt, Gte, Gt, Eq, Neq, Member, Leaf };

/// A comparison, or a leaf. A value that is missing (NaN) makes a comparison false, or true where `missingIsTrue`.
struct TreeNode {
  TreeMode mode = TreeMode::Leaf;
  bool missingIsTrue = false;
  int64_t feature = 0;
  double threshold = 0;
  /// The children's indices.
  int64_t yes = -1, no = -1;
  /// Of a leaf: its row among the leaves. Of a membership: its set among the sets.
  int64_t index = -1;
};

/// What a leaf adds to one target.
struct LeafWeight {
  int64_t leaf, target;
  double value;
};

enum class TreeAggregate { Sum, Average, Min, Max };

/// A whole ensemble. Its children are valid indices; that every node has one parent is found out when it is packed.
struct TreeModel {
  std::vector<TreeNode> nodes;
  std::vector<int64_t> roots;
  std::vector<LeafWeight> weights;
  std::vector<llvm::SmallVector<double>> sets;
  int64_t leaves = 0, targets = 1, features = 0;
  TreeAggregate aggregate = TreeAggregate::Sum;
};

/// Reads the attributes of TreeEnsembleRegressor and TreeEnsembleClassifier; weights are named `prefix`_ids,
/// `prefix`_weights and so on. Fails with the reason reported.
llvm::FailureOr<TreeModel> readNodeLists(NodeImport &node, llvm::StringRef prefix, int64_t targets);
/// Reads the attributes of TreeEnsemble.
llvm::FailureOr<TreeModel> readTreeEnsemble(NodeImport &node);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_ML_TREEMODEL_H
