//===-- NarrowActivations.cpp - Results that contractions read lie in memory as bf16 alone ------------------===//
#include "passes/graph/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_NARROWACTIVATIONSPASS
#include "passes/graph/Passes.h.inc"

namespace {

RankedTensorType typeOf(Value value) { return dyn_cast<RankedTensorType>(value.getType()); }

RankedTensorType withElement(Value value, Type element) {
  return RankedTensorType::get(typeOf(value).getShape(), element, typeOf(value).getEncoding());
}

/// Kernels that pull their operands, or that read them through views: a load widens what it finds.
bool widensOnLoad(GroupOp group) {
  return llvm::is_contained({"elementwise", "reduce", "row_norm", "pool", "dot", "conv", "attention"},
                            group.getAnchor());
}

/// Whether all readers of a result of a group could as well read bf16, also through reshapes between kernels.
bool canReadNarrow(Value value) {
  return llvm::all_of(value.getUses(), [](OpOperand &use) {
    if (auto group = dyn_cast<GroupOp>(use.getOwner()))
      return widensOnLoad(group);
    auto reshape = dyn_cast<ReshapeOp>(use.getOwner());
    return reshape && canReadNarrow(reshape.getY());
  });
}

/// Gives all readers `narrow`, which they widen where they used the value.
void readNarrow(Value value, Value narrow) {
  for (OpOperand &use : llvm::make_early_inc_range(value.getUses())) {
    Operation *reader = use.getOwner();
    if (auto reshape = dyn_cast<ReshapeOp>(reader)) {
      OpBuilder builder(reader);
      Value made = ReshapeOp::create(builder, reader->getLoc(),
                                     withElement(reshape.getY(), builder.getBF16Type()), narrow);
      readNarrow(reshape.getY(), made);
      reshape.erase();
      continue;
    }
    BlockArgument argument = cast<GroupOp>(reader).getBody().getArgument(use.getOperandNumber());
    OpBuilder builder = OpBuilder::atBlockBegin(argument.getOwner());
    RankedTensorType wide = typeOf(argument);
    argument.setType(narrow.getType());
    Value widened = CastOp::create(builder, argument.getLoc(), wide, argument);
    argument.replaceAllUsesExcept(widened, widened.getDefiningOp());
    use.set(narrow);
  }
}

/// The group without the results that nobody reads.
void dropUnread(GroupOp group) {
  auto yield = cast<YieldOp>(group.getBody().front().getTerminator());
  SmallVector<Value> kept, results;
  SmallVector<Type> types;
  for (auto [inner, outer] : llvm::zip_equal(yield.getOperands(), group.getResults())) {
    if (outer.use_empty())
      continue;
    kept.push_back(inner);
    results.push_back(outer);
    types.push_back(outer.getType());
  }
  yield->setOperands(kept);
  OpBuilder builder(group);
  auto smaller = GroupOp::create(builder, group.getLoc(), types, group.getInputs(), group.getAnchorAttr());
  smaller->setDiscardableAttrs(group->getDiscardableAttrDictionary());
  smaller.getBody().takeBody(group.getBody());
  for (auto [from, to] : llvm::zip_equal(results, smaller.getResults()))
    from.replaceAllUsesWith(to);
  group.erase();
}

struct NarrowActivations : impl::NarrowActivationsPassBase<NarrowActivations> {
  void runOnOperation() override {
    SmallVector<GroupOp> groups(getOperation().getOps<GroupOp>());
    for (GroupOp group : groups) {
      auto yield = cast<YieldOp>(group.getBody().front().getTerminator());
      bool unread = false;
      for (auto [index, inner] : llvm::enumerate(yield.getOperands())) {
        auto cast = inner.getDefiningOp<CastOp>();
        if (!cast || !typeOf(inner).getElementType().isBF16() ||
            !typeOf(cast.getX()).getElementType().isF32())
          continue;
        auto wide = llvm::find(yield.getOperands(), cast.getX());
        if (wide == yield.getOperands().end())
          continue;
        Value outer = group.getResult(std::distance(yield.getOperands().begin(), wide));
        if (!canReadNarrow(outer))
          continue;
        readNarrow(outer, group.getResult(index));
        unread = true;
      }
      if (unread)
        dropUnread(group);
    }
  }
};

} // namespace
} // namespace torsh
