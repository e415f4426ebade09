//===-- NarrowWeights.cpp - Weights of contractions stored as bf16 ------------------------------------------===//
#include "passes/graph/FoldedMoves.h"
#include "passes/graph/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_NARROWWEIGHTSPASS
#include "passes/graph/Passes.h.inc"

namespace {

/// Whether every reader, through the shape ops in between, is the right operand of a contraction.
bool onlyContractionsRead(Value value) {
  return llvm::all_of(value.getUses(), [&](OpOperand &use) {
    Operation *reader = use.getOwner();
    if (auto dot = dyn_cast<DotGeneralOp>(reader))
      return &use == &dot.getRhsMutable();
    if (auto conv = dyn_cast<ConvOp>(reader))
      return &use == &conv.getWMutable();
    return isa<ReshapeOp, TransposeOp>(reader) && onlyContractionsRead(reader->getResult(0));
  });
}

/// Transformed weights are differences of others, which a coarse rounding would not keep small.
bool isTransformed(WeightAttr weight) {
  return llvm::any_of(weight.getSteps(),
                      [](WeightStepAttr step) { return step.getKind().getValue() == "winograd"; });
}

struct NarrowWeights : impl::NarrowWeightsPassBase<NarrowWeights> {
  void runOnOperation() override {
    getOperation().walk([](UnpackOp op) {
      auto type = cast<RankedTensorType>(op.getX().getType());
      auto weight = dyn_cast_or_null<WeightAttr>(getConstantAttr(op.getX()));
      if (!weight || !type.getElementType().isF32() || isTransformed(weight) || !onlyContractionsRead(op))
        return;
      OpBuilder builder(op);
      auto narrow = RankedTensorType::get(type.getShape(), builder.getBF16Type());
      op.getXMutable().assign(appendStep(builder, op.getLoc(), op.getX(), "cast", {}, narrow));
    });
  }
};

} // namespace
} // namespace torsh
