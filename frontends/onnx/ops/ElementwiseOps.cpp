//===-- ElementwiseOps.cpp - Arithmetic, comparison and logic
//-----------------------------------------------===//
//
// Most ops are rows of the table at the end. Sizes (results of Shape and what is computed from them) never
// come here: ShapeArithmetic.cpp computes with them before.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/Compose.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

//===-- Operands
//-------------------------------------------------------------------------------------------------===//

/// What element types an op takes.
enum class On { Number, Float, Int, Bool, Any };

LogicalResult checkElement(NodeImport &n, mlir::Type element, On on) {
  bool isBool = element.isInteger(1);
  bool good = on == On::Any || (on == On::Bool && isBool) || (on == On::Number && !isBool) ||
              (on == On::Float && isa<FloatType>(element)) ||
              (on == On::Int && isa<IntegerType>(element) && !isBool);
  if (good)
    return success();
  return n.unsupported("element type " + typeText(element));
}

/// Before opset 7 the second operand was broadcast only when `broadcast` is set, with its dims placed at
/// `axis`.
LogicalResult placeLegacyOperand(NodeImport &n, Value left, Value &right) {
  if (n.opset >= 7 || !n.intAttr("broadcast", 0))
    return success();
  int64_t rank = rankOf(left), rankRight = rankOf(right);
  if (!n.attribute("axis") || rankRight == 0)
    return success();
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", 0), rank);
  if (failed(axis))
    return failure();
  if (*axis + rankRight > rank)
    return n.malformed("the second operand does not fit at axis " + Twine(*axis));
  SmallVector<DimAttr> dims = getDims(right);
  dims.append(rank - *axis - rankRight, dim::constant(n.context(), 1));
  right = n.reshape(right, dims);
  return success();
}

/// All operands with one element type, broadcast to one shape.
FailureOr<SmallVector<Value>> sameShapeOperands(NodeImport &n, On on) {
  SmallVector<Value> values;
  if (failed(requireInputs(n, std::max<size_t>(n.numInputs(), 1))))
    return failure();
  mlir::Type element = n.typeOf(0).getElementType();
  if (failed(checkElement(n, element, on)))
    return failure();
  for (size_t i = 0; i < n.numInputs(); ++i) {
    values.push_back(n.operand(i));
    if (elementTypeOf(values.back()) != element)
      return n.malformed("the operands have element types " + typeText(element) + " and " +
                         typeText(elementTypeOf(values.back())));
  }
  if (values.size() == 2 && failed(placeLegacyOperand(n, values[0], values[1])))
    return failure();
  if (values.size() > 1 && failed(n.broadcastTogether(values)))
    return failure();
  return values;
}

//===-- Import functions
//-----------------------------------------------------------------------------------------===//

template <typename OpTy, On on = On::Float> LogicalResult importUnary(NodeImport &n) {
  if (failed(requireInputs(n, 1)) || failed(checkElement(n, n.typeOf(0).getElementType(), on)))
    return failure();
  n.setResult(0, n.create<OpTy>(n.operand(0)));
  return success();
}

template <typename OpTy, On on> LogicalResult importBinary(NodeImport &n) {
  if (failed(requireInputs(n, 2)))
    return failure();
  FailureOr<SmallVector<Value>> values = sameShapeOperands(n, on);
  if (failed(values))
    return failure();
  n.setResult(0, n.create<OpTy>((*values)[0], (*values)[1]));
  return success();
}

template <typename OpTy> LogicalResult importSignOp(NodeImport &n) {
  if (failed(requireInputs(n, 1)))
    return failure();
  mlir::Type element = n.typeOf(0).getElementType();
  if (std::is_same_v<OpTy, AbsOp> && element.isUnsignedInteger()) {
    n.setResult(0, n.operand(0));
    return success();
  }
  return importUnary<OpTy, On::Number>(n);
}

template <ComparePredicate predicate, On on> LogicalResult importCompare(NodeImport &n) {
  if (failed(requireInputs(n, 2)))
    return failure();
  FailureOr<SmallVector<Value>> values = sameShapeOperands(n, on);
  if (failed(values))
    return failure();
  auto type = withElementType(cast<RankedTensorType>((*values)[0].getType()), n.builder.getI1Type());
  n.setResult(0, n.create<CompareOp>(type, (*values)[0], (*values)[1], predicate));
  return success();
}

