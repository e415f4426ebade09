//===-- NumberCalls.cpp - Arithmetic of numbers and sizes that are known ------------------------------------===//
#include "frontends/torch/aten/Call.h"
#include "frontends/torch/import/Interpreter.h"
#include <cmath>

using namespace mlir;

namespace torsh::torch {

static Val fromDouble(double value) { return Val::number(value); }

/// Integers and sizes. None for what is no integer, or is not defined (a division by 0 raises in Python).
static std::optional<DimAttr> integerArithmetic(TensorBuilder &b, StringRef name, DimAttr x, DimAttr y) {
  if (name == "add")
    return dim::add(x, y);
  if (name == "sub")
    return dim::sub(x, y);
  if (name == "mul")
    return dim::mul(x, y);
  if (dim::asConstant(y).value_or(1) == 0)
    return std::nullopt;
  if (name == "floordiv" || name == "floor_divide")
    return dim::floorDiv(x, y);
  if (name == "remainder")
    return dim::mod(x, y);
  return std::nullopt;
}

static std::optional<double> floatArithmetic(StringRef name, double x, double y) {
  if (name == "add")
    return x + y;
  if (name == "sub")
    return x - y;
  if (name == "mul")
    return x * y;
  if (name == "pow")
    return std::pow(x, y);
  if (y == 0)
    return std::nullopt;
  if (name == "div" || name == "truediv")
    return x / y;
  if (name == "floordiv" || name == "floor_divide")
    return std::floor(x / y);
  if (name == "remainder")
    return x - y * std::floor(x / y);
  if (name == "fmod")
    return std::fmod(x, y);
  return std::nullopt;
}

static std::optional<double> floatFunction(StringRef name, double x) {
  if (name == "sqrt")
    return std::sqrt(x);
  if (name == "exp")
    return std::exp(x);
  if (name == "log")
    return std::log(x);
  if (name == "sin")
    return std::sin(x);
  if (name == "cos")
    return std::cos(x);
  if (name == "tanh")
    return std::tanh(x);
  return std::nullopt;
}

std::optional<FailureOr<Val>> Interpreter::numberCall(StringRef name, ArrayRef<Val> x) {
  using Kind = Val::Kind;
  auto isKnown = [](const Val &value) { return value.isKnownNumber(); };
  // A list of numbers for min and max.
  if ((name == "min" || name == "max") && x.size() == 1 && x[0].kind() == Kind::List &&
      !x[0].items().empty() && llvm::all_of(x[0].items(), isKnown)) {
    Val best = x[0].items()[0];
    for (const Val &next : ArrayRef(x[0].items()).drop_front()) {
      std::optional<FailureOr<Val>> folded = numberCall(name, {best, next});
      if (!folded || failed(*folded))
        return folded;
      best = **folded;
    }
    return FailureOr<Val>(best);
  }
  if (x.empty() || !llvm::all_of(x, isKnown))
    return std::nullopt;
  auto asDim = [&](const Val &value) {
    return value.kind() == Kind::Bool ? b.dim(value.asBool()) : b.dims.canonical(value.asDim());
  };
  bool integers = llvm::none_of(x, [](const Val &value) { return value.kind() == Kind::Float; });

  if (x.size() == 1) {
    if (name == "neg")
      return FailureOr<Val>(integers ? Val::integer(dim::neg(asDim(x[0]))) : fromDouble(-x[0].asDouble()));
    if (name == "__not__" || name == "Bool") {
      std::optional<double> known = x[0].knownDouble();
      if (!known)
        return std::nullopt;
      return FailureOr<Val>(Val::boolean((*known != 0) == (name == "Bool")));
    }
    if (name == "Int" || name == "int")
      return convert(Kind::Int, x[0]);
    if (name == "Float" || name == "float")
      return convert(Kind::Float, x[0]);
    std::optional<double> known = x[0].knownDouble();
    if (name == "abs" && known)
      return FailureOr<Val>(integers ? Val::integer(b.dim(std::abs(int64_t(*known))))
                                     : fromDouble(std::abs(*known)));
    if ((name == "floor" || name == "ceil") && integers)
      return FailureOr<Val>(x[0]);
    if ((name == "floor" || name == "ceil") && known && std::abs(*known) < 0x1p62)
      return FailureOr<Val>(
          Val::integer(b.dim(int64_t(name == "floor" ? std::floor(*known) : std::ceil(*known)))));
    if (name == "round" && known)
      return FailureOr<Val>(fromDouble(std::nearbyint(*known)));
    if (known)
      if (std::optional<double> value = floatFunction(name, *known))
        return FailureOr<Val>(fromDouble(*value));
    return std::nullopt;
  }
  if (x.size() == 3 && name == "__range_length" && integers) {
    std::optional<int64_t> step = dim::asConstant(asDim(x[2]));
    if (!step || *step == 0)
      return FailureOr<Val>(
          LogicalResult(refuse("range", "the step of a range must be a constant other than 0")));
    DimAttr low = asDim(x[0]), high = asDim(x[1]);
    DimAttr span = *step > 0 ? dim::sub(high, low) : dim::sub(low, high);
    return FailureOr<Val>(
        Val::integer(b.dims.max(b.dim(0), dim::ceilDiv(span, b.dim(*step > 0 ? *step : -*step)))));
  }
  if (x.size() == 3 && name == "__derive_index" && integers)
    return FailureOr<Val>(Val::integer(dim::add(asDim(x[1]), dim::mul(asDim(x[0]), asDim(x[2])))));
  if (x.size() != 2)
    return std::nullopt;
  if (integers && (name == "min" || name == "max"))
    return FailureOr<Val>(Val::integer(name == "min" ? b.dims.min(asDim(x[0]), asDim(x[1]))
                                                     : b.dims.max(asDim(x[0]), asDim(x[1]))));
  std::optional<double> left = x[0].knownDouble(), right = x[1].knownDouble();
  if (name == "__and__" || name == "__or__" || name == "__xor__") {
    std::optional<int64_t> i = x[0].knownInt(), j = x[1].knownInt();
    if (!i || !j)
      return std::nullopt;
    int64_t value = name == "__and__" ? *i & *j : name == "__or__" ? *i | *j : *i ^ *j;
    bool boolean = x[0].kind() == Kind::Bool && x[1].kind() == Kind::Bool;
    return FailureOr<Val>(boolean ? Val::boolean(value) : Val::integer(b.dim(value)));
  }
  if (integers && name != "div" && name != "truediv" && name != "pow") {
    if (std::optional<DimAttr> value = integerArithmetic(b, name, asDim(x[0]), asDim(x[1]))) {
      if (dim::isTooLarge(*value))
        return FailureOr<Val>(LogicalResult(refuse(name, "the expression of a size has too many terms")));
      return FailureOr<Val>(Val::integer(*value));
    }
    if (name == "floordiv" || name == "remainder")
      return FailureOr<Val>(LogicalResult(malformed("a division by 0")));
    return std::nullopt;
  }
  if (!left || !right)
    return std::nullopt;
  if (integers && name == "pow" && *right >= 0) {
    double power = std::pow(*left, *right);
    if (std::abs(power) < 0x1p53)
      return FailureOr<Val>(Val::integer(b.dim(int64_t(power))));
  }
  if (name == "min" || name == "max")
    return FailureOr<Val>(fromDouble(name == "min" ? std::min(*left, *right) : std::max(*left, *right)));
  if (std::optional<double> value = floatArithmetic(name, *left, *right))
    return FailureOr<Val>(fromDouble(*value));
  return std::nullopt;
}

//===-- Comparisons ------------------------------------------------------------------------------------------===//

/// Whether two values are equal, where it is known.
std::optional<bool> Interpreter::areEqual(const Val &a, const Val &other) {
  using Kind = Val::Kind;
  if (a.isDynamic() || other.isDynamic() || a.isTensor() || other.isTensor())
    return std::nullopt;
  if (a.isNumber() && other.isNumber()) {
    std::optional<double> x = a.knownDouble(), y = other.knownDouble();
    if (a.kind() == Kind::Float || other.kind() == Kind::Float)
      return x && y ? std::optional<bool>(*x == *y) : std::nullopt;
    DimAttr left = a.kind() == Kind::Bool ? b.dim(a.asBool()) : b.dims.canonical(a.asDim());
    DimAttr right = other.kind() == Kind::Bool ? b.dim(other.asBool()) : b.dims.canonical(other.asDim());
    if (left == right)
      return true;
    std::optional<int> sign = b.dims.signOf(dim::sub(left, right));
    return sign ? std::optional<bool>(*sign == 0) : std::nullopt;
  }
  if (a.isSequence() && other.isSequence()) {
    if (a.items().size() != other.items().size())
      return false;
    bool known = true;
    for (auto [x, y] : llvm::zip_equal(a.items(), other.items())) {
      std::optional<bool> equal = areEqual(x, y);
      if (equal == false)
        return false;
      known &= equal.has_value();
    }
    return known ? std::optional<bool>(true) : std::nullopt;
  }
  if (a.kind() == Kind::Object && other.kind() == Kind::Object) {
    std::shared_ptr<Object> x = a.asObject(), y = other.asObject();
    Val *left = x->find("name"), *right = y->find("name");
    if (!x->isStored && left && right)
      return x->className == y->className && areEqual(*left, *right).value_or(false);
  }
  return a.isSame(other);
}

std::optional<FailureOr<Val>> Interpreter::compareCall(StringRef name, ArrayRef<Val> x) {
  if (x.size() != 2)
    return std::nullopt;
  if (name == "__is__" || name == "__isnot__") {
    bool same = x[0].isNone() || x[1].isNone() ? x[0].isNone() && x[1].isNone() : x[0].isSame(x[1]);
    return FailureOr<Val>(Val::boolean(same == (name == "__is__")));
  }
  if (name == "eq" || name == "ne") {
    if (std::optional<bool> equal = areEqual(x[0], x[1]))
      return FailureOr<Val>(Val::boolean(*equal == (name == "eq")));
    return std::nullopt;
  }
  bool isOrder = name == "lt" || name == "le" || name == "gt" || name == "ge";
  if (!isOrder || !x[0].isKnownNumber() || !x[1].isKnownNumber())
    return std::nullopt;
  std::optional<double> left = x[0].knownDouble(), right = x[1].knownDouble();
  if (left && right) {
    bool holds = name == "lt"   ? *left < *right
                 : name == "le" ? *left <= *right
                 : name == "gt" ? *left > *right
                                : *left >= *right;
    return FailureOr<Val>(Val::boolean(holds));
  }
  if (!x[0].isKnownInt() || !x[1].isKnownInt())
    return std::nullopt;
  // Sizes: x < y is y - x > 0, and false where x - y >= 0; the others alike.
  DimAttr ahead = dim::sub(b.dims.canonical(x[1].asDim()), b.dims.canonical(x[0].asDim()));
  if (name == "gt" || name == "ge")
    ahead = dim::neg(ahead);
  bool strict = name == "lt" || name == "gt";
  std::optional<int> sign = b.dims.signOf(ahead);
  if (sign)
    return FailureOr<Val>(Val::boolean(*sign > 0 || (*sign == 0 && !strict)));
  if (!strict && b.dims.isNonNegative(ahead))
    return FailureOr<Val>(Val::boolean(true));
  if (strict && b.dims.isNonNegative(dim::neg(ahead)))
    return FailureOr<Val>(Val::boolean(false));
  return std::nullopt;
}

//===-- Conversions ------------------------------------------------------------------------------------------===//

FailureOr<Val> Interpreter::convert(Val::Kind kind, const Val &value) {
  using Kind = Val::Kind;
  if (value.isTensor() || value.isDynamic()) {
    if (value.isTensor() && value.asCell()->known)
      return convert(kind, Val::integer(value.asCell()->known));
    setLocation(kind == Kind::Bool ? "bool" : kind == Kind::Int ? "int" : "float");
    Value x = b.read(value);
    if (!dim::isConstant(dim::product(b.context(), getDims(x)), 1))
      return LogicalResult(
          refuse("conversion", "only a tensor of one element is a number, not " + typeText(x.getType())));
    // A constant is known here already.
    if (auto constant = x.getDefiningOp<ConstantOp>())
      if (std::optional<torsh::Tensor> known = fromConstantAttr(constant.getValue(), b.weights())) {
        if (known->isFloat())
          return convert(kind, Val::number(known->floats[0]));
        return convert(kind, Val::integer(b.dim(known->ints[0])));
      }
    Type type = kind == Kind::Bool  ? Type(b.builder.getI1Type())
                : kind == Kind::Int ? Type(b.builder.getI64Type())
                                    : Type(b.builder.getF64Type());
    return Val::dynamic(kind, b.cell(b.cast(b.reshape(x, {}), type)));
  }
  if (!value.isNumber())
    return LogicalResult(malformed(kindName(value) + " is no number"));
  if (value.kind() == kind)
    return value;
  if (kind == Kind::Int && value.kind() == Kind::Bool)
    return Val::integer(b.dim(value.asBool()));
  if (std::optional<double> known = value.knownDouble()) {
    if (kind == Kind::Bool)
      return Val::boolean(*known != 0);
    if (kind == Kind::Float)
      return Val::number(*known);
    if (std::abs(*known) < 0x1p62)
      return Val::integer(b.dim(int64_t(*known)));
    return LogicalResult(malformed("a number beyond the integers is converted to one"));
  }
  // A symbolic size: its truth may be known, else it is computed at run time.
  if (kind == Kind::Bool)
    if (std::optional<int> sign = b.dims.signOf(value.asDim()))
      return Val::boolean(*sign != 0);
  setLocation("size");
  return convert(kind, b.tensor(b.fromDims({value.asDim()}, true)));
}

} // namespace torsh::torch
