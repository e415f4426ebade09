//===-- QuantizedProducts.cpp - Products and convolutions of 8-bit and 16-bit integers
//----------------------===//
//
// Sums are those of whole numbers, as ONNX Runtime's are; scales, biases and requantisation follow the sums and fuse with them.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/IntegerFactors.h"
#include "frontends/onnx/ops/SpatialWindow.h"
#include "frontends/onnx/ops/microsoft/ChannelsLast.h"
#include "frontends/onnx/ops/microsoft/MicrosoftOps.h"
#include "frontends/onnx/ops/microsoft/QuantizedTensor.h"

using namespace mlir;

namespace torsh::onnx::microsoft {
namespace {

/// sums * scaleA * scaleB + bias; `scaleA` is a value of rank 0 or the scale of input `scaleAInput`.
Value scaled(NodeImport &n, Value sums, Value scaleA, size_t scaleB, size_t bias) {
  mlir::Type f32 = n.builder.getF32Type();
  int64_t last = rankOf(sums) - 1;
  Value factorB = spreadParameter(n, scaleB, f32, sums, last);
  if (!factorB)
    return {};
  Value factor = n.create<MulOp>(n.broadcastTo(scaleA, getDims(sums)), factorB);
  Value y = n.create<MulOp>(n.cast(sums, f32), factor);
  if (!n.hasInput(bias))
    return y;
  SmallVector<Value> values = {y, n.cast(n.operand(bias), f32)};
  if (failed(n.broadcastTogether(values)))
    return {};
  return n.create<AddOp>(values[0], values[1]);
}

LogicalResult requireMatrices(NodeImport &n, size_t a, size_t b) {
  if (n.typeOf(a).getRank() < 1 || n.typeOf(b).getRank() < 2)
    return n.malformed("A must have rank 1 or more and B rank 2 or more");
  return success();
}

/// Inputs: A (f32), B, b_scale, b_zero, bias.
LogicalResult importDynamicMatMul(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireInputs(n, 3)) || failed(requireMatrices(n, 0, 1)))
    return failure();
  DynamicallyQuantized a = quantizeDynamically(n, n.operand(0));
  Value sums = integerMatmul(n, a.centred, {1, 2, 3});
  Value y = sums ? scaled(n, sums, a.scale, 2, 4) : sums;
  if (!y)
    return failure();
  n.setResult(0, y);
  return success();
}

/// Inputs: A, B, a_scale, b_scale, a_zero, b_zero, bias.
LogicalResult importIntegerToFloat(NodeImport &n) {
  if (failed(requireInputs(n, 4)) || failed(requireMatrices(n, 0, 1)))
    return failure();
  if (!dim::isConstant(getNumElements(n.typeOf(2)), 1))
    return n.unsupported("a_scale must be a scalar");
  Value a = withoutZero(n, {0, 2, 4});
  Value sums = a ? integerMatmul(n, a, {1, 3, 5}) : a;
  if (!sums)
    return failure();
  mlir::Type element = n.typeOf(2).getElementType();
  Value y = scaled(n, sums, n.cast(n.reshape(n.operand(2), {}), n.builder.getF32Type()), 3, 6);
  if (!y)
    return failure();
  n.setResult(0, n.cast(y, element));
  return success();
}

/// Inputs: A, a_scale, a_zero, B, b_scale, b_zero, C (i32, in the scale of the sums), y_scale, y_zero. Without y_scale
/// the result is f32.
LogicalResult importGemm(NodeImport &n) {
  for (size_t i : {0, 1, 3, 4})
    if (!n.hasInput(i))
      return n.malformed("input " + Twine(i) + " is missing");
  if (n.typeOf(0).getRank() != 2 || n.typeOf(3).getRank() != 2)
    return n.malformed("A and B must be matrices");
  if (!dim::isConstant(getNumElements(n.typeOf(1)), 1))
    return n.unsupported("a_scale must be a scalar");
  bool transA = n.intAttr("transA", 0) != 0, transB = n.intAttr("transB", 0) != 0;
  Value a = withoutZero(n, {0, 1, 2});
  if (!a)
    return failure();
  Value b = constantFactor(n, 3, 5, transB ? 0 : 1, {transB ? 1 : 0}, roundedSums);
  if (b)
    a = n.cast(a, n.builder.getF32Type());
  else
    b = withoutZero(n, {3, 4, 5}, transB ? 0 : 1);
  if (!b)
    return failure();
  SmallVector<int64_t> none, contractA = {transA ? 0 : 1}, contractB = {transB ? 1 : 0};
  if (!n.unify(getDims(a)[contractA[0]], getDims(b)[contractB[0]], "the inner dims of QGemm"))
    return n.malformed("the inner dims of A and B differ");
  Value sums = n.create<DotGeneralOp>(a, b, none, none, contractA, contractB);
  if (n.hasInput(6)) {
    SmallVector<Value> values = {sums, n.cast(n.operand(6), elementTypeOf(sums))};
    if (failed(n.broadcastTogether(values)))
      return failure();
    sums = n.create<AddOp>(values[0], values[1]);
  }
  Value scaleA = n.cast(n.reshape(n.operand(1), {}), n.builder.getF32Type());
  Value y = scaled(n, sums, scale(n, scaleA, n.floatAttr("alpha", 1)), 4, SIZE_MAX);
  if (y && n.hasInput(7))
    y = quantized(n, y, 7, 8, n.hasInput(8) ? n.typeOf(8).getElementType() : n.typeOf(0).getElementType());
  if (!y)
    return failure();
  n.setResult(0, y);
  return success();
}