/// Ops with any number of operands: Sum, Max, Min.
template <typename OpTy> LogicalResult importFold(NodeImport &n) {
  if (failed(requireInputs(n, 1)))
    return failure();
  FailureOr<SmallVector<Value>> values = sameShapeOperands(n, On::Number);
  if (failed(values))
    return failure();
  Value result = values->front();
  for (Value next : ArrayRef(*values).drop_front())
    result = n.create<OpTy>(result, next);
  n.setResult(0, result);
  return success();
}

LogicalResult importMean(NodeImport &n) {
  FailureOr<SmallVector<Value>> values = sameShapeOperands(n, On::Float);
  if (failed(values))
    return failure();
  Value result = values->front();
  for (Value next : ArrayRef(*values).drop_front())
    result = n.create<AddOp>(result, next);
  if (values->size() > 1)
    result = n.create<DivOp>(result, n.splatLike(result, values->size()));
  n.setResult(0, result);
  return success();
}

LogicalResult importMod(NodeImport &n) {
  if (failed(requireInputs(n, 2)))
    return failure();
  if (n.intAttr("fmod", 0))
    return importBinary<RemOp, On::Number>(n);
  // Floats may do without fmod from opset 28 on.
  if (n.opset < 28 && isa<FloatType>(n.typeOf(0).getElementType()))
    return n.malformed("fmod must be 1 for float operands");
  return importBinary<ModOp, On::Number>(n);
}

/// The exponent may have another type than the base; the result has the type of the base.
LogicalResult importPow(NodeImport &n) {
  if (failed(requireInputs(n, 2)))
    return failure();
  SmallVector<Value> values = {n.operand(0), n.operand(1)};
  mlir::Type base = elementTypeOf(values[0]), exponent = elementTypeOf(values[1]);
  if (failed(checkElement(n, base, On::Number)) || failed(checkElement(n, exponent, On::Number)))
    return failure();
  if (failed(placeLegacyOperand(n, values[0], values[1])) || failed(n.broadcastTogether(values)))
    return failure();
  // Integers wrap, so the wider type gives the same low bits; a float exponent asks for a float computation.
  mlir::Type common = base;
  if (isa<IntegerType>(base) && isa<FloatType>(exponent))
    common = n.builder.getF64Type();
  else if (isa<IntegerType>(base) && exponent.getIntOrFloatBitWidth() > base.getIntOrFloatBitWidth())
    common = exponent;
  for (Value &value : values)
    if (elementTypeOf(value) != common)
      value = n.cast(value, common);
  Value result = n.create<PowOp>(values[0], values[1]);
  n.setResult(0, common == base ? result : n.cast(result, base));
  return success();
}

LogicalResult importBitShift(NodeImport &n) {
  StringRef direction = n.stringAttr("direction", "");
  if (direction == "LEFT")
    return importBinary<ShiftLeftOp, On::Int>(n);
  if (direction == "RIGHT")
    return importBinary<ShiftRightOp, On::Int>(n);
  return n.malformed("direction must be LEFT or RIGHT");
}

LogicalResult importWhere(NodeImport &n) {
  if (failed(requireInputs(n, 3)))
    return failure();
  SmallVector<Value> values = {n.operand(0), n.operand(1), n.operand(2)};
  if (!elementTypeOf(values[0]).isInteger(1) || elementTypeOf(values[1]) != elementTypeOf(values[2]))
    return n.malformed("the condition must be bool and both values must have one element type");
  if (failed(n.broadcastTogether(values)))
    return failure();
  n.setResult(0, n.create<SelectOp>(values[0], values[1], values[2]));
  return success();
}

LogicalResult importReciprocal(NodeImport &n) {
  if (failed(requireFloat(n, 0)))
    return failure();
  Value x = n.operand(0);
  n.setResult(0, n.create<DivOp>(n.splatLike(x, 1), x));
  return success();
}

LogicalResult importIsNaN(NodeImport &n) {
  if (failed(requireFloat(n, 0)))
    return failure();
  Value x = n.operand(0);
  n.setResult(0, n.create<IsNanOp>(withElementType(n.typeOf(0), n.builder.getI1Type()), x));
  return success();
}

