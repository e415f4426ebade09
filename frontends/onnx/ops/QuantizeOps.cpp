//===-- QuantizeOps.cpp - QuantizeLinear, DequantizeLinear and ops on quantised tensors
//---------------------===//
//
// All are compositions: a quantised tensor is an integer tensor, its scale and zero point are tensors of
// their own.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/SpatialWindow.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// The range of an integer type.
std::pair<double, double> integerRange(mlir::Type type) {
  unsigned width = type.getIntOrFloatBitWidth();
  if (type.isUnsignedInteger())
    return {0, std::ldexp(1.0, width) - 1};
  return {-std::ldexp(1.0, width - 1), std::ldexp(1.0, width - 1) - 1};
}

/// A scale or zero point in the shape of x: a scalar, one entry along `axis`, or one entry a block of `block`
/// elements along `axis`. Null after a failure.
Value spread(NodeImport &n, Value parameter, Value x, int64_t axis, int64_t block) {
  int64_t rank = rankOf(parameter);
  if (rank == 0 || (rank == 1 && dim::isConstant(getDims(parameter)[0], 1) && block == 0))
    return n.broadcastTo(n.reshape(parameter, {}), getDims(x));
  FailureOr<int64_t> at = n.axis(axis, rankOf(x));
  if (failed(at))
    return {};
  if (block == 0) {
    if (rank != 1)
      return (void)n.malformed("scale and zero point must have rank 0 or 1"), Value();
    if (!n.unify(getDims(parameter)[0], getDims(x)[*at], "the entries of a scale"))
      return (void)n.malformed("scale and zero point need one entry for each element of the axis"), Value();
    return alongAxis(n, parameter, *at, x);
  }
  SmallVector<DimAttr> dims = getDims(parameter), target = getDims(x);
  if (rank != rankOf(x))
    return (void)n.malformed("a blocked scale must have the rank of x"), Value();
  DimAttr size = dim::constant(n.context(), block);
  SmallVector<DimAttr> wide = dims;
  wide.insert(wide.begin() + *at + 1, dim::constant(n.context(), 1));
  Value repeated = n.reshape(parameter, wide);
  wide[*at + 1] = size;
  repeated = n.broadcastTo(repeated, wide);
  dims[*at] = dim::mul(dims[*at], size);
  repeated = n.reshape(repeated, dims);
  std::optional<int64_t> surplus = dim::asConstant(dim::sub(dims[*at], target[*at]));
  if (surplus && (*surplus < 0 || *surplus >= block))
    return (void)n.malformed("a blocked scale needs one entry for each block of the axis"), Value();
  // The last block may be cut off.
  if (surplus != 0)
    repeated = sliceAxis(n, repeated, *at, dim::constant(n.context(), 0), target[*at]);
  return n.broadcastTo(repeated, getDims(x));
}

/// round(x / scale) + zero, saturated to the integer type. `zero` may be null.
Value quantize(NodeImport &n, Value x, Value factor, Value zero, mlir::Type type) {
  Value y = n.create<RoundOp>(n.create<DivOp>(x, factor));
  if (zero)
    y = n.create<AddOp>(y, n.cast(zero, elementTypeOf(y)));
  auto [low, high] = integerRange(type);
  return n.cast(clamp(n, y, low, high), type);
}

/// The type that QuantizeLinear produces.
FailureOr<mlir::Type> quantizedType(NodeImport &n) {
  if (n.hasInput(2))
    return n.typeOf(2).getElementType();
  // TensorProto.DataType of output_dtype.
  switch (n.intAttr("output_dtype", 0)) {
  case 0:
  case 2:
    return mlir::Type(n.builder.getIntegerType(8, false));
  case 3:
    return mlir::Type(n.builder.getIntegerType(8));
  case 4:
    return mlir::Type(n.builder.getIntegerType(16, false));
  case 5:
    return mlir::Type(n.builder.getIntegerType(16));
  case 17:
    return mlir::Type(Float8E4M3FNType::get(n.context()));
  case 19:
    return mlir::Type(Float8E5M2Type::get(n.context()));
  case 21:
    return mlir::Type(n.builder.getIntegerType(4, false));
  case 22:
    return mlir::Type(n.builder.getIntegerType(4));
  default:
    return n.unsupported("output_dtype " + Twine(n.intAttr("output_dtype", 0)) + " is not supported");
  }
}

