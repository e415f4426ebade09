//===-- ActivationOps.cpp - Activations, softmax family, Clip
//-----------------------------------------------===//
//
// Activations without an op of their own are composed; the passes see only elementwise chains.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/Compose.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// Imports an op that is a function of one float tensor.
template <Value (*compose)(NodeImport &, Value)> LogicalResult importActivation(NodeImport &n) {
  if (failed(requireFloat(n, 0)))
    return failure();
  n.setResult(0, compose(n, n.operand(0)));
  return success();
}

Value isNegative(NodeImport &n, Value x) { return compareNumber(n, x, ComparePredicate::lt, 0); }

Value leakyRelu(NodeImport &n, Value x) {
  return n.create<SelectOp>(isNegative(n, x), scale(n, x, n.floatAttr("alpha", 0.01)), x);
}

Value elu(NodeImport &n, Value x) {
  Value below = scale(n, n.create<Expm1Op>(x), n.floatAttr("alpha", 1));
  return n.create<SelectOp>(isNegative(n, x), below, x);
}

Value selu(NodeImport &n, Value x) {
  Value below = scale(n, n.create<Expm1Op>(x), n.floatAttr("alpha", 1.67326319217681884765625));
  Value joined = n.create<SelectOp>(compareNumber(n, x, ComparePredicate::gt, 0), x, below);
  return scale(n, joined, n.floatAttr("gamma", 1.05070102214813232421875));
}

Value celu(NodeImport &n, Value x) {
  double alpha = n.floatAttr("alpha", 1);
  Value ratio = alpha == 1 ? x : n.create<DivOp>(x, n.splatLike(x, alpha));
  Value below = scale(n, n.create<Expm1Op>(ratio), alpha);
  return n.create<SelectOp>(isNegative(n, x), below, x);
}

Value thresholdedRelu(NodeImport &n, Value x) {
  Value above = compareNumber(n, x, ComparePredicate::gt, n.floatAttr("alpha", 1));
  return n.create<SelectOp>(above, x, n.splatLike(x, 0));
}

Value hardSigmoidOf(NodeImport &n, Value x, double alpha, double beta) {
  return clamp(n, addNumber(n, scale(n, x, alpha), beta), 0, 1);
}

Value hardSigmoid(NodeImport &n, Value x) {
  return hardSigmoidOf(n, x, n.floatAttr("alpha", 0.2f), n.floatAttr("beta", 0.5));
}

Value hardSwish(NodeImport &n, Value x) { return n.create<MulOp>(x, hardSigmoidOf(n, x, 1.0f / 6, 0.5)); }

Value geluErf(NodeImport &n, Value x) {
  Value erf = n.create<ErfOp>(scale(n, x, 0.70710678118654752440));
  return n.create<MulOp>(scale(n, x, 0.5), addNumber(n, erf, 1));
}

/// 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
Value geluTanh(NodeImport &n, Value x) {
  Value square = n.create<MulOp>(x, x);
  Value inner = n.create<MulOp>(
      x, addNumber(n, scale(n, square, 0.044715 * 0.79788456080286535588), 0.79788456080286535588));
  return n.create<MulOp>(scale(n, x, 0.5), addNumber(n, n.create<TanhOp>(inner), 1));
}

Value mish(NodeImport &n, Value x) { return n.create<MulOp>(x, n.create<TanhOp>(n.create<SoftplusOp>(x))); }

Value softplus(NodeImport &n, Value x) { return n.create<SoftplusOp>(x); }

Value softsign(NodeImport &n, Value x) { return n.create<DivOp>(x, addNumber(n, n.create<AbsOp>(x), 1)); }

Value sigmoidTimes(NodeImport &n, Value x, double alpha) {
  return n.create<MulOp>(x, n.create<SigmoidOp>(scale(n, x, alpha)));
}

Value swish(NodeImport &n, Value x) { return sigmoidTimes(n, x, n.floatAttr("alpha", 1)); }
Value quickGelu(NodeImport &n, Value x) { return sigmoidTimes(n, x, n.floatAttr("alpha", 1.702f)); }

/// swish(a) * b for operands of one shape.
LogicalResult importSwiGlu(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireFloat(n, 1)))
    return failure();
  SmallVector<Value> values = {n.operand(0), n.operand(1)};
  if (elementTypeOf(values[0]) != elementTypeOf(values[1]) || rankOf(values[0]) != rankOf(values[1]))
    return n.malformed("A and B must have one element type and shape");
  if (failed(n.broadcastTogether(values)))
    return failure();
  n.setResult(0, n.create<MulOp>(swish(n, values[0]), values[1]));
  return success();
}

