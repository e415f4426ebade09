//===-- MaterializePadding.cpp - Zero padding of convolutions as an op of its own ---------------------------===//
#include "passes/graph/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_MATERIALIZEPADDINGPASS
#include "passes/graph/Passes.h.inc"

namespace {

bool isDepthwise(ConvOp op) {
  ArrayRef<int64_t> w = cast<RankedTensorType>(op.getW().getType()).getShape();
  return op.getGroups() > 1 && w.back() == int64_t(op.getGroups()) && w[w.size() - 2] == 1;
}

void padInput(ConvOp op) {
  auto isZero = [](int64_t amount) { return amount == 0; };
  if (op.getLayout() != Layout::channels_last || isDepthwise(op) ||
      (llvm::all_of(op.getLow(), isZero) && llvm::all_of(op.getHigh(), isZero)))
    return;
  OpBuilder builder(op);
  MLIRContext *context = op.getContext();
  auto borders = [&](ArrayRef<int64_t> amounts) {
    SmallVector<int64_t> list{0};
    list.append(amounts.begin(), amounts.end());
    list.push_back(0);
    return DimsAttr::fromConstants(context, list);
  };
  auto scalar = RankedTensorType::get({}, cast<RankedTensorType>(op.getX().getType()).getElementType());
  Value zero = ConstantOp::create(builder, op.getLoc(), scalar, builder.getZeroAttr(scalar));
  Value padded = PadOp::create(builder, op.getLoc(), op.getX(), zero, borders(op.getLow()),
                               borders(op.getHigh()), PadMode::constant);
  op.getXMutable().assign(padded);
  SmallVector<int64_t> none(op.getLow().size(), 0);
  op.setLow(none);
  op.setHigh(none);
}

struct MaterializePadding : impl::MaterializePaddingPassBase<MaterializePadding> {
  void runOnOperation() override {
    getOperation().walk([](ConvOp op) { padInput(op); });
  }
};

} // namespace
} // namespace torsh
