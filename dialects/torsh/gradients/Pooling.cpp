//===-- Pooling.cpp - Gradients of window reductions --------------------------------------------------------===//
#include "dialects/torsh/SpatialDims.h"
#include "dialects/torsh/gradients/Rules.h"

using namespace mlir;

namespace torsh::gradients {
namespace {

LogicalResult maxPoolRule(MaxPoolOp op, RuleBuilder &b, VJPContext &context) {
  context.accumulate(0, b.make<MaxPoolGradOp>(op.getX().getType(), op.getX(), context.cotangent(0),
                                              op.getWindow(), op.getStrides(), op.getDilations(), op.getLow(),
                                              op.getHigh(), op.getCeilMode(), op.getLayout()));
  return success();
}

/// The element under one tap of each window of a padded tensor, of the shape of the pool's result.
Value underTap(RuleBuilder &b, MaxPoolGradOp op, Value padded, ArrayRef<int64_t> tap) {
  SpatialDims at(op.getLayout(), typeOf(padded).getRank());
  SmallVector<DimAttr> starts(typeOf(padded).getRank(), b.constant(0));
  SmallVector<int64_t> steps(starts.size(), 1);
  for (size_t i = 0; i < at.numSpatial(); ++i) {
    starts[at.spatial(i)] = b.constant(tap[i] * op.getDilations()[i]);
    steps[at.spatial(i)] = op.getStrides()[i];
  }
  return b.make<SliceOp>(padded, DimsAttr::get(b.context(), starts),
                         DimsAttr::get(b.context(), getDims(op.getDy())), steps);
}

/// With padding on all sides up to the end of the last window.
Value padForTaps(RuleBuilder &b, MaxPoolGradOp op, Value x, double number) {
  SpatialDims at(op.getLayout(), typeOf(x).getRank());
  SmallVector<DimAttr> sizes = getDims(x), counts = getDims(op.getDy());
  SmallVector<DimAttr> low(sizes.size(), b.constant(0)), high(low);
  for (size_t i = 0; i < at.numSpatial(); ++i) {
    DimAttr last = dim::mul(dim::sub(counts[at.spatial(i)], b.constant(1)), b.constant(op.getStrides()[i]));
    DimAttr end = dim::add(last, b.constant((op.getWindow()[i] - 1) * op.getDilations()[i] + 1));
    low[at.spatial(i)] = b.constant(op.getLow()[i]);
    high[at.spatial(i)] =
        dim::max(b.constant(0), dim::sub(end, dim::add(sizes[at.spatial(i)], low[at.spatial(i)])));
  }
  Value filling = b.splat(RankedTensorType::get({}, typeOf(x).getElementType()), number);
  return b.make<PadOp>(x, filling, DimsAttr::get(b.context(), low), DimsAttr::get(b.context(), high),
                       PadMode::constant);
}

/// The way back of max_pool_grad: each window takes what stands at its first maximum. Where the maximum is does not change
/// with small changes of x.
LogicalResult maxPoolGradRule(MaxPoolGradOp op, RuleBuilder &b, VJPContext &context) {
  if (!context.needs(1))
    return success();
  constexpr double lowest = -std::numeric_limits<double>::infinity();
  Value h = padForTaps(b, op, context.cotangent(0), 0), x = padForTaps(b, op, op.getX(), lowest);
  Value best = b.make<MaxPoolOp>(op.getX(), op.getWindow(), op.getStrides(), op.getDilations(), op.getLow(),
                                 op.getHigh(), op.getCeilMode(), op.getLayout());
  Value result = b.splat(op.getDy(), 0);
  SmallVector<int64_t> tap(op.getWindow());
  // From the last tap to the first, so that the first maximum has the last word.
  for (int64_t &index : tap)
    --index;
  while (true) {
    Value hit = b.compare(ComparePredicate::eq, underTap(b, op, x, tap), best);
    result = b.select(hit, underTap(b, op, h, tap), result);
    size_t axis = tap.size();
    while (axis > 0 && tap[axis - 1] == 0) {
      tap[axis - 1] = op.getWindow()[axis - 1] - 1;
      --axis;
    }
    if (axis == 0)
      break;
    --tap[axis - 1];
  }
  context.accumulate(1, result);
  return success();
}

LogicalResult avgPoolRule(AvgPoolOp op, RuleBuilder &b, VJPContext &context) {
  context.accumulate(0, b.make<AvgPoolGradOp>(op.getX().getType(), context.cotangent(0), op.getWindow(),
                                              op.getStrides(), op.getDilations(), op.getLow(), op.getHigh(),
                                              op.getCountIncludePad(), op.getCeilMode(), op.getLayout()));
  return success();
}

LogicalResult avgPoolGradRule(AvgPoolGradOp op, RuleBuilder &b, VJPContext &context) {
  context.accumulate(0, b.make<AvgPoolOp>(context.cotangent(0), op.getWindow(), op.getStrides(),
                                          op.getDilations(), op.getLow(), op.getHigh(),
                                          op.getCountIncludePad(), op.getCeilMode(), op.getLayout()));
  return success();
}

} // namespace

void attachPooling(MLIRContext *context) {
  attach<MaxPoolOp, maxPoolRule>(context);
  attach<MaxPoolGradOp, maxPoolGradRule>(context);
  attach<AvgPoolOp, avgPoolRule>(context);
  attach<AvgPoolGradOp, avgPoolGradRule>(context);
}

} // namespace torsh::gradients
