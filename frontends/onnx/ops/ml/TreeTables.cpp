//===-- TreeTables.cpp - The tables that torsh.tree_ensemble reads ------------------------------------------===//
//
// The order of nodes decides how many cache lines a walk touches. Siblings are neighbours; a line is filled with the
// pairs nearest to a root or to the first pair of the line, so a walk of eight steps touches four lines where level
// order touches seven.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/ml/TreeTables.h"
#include "frontends/onnx/ops/ml/TreeComparisons.h"
#include "llvm/ADT/bit.h"
#include <cmath>

using namespace mlir;

namespace torsh::onnx {
namespace {

/// Places the nodes of one tree behind those of the trees before.
class TreeLayout {
public:
  TreeLayout(std::vector<KeyNode> nodes, bool wide, int64_t lastColumn, std::vector<int64_t> &words)
      : nodes(std::move(nodes)), wide(wide), lastColumn(lastColumn), words(words) {}

  /// False when a distance does not fit into its bits.
  bool place();
  int64_t root = 0, depth = 0;
  double averageDepth = 0;

private:
  int64_t slots() const { return int64_t(words.size()) / 2; }
  void putNode(int64_t node) {
    places[node].push_back(slots());
    words.push_back(int64_t(nodes[node].threshold));
    words.push_back(0);
  }
  void fillLine(int64_t first, size_t pairs);
  bool link();

