//===-- VectorPlan.cpp - Which loops become vectors ---------------------------------------------------------===//
//
// A loop whose iterations are free of each other can be executed a vector at a time even if other loops are inside of it,
// as long as their bounds do not depend on it. The cheapest choice is taken: loads next to each other cost one, loads of
// every second element three, scattered ones more than they save. A loop without freedom around which there is a free
// one has its neighbours executed side by side, so that the latency of one chain does not count.
//
//===--------------------------------------------------------------------------------------------------------===//
#include "passes/polyhedral/VectorPlan.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace torsh::poly {
namespace {

bool usesLoopValue(const LoopNode &leaf) {
  return llvm::any_of(leaf.statement->body, [](Operation *op) {
    return !isa<affine::AffineLoadOp, affine::AffineStoreOp, affine::AffineApplyOp>(op) &&
           llvm::any_of(op->getOperands(), [](Value value) {
             return affine::isAffineInductionVar(value) || value.getDefiningOp<affine::AffineApplyOp>();
           });
  });
}

double loadCost(Motion motion) {
  switch (motion) {
  case Motion::Uniform:
    return 0.3;
  case Motion::Contiguous:
    return 1;
  case Motion::Reversed:
    return 2;
  case Motion::EverySecond:
    return 3;
  case Motion::Scattered:
    break;
  }
  return 12;
}

double scalarCost(const LoopNode &leaf) { return leaf.statement->body.size(); }

/// One iteration's share of a vector of iterations.
double vectorCost(const LoopNode &leaf, StringRef iterator, unsigned lanes) {
  double cost = leaf.statement->body.size() - leaf.subscripts.size();
  for (auto [access, subscripts] : llvm::zip(leaf.statement->accesses, leaf.subscripts)) {
    Motion motion = motionOf(subscripts, iterator);
    cost += access.write && motion == Motion::EverySecond ? 12 : loadCost(motion);
  }
  return cost / lanes;
}

bool containsLoop(const LoopNode &node) {
  return node.kind == LoopNode::For ||
         llvm::any_of(node.children, [](const auto &child) { return containsLoop(*child); });
}

/// True if no bound or condition below the node depends on the iterator.
bool boundsIgnore(const LoopNode &node, StringRef iterator) {
  if (node.kind == LoopNode::For &&
      (linearForm(node.low).mentions(iterator) || linearForm(node.high).mentions(iterator)))
    return false;
  if (node.kind == LoopNode::If && linearForm(node.condition).mentions(iterator))
    return false;
  return llvm::all_of(node.children, [&](const auto &child) { return boundsIgnore(*child, iterator); });
}

void makeScalar(LoopNode &node) {
  node.plan = LoopPlan::Scalar;
  for (auto &child : node.children)
    makeScalar(*child);
}

bool canBeVector(const LoopNode &loop, unsigned lanes) {
  if (loop.freedom == LoopKind::Sequential || loop.step != 1 || lanes < 2)
    return false;
  const LoopNode &body = *loop.children.front();
  if (!boundsIgnore(body, loop.iterator))
    return false;
  LinearForm low = linearForm(loop.low), high = linearForm(loop.high);
  if (low.exact && high.exact && low.terms == high.terms && high.constant - low.constant + 1 < (int64_t)lanes)
    return false;
  bool possible = true;
  bool partial = loop.freedom == LoopKind::Reduction;
  if (partial && containsLoop(body))
    return false;
  forEachLeaf(body, [&](const LoopNode &leaf) {
    if (usesLoopValue(leaf))
      possible = false;
    bool moves = llvm::any_of(leaf.subscripts.back(),
                              [&](const LinearForm &form) { return form.mentions(loop.iterator); });
    if (!moves && !(partial && leaf.statement->combine != Combine::None))
      possible = false;
    if (partial && body.kind == LoopNode::If)
      possible = false;
  });
  return possible;
}

double plan(LoopNode &node, const Machine &machine) {
  if (node.kind == LoopNode::Leaf)
    return scalarCost(node);
  double inner = 0;
  for (auto &child : node.children)
    inner += plan(*child, machine);
  if (node.kind != LoopNode::For)
    return inner;
  unsigned lanes = lanesOf(node, machine);
  if (!canBeVector(node, lanes))
    return inner;
  double cost = 0;
  forEachLeaf(node, [&](const LoopNode &leaf) { cost += vectorCost(leaf, node.iterator, lanes); });
  if (cost >= 0.9 * inner)
    return inner;
  makeScalar(node);
  node.plan = LoopPlan::Vector;
  return cost;
}

bool hasPlan(const LoopNode &node) {
  return node.plan != LoopPlan::Scalar ||
         llvm::any_of(node.children, [](const auto &child) { return hasPlan(*child); });
}

/// Runs neighbours of sequential loops side by side: the innermost free loop around them that no vector is below.
void planJams(LoopNode &node) {
  for (auto &child : node.children)
    planJams(*child);
  if (node.kind != LoopNode::For || node.freedom != LoopKind::Parallel || node.step != 1 || hasPlan(node))
    return;
  const LoopNode &body = *node.children.front();
  unsigned leaves = 0;
  forEachLeaf(body, [&](const LoopNode &) { ++leaves; });
  if (containsLoop(body) && leaves <= 2 && boundsIgnore(body, node.iterator))
    node.plan = LoopPlan::Jam;
}

} // namespace

Motion motionOf(ArrayRef<LinearForm> subscripts, StringRef iterator) {
  if (llvm::none_of(subscripts, [&](const LinearForm &form) { return form.mentions(iterator); }))
    return Motion::Uniform;
  if (llvm::any_of(subscripts.drop_back(), [&](const LinearForm &form) { return form.mentions(iterator); }) ||
      llvm::is_contained(subscripts.back().opaque, iterator))
    return Motion::Scattered;
  switch (subscripts.back().coefficient(iterator)) {
  case 1:
    return Motion::Contiguous;
  case -1:
    return Motion::Reversed;
  case 2:
    return Motion::EverySecond;
  default:
    return Motion::Scattered;
  }
}

unsigned lanesOf(const LoopNode &node, const Machine &machine) {
  unsigned bits = 8;
  forEachLeaf(node, [&](const LoopNode &leaf) {
    for (const Access &access : leaf.statement->accesses)
      bits = std::max(bits, cast<MemRefType>(access.memref.getType()).getElementTypeBitWidth());
  });
  return machine.vectorBits / bits;
}

bool isPartialSum(const LoopNode &leaf, StringRef iterator) {
  return leaf.statement->combine != Combine::None &&
         motionOf(leaf.subscripts.back(), iterator) == Motion::Uniform;
}

double planVectors(LoopNode &tree, const Machine &machine) {
  double cost = plan(tree, machine);
  planJams(tree);
  return cost;
}

} // namespace torsh::poly
