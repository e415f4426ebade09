//===-- ConvolutionOps.cpp - Convolutions and their transposes ----------------------------------------------===//
#include "frontends/torch/aten/Table.h"

using namespace mlir;

namespace torsh::torch {
namespace {

struct Window {
  SmallVector<int64_t> strides, low, high, dilations, outputPadding;
  int64_t groups = 1;
  bool transposed = false;
};

/// Checks operands that the op's shape function relies on, and builds it. An input without a batch dim gets one for a
/// while.
LogicalResult giveConvolution(Call &c, const Window &w) {
  TensorBuilder &b = c.b;
  Value x = c.tensor("input"), weight = c.tensor("weight"), bias = c.optionalTensor("bias");
  if (b.hasFailed())
    return failure();
  bool single = rankOf(x) + 1 == rankOf(weight);
  if (single)
    x = b.expandDim(x, 0);
  if (rankOf(weight) < 3 || rankOf(x) != rankOf(weight) || (bias && rankOf(bias) != 1))
    return c.fail("the input " + typeText(x.getType()) + " and the weight " + typeText(weight.getType()) +
                  " do not make a convolution");
  if (elementTypeOf(x) != elementTypeOf(weight) || (bias && elementTypeOf(bias) != elementTypeOf(x)))
    return c.fail("input, weight and bias of a convolution need one element type");
  if (llvm::any_of(w.strides, [](int64_t s) { return s < 1; }) ||
      llvm::any_of(w.dilations, [](int64_t s) { return s < 1; }) ||
      llvm::any_of(w.low, [](int64_t s) { return s < 0; }) || w.groups < 1)
    return c.fail("strides, dilations, padding and groups of a convolution must be positive");
  DimAttr channels = getDims(x)[1], wanted = getDims(weight)[w.transposed ? 0 : 1];
  if (!w.transposed)
    wanted = dim::mul(wanted, b.dim(w.groups));
  if (!b.unify(channels, wanted, "the channels of a convolution"))
    return c.fail("the input has " + dim::toString(channels) + " channels and the weight needs " +
                  dim::toString(wanted));
  Value y = w.transposed ? b.create<ConvTransposeOp>(x, weight, bias, w.strides, w.dilations, w.low, w.high,
                                                     w.outputPadding, w.groups, Layout::channels_first)
                         : b.create<ConvOp>(x, weight, bias, w.strides, w.dilations, w.low, w.high, w.groups,
                                            Layout::channels_first);
  return c.give(single ? b.dropDim(y, 0) : y);
}

Window readWindow(Call &c) {
  size_t spatial = size_t(std::max<int64_t>(rankOf(c.tensor("weight")) - 2, 0));
  Window w;
  w.strides = c.ints("stride", spatial);
  w.dilations = c.ints("dilation", spatial);
  w.groups = c.integer("groups");
  return w;
}

LogicalResult importConv(Call &c) {
  Window w = readWindow(c);
  w.low = w.high = c.ints("padding", w.strides.size());
  return giveConvolution(c, w);
}

/// padding="valid" or "same", where the end gets the odd element.
LogicalResult importConvNamedPadding(Call &c) {
  Window w = readWindow(c);
  StringRef padding = c.text("padding");
  if (padding != "valid" && padding != "same")
    return c.fail("the padding " + padding + " is not known");
  SmallVector<DimAttr> sizes = getDims(c.tensor("weight"));
  for (size_t i = 0; i < w.strides.size(); ++i) {
    std::optional<int64_t> kernel = dim::asConstant(sizes[i + 2]);
    int64_t total = padding == "same" && kernel ? w.dilations[i] * (*kernel - 1) : 0;
    w.low.push_back(total / 2);
    w.high.push_back(total - total / 2);
  }
  return giveConvolution(c, w);
}

LogicalResult importConvTranspose(Call &c) {
  Window w = readWindow(c);
  w.transposed = true;
  w.low = w.high = c.ints("padding", w.strides.size());
  w.outputPadding = c.ints("output_padding", w.strides.size());
  return giveConvolution(c, w);
}

LogicalResult importGeneral(Call &c) { return c.flag("transposed") ? importConvTranspose(c) : importConv(c); }

} // namespace

void addConvolutionOps(Table &table) {
  for (StringRef rank : {"1d", "2d", "3d"}) {
    table.add(("conv" + rank +
               "(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, int[] padding=0, int[] "
               "dilation=1, "
               "int groups=1)")
                  .str(),
              importConv);
    table.add(("conv" + rank +
               "(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, str padding=\"valid\", "
               "int[] dilation=1, int groups=1)")
                  .str(),
              importConvNamedPadding);
  }
  for (StringRef name : {"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"})
    table.add((name + "(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, int[] padding=0, "
                      "int[] output_padding=0, int groups=1, int[] dilation=1)")
                  .str(),
              importConvTranspose);
  StringRef general =
      "(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, "
      "bool transposed, int[] output_padding, int groups";
  table.add(("convolution" + general + ")").str(), importGeneral);
  table.add(("_convolution" + general +
             ", bool benchmark, bool deterministic, bool cudnn_enabled, bool allow_tf32=True)")
                .str(),
            importGeneral);
}

} // namespace torsh::torch