LogicalResult importRelu(NodeImport &n) {
  if (failed(requireInputs(n, 1)))
    return failure();
  Value x = n.operand(0);
  if (elementTypeOf(x).isInteger(1))
    return n.malformed("the operand is bool");
  n.setResult(0, n.create<MaximumOp>(x, n.splatLike(x, 0)));
  return success();
}

/// The slope has one entry a channel (opset 6) or is broadcast to x (from 7 on).
LogicalResult importPRelu(NodeImport &n) {
  if (failed(requireInputs(n, 2)))
    return failure();
  Value x = n.operand(0), slope = n.operand(1);
  if (elementTypeOf(x).isInteger(1))
    return n.malformed("the operands must be numbers");
  int64_t rank = rankOf(x);
  bool perChannel = n.opset < 7 && rankOf(slope) == 1 && rank > 2 && !dim::isConstant(getDims(slope)[0], 1);
  if (perChannel) {
    SmallVector<DimAttr> dims = getDims(slope);
    dims.append(rank - 2, dim::constant(n.context(), 1));
    slope = n.reshape(slope, dims);
  }
  SmallVector<Value> values = {x, slope};
  if (failed(n.broadcastTogether(values)))
    return failure();
  if (elementTypeOf(values[0]) != elementTypeOf(values[1]))
    return n.malformed("x and slope have different element types");
  Value scaled = n.create<MulOp>(values[0], values[1]);
  n.setResult(0, n.create<SelectOp>(isNegative(n, values[0]), scaled, values[0]));
  return success();
}

LogicalResult importGelu(NodeImport &n) {
  if (failed(requireFloat(n, 0)))
    return failure();
  StringRef approximate = n.stringAttr("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    return n.malformed("approximate must be none or tanh");
  Value x = n.operand(0);
  n.setResult(0, approximate == "tanh" ? geluTanh(n, x) : geluErf(n, x));
  return success();
}

/// com.microsoft: the activation of x + bias, where the bias (optional for FastGelu) is [last dim of x].
template <Value (*compose)(NodeImport &, Value)> LogicalResult importBiasActivation(NodeImport &n) {
  if (failed(requireFloat(n, 0)))
    return failure();
  SmallVector<Value> values = {n.operand(0)};
  if (n.hasInput(1)) {
    values.push_back(n.operand(1));
    if (failed(n.broadcastTogether(values)))
      return failure();
    values[0] = n.create<AddOp>(values[0], values[1]);
  }
  n.setResult(0, compose(n, values[0]));
  return success();
}

LogicalResult importShrink(NodeImport &n) {
  if (failed(requireInputs(n, 1)))
    return failure();
  Value x = n.operand(0);
  mlir::Type type = elementTypeOf(x);
  if (type.isInteger(1))
    return n.malformed("operand 0 must be of numbers");
  // Bounds and bias are floats whatever x is.
  if (isa<IntegerType>(type))
    x = n.cast(x, n.builder.getF64Type());
  double lambda = n.floatAttr("lambd", 0.5), bias = n.floatAttr("bias", 0);
  Value below = compareNumber(n, x, ComparePredicate::lt, -lambda);
  Value above = compareNumber(n, x, ComparePredicate::gt, lambda);
  Value inner = n.create<SelectOp>(above, addNumber(n, x, -bias), n.splatLike(x, 0));
  n.setResult(0, n.cast(n.create<SelectOp>(below, addNumber(n, x, bias), inner), type));
  return success();
}

//===-- Clip
//-----------------------------------------------------------------------------------------------------===//

LogicalResult importClipAttributes(NodeImport &n) {
  if (failed(requireFloat(n, 0)))
    return failure();
  double largest = std::numeric_limits<float>::max(), infinity = std::numeric_limits<double>::infinity();
  double low = n.floatAttr("min", -largest), high = n.floatAttr("max", largest);
  low = low <= -largest ? -infinity : low;
  high = high >= largest ? infinity : high;
  n.setResult(0, clamp(n, n.operand(0), low, high));
  return success();
}

LogicalResult importClipInputs(NodeImport &n) {
  if (failed(requireInputs(n, 1)))
    return failure();
  Value x = n.operand(0);
  if (elementTypeOf(x).isInteger(1))
    return n.malformed("the operand is bool");
  for (size_t i : {1, 2}) {
    if (!n.hasInput(i))
      continue;
    Value bound = n.operand(i);
    if (elementTypeOf(bound) != elementTypeOf(x))
      return n.malformed("the bounds must have the element type of the operand");
    if (!dim::isConstant(getNumElements(cast<RankedTensorType>(bound.getType())), 1))
      return n.malformed("the bounds must be scalars");
    bound = n.broadcastTo(n.reshape(bound, {}), getDims(x));
    x = i == 1 ? n.create<MaximumOp>(x, bound) : n.create<MinimumOp>(x, bound);
  }
  n.setResult(0, x);
  return success();
}

//===-- Softmax family
//-------------------------------------------------------------------------------------------===//

Value hardmax(NodeImport &n, Value x, int64_t axis) {
  SmallVector<DimAttr> dims = getDims(x);
  Value best = n.broadcastTo(n.create<ArgReduceOp>(x, ReduceKind::max, axis, true), dims);
  Value index = n.create<IotaOp>(makeTensorType(dims, n.builder.getI64Type()), axis);
  Value hit =
      n.create<CompareOp>(makeTensorType(dims, n.builder.getI1Type()), index, best, ComparePredicate::eq);
  return n.create<SelectOp>(hit, n.splatLike(x, 1), n.splatLike(x, 0));
}

template <typename OpTy> Value softmaxLike(NodeImport &n, Value x, int64_t axis) {
  return n.create<OpTy>(x, axis);
}

using AxisFunction = Value (*)(NodeImport &, Value, int64_t);

template <AxisFunction compose> LogicalResult importAlongAxis(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireRank(n, 0, 1)))
    return failure();
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", -1), n.typeOf(0).getRank());
  if (failed(axis))
    return failure();
  n.setResult(0, compose(n, n.operand(0), *axis));
  return success();
}

