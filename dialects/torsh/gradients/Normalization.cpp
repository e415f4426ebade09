//===-- Normalization.cpp - Gradients of normalisations -----------------------------------------------------===//
//
// Mean and deviation are computed again from the input: they cost a pass over it, and nothing has to be kept.
//
//===--------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/SpatialDims.h"
#include "dialects/torsh/gradients/Rules.h"

using namespace mlir;

namespace torsh::gradients {
namespace {

Value meanOver(RuleBuilder &b, Value x, ArrayRef<int64_t> axes) {
  return b.spread(b.reduce(ReduceKind::mean, x, axes), axes, x);
}

/// 1 / sqrt(mean square + epsilon), repeated along the axes.
Value inverseDeviation(RuleBuilder &b, Value centred, ArrayRef<int64_t> axes, const APFloat &epsilon) {
  Value square = b.reduce(ReduceKind::mean, b.square(centred), axes);
  return b.spread(b.make<RsqrtOp>(b.add(square, epsilon.convertToDouble())), axes, centred);
}

/// x normalised over axes, and what its cotangent needs.
struct Normalized {
  SmallVector<int64_t> axes;
  Value inverse, value;

  Normalized(RuleBuilder &b, Value x, ArrayRef<int64_t> axes, const APFloat &epsilon, bool centre)
      : axes(axes) {
    Value centred = centre ? b.sub(x, meanOver(b, x, axes)) : x;
    inverse = inverseDeviation(b, centred, axes, epsilon);
    value = b.mul(centred, inverse);
  }

  /// The cotangent of x from that of the normalised value.
  Value back(RuleBuilder &b, Value g, bool centre) const {
    Value along = b.mul(value, meanOver(b, b.mul(g, value), axes));
    Value rest = b.sub(g, along);
    return b.mul(inverse, centre ? b.sub(rest, meanOver(b, g, axes)) : rest);
  }
};

LogicalResult layerNormRule(LayerNormOp op, RuleBuilder &b, VJPContext &context) {
  Value x = op.getX(), g = context.cotangent(0);
  int64_t rank = typeOf(x).getRank(), axis = op.getAxis();
  SmallVector<int64_t> inner = axisRange(axis, rank), outer = axisRange(0, axis);
  Normalized normal(b, x, inner, op.getEpsilon(), /*centre=*/true);
  if (context.needs(0))
    context.accumulate(0, normal.back(b, b.mul(g, b.broadcast(op.getScale(), typeOf(x), inner)), true));
  if (context.needs(1))
    context.accumulate(1, b.sum(b.mul(g, normal.value), outer));
  if (op.getBias() && context.needs(2))
    context.accumulate(2, b.sum(g, outer));
  return success();
}

LogicalResult rmsNormRule(RmsNormOp op, RuleBuilder &b, VJPContext &context) {
  Value x = op.getX(), g = context.cotangent(0);
  int64_t rank = typeOf(x).getRank(), axis = op.getAxis();
  SmallVector<int64_t> inner = axisRange(axis, rank), outer = axisRange(0, axis);
  Normalized normal(b, x, inner, op.getEpsilon(), /*centre=*/false);
  if (context.needs(0))
    context.accumulate(0, normal.back(b, b.mul(g, b.broadcast(op.getScale(), typeOf(x), inner)), false));
  if (context.needs(1))
    context.accumulate(1, b.sum(b.mul(g, normal.value), outer));
  return success();
}

/// With the statistics as inputs, each with a gradient of its own.
LogicalResult batchNormRule(BatchNormOp op, RuleBuilder &b, VJPContext &context) {
  Value x = op.getX(), g = context.cotangent(0);
  int64_t axis = op.getAxis();
  SmallVector<int64_t> others = axesBut(typeOf(x).getRank(), {axis});
  Type element = typeOf(x).getElementType();
  auto vector = [&](Value value) { return b.castTo(value, element); };
  // Statistics may be kept in a wider type than x.
  auto give = [&](unsigned operand, Value value) {
    context.accumulate(operand, b.castTo(value, typeOf(op->getOperand(operand)).getElementType()));
  };
  Value inverse = b.make<RsqrtOp>(b.add(vector(op.getVariance()), op.getEpsilon().convertToDouble()));
  Value factor = b.mul(inverse, vector(op.getScale()));
  if (context.needs(0))
    context.accumulate(0, b.mul(g, b.along(factor, axis, x)));
  if (context.needs(2) || context.needs(3)) {
    Value sum = b.sum(g, others);
    if (context.needs(2))
      give(2, sum);
    if (context.needs(3))
      give(3, b.neg(b.mul(sum, factor)));
  }
  if (!context.needs(1) && !context.needs(4))
    return success();
  Value centred = b.sub(x, b.along(vector(op.getMean()), axis, x));
  Value projected = b.mul(b.sum(b.mul(g, centred), others), inverse);
  if (context.needs(1))
    give(1, projected);
  if (context.needs(4))
    give(4, b.mul(b.mul(projected, b.mul(factor, inverse)), -0.5));
  return success();
}

/// In a view with one dim for the groups and one for the channels of a group: [N, G, C/G, spatial...], or the same with
/// channels last.
LogicalResult groupNormRule(GroupNormOp op, RuleBuilder &b, VJPContext &context) {
  RankedTensorType type = op.getX().getType();
  SpatialDims at(op.getLayout(), type.getRank());
  int64_t channel = at.channel();
  SmallVector<DimAttr> dims = getDims(type);
  DimAttr groups = b.constant(op.getGroups()), channels = dims[channel];
  dims[channel] = groups;
  dims.insert(dims.begin() + channel + 1, dim::floorDiv(channels, groups));
  Value x = b.reshape(op.getX(), dims), g = b.reshape(context.cotangent(0), dims);
  int64_t rank = dims.size();
  Normalized normal(b, x, axesBut(rank, {0, channel}), op.getEpsilon(), /*centre=*/true);
  SmallVector<int64_t> features{channel, channel + 1};
  if (context.needs(0)) {
    Value scale = b.reshape(op.getScale(), ArrayRef<DimAttr>{dims[channel], dims[channel + 1]});
    Value dx = normal.back(b, b.mul(g, b.broadcast(scale, typeOf(x), features)), true);
    context.accumulate(0, b.reshape(dx, type));
  }
  auto perChannel = [&](Value value) {
    return b.reshape(b.sum(value, axesBut(rank, features)), op.getScale().getType());
  };
  if (context.needs(1))
    context.accumulate(1, perChannel(b.mul(g, normal.value)));
  if (context.needs(2))
    context.accumulate(2, perChannel(g));
  return success();
}

} // namespace

void attachNormalization(MLIRContext *context) {
  attach<LayerNormOp, layerNormRule>(context);
  attach<RmsNormOp, rmsNormRule>(context);
  attach<BatchNormOp, batchNormRule>(context);
  attach<GroupNormOp, groupNormRule>(context);
}

} // namespace torsh::gradients
