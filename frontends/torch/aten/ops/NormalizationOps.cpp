//===-- NormalizationOps.cpp - Batch, layer, group and RMS norms --------------------------------------------===//
#include "frontends/torch/aten/Table.h"

using namespace mlir;

namespace torsh::torch {
namespace {

/// The optional [C] vector, or `otherwise` repeated.
Value vectorOr(Call &c, StringRef name, DimAttr channels, Type type, double otherwise) {
  if (!c.has(name))
    return c.b.splat({channels}, type, otherwise);
  Value x = c.b.cast(c.tensor(name), type);
  if (rankOf(x) != 1 || !c.b.unify(getDims(x)[0], channels, "the channels of a norm"))
    (void)c.fail("the argument '" + name + "' must have one number a channel");
  return x;
}

LogicalResult importBatchNorm(Call &c) {
  Value x = c.tensor("input");
  if (rankOf(x) < 2 || !isa<FloatType>(elementTypeOf(x)))
    return c.fail("batch_norm needs floats of rank 2 or more");
  if (c.flag("training"))
    return c.fail(
        "the model was saved in training mode, where batch_norm depends on the batch; call model.eval() "
        "before saving");
  if (!c.has("running_mean") || !c.has("running_var"))
    return c.fail("batch_norm without running statistics is not supported");
  DimAttr channels = getDims(x)[1];
  Type type = elementTypeOf(x);
  Value scale = vectorOr(c, "weight", channels, type, 1), bias = vectorOr(c, "bias", channels, type, 0);
  Value mean = vectorOr(c, "running_mean", channels, type, 0),
        var = vectorOr(c, "running_var", channels, type, 1);
  if (c.b.hasFailed())
    return failure();
  return c.give(c.b.create<BatchNormOp>(x.getType(), x, scale, bias, mean, var, int64_t(1),
                                        llvm::APFloat(c.number("eps"))));
}

/// Checks normalized_shape against the last dims of x and gives the first of them, or -1.
int64_t normalizedAxis(Call &c, Value x) {
  SmallVector<DimAttr> shape = c.dims("normalized_shape");
  int64_t axis = rankOf(x) - int64_t(shape.size());
  if (shape.empty() || axis < 0) {
    (void)c.fail("normalized_shape must name the last dims of the input");
    return -1;
  }
  for (auto [i, size] : llvm::enumerate(shape))
    if (!c.b.unify(getDims(x)[axis + i], size, "normalized_shape names the last dims"))
      (void)c.fail("normalized_shape must name the last dims of the input");
  return c.b.hasFailed() ? -1 : axis;
}

Value shapedOr(Call &c, StringRef name, Value x, int64_t axis, double otherwise) {
  SmallVector<DimAttr> sizes = getDims(x);
  sizes.erase(sizes.begin(), sizes.begin() + axis);
  if (!c.has(name))
    return c.b.splat(sizes, elementTypeOf(x), otherwise);
  Value value = c.b.cast(c.tensor(name), elementTypeOf(x));
  return c.b.broadcastTo(value, sizes);
}

LogicalResult importLayerNorm(Call &c) {
  Value x = c.tensor("input");
  if (!isa<FloatType>(elementTypeOf(x)))
    return c.fail("layer_norm needs floats");
  int64_t axis = normalizedAxis(c, x);
  if (axis < 0)
    return failure();
  Value scale = shapedOr(c, "weight", x, axis, 1),
        bias = c.has("bias") ? shapedOr(c, "bias", x, axis, 0) : Value();
  if (c.b.hasFailed())
    return failure();
  return c.give(c.b.create<LayerNormOp>(x.getType(), x, scale, bias, axis, llvm::APFloat(c.number("eps"))));
}

LogicalResult importRmsNorm(Call &c) {
  Value x = c.tensor("input");
  if (!isa<FloatType>(elementTypeOf(x)))
    return c.fail("rms_norm needs floats");
  int64_t axis = normalizedAxis(c, x);
  if (axis < 0)
    return failure();
  Value scale = shapedOr(c, "weight", x, axis, 1);
  // Without a number epsilon is the smallest step of f32 at 1.
  double epsilon = c.has("eps") ? c.number("eps") : 0x1p-23;
  if (c.b.hasFailed())
    return failure();
  return c.give(c.b.create<RmsNormOp>(x.getType(), x, scale, axis, llvm::APFloat(epsilon)));
}

LogicalResult giveGroupNorm(Call &c, Value x, int64_t groups) {
  if (rankOf(x) < 2 || !isa<FloatType>(elementTypeOf(x)) || groups < 1)
    return c.fail("group_norm needs floats of rank 2 or more, and groups");
  DimAttr channels = getDims(x)[1];
  Value scale = vectorOr(c, "weight", channels, elementTypeOf(x), 1);
  Value bias = vectorOr(c, "bias", channels, elementTypeOf(x), 0);
  if (c.b.hasFailed())
    return failure();
  return c.give(c.b.create<GroupNormOp>(x.getType(), x, scale, bias, groups, llvm::APFloat(c.number("eps")),
                                        Layout::channels_first));
}

LogicalResult importGroupNorm(Call &c) {
  return giveGroupNorm(c, c.tensor("input"), c.integer("num_groups"));
}

LogicalResult importInstanceNorm(Call &c) {
  Value x = c.tensor("input");
  if (!c.flag("use_input_stats"))
    return c.fail("instance_norm with running statistics is not supported");
  std::optional<int64_t> channels = rankOf(x) > 1 ? dim::asConstant(getDims(x)[1]) : std::nullopt;
  if (!channels)
    return c.fail("instance_norm needs a constant number of channels");
  return giveGroupNorm(c, x, *channels);
}

} // namespace

void addNormalizationOps(Table &table) {
  table.add(
      "batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, "
      "bool training, float momentum, float eps, bool cudnn_enabled)",
      importBatchNorm);
  table.add("layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float "
            "eps=1e-05, "
            "bool cudnn_enable=True)",
            importLayerNorm);
  table.add("rms_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None)",
            importRmsNorm);
  table.add(
      "group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, "
      "bool cudnn_enabled=True)",
      importGroupNorm);
  table.add(
      "instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, "
      "bool use_input_stats, float momentum, float eps, bool cudnn_enabled)",
      importInstanceNorm);
}

} // namespace torsh::torch