/// Before opset 13 the operand was seen as a matrix: all dims from `axis` on are normalised together.
template <AxisFunction compose> LogicalResult importCoerced(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireRank(n, 0, 1)))
    return failure();
  int64_t rank = n.typeOf(0).getRank();
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", 1), rank);
  if (failed(axis))
    return failure();
  Value x = n.operand(0);
  SmallVector<DimAttr> dims = getDims(x);
  bool lastOnly =
      llvm::all_of(ArrayRef(dims).drop_front(*axis + 1), [](DimAttr d) { return dim::isConstant(d, 1); });
  if (lastOnly) {
    n.setResult(0, compose(n, x, *axis));
    return success();
  }
  DimAttr rows = dim::product(n.context(), ArrayRef(dims).take_front(*axis));
  DimAttr columns = dim::product(n.context(), ArrayRef(dims).drop_front(*axis));
  Value matrix = n.reshape(x, {rows, columns});
  n.setResult(0, n.reshape(compose(n, matrix, 1), dims));
  return success();
}

} // namespace

void addActivationOps(OpTable &table) {
  table.add("", "Relu", 1, importRelu);
  table.add("", "LeakyRelu", 1, importActivation<leakyRelu>);
  table.add("", "PRelu", 1, importPRelu);
  table.add("", "Elu", 1, importActivation<elu>);
  table.add("", "Selu", 1, importActivation<selu>);
  table.add("", "Celu", 12, importActivation<celu>);
  table.add("", "ThresholdedRelu", 10, importActivation<thresholdedRelu>);
  table.add("", "HardSigmoid", 1, importActivation<hardSigmoid>);
  table.add("", "HardSwish", 14, importActivation<hardSwish>);
  table.add("", "Gelu", 20, importGelu);
  table.add("", "Mish", 18, importActivation<mish>);
  table.add("", "Softplus", 1, importActivation<softplus>);
  table.add("", "Softsign", 1, importActivation<softsign>);
  table.add("", "Swish", 24, importActivation<swish>);
  table.add("", "SwiGLU", 28, importSwiGlu);
  table.add("", "Shrink", 9, importShrink);
  table.add("", "Clip", 1, importClipAttributes);
  table.add("", "Clip", 11, importClipInputs);
  table.add("", "Softmax", 1, importCoerced<softmaxLike<SoftmaxOp>>);
  table.add("", "Softmax", 13, importAlongAxis<softmaxLike<SoftmaxOp>>);
  table.add("", "LogSoftmax", 1, importCoerced<softmaxLike<LogSoftmaxOp>>);
  table.add("", "LogSoftmax", 13, importAlongAxis<softmaxLike<LogSoftmaxOp>>);
  table.add("", "Hardmax", 1, importCoerced<hardmax>);
  table.add("", "Hardmax", 13, importAlongAxis<hardmax>);
  table.add("com.microsoft", "Gelu", 1, importActivation<geluErf>);
  table.add("com.microsoft", "FastGelu", 1, importBiasActivation<geluTanh>);
  table.add("com.microsoft", "BiasGelu", 1, importBiasActivation<geluErf>);
  table.add("com.microsoft", "QuickGelu", 1, importActivation<quickGelu>);
}

} // namespace torsh::onnx
