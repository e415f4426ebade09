//===-- ShapeArithmetic.cpp - Arithmetic of sizes at import
//-------------------------------------------------===//
#include "frontends/onnx/ShapeArithmetic.h"
#include "frontends/onnx/ConstantTensor.h"
#include <cmath>

using namespace mlir;

namespace torsh::onnx {
namespace {

using Dims = SmallVector<DimAttr>;

/// A float constant as fractions with a common denominator that is a power of two, so that nothing is
/// rounded.
std::optional<ShapeValue> fractionOf(NodeImport &node, size_t i) {
  NamedValue *named = node.graph.find(node.node.inputs[i]);
  auto tensor = named ? node.graph.constantOf(*named) : std::nullopt;
  if (!tensor || !tensor->isFloat() || tensor->rank() > 1 || tensor->floats.size() > 64)
    return std::nullopt;
  ShapeValue result;
  result.scalar = tensor->rank() == 0;
  result.elementType = tensor->elementType;
  for (; result.denominator <= 4096; result.denominator *= 2) {
    result.dims.clear();
    for (double value : tensor->floats) {
      double scaled = value * double(result.denominator);
      if (std::abs(scaled) < 1e15 && scaled == std::floor(scaled))
        result.dims.push_back(dim::constant(node.context(), int64_t(scaled)));
    }
    if (result.dims.size() == tensor->floats.size())
      return result;
  }
  return std::nullopt;
}

/// All operands; float constants take part where another operand is a float computed from sizes.
std::optional<SmallVector<ShapeValue>> knownOperands(NodeImport &node) {
  SmallVector<ShapeValue> values;
  bool symbolic = false;
  for (size_t i = 0; i < node.numInputs(); ++i)
    if (NamedValue *named = node.hasInput(i) ? node.graph.find(node.node.inputs[i]) : nullptr)
      symbolic |= named->kind == NamedValue::Kind::Shape;
  for (size_t i = 0; i < node.numInputs(); ++i) {
    NamedValue *named = node.hasInput(i) ? node.graph.find(node.node.inputs[i]) : nullptr;
    std::optional<ShapeValue> value = named ? node.graph.shapeOf(*named) : std::nullopt;
    if (!value && named && symbolic)
      value = fractionOf(node, i);
    if (!value)
      return std::nullopt;
    values.push_back(std::move(*value));
  }
  return values;
}

std::optional<DimAttr> integerQuotient(DimUnifier &dims, DimAttr a, DimAttr b) {
  auto ca = dim::asConstant(a), cb = dim::asConstant(b);
  if (cb == 0 || (cb == -1 && ca == INT64_MIN))
    return std::nullopt;
  if (ca && cb)
    return dim::constant(a.getContext(), *ca / *cb);
  if (dims.isNonNegative(a) && dims.isNonNegative(b))
    return dim::floorDiv(a, b);
  return dim::exactQuotient(a, b);
}

std::optional<DimAttr> remainder(DimUnifier &dims, DimAttr a, DimAttr b) {
  auto cb = dim::asConstant(b);
  if (cb == 0 || !(dims.isNonNegative(a) && dims.isNonNegative(b)))
    return std::nullopt;
  return dim::mod(a, b);
}

DimAttr truth(DimAttr like, bool value) { return dim::constant(like.getContext(), value); }

std::optional<DimAttr> compare(DimUnifier &dims, StringRef op, DimAttr a, DimAttr b) {
  DimAttr difference = dim::sub(a, b);
  if (op == "Greater" || op == "LessOrEqual") {
    if (dims.isNonNegative(dim::neg(difference)))
      return truth(a, op == "LessOrEqual");
  } else if (op == "Less" || op == "GreaterOrEqual") {
    if (dims.isNonNegative(difference))
      return truth(a, op == "GreaterOrEqual");
  }
  std::optional<int> sign = dims.signOf(difference);
  if (!sign)
    return std::nullopt;
  bool holds = op == "Equal"            ? *sign == 0
               : op == "Greater"        ? *sign > 0
               : op == "Less"           ? *sign < 0
               : op == "GreaterOrEqual" ? *sign >= 0
                                        : *sign <= 0;
  return truth(a, holds);
}

bool isComparison(StringRef op) {
  return op == "Equal" || op == "Greater" || op == "Less" || op == "GreaterOrEqual" || op == "LessOrEqual";
}

/// One element of a binary op over integers.
std::optional<DimAttr> combine(NodeImport &node, StringRef op, DimAttr a, DimAttr b) {
  DimUnifier &dims = node.graph.dims;
  if (op == "Add" || op == "Sum")
    return dim::add(a, b);
  if (op == "Sub")
    return dim::sub(a, b);
  if (op == "Mul" || op == "And")
    return dim::mul(a, b);
  if (op == "Div")
    return integerQuotient(dims, a, b);
  if (op == "Mod")
    return remainder(dims, a, b);
  if (op == "Min")
    return dims.min(a, b);
  if (op == "Max" || op == "Or")
    return dims.max(a, b);
  return compare(dims, op, a, b);
}

/// The shape of elementwise operands of at most rank 1.
std::optional<std::pair<size_t, bool>> commonShape(ArrayRef<ShapeValue> values) {
  size_t size = 1;
  bool scalar = true;
  for (const ShapeValue &value : values) {
    scalar &= value.scalar;
    if (value.dims.size() == 1)
      continue;
    if (size != 1 && size != value.dims.size())
      return std::nullopt;
    size = value.dims.size();
  }
  return std::make_pair(size, scalar);
}

DimAttr elementAt(const ShapeValue &value, size_t i) {
  return value.dims.size() == 1 ? value.dims[0] : value.dims[i];
}

std::optional<ShapeValue> binary(NodeImport &node, StringRef op, ShapeValue a, ShapeValue b) {
  auto shape = commonShape({a, b});
  if (!shape)
    return std::nullopt;
  ShapeValue result;
  result.scalar = shape->second;
  result.elementType = isComparison(op) ? mlir::Type(node.builder.getI1Type()) : a.elementType;
  bool isFloat = isa<FloatType>(a.elementType);
  if (isFloat && op == "Mul") {
    result.denominator = a.denominator * b.denominator;
  } else if (isFloat && op == "Div") {
    // (p / q) / (r / s) for a constant r: p * s / (q * r)
    auto divisor = b.dims.size() == 1 ? dim::asConstant(b.dims[0]) : std::nullopt;
    if (!divisor || *divisor <= 0)
      return std::nullopt;
    result.denominator = a.denominator * *divisor;
    for (DimAttr &dim : a.dims)
      dim = dim::mul(dim, dim::constant(node.context(), b.denominator));
    b.dims = Dims(1, dim::constant(node.context(), 1));
    op = "Mul";
  } else if (isFloat) {
    if (op == "Mod")
      return std::nullopt;
    int64_t common = a.denominator * b.denominator;
    for (DimAttr &dim : a.dims)
      dim = dim::mul(dim, dim::constant(node.context(), b.denominator));
    for (DimAttr &dim : b.dims)
      dim = dim::mul(dim, dim::constant(node.context(), a.denominator));
    result.denominator = isComparison(op) ? 1 : common;
  }
  if (result.denominator > (int64_t(1) << 30))
    return std::nullopt;
  for (size_t i = 0; i < shape->first; ++i) {
    auto element = combine(node, op, elementAt(a, i), elementAt(b, i));
    if (!element)
      return std::nullopt;
    result.dims.push_back(*element);
  }
  return result;
}

std::optional<ShapeValue> castTo(NodeImport &node, ShapeValue value, mlir::Type target) {
  if (!target)
    return std::nullopt;
  bool toFloat = isa<FloatType>(target), fromFloat = isa<FloatType>(value.elementType);
  unsigned width = target.getIntOrFloatBitWidth();
  for (DimAttr &dim : value.dims) {
    if (toFloat) {
      // A size that the float type cannot hold exactly must not be followed exactly.
      if (auto constant = dim::asConstant(dim); !constant ? width < 32 : std::abs(*constant) > (1 << 24))
        return std::nullopt;
      continue;
    }
    if (fromFloat && value.denominator != 1) {
      if (!node.graph.dims.isNonNegative(dim))
        return std::nullopt;
      dim = dim::floorDiv(dim, dim::constant(dim.getContext(), value.denominator));
    }
    if (width == 1) {
      auto sign = node.graph.dims.signOf(dim);
      if (!sign)
        return std::nullopt;
      dim = truth(dim, *sign != 0);
    } else if (auto constant = dim::asConstant(dim)) {
      dim = dim::constant(dim.getContext(), wrapTo(target, *constant));
    } else if (width < 32) {
      return std::nullopt;
    }
  }
  if (!toFloat)
    value.denominator = 1;
  value.elementType = target;
  return value;
}

std::optional<ShapeValue> unary(NodeImport &node, StringRef op, ShapeValue value) {
  if (op == "Cast") {
    const Attribute *to = node.attribute("to");
    return to ? castTo(node, value, elementTypeOf(node.context(), int32_t(to->i))) : std::nullopt;
  }
  for (DimAttr &dim : value.dims) {
    DimAttr divisor = dim::constant(dim.getContext(), value.denominator);
    if (op == "Neg") {
      dim = dim::neg(dim);
    } else if (op == "Abs") {
      if (!node.graph.dims.isNonNegative(dim))
        return std::nullopt;
    } else if (op == "Not") {
      dim = dim::sub(truth(dim, true), dim);
    } else if (op == "Floor") {
      dim = dim::floorDiv(dim, divisor);
    } else if (op == "Ceil") {
      dim = dim::ceilDiv(dim, divisor);
    } else if (value.denominator != 1) { // Round
      return std::nullopt;
    }
  }
  if (op == "Floor" || op == "Ceil")
    value.denominator = 1;
  return value;
}

std::optional<ShapeValue> where(ArrayRef<ShapeValue> values) {
  auto shape = values.size() == 3 ? commonShape(values) : std::nullopt;
  auto condition = shape ? values[0].constants() : std::nullopt;
  if (!condition || values[1].denominator != values[2].denominator)
    return std::nullopt;
  ShapeValue result;
  result.scalar = shape->second;
  result.elementType = values[1].elementType;
  result.denominator = values[1].denominator;
  for (size_t i = 0; i < shape->first; ++i) {
    bool chosen = condition->size() == 1 ? condition->front() : (*condition)[i];
    result.dims.push_back(elementAt(values[chosen ? 1 : 2], i));
  }
  return result;
}

std::optional<ShapeValue> reduce(NodeImport &node, StringRef op) {
  auto named = node.hasInput(0) ? node.graph.find(node.node.inputs[0]) : nullptr;
  auto value = named ? node.graph.shapeOf(*named) : std::nullopt;
  if (!value || value->scalar || (node.hasInput(1) && !node.constantInts(1)) || value->denominator != 1)
    return std::nullopt;
  auto axes = node.hasInput(1) ? node.constantInts(1) : node.intsAttr("axes");
  if ((!axes || axes->empty()) && node.intAttr("noop_with_empty_axes", 0))
    return value;
  if (value->dims.empty() && (op == "ReduceMax" || op == "ReduceMin"))
    return std::nullopt;
  DimAttr result =
      value->dims.empty() ? dim::constant(node.context(), op == "ReduceProd") : value->dims.front();
  StringRef element = op == "ReduceProd"  ? "Mul"
                      : op == "ReduceSum" ? "Add"
                      : op == "ReduceMax" ? "Max"
                                          : "Min";
  for (DimAttr dim : ArrayRef(value->dims).drop_front(value->dims.empty() ? 0 : 1)) {
    auto combined = combine(node, element, result, dim);
    if (!combined)
      return std::nullopt;
    result = *combined;
  }
  return ShapeValue{{result}, node.intAttr("keepdims", 1) == 0, value->elementType};
}

enum class Family { None, Binary, Unary, Where, Reduce };

Family familyOf(StringRef op) {
  return llvm::StringSwitch<Family>(op)
      .Cases({"Add", "Sub", "Mul", "Div", "Mod", "Min", "Max", "Sum"}, Family::Binary)
      .Cases({"Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "And", "Or"}, Family::Binary)
      .Cases({"Cast", "Neg", "Abs", "Not", "Floor", "Ceil", "Round"}, Family::Unary)
      .Case("Where", Family::Where)
      .Cases({"ReduceProd", "ReduceSum", "ReduceMax", "ReduceMin"}, Family::Reduce)
      .Default(Family::None);
}

} // namespace

bool isShapeArithmetic(StringRef op) { return familyOf(op) != Family::None; }

std::optional<ShapeValue> shapeArithmetic(NodeImport &node) {
  StringRef op = node.node.opType;
  Family family = familyOf(op);
  if (family == Family::Reduce)
    return reduce(node, op);
  auto values = knownOperands(node);
  if (!values || values->empty())
    return std::nullopt;
  // Before opset 7 the shapes of operands were matched along an axis; constants alone are left to the
  // evaluator.
  if (family == Family::Binary && node.opset < 7)
    return std::nullopt;
  if (family == Family::Unary)
    return values->size() == 1 ? unary(node, op, (*values)[0]) : std::nullopt;
  if (family == Family::Where)
    return where(*values);
  if (node.intAttr("fmod", 0))
    return std::nullopt;
  // Fixed-width unsigned and narrow types wrap, which expressions do not.
  mlir::Type elementType = values->front().elementType;
  if (!elementType.isSignlessInteger(64) && !elementType.isSignlessInteger(32) &&
      !elementType.isSignlessInteger(1) && !isa<FloatType>(elementType))
    return std::nullopt;
  if (elementType.isSignlessInteger(1) && op != "And" && op != "Or" && op != "Equal")
    return std::nullopt;
  ShapeValue result = values->front();
  for (const ShapeValue &next : ArrayRef(*values).drop_front()) {
    auto combined = binary(node, op, result, next);
    if (!combined)
      return std::nullopt;
    result = std::move(*combined);
  }
  return result;
}

} // namespace torsh::onnx
