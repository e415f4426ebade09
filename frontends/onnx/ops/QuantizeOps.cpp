//===-- QuantizeOps.cpp - QuantizeLinear, DequantizeLinear and ops on quantised tensors
//---------------------===//
//
// All are compositions: a quantised tensor is an integer tensor, its scale and zero point are tensors of
// their own.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/IntegerFactors.h"
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

/// y + zero, saturated to the integer type. `zero` may be null.
Value addZeroPoint(NodeImport &n, Value y, Value zero, mlir::Type type) {
  if (zero)
    y = n.create<AddOp>(y, n.cast(zero, elementTypeOf(y)));
  auto [low, high] = integerRange(type);
  return n.cast(clamp(n, y, low, high), type);
}

/// The type of a data type's code, refused when it is none of those that quantisation knows.
FailureOr<mlir::Type> typeOfCode(NodeImport &n, StringRef attribute, int64_t code) {
  mlir::Type type = torsh::onnx::elementTypeOf(n.context(), int32_t(code));
  if (!type)
    return n.unsupported(attribute + " is " + dataTypeName(int32_t(code)) + ", which is not supported");
  return type;
}

/// The type that QuantizeLinear produces.
FailureOr<mlir::Type> quantizedType(NodeImport &n) {
  if (n.hasInput(2))
    return n.typeOf(2).getElementType();
  int64_t code = n.intAttr("output_dtype", 0);
  if (code == 0)
    return mlir::Type(n.builder.getIntegerType(8, false));
  FailureOr<mlir::Type> type = typeOfCode(n, "output_dtype", code);
  if (failed(type) || type->getIntOrFloatBitWidth() <= 16)
    return type;
  return n.malformed("output_dtype must be an integer of at most 16 bits or a float of at most 8");
}

/// The type in which QuantizeLinear divides: `precision`, else that of the scale. ONNX Runtime's own op divides in f32.
FailureOr<mlir::Type> divisionType(NodeImport &n) {
  if (int64_t code = n.intAttr("precision", 0))
    return typeOfCode(n, "precision", code);
  mlir::Type type = n.typeOf(1).getElementType();
  bool isNarrow = type.isF16() || type.isBF16();
  if (!isNarrow || n.node.domain == "com.microsoft" || n.typeOf(0).getElementType() != type)
    return mlir::Type(type.isF64() ? n.builder.getF64Type() : n.builder.getF32Type());
  return type;
}

LogicalResult importQuantizeLinear(NodeImport &n) {
  if (failed(requireInputs(n, 2)))
    return failure();
  FailureOr<mlir::Type> type = quantizedType(n), division = divisionType(n);
  if (failed(type) || failed(division))
    return failure();
  int64_t axis = n.intAttr("axis", 1), block = n.intAttr("block_size", 0);
  mlir::Type compute = division->isF64() ? *division : mlir::Type(n.builder.getF32Type());
  // f32 holds what 16-bit floats are; their quotient is rounded to their type once.
  bool rounds = *division != compute;
  auto operand = [&](size_t i) {
    return n.cast(rounds ? n.cast(n.operand(i), *division) : n.operand(i), compute);
  };
  Value x = operand(0), factor = spread(n, operand(1), x, axis, block), zero;
  if (!factor)
    return failure();
  Value y = n.create<DivOp>(x, factor);
  if (rounds)
    y = n.cast(n.cast(y, *division), compute);
  if (n.hasInput(2)) {
    zero = spread(n, n.operand(2), x, axis, block);
    if (!zero)
      return failure();
    zero = n.cast(zero, compute);
  }
  if (isa<FloatType>(*type)) {
    if (zero)
      y = n.create<AddOp>(y, zero);
    auto result = withElementType(cast<RankedTensorType>(y.getType()), *type);
    n.setResult(0, n.create<CastOp>(result, y, n.intAttr("saturate", 1) != 0));
    return success();
  }
  n.setResult(0, addZeroPoint(n, n.create<RoundOp>(y), zero, *type));
  return success();
}

/// (x - zero) * scale in f32 (f64 for scales of it), with the difference taken in i32 for integers.
Value dequantize(NodeImport &n, Value x, Value factor, Value zero) {
  mlir::Type f32 = n.builder.getF32Type(),
             type = elementTypeOf(factor).isF64() ? n.builder.getF64Type() : f32;
  mlir::Type difference = isa<FloatType>(elementTypeOf(x)) ? f32 : mlir::Type(n.builder.getI32Type());
  Value wide = n.cast(x, difference);
  if (zero)
    wide = n.create<SubOp>(wide, n.cast(zero, difference));
  return n.create<MulOp>(n.cast(wide, type), n.cast(factor, type));
}

LogicalResult importDequantizeLinear(NodeImport &n) {
  if (failed(requireInputs(n, 2)) || failed(requireFloat(n, 1)))
    return failure();
  mlir::Type type = n.typeOf(1).getElementType();
  if (int64_t code = n.intAttr("output_dtype", 0)) {
    FailureOr<mlir::Type> wanted = typeOfCode(n, "output_dtype", code);
    if (failed(wanted))
      return failure();
    type = *wanted;
  }
  if (!isa<FloatType>(type) || type.getIntOrFloatBitWidth() < 16)
    return n.malformed("the result must be of a float type of at least 16 bits; give output_dtype");
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
  n.setResult(0, n.cast(dequantize(n, x, factor, zero), type));
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
  Value rounded = n.create<RoundOp>(n.create<DivOp>(x, n.broadcastTo(factor, getDims(x))));
  n.setResult(0, addZeroPoint(n, rounded, n.broadcastTo(zero, getDims(x)), u8));
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
  Value a = centred(n, 0, 2, std::max<int64_t>(rankA - 2, 0)), b;
  if (a && rankB >= 2)
    b = constantFactor(n, 3, 5, rankB - 1, {rankB - 2}, roundedSums);
  if (b)
    a = n.cast(a, n.builder.getF32Type());
  else
    b = centred(n, 3, 5, rankB - 1);
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
  Value x = centred(n, 0, 2, 1), w = constantFactor(n, 3, 5, 0, range(1, rank), roundedSums);
  Value bias = n.optionalOperand(8);
  if (x && w) {
    x = n.cast(x, n.builder.getF32Type());
    bias = bias ? n.cast(bias, n.builder.getF32Type()) : bias;
  } else {
    w = centred(n, 3, 5, 0);
  }
  if (!x || !w)
    return failure();
  std::optional<SmallVector<int64_t>> kernel = staticDims(w, 2, rank);
  if (!kernel)
    return n.unsupported("the weights must have a static shape");
  FailureOr<SpatialWindow> window = readWindow(n, rank - 2, *kernel);
  if (failed(window) || failed(resolveSame(n, *window, x, 0.0)))
    return failure();
  Value sums = n.create<ConvOp>(x, w, bias, window->strides, window->dilations, window->low, window->high,
                                n.intAttr("group", 1), Layout::channels_first);
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
