//===-- Elementwise.cpp - Reference semantics of elementwise ops: one row of a table each
//-------------------===//
#include "dialects/torsh/Bitcast.h"
#include "dialects/torsh/reference/Call.h"
#include "dialects/torsh/reference/Iteration.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace llvm;
using namespace mlir;

namespace torsh::reference {
namespace {

/// What integer semantics depend on besides the values.
struct IntKind {
  Type type;
  unsigned width;
  bool isBool, isUnsigned;
  explicit IntKind(Type type)
      : type(type), width(type.getIntOrFloatBitWidth()), isBool(type.isInteger(1)),
        isUnsigned(type.isUnsignedInteger() || isBool) {}
  /// Whether a stored value stands for a negative number.
  bool isNegative(int64_t value) const { return value < 0 && !isUnsigned; }
};

Error checkSameShapes(Call &call) {
  for (const Tensor *operand : call.operands)
    if (operand->shape != call.operands[0]->shape)
      return call.misfit("the operands are " +
                         describe(call.operands[0]->shape, call.operands[0]->elementType) + " and " +
                         describe(operand->shape, operand->elementType) +
                         "; the operands of an elementwise op have one shape");
  return Error::success();
}

/// Stands in a row for the kind of elements that the op does not take.
struct None {};
constexpr None none;
template <typename F> constexpr bool exists = !std::is_same_v<F, None>;

/// A row for y = f(x): `onFloat(x)` and `onInt(x, kind)`.
template <typename OpTy, typename FloatFn, typename IntFn = None>
void unary(HandlerTable &table, FloatFn onFloat, IntFn onInt = none) {
  table.addShared<OpTy>([=](Call &call) -> Results {
    const Tensor &x = *call.operands[0];
    Tensor y = Tensor::zeros(x.elementType, x.shape);
    if constexpr (exists<FloatFn>)
      for (size_t i = 0; i < x.floats.size(); ++i)
        y.floats[i] = onFloat(x.floats[i]);
    if constexpr (exists<IntFn>) {
      if (!x.isFloat()) {
        IntKind kind(x.elementType);
        for (size_t i = 0; i < x.ints.size(); ++i)
          y.ints[i] = onInt(x.ints[i], kind);
      }
    }
    return single(std::move(y));
  });
}

/// A row for y = f(a, b): `onFloat(a, b)` and `onInt(a, b, kind)`.
template <typename OpTy, typename FloatFn, typename IntFn>
void binary(HandlerTable &table, FloatFn onFloat, IntFn onInt) {
  table.addShared<OpTy>([=](Call &call) -> Results {
    if (Error error = checkSameShapes(call))
      return error;
    const Tensor &a = *call.operands[0], &b = *call.operands[1];
    Tensor y = Tensor::zeros(a.elementType, a.shape);
    if constexpr (exists<FloatFn>)
      for (size_t i = 0; i < a.floats.size(); ++i)
        y.floats[i] = onFloat(a.floats[i], b.floats[i]);
    if constexpr (exists<IntFn>) {
      if (!a.isFloat()) {
        IntKind kind(a.elementType);
        for (size_t i = 0; i < a.ints.size(); ++i)
          y.ints[i] = onInt(a.ints[i], b.ints[i], kind);
      }
    }
    return single(std::move(y));
  });
}

//===-- Functions of rows that are longer than a line
//------------------------------------------------------------===//

double sigmoid(double x) {
  // The exponential of a positive number could overflow.
  double e = std::exp(-std::fabs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

double floatMod(double a, double b) {
  double remainder = std::fmod(a, b);
  if (remainder == 0)
    return std::copysign(0.0, b);
  return (remainder < 0) != (b < 0) ? remainder + b : remainder;
}

int64_t negate(int64_t x) { return int64_t(0 - uint64_t(x)); }

/// Truncating division and its remainder. x / 0 is 0, and so is x rem 0.
int64_t intDiv(int64_t a, int64_t b, const IntKind &kind) {
  if (b == 0)
    return 0;
  if (kind.isUnsigned)
    return int64_t(uint64_t(a) / uint64_t(b));
  return b == -1 ? negate(a) : a / b; // INT_MIN / -1 wraps to INT_MIN
}
int64_t intRem(int64_t a, int64_t b, const IntKind &kind) {
  if (b == 0)
    return 0;
  if (kind.isUnsigned)
    return int64_t(uint64_t(a) % uint64_t(b));
  return b == -1 ? 0 : a % b;
}
int64_t intMod(int64_t a, int64_t b, const IntKind &kind) {
  int64_t remainder = intRem(a, b, kind);
  bool signsDiffer = kind.isNegative(remainder) != kind.isNegative(b);
  return remainder != 0 && signsDiffer ? remainder + b : remainder;
}

int64_t intPow(int64_t base, int64_t exponent, const IntKind &kind) {
  if (kind.isNegative(exponent)) {
    if (base == 1)
      return 1;
    return base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
  }
  uint64_t result = 1, power = base;
  for (uint64_t rest = exponent; rest != 0; rest >>= 1, power *= power)
    if (rest & 1)
      result *= power;
  return int64_t(result);
}

/// A distance that is negative or at least the width shifts everything out.
bool shiftsAllOut(int64_t distance, const IntKind &kind) { return uint64_t(distance) >= kind.width; }
int64_t shiftLeft(int64_t a, int64_t b, const IntKind &kind) {
  return shiftsAllOut(b, kind) ? 0 : int64_t(uint64_t(a) << b);
}
int64_t shiftRight(int64_t a, int64_t b, const IntKind &kind) {
  if (kind.isUnsigned)
    return shiftsAllOut(b, kind) ? 0 : int64_t(uint64_t(a) >> b);
  return a >> (shiftsAllOut(b, kind) ? 63 : b);
}

double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x == 0 ? 0 : x; }

//===-- Ops that mix element types
//-------------------------------------------------------------------------------===//

Results evaluateIsNan(IsNanOp op, Call &call) {
  const Tensor &x = call[op.getX()];
  Tensor y = Tensor::zeros(call.resultElementType(), x.shape);
  for (size_t i = 0; i < x.floats.size(); ++i)
    y.ints[i] = std::isnan(x.floats[i]);
  return single(std::move(y));
}

template <typename T> bool holds(ComparePredicate predicate, T a, T b, Type type) {
  switch (predicate) {
  case ComparePredicate::eq:
    return a == b;
  case ComparePredicate::ne:
    return a != b;
  case ComparePredicate::lt:
    return lessThan(a, b, type);
  case ComparePredicate::le:
    return lessThan(a, b, type) || a == b;
  case ComparePredicate::gt:
    return lessThan(b, a, type);
  case ComparePredicate::ge:
    return lessThan(b, a, type) || a == b;
  }
  return false;
}

Results evaluateCompare(CompareOp op, Call &call) {
  if (Error error = checkSameShapes(call))
    return error;
  const Tensor &a = call[op.getLhs()], &b = call[op.getRhs()];
  Tensor y = Tensor::zeros(call.resultElementType(), a.shape);
  dispatch(a, [&](auto tag) {
    using T = decltype(tag);
    for (size_t i = 0; i < y.ints.size(); ++i)
      y.ints[i] = holds(op.getPredicate(), valuesOf<T>(a)[i], valuesOf<T>(b)[i], a.elementType);
  });
  return single(std::move(y));
}

Results evaluateSelect(SelectOp op, Call &call) {
  if (Error error = checkSameShapes(call))
    return error;
  const Tensor &condition = call[op.getCondition()], &onTrue = call[op.getOnTrue()];
  Tensor y = call[op.getOnFalse()];
  dispatch(y, [&](auto tag) {
    using T = decltype(tag);
    for (size_t i = 0; i < condition.ints.size(); ++i)
      if (condition.ints[i])
        valuesOf<T>(y)[i] = valuesOf<T>(onTrue)[i];
  });
  return single(std::move(y));
}

/// The largest finite number of an 8-bit float type for saturation, infinity for other types.
double saturationBound(Type type, bool saturate) {
  auto floatType = dyn_cast<FloatType>(type);
  if (!saturate || !floatType || floatType.getWidth() > 8)
    return INFINITY;
  APFloat largest = APFloat::getLargest(floatType.getFloatSemantics());
  bool lossy;
  largest.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lossy);
  return largest.convertToDouble();
}

Results evaluateCast(CastOp op, Call &call) {
  return single(converted(call[op.getX()], call.resultElementType(), op.getSaturate()));
}

} // namespace

Tensor converted(const Tensor &x, Type to, bool saturate) {
  Tensor y = Tensor::zeros(to, x.shape);
  double bound = saturationBound(to, saturate);
  // The one type without a sign and without zero.
  bool onlyPositive = isa<Float8E8M0FNUType>(to) && saturate;
  bool fromUnsigned64 = x.elementType.isUnsignedInteger(64);
  for (int64_t i = 0, count = x.numElements(); i < count; ++i) {
    if (to.isInteger(1))
      y.ints[i] = x.isFloat() ? x.floats[i] != 0 : x.ints[i] != 0;
    else if (!y.isFloat())
      y.ints[i] = x.isFloat() ? intFromFloat(to, x.floats[i]) : x.ints[i];
    else {
      // An integer that saturates is brought to the bound as a double: rounding it first would make it
      // infinite.
      Type type = std::isinf(bound) ? to : Float64Type::get(to.getContext());
      double value = x.isFloat() ? x.floats[i] : floatFromInt(type, x.ints[i], fromUnsigned64);
      if (onlyPositive)
        value = std::isnan(value) ? value : std::max(std::fabs(value), 0x1p-127);
      y.floats[i] = std::isnan(value) ? value : std::clamp(value, -bound, bound);
    }
  }
  roundElements(y);
  return y;
}

/// The bytes of one element type are those of the other.
static Results evaluateBitcast(BitcastOp op, Call &call) {
  const Tensor &x = call[op.getX()];
  return single(Tensor::fromBytes(call.resultElementType(), x.shape, x.toBytes()));
}

void addElementwise(HandlerTable &table) {
  using K = const IntKind &;
  using I = int64_t;

  table.add<BitcastOp>(evaluateBitcast);
  unary<AbsOp>(
      table, [](double x) { return std::fabs(x); },
      [](I x, K kind) { return kind.isNegative(x) ? negate(x) : x; });
  unary<NegOp>(table, [](double x) { return -x; }, [](I x, K) { return negate(x); });
  unary<SignOp>(table, sign, [](I x, K kind) { return I(kind.isNegative(x) ? -1 : x != 0); });
  unary<ExpOp>(table, [](double x) { return std::exp(x); });
  unary<Expm1Op>(table, [](double x) { return std::expm1(x); });
  unary<LogOp>(table, [](double x) { return std::log(x); });
  unary<Log1pOp>(table, [](double x) { return std::log1p(x); });
  unary<SqrtOp>(table, [](double x) { return std::sqrt(x); });
  unary<RsqrtOp>(table, [](double x) { return 1 / std::sqrt(x); });
  unary<SinOp>(table, [](double x) { return std::sin(x); });
  unary<CosOp>(table, [](double x) { return std::cos(x); });
  unary<TanOp>(table, [](double x) { return std::tan(x); });
  unary<AsinOp>(table, [](double x) { return std::asin(x); });
  unary<AcosOp>(table, [](double x) { return std::acos(x); });
  unary<AtanOp>(table, [](double x) { return std::atan(x); });
  unary<SinhOp>(table, [](double x) { return std::sinh(x); });
  unary<CoshOp>(table, [](double x) { return std::cosh(x); });
  unary<TanhOp>(table, [](double x) { return std::tanh(x); });
  unary<AsinhOp>(table, [](double x) { return std::asinh(x); });
  unary<AcoshOp>(table, [](double x) { return std::acosh(x); });
  unary<AtanhOp>(table, [](double x) { return std::atanh(x); });
  unary<ErfOp>(table, [](double x) { return std::erf(x); });
  unary<SigmoidOp>(table, sigmoid);
  unary<SoftplusOp>(table, [](double x) { return (x > 0 ? x : 0) + std::log1p(std::exp(-std::fabs(x))); });
  unary<FloorOp>(table, [](double x) { return std::floor(x); });
  unary<CeilOp>(table, [](double x) { return std::ceil(x); });
  unary<RoundOp>(table, [](double x) { return std::nearbyint(x); });
  unary<NotOp>(table, none, [](I x, K kind) { return kind.isBool ? I(x == 0) : ~x; });

  binary<AddOp>(
      table, [](double a, double b) { return a + b; }, [](I a, I b, K) { return wrappingAdd(a, b); });
  binary<SubOp>(
      table, [](double a, double b) { return a - b; }, [](I a, I b, K) { return wrappingAdd(a, negate(b)); });
  binary<MulOp>(
      table, [](double a, double b) { return a * b; }, [](I a, I b, K) { return wrappingMul(a, b); });
  binary<DivOp>(table, [](double a, double b) { return a / b; }, intDiv);
  binary<RemOp>(table, [](double a, double b) { return std::fmod(a, b); }, intRem);
  binary<ModOp>(table, floatMod, intMod);
  binary<PowOp>(table, [](double a, double b) { return std::pow(a, b); }, intPow);
  binary<MaximumOp>(
      table, [](double a, double b) { return maximumOf(a, b, Type()); },
      [](I a, I b, K kind) { return maximumOf(a, b, kind.type); });
  binary<MinimumOp>(
      table, [](double a, double b) { return minimumOf(a, b, Type()); },
      [](I a, I b, K kind) { return minimumOf(a, b, kind.type); });
  binary<AndOp>(table, none, [](I a, I b, K) { return a & b; });
  binary<OrOp>(table, none, [](I a, I b, K) { return a | b; });
  binary<XorOp>(table, none, [](I a, I b, K) { return a ^ b; });
  binary<ShiftLeftOp>(table, none, shiftLeft);
  binary<ShiftRightOp>(table, none, shiftRight);

  table.add<IsNanOp>(evaluateIsNan);
  table.add<CompareOp>(evaluateCompare);
  table.add<SelectOp>(evaluateSelect);
  table.add<CastOp>(evaluateCast);
}

} // namespace torsh::reference
