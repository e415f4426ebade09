//===-- QuantizedPools.cpp - QLinearAveragePool, QLinearGlobalAveragePool, NhwcMaxPool
//----------------------===//
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/SpatialWindow.h"
#include "frontends/onnx/ops/microsoft/ChannelsLast.h"
#include "frontends/onnx/ops/microsoft/MicrosoftOps.h"
#include "frontends/onnx/ops/microsoft/QuantizedTensor.h"

using namespace mlir;

namespace torsh::onnx::microsoft {
namespace {

/// Inputs: X, x_scale, x_zero, Y_scale, y_zero. Padding that counts is the number 0, not the integer 0.
LogicalResult importAveragePool(NodeImport &n) {
  if (!n.hasInput(0) || !n.hasInput(1) || !n.hasInput(3))
    return n.malformed("X, x_scale or y_scale is missing");
  int64_t rank = n.typeOf(0).getRank();
  bool last = n.intAttr("channels_last", 0) != 0;
  FailureOr<SpatialWindow> window = readWindow(n, rank - 2, {});
  Value x = failed(window) ? Value() : dequantized(n, {0, 1, 2});
  if (!x)
    return failure();
  x = last ? toChannelsFirst(n, x) : x;
  if (failed(resolveSame(n, *window, x, std::nullopt)))
    return failure();
  Value y = n.create<AvgPoolOp>(x, window->kernel, window->strides, window->dilations, window->low,
                                window->high, n.intAttr("count_include_pad", 0) != 0,
                                n.intAttr("ceil_mode", 0) != 0, Layout::channels_first);
  y = quantized(n, last ? toChannelsLast(n, y) : y, 3, 4, n.typeOf(0).getElementType());
  if (!y)
    return failure();
  n.setResult(0, y);
  return success();
}

LogicalResult importGlobalAveragePool(NodeImport &n) {
  if (!n.hasInput(0) || !n.hasInput(1) || !n.hasInput(3))
    return n.malformed("X, x_scale or y_scale is missing");
  int64_t rank = n.typeOf(0).getRank();
  if (rank < 3)
    return n.malformed("X has no spatial dims");
  Value x = dequantized(n, {0, 1, 2});
  if (!x)
    return failure();
  SmallVector<int64_t> axes = n.intAttr("channels_last", 0) ? range(1, rank - 1) : range(2, rank);
  Value mean = n.create<ReduceOp>(x, ReduceKind::mean, axes, true);
  Value y = quantized(n, mean, 3, 4, n.typeOf(0).getElementType());
  if (!y)
    return failure();
  n.setResult(0, y);
  return success();
}

/// The maximum of integers that share one scale needs neither scale nor zero point.
LogicalResult importNhwcMaxPool(NodeImport &n) {
  if (failed(requireInputs(n, 1)))
    return failure();
  FailureOr<SpatialWindow> window = readWindow(n, n.typeOf(0).getRank() - 2, {});
  if (failed(window))
    return failure();
  Value x = toChannelsFirst(n, n.operand(0));
  mlir::Type element = elementTypeOf(x);
  double lowest = element.isUnsignedInteger() ? 0 : -std::ldexp(1.0, element.getIntOrFloatBitWidth() - 1);
  if (failed(resolveSame(n, *window, x, lowest)))
    return failure();
  Value y = n.create<MaxPoolOp>(x, window->kernel, window->strides, window->dilations, window->low,
                                window->high, n.intAttr("ceil_mode", 0) != 0, Layout::channels_first);
  n.setResult(0, toChannelsLast(n, y));
  return success();
}

} // namespace

void addQuantizedPoolOps(OpTable &table) {
  table.add("com.microsoft", "QLinearAveragePool", 1, importAveragePool);
  table.add("com.microsoft", "QLinearGlobalAveragePool", 1, importGlobalAveragePool);
  table.add("com.microsoft", "NhwcMaxPool", 1, importNhwcMaxPool);
}

} // namespace torsh::onnx::microsoft