/// Products of 16-bit integers, summed in 32 bits.
LogicalResult importInteger16(NodeImport &n) {
  if (failed(requireInputs(n, 2)))
    return failure();
  Value a = n.operand(0), b = n.operand(1);
  bool isUnsigned = elementTypeOf(a).isUnsignedInteger() && elementTypeOf(b).isUnsignedInteger();
  mlir::Type wide = n.builder.getIntegerType(32, !isUnsigned);
  if (!isUnsigned)
    wide = n.builder.getI32Type();
  Value y = matmul(n, n.cast(a, wide), n.cast(b, wide));
  if (!y)
    return failure();
  n.setResult(0, y);
  return success();
}

//===-- Convolutions
//---------------------------------------------------------------------------------------------===//

/// QLinearConv with the channels last where `channels_last` says so; the weights are [O, C/group, spatial...] always.
/// Inputs: x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias (i32).
LogicalResult importConv(NodeImport &n) {
  if (!n.intAttr("channels_last", 0))
    return importStandard(n, "QLinearConv", 10);
  if (failed(requireInputs(n, 8)))
    return failure();
  int64_t rank = n.typeOf(0).getRank();
  if (rank < 3 || n.typeOf(3).getRank() != rank)
    return n.malformed("x and w must have one rank of at least 3");
  Value x = withoutZero(n, {0, 1, 2});
  if (!x)
    return failure();
  Value w = constantFactor(n, 3, 5, 0, range(1, rank), roundedSums), bias = n.optionalOperand(8);
  if (w) {
    x = n.cast(x, n.builder.getF32Type());
    bias = bias ? n.cast(bias, n.builder.getF32Type()) : bias;
  } else {
    w = withoutZero(n, {3, 4, 5}, 0);
  }
  if (!w)
    return failure();
  x = toChannelsFirst(n, x);
  std::optional<SmallVector<int64_t>> kernel = staticDims(w, 2, rank);
  if (!kernel)
    return n.unsupported("the weights must have a static shape");
  FailureOr<SpatialWindow> window = readWindow(n, rank - 2, *kernel);
  if (failed(window) || failed(resolveSame(n, *window, x, 0.0)))
    return failure();
  Value sums = n.create<ConvOp>(x, w, bias, window->strides, window->dilations, window->low, window->high,
                                n.intAttr("group", 1), Layout::channels_first);
  mlir::Type f32 = n.builder.getF32Type();
  Value scaleX = spreadParameter(n, 1, f32, sums), scaleW = spreadParameter(n, 4, f32, sums, 1);
  if (!scaleX || !scaleW)
    return failure();
  Value real = n.create<MulOp>(n.cast(sums, f32), n.create<MulOp>(scaleX, scaleW));
  Value y = quantized(n, toChannelsLast(n, real), 6, 7, n.typeOf(7).getElementType());
  if (!y)
    return failure();
  n.setResult(0, y);
  return success();
}

} // namespace

void addQuantizedProductOps(OpTable &table) {
  table.add("com.microsoft", "DynamicQuantizeMatMul", 1, importDynamicMatMul);
  table.add("com.microsoft", "MatMulIntegerToFloat", 1, importIntegerToFloat);
  table.add("com.microsoft", "QGemm", 1, importGemm);
  table.add("com.microsoft", "MatMulInteger16", 1, importInteger16);
  table.add("com.microsoft", "QLinearConv", 1, importConv);
}

} // namespace torsh::onnx::microsoft