LogicalResult importIsInf(NodeImport &n) {
  if (failed(requireFloat(n, 0)))
    return failure();
  Value x = n.operand(0);
  bool negative = n.intAttr("detect_negative", 1), positive = n.intAttr("detect_positive", 1);
  double infinity = std::numeric_limits<double>::infinity();
  Value result;
  if (!negative && !positive)
    result = n.splat(withElementType(n.typeOf(0), n.builder.getI1Type()), 0);
  else if (negative && positive)
    result = compareNumber(n, n.create<AbsOp>(x), ComparePredicate::eq, infinity);
  else
    result = compareNumber(n, x, ComparePredicate::eq, positive ? infinity : -infinity);
  n.setResult(0, result);
  return success();
}

struct Row {
  StringRef name;
  int64_t since;
  ImportFunction function;
};

const Row rows[] = {
    {"Add", 1, importBinary<AddOp, On::Number>},
    {"Sub", 1, importBinary<SubOp, On::Number>},
    {"Mul", 1, importBinary<MulOp, On::Number>},
    {"Div", 1, importBinary<DivOp, On::Number>},
    {"Mod", 10, importMod},
    {"Pow", 1, importPow},
    {"And", 1, importBinary<AndOp, On::Bool>},
    {"Or", 1, importBinary<OrOp, On::Bool>},
    {"Xor", 1, importBinary<XorOp, On::Bool>},
    {"BitwiseAnd", 18, importBinary<AndOp, On::Int>},
    {"BitwiseOr", 18, importBinary<OrOp, On::Int>},
    {"BitwiseXor", 18, importBinary<XorOp, On::Int>},
    {"BitShift", 11, importBitShift},
    {"Equal", 1, importCompare<ComparePredicate::eq, On::Any>},
    {"Greater", 1, importCompare<ComparePredicate::gt, On::Number>},
    {"Less", 1, importCompare<ComparePredicate::lt, On::Number>},
    {"GreaterOrEqual", 12, importCompare<ComparePredicate::ge, On::Number>},
    {"LessOrEqual", 12, importCompare<ComparePredicate::le, On::Number>},
    {"Where", 9, importWhere},
    {"Sum", 1, importFold<AddOp>},
    {"Max", 1, importFold<MaximumOp>},
    {"Min", 1, importFold<MinimumOp>},
    {"Mean", 1, importMean},
    {"Abs", 1, importSignOp<AbsOp>},
    {"Neg", 1, importSignOp<NegOp>},
    {"Sign", 9, importSignOp<SignOp>},
    {"Not", 1, importUnary<NotOp, On::Bool>},
    {"BitwiseNot", 18, importUnary<NotOp, On::Int>},
    {"Exp", 1, importUnary<ExpOp>},
    {"Log", 1, importUnary<LogOp>},
    {"Sqrt", 1, importUnary<SqrtOp>},
    {"Reciprocal", 1, importReciprocal},
    {"Sin", 7, importUnary<SinOp>},
    {"Cos", 7, importUnary<CosOp>},
    {"Tan", 7, importUnary<TanOp>},
    {"Asin", 7, importUnary<AsinOp>},
    {"Acos", 7, importUnary<AcosOp>},
    {"Atan", 7, importUnary<AtanOp>},
    {"Sinh", 9, importUnary<SinhOp>},
    {"Cosh", 9, importUnary<CoshOp>},
    {"Asinh", 9, importUnary<AsinhOp>},
    {"Acosh", 9, importUnary<AcoshOp>},
    {"Atanh", 9, importUnary<AtanhOp>},
    {"Tanh", 1, importUnary<TanhOp>},
    {"Erf", 9, importUnary<ErfOp>},
    {"Sigmoid", 1, importUnary<SigmoidOp>},
    {"Floor", 1, importUnary<FloorOp>},
    {"Ceil", 1, importUnary<CeilOp>},
    {"Round", 11, importUnary<RoundOp>},
    {"IsNaN", 9, importIsNaN},
    {"IsInf", 10, importIsInf},
};

} // namespace

void addElementwiseOps(OpTable &table) {
  for (const Row &row : rows)
    table.add("", row.name, row.since, row.function);
}

} // namespace torsh::onnx
