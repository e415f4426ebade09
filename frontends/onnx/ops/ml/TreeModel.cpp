//===-- TreeModel.cpp - Trees from the attributes of a node -------------------------------------------------===//
#include "frontends/onnx/ops/ml/TreeModel.h"
#include "llvm/ADT/DenseMap.h"
#include <cmath>

using namespace mlir;

namespace torsh::onnx {
namespace {

/// A list of floats, or the tensor `name`_as_tensor, which may be of doubles.
FailureOr<SmallVector<double>> numbers(NodeImport &node, StringRef name) {
  ArrayRef<float> floats = floatsAttr(node, name);
  if (!floats.empty())
    return SmallVector<double>(floats.begin(), floats.end());
  auto tensor = tensorAttr(node, (name + "_as_tensor").str());
  if (failed(tensor))
    return failure();
  if (!*tensor)
    return SmallVector<double>();
  if (!(*tensor)->isFloat())
    return LogicalResult(node.malformed("the attribute " + name + "_as_tensor must hold floats"));
  return SmallVector<double>((*tensor)->floats.begin(), (*tensor)->floats.end());
}

std::optional<TreeMode> modeOf(StringRef name) {
  return llvm::StringSwitch<std::optional<TreeMode>>(name)
      .Case("BRANCH_LEQ", TreeMode::Leq)
      .Case("BRANCH_LT", TreeMode::Lt)
      .Case("BRANCH_GTE", TreeMode::Gte)
      .Case("BRANCH_GT", TreeMode::Gt)
      .Case("BRANCH_EQ", TreeMode::Eq)
      .Case("BRANCH_NEQ", TreeMode::Neq)
      .Case("LEAF", TreeMode::Leaf)
      .Default(std::nullopt);
}

} // namespace

FailureOr<TreeModel> readNodeLists(NodeImport &node, StringRef prefix, int64_t targets) {
  auto list = [&](StringRef name) { return intListAttr(node, name); };
  ArrayRef<int64_t> trees = list("nodes_treeids"), ids = list("nodes_nodeids"),
                    features = list("nodes_featureids"), yes = list("nodes_truenodeids"),
                    no = list("nodes_falsenodeids"), missing = list("nodes_missing_value_tracks_true");
  ArrayRef<StringRef> modes = stringsAttr(node, "nodes_modes");
  auto thresholds = numbers(node, "nodes_values");
  auto weights = numbers(node, (prefix + "_weights").str());
  if (failed(thresholds) || failed(weights))
    return failure();
  size_t count = modes.size();
  if (count == 0 || trees.size() != count || ids.size() != count || features.size() != count ||
      yes.size() != count || no.size() != count || thresholds->size() != count ||
      (!missing.empty() && missing.size() != count))
    return LogicalResult(node.malformed("the lists of the attributes nodes_* are empty or differ in length"));

  TreeModel model;
  model.targets = targets;
  model.nodes.resize(count);
  llvm::DenseMap<std::pair<int64_t, int64_t>, int64_t> places;
  llvm::DenseSet<int64_t> seenTrees;
  for (size_t i = 0; i < count; ++i) {
    if (!places.try_emplace({trees[i], ids[i]}, i).second)
      return LogicalResult(
          node.malformed("tree " + Twine(trees[i]) + " has two nodes of the number " + Twine(ids[i])));
    if (seenTrees.insert(trees[i]).second)
      model.roots.push_back(i);
  }
  for (size_t i = 0; i < count; ++i) {
    TreeNode &to = model.nodes[i];
    std::optional<TreeMode> mode = modeOf(modes[i]);
    if (!mode)
      return LogicalResult(node.malformed("the mode '" + modes[i] + "' of a node is not known"));
    to.mode = *mode;
    if (*mode == TreeMode::Leaf) {
      to.index = model.leaves++;
      continue;
    }
    auto child = [&](int64_t id) {
      auto found = places.find({trees[i], id});
      return found == places.end() ? -1 : found->second;
    };
    to.yes = child(yes[i]);
    to.no = child(no[i]);
    to.feature = features[i];
    to.threshold = (*thresholds)[i];
    to.missingIsTrue = !missing.empty() && missing[i] == 1;
    if (to.yes < 0 || to.no < 0)
      return LogicalResult(node.malformed("a child of node " + Twine(ids[i]) + " of tree " + Twine(trees[i]) +
                                          " does not exist"));
    if (to.feature < 0)
      return LogicalResult(node.malformed("a node compares a feature of negative number"));
    model.features = std::max(model.features, to.feature + 1);
  }

  ArrayRef<int64_t> weightTrees = list((prefix + "_treeids").str()),
                    weightIds = list((prefix + "_nodeids").str()),
                    weightTargets = list((prefix + "_ids").str());
  if (weightTrees.size() != weights->size() || weightIds.size() != weights->size() ||
      weightTargets.size() != weights->size())
    return LogicalResult(node.malformed("the lists of the attributes " + prefix + "_* differ in length"));
  for (size_t i = 0; i < weights->size(); ++i) {
    auto found = places.find({weightTrees[i], weightIds[i]});
    if (found == places.end() || weightTargets[i] < 0 || weightTargets[i] >= targets)
      return LogicalResult(node.malformed("a weight is for node " + Twine(weightIds[i]) + " of tree " +
                                          Twine(weightTrees[i]) + " and target " + Twine(weightTargets[i]) +
                                          ", which do not exist"));
    // Weights of inner nodes are never reached.
    if (int64_t leaf = model.nodes[found->second].index; model.nodes[found->second].mode == TreeMode::Leaf)
      model.weights.push_back({leaf, weightTargets[i], (*weights)[i]});
  }
  auto aggregate =
      llvm::StringSwitch<std::optional<TreeAggregate>>(node.stringAttr("aggregate_function", "SUM"))
          .Case("SUM", TreeAggregate::Sum)
          .Case("AVERAGE", TreeAggregate::Average)
          .Case("MIN", TreeAggregate::Min)
          .Case("MAX", TreeAggregate::Max)
          .Default(std::nullopt);
  if (!aggregate)
    return LogicalResult(node.malformed("the aggregate function '" +
                                        node.stringAttr("aggregate_function", "") + "' is not known"));
  model.aggregate = *aggregate;
  return model;
}

FailureOr<TreeModel> readTreeEnsemble(NodeImport &node) {
  auto list = [&](StringRef name) { return intListAttr(node, name); };
  ArrayRef<int64_t> features = list("nodes_featureids"), yes = list("nodes_truenodeids"),
                    no = list("nodes_falsenodeids"), yesLeaf = list("nodes_trueleafs"),
                    noLeaf = list("nodes_falseleafs"), missing = list("nodes_missing_value_tracks_true"),
                    targets = list("leaf_targetids"), roots = list("tree_roots");
  auto modes = tensorAttr(node, "nodes_modes"), splits = tensorAttr(node, "nodes_splits"),
       weights = tensorAttr(node, "leaf_weights"), members = tensorAttr(node, "membership_values");
  if (failed(modes) || failed(splits) || failed(weights) || failed(members))
    return failure();
  size_t count = features.size(), leaves = targets.size();
  auto isTensor = [](const std::optional<torsh::Tensor> &tensor, size_t size, bool floats) {
    return tensor && tensor->isFloat() == floats && size_t(tensor->numElements()) == size;
  };
  if (count == 0 || leaves == 0 || roots.empty() || yes.size() != count || no.size() != count ||
      yesLeaf.size() != count || noLeaf.size() != count || (!missing.empty() && missing.size() != count) ||
      !isTensor(*modes, count, false) || !isTensor(*splits, count, true) || !isTensor(*weights, leaves, true))
    return LogicalResult(
        node.malformed("the attributes nodes_*, leaf_* or tree_roots are empty or differ in length"));

  TreeModel model;
  model.targets = node.intAttr("n_targets", 1);
  model.leaves = int64_t(leaves);
  // The leaves follow the nodes.
  model.nodes.resize(count + leaves);
  for (size_t i = 0; i < leaves; ++i) {
    model.nodes[count + i].index = int64_t(i);
    if (targets[i] < 0 || targets[i] >= model.targets)
      return LogicalResult(
          node.malformed("a leaf is for target " + Twine(targets[i]) + " of " + Twine(model.targets)));
    model.weights.push_back({int64_t(i), targets[i], (*weights)->floats[i]});
  }
  size_t member = 0;
  for (size_t i = 0; i < count; ++i) {
    TreeNode &to = model.nodes[i];
    auto child = [&](int64_t id, bool isLeaf) {
      bool valid = id >= 0 && id < int64_t(isLeaf ? leaves : count);
      return valid ? (isLeaf ? int64_t(count) + id : id) : -1;
    };
    int64_t mode = (*modes)->ints[i];
    if (mode < 0 || mode > int64_t(TreeMode::Member))
      return LogicalResult(node.malformed("the mode " + Twine(mode) + " of a node is not known"));
    to.mode = TreeMode(mode);
    to.feature = features[i];
    to.threshold = (*splits)->floats[i];
    to.missingIsTrue = !missing.empty() && missing[i] == 1;
    to.yes = child(yes[i], yesLeaf[i] != 0);
    to.no = child(no[i], noLeaf[i] != 0);
    if (to.yes < 0 || to.no < 0 || to.feature < 0)
      return LogicalResult(
          node.malformed("node " + Twine(i) + " has a child or feature that does not exist"));
    model.features = std::max(model.features, to.feature + 1);
    if (to.mode != TreeMode::Member)
      continue;
    // Each set ends with NaN.
    to.index = int64_t(model.sets.size());
    model.sets.emplace_back();
    while (*members && member < (*members)->floats.size() && !std::isnan((*members)->floats[member]))
      model.sets.back().push_back((*members)->floats[member++]);
    if (!*members || member++ >= (*members)->floats.size())
      return LogicalResult(node.malformed("membership_values has no set for node " + Twine(i)));
  }
  for (int64_t root : roots) {
    if (root < 0 || root >= int64_t(count))
      return LogicalResult(node.malformed("the root " + Twine(root) + " of a tree does not exist"));
    // A tree that is one leaf is stated as a node whose children are that leaf.
    const TreeNode &top = model.nodes[root];
    bool isLeaf = top.yes == top.no && yesLeaf[root] != 0;
    model.roots.push_back(isLeaf ? top.yes : root);
  }
  int64_t aggregate = node.intAttr("aggregate_function", 1);
  static const TreeAggregate aggregates[] = {TreeAggregate::Average, TreeAggregate::Sum, TreeAggregate::Min,
                                             TreeAggregate::Max};
  if (aggregate < 0 || aggregate > 3)
    return LogicalResult(node.malformed("the aggregate function " + Twine(aggregate) + " is not known"));
  model.aggregate = aggregates[aggregate];
  return model;
}

} // namespace torsh::onnx