LogicalResult importQuantizeLinear(NodeImport &n) {
  if (failed(requireInputs(n, 2)))
    return failure();
  FailureOr<mlir::Type> type = quantizedType(n);
  if (failed(type))
    return failure();
  Value x = n.operand(0);
  int64_t axis = n.intAttr("axis", 1), block = n.intAttr("block_size", 0);
  mlir::Type compute = elementTypeOf(x);
  if (!isa<FloatType>(compute) || (n.opset >= 23 && n.intAttr("precision", 0) == 1))
    compute = n.builder.getF32Type();
  // 16-bit floats cannot hold the quotient exactly; ONNX Runtime divides in f32.
  if (compute.getIntOrFloatBitWidth() < 32)
    compute = n.builder.getF32Type();
  x = n.cast(x, compute);
  Value factor = spread(n, n.cast(n.operand(1), compute), x, axis, block);
  if (!factor)
    return failure();
  if (isa<FloatType>(*type)) {
    Value y = n.create<DivOp>(x, factor);
    auto result = withElementType(cast<RankedTensorType>(y.getType()), *type);
    n.setResult(0, n.create<CastOp>(result, y, n.intAttr("saturate", 1) != 0));
    return success();
  }
  Value zero;
  if (n.hasInput(2)) {
    zero = spread(n, n.operand(2), x, axis, block);
    if (!zero)
      return failure();
  }
  n.setResult(0, quantize(n, x, factor, zero, *type));
  return success();
}

/// (x - zero) * scale, with the difference taken in i32 for integers.
Value dequantize(NodeImport &n, Value x, Value factor, Value zero) {
  mlir::Type type = elementTypeOf(factor);
  if (isa<FloatType>(elementTypeOf(x)))
    return n.create<MulOp>(n.cast(x, type), factor);
  mlir::Type i32 = n.builder.getI32Type();
  Value wide = n.cast(x, i32);
  if (zero)
    wide = n.create<SubOp>(wide, n.cast(zero, i32));
  if (type.getIntOrFloatBitWidth() >= 32)
    return n.create<MulOp>(n.cast(wide, type), factor);
  mlir::Type f32 = n.builder.getF32Type();
  return n.cast(n.create<MulOp>(n.cast(wide, f32), n.cast(factor, f32)), type);
}

LogicalResult importDequantizeLinear(NodeImport &n) {
  if (failed(requireInputs(n, 2)) || failed(requireFloat(n, 1)))
    return failure();
  Value x = n.operand(0);
  int64_t axis = n.intAttr("axis", 1), block = n.intAttr("block_size", 0);
  Value factor = spread(n, n.operand(1), x, axis, block), zero;
  if (!factor)
    return failure();
  if (n.hasInput(2)) {
    zero = spread(n, n.operand(2), x, axis, block);
    if (!zero)
      return failure();
  }
  Value y = dequantize(n, x, factor, zero);
  if (n.intAttr("output_dtype", 0) != 0 && n.intAttr("output_dtype", 0) != 1 &&
      n.intAttr("output_dtype", 0) != 10 && n.intAttr("output_dtype", 0) != 16)
    return n.unsupported("output_dtype must be a float type");
  if (int64_t code = n.intAttr("output_dtype", 0))
    y = n.cast(y, code == 1    ? mlir::Type(n.builder.getF32Type())
                  : code == 10 ? mlir::Type(n.builder.getF16Type())
                               : mlir::Type(n.builder.getBF16Type()));
  n.setResult(0, y);
  return success();
}

/// u8 with scale = (max(0, max x) - min(0, min x)) / 255.
LogicalResult importDynamicQuantize(NodeImport &n) {
  if (failed(requireFloat(n, 0)))
    return failure();
  Value x = n.operand(0);
  SmallVector<int64_t> axes = range(0, rankOf(x));
  auto extreme = [&](ReduceKind kind) -> Value {
    return axes.empty() ? x : n.create<ReduceOp>(x, kind, axes, false);
  };
  Value high = extreme(ReduceKind::max), low = extreme(ReduceKind::min);
  high = n.create<MaximumOp>(high, n.splatLike(high, 0));
  low = n.create<MinimumOp>(low, n.splatLike(low, 0));
  Value factor = n.create<DivOp>(n.create<SubOp>(high, low), n.splatLike(high, 255));
  // A tensor of zeros has scale 1, as in ONNX Runtime: nothing is divided by 0.
  Value empty = compareNumber(n, factor, ComparePredicate::eq, 0);
  factor = n.create<SelectOp>(empty, n.splatLike(factor, 1), factor);
  mlir::Type u8 = n.builder.getIntegerType(8, false);
  Value zero = n.create<DivOp>(n.create<SubOp>(n.splatLike(low, 0), low), factor);
  zero = n.cast(clamp(n, n.create<RoundOp>(zero), 0, 255), u8);
  n.setResult(0, quantize(n, x, n.broadcastTo(factor, getDims(x)), n.broadcastTo(zero, getDims(x)), u8));
  n.setResult(1, factor);
  n.setResult(2, zero);
  return success();
}

