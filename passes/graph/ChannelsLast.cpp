//===-- ChannelsLast.cpp - Channels-last layout for spatial ops ---------------------------------------------===//
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/FoldedMoves.h"
#include "passes/graph/Passes.h"
#include "passes/graph/TransposeSinking.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_CHANNELSLASTPASS
#include "passes/graph/Passes.h.inc"

namespace {

/// [N, C, spatial..] -> [N, spatial.., C]
SmallVector<int64_t> toLast(int64_t rank) {
  SmallVector<int64_t> result{0};
  for (int64_t axis = 2; axis < rank; ++axis)
    result.push_back(axis);
  result.push_back(1);
  return result;
}

/// [O, C, spatial..] -> [spatial.., C, O], or [C, O, spatial..] -> [spatial.., C, O].
SmallVector<int64_t> filterToLast(int64_t rank, bool outputsFirst) {
  SmallVector<int64_t> result;
  for (int64_t axis = 2; axis < rank; ++axis)
    result.push_back(axis);
  if (outputsFirst)
    result.append({1, 0});
  else
    result.append({0, 1});
  return result;
}

/// Rebuilds the op on a channels-last input and transposes its result back.
template <typename OpTy> void rebuild(OpTy op, Value w) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(op.getY().getType());
  SmallVector<int64_t> order = toLast(type.getRank());
  auto clone = cast<OpTy>(builder.clone(*op));
  builder.setInsertionPoint(clone);
  clone->setOperand(0, createTranspose(builder, loc, op.getX(), order));
  if (w)
    clone->setOperand(1, w);
  clone.setLayout(Layout::channels_last);
  clone->getResult(0).setType(makeTensorType(permuted<DimAttr>(getDims(type), order), type.getElementType()));
  builder.setInsertionPointAfter(clone);
  op.getY().replaceAllUsesWith(createTranspose(builder, loc, clone.getY(), invertPermutation(order)));
  op.erase();
}

template <typename OpTy> void convert(OpTy op) {
  if (op.getLayout() == Layout::channels_last)
    return;
  if constexpr (std::is_same_v<OpTy, ConvOp> || std::is_same_v<OpTy, ConvTransposeOp>) {
    OpBuilder builder(op);
    auto order =
        filterToLast(cast<RankedTensorType>(op.getW().getType()).getRank(), std::is_same_v<OpTy, ConvOp>);
    rebuild(op, createTranspose(builder, op.getLoc(), op.getW(), order));
  } else {
    rebuild(op, Value());
  }
}

/// Softmax along another dim than the last: its kernels run along rows.
template <typename OpTy> void convertSoftmax(OpTy op) {
  int64_t rank = cast<RankedTensorType>(op.getY().getType()).getRank(), axis = op.getAxis();
  if (axis + 1 == rank)
    return;
  OpBuilder builder(op);
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < rank; ++i)
    if (i != axis)
      order.push_back(i);
  order.push_back(axis);
  Value x = createTranspose(builder, op.getLoc(), op.getX(), order);
  Value y = OpTy::create(builder, op.getLoc(), x.getType(), x, rank - 1);
  op.getY().replaceAllUsesWith(createTranspose(builder, op.getLoc(), y, invertPermutation(order)));
  op.erase();
}

/// The gradient of a spatial op: all operands and the result are images, but for the gradient of weights.
template <typename OpTy> void convertGradient(OpTy op) {
  if (op.getLayout() == Layout::channels_last)
    return;
  OpBuilder builder(op);
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<int64_t> order = toLast(type.getRank()), resultOrder = order;
  if constexpr (std::is_same_v<OpTy, ConvWeightGradOp>)
    resultOrder = filterToLast(type.getRank(), /*outputsFirst=*/true);
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(createTranspose(builder, loc, operand, order));
  auto clone = cast<OpTy>(builder.clone(*op));
  clone->setOperands(operands);
  clone.setLayout(Layout::channels_last);
  clone->getResult(0).setType(
      makeTensorType(permuted<DimAttr>(getDims(type), resultOrder), type.getElementType()));
  Value back = createTranspose(builder, loc, clone->getResult(0), invertPermutation(resultOrder));
  op->getResult(0).replaceAllUsesWith(back);
  op.erase();
}

struct ChannelsLast : impl::ChannelsLastPassBase<ChannelsLast> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : ops)
      llvm::TypeSwitch<Operation *>(op)
          .Case<ConvOp, ConvTransposeOp, MaxPoolOp, AvgPoolOp, GroupNormOp>(
              [](auto spatial) { convert(spatial); })
          .Case<ConvWeightGradOp, MaxPoolGradOp, AvgPoolGradOp>(
              [](auto gradient) { convertGradient(gradient); })
          .Case<SoftmaxOp, LogSoftmaxOp>([](auto softmax) { convertSoftmax(softmax); });
    RewritePatternSet patterns(&getContext());
    populateTransposeSinkingPatterns(patterns);
    TransposeOp::getCanonicalizationPatterns(patterns, &getContext());
    ReshapeOp::getCanonicalizationPatterns(patterns, &getContext());
    GreedyRewriteConfig config;
    // A transpose moves by one op a step, and graphs are deep.
    config.setMaxIterations(GreedyRewriteConfig::kNoLimit);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      return signalPassFailure();
    // What moves only unit dims moves nothing in memory.
    getOperation().walk([](TransposeOp op) {
      if (!movesOnlyUnitDims(getDims(op.getX()), op.getPermutation()))
        return;
      OpBuilder builder(op);
      op.getY().replaceAllUsesWith(createReshape(builder, op.getLoc(), op.getX(), getDims(op.getY())));
      op.erase();
    });
  }
};

} // namespace
} // namespace torsh
