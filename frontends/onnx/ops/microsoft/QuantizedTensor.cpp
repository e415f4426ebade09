//===-- QuantizedTensor.cpp - Operands with a scale and a zero point
//----------------------------------------===//
#include "frontends/onnx/ops/microsoft/QuantizedTensor.h"
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/IntegerFactors.h"

using namespace mlir;

namespace torsh::onnx::microsoft {

Value spreadParameter(NodeImport &n, size_t input, mlir::Type elementType, Value like, int64_t axis) {
  Value parameter = n.cast(n.operand(input), elementType);
  if (dim::isConstant(getNumElements(cast<RankedTensorType>(parameter.getType())), 1))
    return n.broadcastTo(n.reshape(parameter, {}), getDims(like));
  if (axis < 0 || rankOf(parameter) != 1)
    return (void)n.unsupported("input " + Twine(input) + " must be a scalar" +
                               (axis < 0 ? "" : " or have one entry along axis " + Twine(axis))),
           Value();
  if (!n.unify(getDims(parameter)[0], getDims(like)[axis], "the entries of a scale or zero point"))
    return (void)n.malformed("input " + Twine(input) + " must have one entry for each element of axis " +
                             Twine(axis)),
           Value();
  return alongAxis(n, parameter, axis, like);
}

Value withoutZero(NodeImport &n, QuantizedInput input, int64_t axis) {
  mlir::Type i32 = n.builder.getI32Type();
  Value x = n.cast(n.operand(input.x), i32);
  if (!n.hasInput(input.zero))
    return x;
  Value zero = spreadParameter(n, input.zero, i32, x, axis);
  return zero ? n.create<SubOp>(x, zero) : Value();
}

Value dequantized(NodeImport &n, QuantizedInput input, int64_t axis) {
  mlir::Type f32 = n.builder.getF32Type();
  Value x = withoutZero(n, input, axis);
  Value scale = x ? spreadParameter(n, input.scale, f32, x, axis) : x;
  return scale ? n.create<MulOp>(n.cast(x, f32), scale) : Value();
}

Value integerMatmul(NodeImport &n, Value a, QuantizedInput b) {
  int64_t last = n.typeOf(b.x).getRank() - 1;
  if (last >= 1)
    if (Value factor = constantFactor(n, b.x, b.zero, last, {last - 1}, roundedSums))
      return matmul(n, n.cast(a, n.builder.getF32Type()), factor);
  Value factor = withoutZero(n, b, last);
  return factor ? matmul(n, n.cast(a, n.builder.getI32Type()), factor) : factor;
}

Value quantized(NodeImport &n, Value x, size_t scale, size_t zero, mlir::Type type) {
  mlir::Type f32 = n.builder.getF32Type();
  Value factor = spreadParameter(n, scale, f32, x);
  if (!factor)
    return {};
  Value y = n.create<RoundOp>(n.create<DivOp>(x, factor));
  if (n.hasInput(zero)) {
    Value point = spreadParameter(n, zero, f32, x);
    if (!point)
      return {};
    y = n.create<AddOp>(y, point);
  }
  double highest = std::ldexp(1.0, type.getIntOrFloatBitWidth() - (type.isUnsignedInteger() ? 0 : 1)) - 1;
  return n.cast(clamp(n, y, type.isUnsignedInteger() ? 0 : -highest - 1, highest), type);
}

DynamicallyQuantized quantizeDynamically(NodeImport &n, Value x) {
  SmallVector<int64_t> axes = range(0, rankOf(x));
  Value high = n.create<ReduceOp>(x, ReduceKind::max, axes, false);
  Value low = n.create<ReduceOp>(x, ReduceKind::min, axes, false);
  high = n.create<MaximumOp>(high, n.splatLike(high, 0));
  low = n.create<MinimumOp>(low, n.splatLike(low, 0));
  Value scale = n.create<DivOp>(n.create<SubOp>(high, low), n.splatLike(high, 255));
  // A tensor of zeros has scale 1: nothing is divided by 0.
  Value empty = compareNumber(n, scale, ComparePredicate::eq, 0);
  scale = n.create<SelectOp>(empty, n.splatLike(scale, 1), scale);
  Value zero = n.create<DivOp>(n.create<SubOp>(n.splatLike(low, 0), low), scale);
  zero = clamp(n, n.create<RoundOp>(zero), 0, 255);
  SmallVector<DimAttr> dims = getDims(x);
  Value point = n.broadcastTo(zero, dims);
  Value y = n.create<RoundOp>(n.create<DivOp>(x, n.broadcastTo(scale, dims)));
  y = clamp(n, n.create<AddOp>(y, point), 0, 255);
  return {n.create<SubOp>(y, point), scale};
}

} // namespace torsh::onnx::microsoft
