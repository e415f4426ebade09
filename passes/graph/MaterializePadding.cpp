//===-- MaterializePadding.cpp - Zero padding of convolutions as an op of its own ---------------------------===//
#include "dialects/torsh/ImagePlanes.h"
#include "passes/graph/FoldedMoves.h"
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

/// The order that takes an image's planes to channels-last, when the convolution reads them as they lie; else empty.
SmallVector<int64_t> planesToLast(ConvOp op) {
  int64_t rank = cast<RankedTensorType>(op.getX().getType()).getRank();
  SmallVector<int64_t> order{0};
  for (int64_t axis = 2; axis < rank; ++axis)
    order.push_back(axis);
  order.push_back(1);
  auto transpose = op.getX().getDefiningOp<TransposeOp>();
  bool found = transpose && transpose.getPermutation() == ArrayRef<int64_t>(order);
  // A single plane is one without moving anything.
  bool single = dim::isConstant(getDims(op.getX()).back(), 1);
  return mayReadPlanes(op) && (found || single) ? order : SmallVector<int64_t>();
}

/// A transpose, or the reshape that does the same to a single plane.
Value move(OpBuilder &builder, Location loc, Value x, ArrayRef<int64_t> order) {
  SmallVector<DimAttr> dims = getDims(x);
  return movesOnlyUnitDims(dims, order) ? createReshape(builder, loc, x, permuted<DimAttr>(dims, order))
                                        : createTranspose(builder, loc, x, order);
}

void padInput(ConvOp op) {
  auto isZero = [](int64_t amount) { return amount == 0; };
  if (op.getLayout() != Layout::channels_last || isDepthwise(op) ||
      (llvm::all_of(op.getLow(), isZero) && llvm::all_of(op.getHigh(), isZero)))
    return;
  OpBuilder builder(op);
  Location loc = op.getLoc();
  SmallVector<int64_t> order = planesToLast(op);
  auto borders = [&](ArrayRef<int64_t> amounts) {
    SmallVector<int64_t> list(amounts);
    list.insert(list.begin(), order.empty() ? 1 : 2, 0);
    if (order.empty())
      list.push_back(0);
    return DimsAttr::fromConstants(op.getContext(), list);
  };
  auto scalar = RankedTensorType::get({}, cast<RankedTensorType>(op.getX().getType()).getElementType());
  Value zero = ConstantOp::create(builder, loc, scalar, builder.getZeroAttr(scalar)), x = op.getX();
  if (!order.empty())
    x = move(builder, loc, x, invertPermutation(order));
  x = PadOp::create(builder, loc, x, zero, borders(op.getLow()), borders(op.getHigh()), PadMode::constant);
  if (!order.empty())
    x = move(builder, loc, x, order);
  op.getXMutable().assign(x);
  SmallVector<int64_t> none(op.getLow().size(), 0);
  op.setLow(none);
  op.setHigh(none);
}

/// The gradient of weights reads the input with its padding as the convolution did.
void padInput(ConvWeightGradOp op) {
  auto isZero = [](int64_t amount) { return amount == 0; };
  if (op.getLayout() != Layout::channels_last ||
      (llvm::all_of(op.getLow(), isZero) && llvm::all_of(op.getHigh(), isZero)))
    return;
  OpBuilder builder(op);
  Location loc = op.getLoc();
  auto borders = [&](ArrayRef<int64_t> amounts) {
    SmallVector<int64_t> list{0};
    llvm::append_range(list, amounts);
    list.push_back(0);
    return DimsAttr::fromConstants(op.getContext(), list);
  };
  auto scalar = RankedTensorType::get({}, op.getX().getType().getElementType());
  Value zero = ConstantOp::create(builder, loc, scalar, builder.getZeroAttr(scalar));
  op.getXMutable().assign(PadOp::create(builder, loc, op.getX(), zero, borders(op.getLow()),
                                        borders(op.getHigh()), PadMode::constant));
  SmallVector<int64_t> none(op.getLow().size(), 0);
  op.setLow(none);
  op.setHigh(none);
}

struct MaterializePadding : impl::MaterializePaddingPassBase<MaterializePadding> {
  void runOnOperation() override {
    getOperation().walk([](ConvOp op) { padInput(op); });
    getOperation().walk([](ConvWeightGradOp op) { padInput(op); });
  }
};

} // namespace
} // namespace torsh