  std::vector<KeyNode> nodes;
  bool wide;
  int64_t lastColumn;
  std::vector<int64_t> &words;
  std::vector<SmallVector<int64_t, 1>> places; ///< where a node stands, once for each parent
  std::vector<int64_t> parentsLeft, childPlace, level;
  std::vector<double> reached; ///< probability, were all branches equally likely
  std::vector<int64_t> open;   ///< nodes whose children have no place yet and that are placed everywhere
};

void TreeLayout::fillLine(int64_t first, size_t pairs) {
  SmallVector<int64_t> queue{first};
  size_t next = 0;
  for (; next < queue.size() && next < pairs; ++next) {
    int64_t parent = queue[next];
    childPlace[parent] = slots();
    averageDepth += reached[parent];
    for (int64_t child : {nodes[parent].left, nodes[parent].right}) {
      putNode(child);
      level[child] = std::max(level[child], level[parent] + 1);
      reached[child] += reached[parent] / 2;
      depth = std::max(depth, level[child]);
      if (--parentsLeft[child] == 0 && nodes[child].column >= 0)
        queue.push_back(child);
    }
  }
  while (queue.size() > next)
    open.push_back(queue.pop_back_val());
}

bool TreeLayout::link() {
  unsigned half = wide ? 32 : 16;
  // Columns between those that are read may be added later, at most as many again.
  if (lastColumn + 16 > int64_t(1) << (half - 1))
    return false;
  for (size_t node = 0; node < nodes.size(); ++node)
    for (int64_t place : places[node]) {
      uint64_t column = uint64_t(lastColumn), distance = 0;
      if (nodes[node].column >= 0) {
        column = uint64_t(nodes[node].column);
        distance = uint64_t(childPlace[node] - place);
      }
      if (distance >> half != 0)
        return false;
      words[2 * place + 1] = int64_t(column | distance << half);
    }
  return true;
}

bool TreeLayout::place() {
  size_t count = nodes.size();
  places.resize(count);
  parentsLeft.resize(count, 0);
  childPlace.resize(count, 0);
  level.resize(count, 0);
  reached.resize(count, 0);
  for (const KeyNode &node : nodes)
    if (node.column >= 0)
      for (int64_t child : {node.left, node.right})
        ++parentsLeft[child];
  // A tree starts with a line. The root has no sibling; a node that nobody reads keeps pairs from lying across lines.
  const int64_t nodesOfLine = wide ? 4 : 8;
  auto pad = [&] {
    words.push_back(wide ? -1 : int64_t(UINT32_MAX));
    words.push_back(0);
  };
  while (slots() % nodesOfLine != 0)
    pad();
  root = slots();
  putNode(0);
  pad();
  reached[0] = 1;
  if (nodes[0].column >= 0)
    fillLine(0, nodesOfLine / 2 - 1);
  while (!open.empty()) {
    int64_t next = open.back();
    open.pop_back();
    fillLine(next, nodesOfLine / 2);
  }
  return link();
}

double neutralOf(TreeAggregate aggregate) {
  switch (aggregate) {
  case TreeAggregate::Min:
    return INFINITY;
  case TreeAggregate::Max:
    return -INFINITY;
  default:
    return 0;
  }
}

void combineInto(double &sum, double value, TreeAggregate aggregate) {
  if (aggregate == TreeAggregate::Min)
    sum = std::min(sum, value);
  else if (aggregate == TreeAggregate::Max)
    sum = std::max(sum, value);
  else
    sum += value;
}

/// The target of a leaf: -1 for none yet, -2 for several.
std::vector<int64_t> targetsOfLeaves(const TreeModel &model) {
  std::vector<int64_t> targets(model.leaves, -1);
  for (const LeafWeight &weight : model.weights) {
    int64_t &target = targets[weight.leaf];
    target = target == -1 || target == weight.target ? weight.target : -2;
  }
  return targets;
}

/// The target of every tree; empty when the leaves of one tree differ.
std::vector<int64_t> targetsOfTrees(const TreeModel &model, ArrayRef<int64_t> ofLeaf) {
  std::vector<int64_t> result;
  for (int64_t root : model.roots) {
    int64_t target = -1;
    // Cycles end the search as well; they are reported when the tree is packed.
    size_t steps = 0;
    SmallVector<int64_t> work{root};
    while (!work.empty() && ++steps <= 2 * model.nodes.size()) {
      const TreeNode &node = model.nodes[work.pop_back_val()];
      if (node.mode != TreeMode::Leaf) {
        work.push_back(node.yes);
        work.push_back(node.no);
        continue;
      }
      int64_t leaf = ofLeaf[node.index];
      // A leaf without a weight must not add to a minimum or maximum.
      bool differs = leaf == -2 || (target >= 0 && leaf >= 0 && leaf != target);
      if (differs ||
          (leaf == -1 && model.aggregate != TreeAggregate::Sum && model.aggregate != TreeAggregate::Average))
        return {};
      target = std::max(target, leaf);
    }
    result.push_back(std::max<int64_t>(target, 0));
  }
  return result;
}

} // namespace

FailureOr<std::optional<TreeTables>> packTrees(NodeImport &node, const TreeModel &model, bool wide) {
  TreeTables tables;
  std::vector<int64_t> ofLeaf = targetsOfLeaves(model), ofTree = targetsOfTrees(model, ofLeaf);
  tables.targetHasLeaf.assign(model.targets, false);
  std::vector<uint64_t> words(model.leaves);
  if (!ofTree.empty()) {
    std::vector<double> values(model.leaves, neutralOf(model.aggregate));
    for (const LeafWeight &weight : model.weights)
      combineInto(values[weight.leaf], weight.value, model.aggregate);
    for (auto [word, value] : llvm::zip_equal(words, values))
      word = wide ? llvm::bit_cast<uint64_t>(value) : llvm::bit_cast<uint32_t>(float(value));
  } else {
    std::vector<double> dense(model.leaves * model.targets, neutralOf(model.aggregate));
    for (const LeafWeight &weight : model.weights)
      combineInto(dense[weight.leaf * model.targets + weight.target], weight.value, model.aggregate);
    for (int64_t leaf = 0; leaf < model.leaves; ++leaf)
      words[leaf] = uint64_t(leaf);
    tables.leaves = std::move(dense);
  }
  for (const LeafWeight &weight : model.weights)
    tables.targetHasLeaf[weight.target] = true;

  ComparisonBuilder builder(model, wide, words);
  std::vector<bool> visited(model.nodes.size(), false);
  std::vector<std::vector<KeyNode>> trees;
  for (int64_t root : model.roots) {
    trees.push_back(builder.build(root, visited));
    if (trees.back().empty())
      return LogicalResult(node.malformed("a node of a tree has two parents, or is its own ancestor"));
  }
  tables.columns = std::move(builder.columns);
  for (auto [index, tree] : llvm::enumerate(trees)) {
    TreeLayout layout(std::move(tree), wide, int64_t(tables.columns.size()), tables.nodes);
    if (!layout.place())
      return std::optional<TreeTables>();
    // Few of the rows that walk side by side need more than a step above the average; a deep tree is not waited for.
    int64_t steps = std::min(layout.depth, int64_t(std::ceil(layout.averageDepth)) + 1);
    int64_t target = ofTree.empty() ? 0 : ofTree[index];
    tables.trees.insert(tables.trees.end(), {layout.root, steps, layout.depth - steps, target});
    tables.averageSteps += layout.averageDepth;
  }
  return std::optional<TreeTables>(std::move(tables));
}

} // namespace torsh::onnx
