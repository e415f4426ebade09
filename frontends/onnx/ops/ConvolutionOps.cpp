//===-- ConvolutionOps.cpp - Conv, ConvTranspose, ConvInteger
//-----------------------------------------------===//
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/SpatialWindow.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// The kernel's extent from the weights, or from the attribute where they do not tell.
FailureOr<SmallVector<int64_t>> kernelOf(NodeImport &n) {
  int64_t rank = n.typeOf(0).getRank();
  if (rank < 3 || n.typeOf(1).getRank() != rank)
    return n.malformed("x and w must have one rank of at least 3");
  SmallVector<DimAttr> dims = getDims(n.typeOf(1));
  SmallVector<int64_t> kernel;
  std::optional<SmallVector<int64_t>> shape = n.intsAttr("kernel_shape");
  for (auto [i, dim] : llvm::enumerate(ArrayRef(dims).drop_front(2))) {
    std::optional<int64_t> size = dim::asConstant(dim);
    if (!size && shape && i < shape->size() &&
        n.unify(dim, dim::constant(n.context(), (*shape)[i]), "the weights have the kernel's extent"))
      size = (*shape)[i];
    if (!size || *size < 1)
      return n.unsupported("the extent of the kernel must be known");
    kernel.push_back(*size);
  }
  return kernel;
}

/// Checks channel counts: [C] of x against the weights' channels. `perGroup` is the dim of w, `whole` the one
/// it belongs to.
LogicalResult checkChannels(NodeImport &n, Value x, Value w, int64_t groups, bool transposed) {
  if (groups < 1)
    return n.malformed("group is " + Twine(groups));
  DimAttr channels = getDims(x)[1], own = getDims(w)[transposed ? 0 : 1];
  DimAttr expected = transposed ? own : dim::mul(own, dim::constant(n.context(), groups));
  if (!n.unify(channels, expected, "the channels of x and w"))
    return n.malformed("x has " + dim::toString(channels) + " channels, the weights are made for " +
                       dim::toString(expected));
  std::optional<int64_t> split = dim::asConstant(getDims(w)[0]);
  if (split && *split % groups != 0)
    return n.malformed("the first dim of the weights is not divisible by group");
  return success();
}

LogicalResult importConv(NodeImport &n) {
  FailureOr<SmallVector<int64_t>> kernel = kernelOf(n);
  if (failed(kernel))
    return failure();
  FailureOr<SpatialWindow> window = readWindow(n, kernel->size(), *kernel);
  if (failed(window))
    return failure();
  Value x = n.operand(0), w = n.operand(1), bias = n.optionalOperand(2);
  int64_t groups = n.intAttr("group", 1);
  if (failed(checkChannels(n, x, w, groups, false)) || failed(resolveSame(n, *window, x, 0.0)))
    return failure();
  n.setResult(0, n.create<ConvOp>(x, w, bias, window->strides, window->dilations, window->low, window->high,
                                  groups, Layout::channels_first));
  return success();
}

/// x minus its zero point as i32. A zero point with one entry a channel belongs to dim `axis`.
Value widen(NodeImport &n, size_t operand, size_t zeroPoint, int64_t axis) {
  mlir::Type i32 = n.builder.getI32Type();
  Value x = n.cast(n.operand(operand), i32);
  if (!n.hasInput(zeroPoint))
    return x;
  Value zero = n.cast(n.operand(zeroPoint), i32);
  if (rankOf(zero) == 1 && dim::isConstant(getDims(zero)[0], 1))
    zero = n.reshape(zero, {});
  return n.create<SubOp>(x, alongAxis(n, zero, axis, x));
}

LogicalResult importConvInteger(NodeImport &n) {
  FailureOr<SmallVector<int64_t>> kernel = kernelOf(n);
  if (failed(kernel))
    return failure();
  FailureOr<SpatialWindow> window = readWindow(n, kernel->size(), *kernel);
  if (failed(window))
    return failure();
  // Padding stands for the zero point, which is 0 after the subtraction.
  Value x = widen(n, 0, 2, 1), w = widen(n, 1, 3, 0);
  int64_t groups = n.intAttr("group", 1);
  if (failed(checkChannels(n, x, w, groups, false)) || failed(resolveSame(n, *window, x, 0.0)))
    return failure();
  n.setResult(0, n.create<ConvOp>(x, w, Value(), window->strides, window->dilations, window->low,
                                  window->high, groups, Layout::channels_first));
  return success();
}

/// Chooses padding (and, where the asked size is larger, output padding) so that the result has `wanted`
/// elements.
void fitOutput(SpatialWindow &w, size_t i, int64_t total, int64_t &outputPadding) {
  if (total < 0) {
    outputPadding -= total;
    total = 0;
  }
  int64_t half = total / 2;
  // The specification puts the odd element before, except for SAME_UPPER.
  w.low[i] = w.sameUpper ? half : total - half;
  w.high[i] = total - w.low[i];
}

LogicalResult importConvTranspose(NodeImport &n) {
  FailureOr<SmallVector<int64_t>> kernel = kernelOf(n);
  if (failed(kernel))
    return failure();
  FailureOr<SpatialWindow> window = readWindow(n, kernel->size(), *kernel);
  if (failed(window))
    return failure();
  SpatialWindow &w = *window;
  Value x = n.operand(0), weights = n.operand(1), bias = n.optionalOperand(2);
  int64_t groups = n.intAttr("group", 1);
  if (failed(checkChannels(n, x, weights, groups, true)))
    return failure();
  SmallVector<int64_t> outputPadding(w.size(), 0);
  if (std::optional<SmallVector<int64_t>> given = n.intsAttr("output_padding"); given && !given->empty()) {
    if (given->size() != w.size() || llvm::any_of(*given, [](int64_t p) { return p < 0; }))
      return n.malformed("output_padding must have one entry a spatial dim, none negative");
    outputPadding = *given;
  }
  std::optional<SmallVector<int64_t>> shape = n.intsAttr("output_shape");
  if (shape && !shape->empty()) {
    // Old exporters wrote the batch and channel dims too.
    if (shape->size() == w.size() + 2)
      shape->erase(shape->begin(), shape->begin() + 2);
    std::optional<SmallVector<int64_t>> sizes = staticDims(x, 2, rankOf(x));
    if (shape->size() != w.size())
      return n.malformed("output_shape must have one entry a spatial dim");
    if (!sizes)
      return n.unsupported("output_shape needs static spatial sizes (give them with --dim)");
    for (size_t i = 0; i < w.size(); ++i)
      fitOutput(w, i, ((*sizes)[i] - 1) * w.strides[i] + outputPadding[i] + w.extent(i) - (*shape)[i],
                outputPadding[i]);
  } else if (w.isSame()) {
    // The result has size * stride elements.
    for (size_t i = 0; i < w.size(); ++i)
      fitOutput(w, i, outputPadding[i] + w.extent(i) - w.strides[i], outputPadding[i]);
  }
  n.setResult(0, n.create<ConvTransposeOp>(x, weights, bias, w.strides, w.dilations, w.low, w.high,
                                           outputPadding, groups, Layout::channels_first));
  return success();
}

} // namespace

void addConvolutionOps(OpTable &table) {
  table.add("", "Conv", 1, importConv);
  table.add("", "ConvInteger", 10, importConvInteger);
  table.add("", "ConvTranspose", 1, importConvTranspose);
}

} // namespace torsh::onnx
