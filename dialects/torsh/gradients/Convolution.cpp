//===-- Convolution.cpp - Gradients of convolutions ---------------------------------------------------------===//
//
// conv, conv_transpose and conv_weight_grad are three views of one trilinear form, so the gradient of each is written
// with the other two, to any order.
//
//===--------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/SpatialDims.h"
#include "dialects/torsh/gradients/Rules.h"

using namespace mlir;

namespace torsh::gradients {
namespace {

/// The lists of a convolution.
struct Window {
  ArrayRef<int64_t> strides, dilations, low, high;
  uint64_t groups;
  Layout layout;

  template <typename OpTy>
  explicit Window(OpTy op)
      : strides(op.getStrides()), dilations(op.getDilations()), low(op.getLow()), high(op.getHigh()),
        groups(op.getGroups()), layout(op.getLayout()) {}
};

/// Weights between the layouts of conv and conv_transpose: with channels last the two channel dims trade places.
Value swapChannels(RuleBuilder &b, Value w, Layout layout) {
  SmallVector<int64_t> permutation = axisRange(0, typeOf(w).getRank());
  if (layout == Layout::channels_last)
    std::swap(permutation[permutation.size() - 1], permutation[permutation.size() - 2]);
  return b.transpose(w, permutation);
}

/// The cotangent of conv's input of type `x` from that of its result. `w` is in the layout of conv.
Value convInputGrad(RuleBuilder &b, RankedTensorType x, Value g, Value w, const Window &window) {
  SpatialDims at(window.layout, x.getRank());
  SmallVector<DimAttr> sizes = getDims(x), wDims = getDims(w);
  SmallVector<int64_t> extra;
  for (size_t i = 0; i < at.numSpatial(); ++i) {
    // Where the stride does not divide, the last elements of x were read by no window.
    DimAttr reach =
        dim::mul(dim::sub(wDims[at.filterSpatial(i)], b.constant(1)), b.constant(window.dilations[i]));
    DimAttr room = dim::sub(paddedExtent(sizes[at.spatial(i)], window.low[i], window.high[i]),
                            dim::add(reach, b.constant(1)));
    DimAttr rest = dim::mod(room, b.constant(window.strides[i]));
    extra.push_back(dim::asConstant(rest).value_or(window.strides[i] - 1));
  }
  Value grad =
      b.make<ConvTransposeOp>(g, swapChannels(b, w, window.layout), /*bias=*/Value(), window.strides,
                              window.dilations, window.low, window.high, extra, window.groups, window.layout);
  // A rest that is not known was taken as the largest one.
  for (size_t i = 0; i < at.numSpatial(); ++i)
    if (getDims(grad)[at.spatial(i)] != sizes[at.spatial(i)] && !dim::asConstant(sizes[at.spatial(i)]))
      grad = b.slice(grad, at.spatial(i), b.constant(0), sizes[at.spatial(i)]);
  return grad;
}

/// The cotangent of conv's weights, in the layout of conv; a failure when their size is not known.
FailureOr<Value> convWeightGrad(RuleBuilder &b, VJPContext &context, Value x, Value g,
                                ArrayRef<DimAttr> kernel, const Window &window) {
  SmallVector<int64_t> sizes;
  for (DimAttr dim : kernel) {
    std::optional<int64_t> size = dim::asConstant(dim);
    if (!size)
      return FailureOr<Value>(
          context.refuse("the weights' size " + dim::toString(dim) + " is not known; fix it with --dim"));
    sizes.push_back(*size);
  }
  return b
      .make<ConvWeightGradOp>(x, g, sizes, window.strides, window.dilations, window.low, window.high,
                              window.groups, window.layout)
      .getDw();
}

SmallVector<DimAttr> kernelDims(Value w, Layout layout) {
  SpatialDims at(layout, typeOf(w).getRank());
  SmallVector<DimAttr> dims = getDims(w), kernel;
  for (size_t i = 0; i < at.numSpatial(); ++i)
    kernel.push_back(dims[at.filterSpatial(i)]);
  return kernel;
}

/// The sum over all that one channel's bias was added to.
Value biasGrad(RuleBuilder &b, Value g, Layout layout) {
  int64_t rank = typeOf(g).getRank();
  return b.sum(g, axesBut(rank, {int64_t(SpatialDims(layout, rank).channel())}));
}

LogicalResult convRule(ConvOp op, RuleBuilder &b, VJPContext &context) {
  Window window(op);
  Value g = context.cotangent(0);
  if (op.getBias() && context.needs(2))
    context.accumulate(2, biasGrad(b, g, window.layout));
  // Sums may be kept in a wider type than the factors.
  g = b.castTo(g, op.getX().getType().getElementType());
  if (context.needs(0))
    context.accumulate(0, convInputGrad(b, op.getX().getType(), g, op.getW(), window));
  if (!context.needs(1))
    return success();
  auto dw = convWeightGrad(b, context, op.getX(), g, kernelDims(op.getW(), window.layout), window);
  if (failed(dw))
    return failure();
  context.accumulate(1, *dw);
  return success();
}

LogicalResult convTransposeRule(ConvTransposeOp op, RuleBuilder &b, VJPContext &context) {
  Window window(op);
  Value g = context.cotangent(0);
  if (op.getBias() && context.needs(2))
    context.accumulate(2, biasGrad(b, g, window.layout));
  // Output padding past a whole stride would make the convolution on the way back see one more window.
  SmallVector<int64_t> high(window.high);
  for (auto [index, extra] : llvm::enumerate(op.getOutputPadding()))
    if (extra >= window.strides[index])
      high[index] -= extra;
  window.high = high;
  if (context.needs(0))
    context.accumulate(0, b.make<ConvOp>(g, swapChannels(b, op.getW(), window.layout), /*bias=*/Value(),
                                         window.strides, window.dilations, window.low, window.high,
                                         window.groups, window.layout));
  if (!context.needs(1))
    return success();
  // The larger image plays the input's part, the smaller one that of the result.
  auto dw = convWeightGrad(b, context, g, op.getX(), kernelDims(op.getW(), window.layout), window);
  if (failed(dw))
    return failure();
  context.accumulate(1, swapChannels(b, *dw, window.layout));
  return success();
}

LogicalResult convWeightGradRule(ConvWeightGradOp op, RuleBuilder &b, VJPContext &context) {
  Window window(op);
  Value h = context.cotangent(0);
  if (context.needs(0))
    context.accumulate(0, convInputGrad(b, op.getX().getType(), op.getDy(), h, window));
  if (context.needs(1))
    context.accumulate(1, b.make<ConvOp>(op.getX(), h, /*bias=*/Value(), window.strides, window.dilations,
                                         window.low, window.high, window.groups, window.layout));
  return success();
}

} // namespace

void attachConvolution(MLIRContext *context) {
  attach<ConvOp, convRule>(context);
  attach<ConvTransposeOp, convTransposeRule>(context);
  attach<ConvWeightGradOp, convWeightGradRule>(context);
}

} // namespace torsh::gradients