/// An i32 tensor without its zero point.
Value centred(NodeImport &n, size_t operand, size_t zero, int64_t axis) {
  mlir::Type i32 = n.builder.getI32Type();
  Value x = n.cast(n.operand(operand), i32);
  if (!n.hasInput(zero))
    return x;
  Value point = spread(n, n.cast(n.operand(zero), i32), x, axis, 0);
  return point ? Value(n.create<SubOp>(x, point)) : Value();
}

/// i32 sums to a quantised result: sums * (scaleA * scaleB / scaleY), rounded, plus the zero point.
LogicalResult requantize(NodeImport &n, Value sums, Value scaleA, Value scaleB, Value scaleY, Value zeroY) {
  mlir::Type f32 = n.builder.getF32Type();
  Value real = n.cast(sums, f32);
  Value factor =
      n.create<DivOp>(n.create<MulOp>(n.cast(scaleA, f32), n.cast(scaleB, f32)), n.cast(scaleY, f32));
  Value y = n.create<RoundOp>(n.create<MulOp>(real, factor));
  y = n.create<AddOp>(y, n.cast(zeroY, f32));
  mlir::Type type = elementTypeOf(zeroY);
  auto [low, high] = integerRange(type);
  n.setResult(0, n.cast(clamp(n, y, low, high), type));
  return success();
}

/// Operands: a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero.
LogicalResult importQLinearMatMul(NodeImport &n) {
  if (failed(requireInputs(n, 8)))
    return failure();
  int64_t rankA = n.typeOf(0).getRank(), rankB = n.typeOf(3).getRank();
  if (rankA < 1 || rankB < 1)
    return n.malformed("the operands must have rank 1 or more");
  for (size_t i : {1, 2, 6, 7})
    if (n.typeOf(i).getRank() > 0 && !dim::isConstant(getNumElements(n.typeOf(i)), 1))
      return n.unsupported("scales and zero points of a and y must be scalars");
  if (n.typeOf(4).getRank() > 1 || n.typeOf(5).getRank() > 1)
    return n.unsupported("the scale and zero point of b must have rank 0 or 1");
  Value a = centred(n, 0, 2, std::max<int64_t>(rankA - 2, 0)), b = centred(n, 3, 5, rankB - 1);
  if (!a || !b)
    return failure();
  Value sums = matmul(n, a, b);
  if (!sums)
    return failure();
  int64_t last = std::max<int64_t>(rankOf(sums) - 1, 0);
  SmallVector<Value> parameters;
  for (size_t i : {1, 4, 6, 7}) {
    parameters.push_back(spread(n, n.operand(i), sums, last, 0));
    if (!parameters.back())
      return failure();
  }
  return requantize(n, sums, parameters[0], parameters[1], parameters[2], parameters[3]);
}

/// Operands: x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias (i32).
LogicalResult importQLinearConv(NodeImport &n) {
  if (failed(requireInputs(n, 8)))
    return failure();
  int64_t rank = n.typeOf(0).getRank();
  if (rank < 3 || n.typeOf(3).getRank() != rank)
    return n.malformed("x and w must have one rank of at least 3");
  Value x = centred(n, 0, 2, 1), w = centred(n, 3, 5, 0);
  if (!x || !w)
    return failure();
  std::optional<SmallVector<int64_t>> kernel = staticDims(w, 2, rank);
  if (!kernel)
    return n.unsupported("the weights must have a static shape");
  FailureOr<SpatialWindow> window = readWindow(n, rank - 2, *kernel);
  if (failed(window) || failed(resolveSame(n, *window, x, 0.0)))
    return failure();
  Value sums = n.create<ConvOp>(x, w, n.optionalOperand(8), window->strides, window->dilations, window->low,
                                window->high, n.intAttr("group", 1), Layout::channels_first);
  SmallVector<Value> parameters;
  for (size_t i : {1, 4, 6, 7}) {
    parameters.push_back(spread(n, n.operand(i), sums, 1, 0));
    if (!parameters.back())
      return failure();
  }
  return requantize(n, sums, parameters[0], parameters[1], parameters[2], parameters[3]);
}

} // namespace

void addQuantizeOps(OpTable &table) {
  table.add("", "QuantizeLinear", 10, importQuantizeLinear);
  table.add("", "DequantizeLinear", 10, importDequantizeLinear);
  table.add("", "DynamicQuantizeLinear", 11, importDynamicQuantize);
  table.add("", "QLinearMatMul", 10, importQLinearMatMul);
  table.add("", "QLinearConv", 10, importQLinearConv);
  table.add("com.microsoft", "QuantizeLinear", 1, importQuantizeLinear);
  table.add("com.microsoft", "DequantizeLinear", 1, importDequantizeLinear);
}

} // namespace torsh::onnx
