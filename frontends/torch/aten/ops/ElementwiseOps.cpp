//===-- ElementwiseOps.cpp - Arithmetic, element by element -------------------------------------------------===//
#include "frontends/torch/aten/Table.h"
#include <cmath>

using namespace mlir;

namespace torsh::torch {
namespace {

/// The operand with a float type: integers become f32, as in PyTorch.
Value asFloat(Call &c, StringRef name) {
  Value x = c.tensor(name);
  return isa<FloatType>(elementTypeOf(x)) ? x : c.b.cast(x, c.b.builder.getF32Type());
}

template <typename Op> LogicalResult importFloatUnary(Call &c) {
  return c.give(c.b.create<Op>(asFloat(c, "self")));
}
template <typename Op> LogicalResult importNumberUnary(Call &c) {
  return c.give(c.b.create<Op>(c.tensor("self")));
}

/// Rounding leaves integers as they are.
template <typename Op> LogicalResult importRounding(Call &c) {
  Value x = c.tensor("self");
  return c.give(isa<FloatType>(elementTypeOf(x)) ? c.b.create<Op>(x) : x);
}

Value truncate(TensorBuilder &b, Value x) {
  return isa<FloatType>(elementTypeOf(x))
             ? b.create<MulOp>(b.create<SignOp>(x), b.create<FloorOp>(b.create<AbsOp>(x)))
             : x;
}

LogicalResult importTrunc(Call &c) { return c.give(truncate(c.b, c.tensor("self"))); }

LogicalResult importSquare(Call &c) {
  Value x = c.tensor("self");
  return c.give(c.b.create<MulOp>(x, x));
}

LogicalResult importReciprocal(Call &c) {
  Value x = asFloat(c, "self");
  return c.give(c.b.create<DivOp>(c.b.splatLike(x, 1), x));
}

template <int base> LogicalResult importLogarithm(Call &c) {
  Value x = c.b.create<LogOp>(asFloat(c, "self"));
  return c.give(c.b.scale(x, 1 / std::log(double(base))));
}

LogicalResult importExp2(Call &c) {
  return c.give(c.b.create<ExpOp>(c.b.scale(asFloat(c, "self"), std::log(2.0))));
}

template <typename Op> LogicalResult importBinary(Call &c) {
  SmallVector<Value> x = promoted(c.b, {c.value("self"), c.value("other")});
  return c.give(c.b.create<Op>(x[0], x[1]));
}

/// self + alpha * other, where + on booleans is "or".
template <typename Op, bool reversed> LogicalResult importSum(Call &c) {
  SmallVector<Value> x = promoted(c.b, {c.value("self"), c.value("other")});
  if (elementTypeOf(x[0]).isInteger(1)) {
    if (!std::is_same_v<Op, AddOp>)
      return c.fail("booleans cannot be subtracted");
    return c.give(c.b.create<OrOp>(x[0], x[1]));
  }
  if (reversed)
    std::swap(x[0], x[1]);
  return c.give(c.b.create<Op>(x[0], c.b.scale(x[1], c.number("alpha"))));
}

LogicalResult importMul(Call &c) {
  SmallVector<Value> x = promoted(c.b, {c.value("self"), c.value("other")});
  bool boolean = elementTypeOf(x[0]).isInteger(1);
  return c.give(boolean ? c.b.create<AndOp>(x[0], x[1]) : c.b.create<MulOp>(x[0], x[1]));
}

Value floorDivide(TensorBuilder &b, Value x, Value y) {
  if (isa<FloatType>(elementTypeOf(x)))
    return b.create<FloorOp>(b.create<DivOp>(x, y));
  // x = y * q + mod with a remainder of y's sign, and the division is exact.
  return b.create<DivOp>(b.create<SubOp>(x, b.create<ModOp>(x, y)), y);
}

LogicalResult importDiv(Call &c) {
  StringRef mode = c.text("rounding_mode");
  Type type = promote(c.b, {c.value("self"), c.value("other")});
  // Up to version 3 of the format the division of integers truncates.
  bool legacyInteger = c.formatVersion < 4 && !isa<FloatType>(type);
  if (mode.empty() && !legacyInteger && !isa<FloatType>(type))
    type = c.b.builder.getF32Type();
  SmallVector<Value> x = promoted(c.b, {c.value("self"), c.value("other")}, type);
  if (mode == "floor")
    return c.give(floorDivide(c.b, x[0], x[1]));
  Value quotient = c.b.create<DivOp>(x[0], x[1]);
  return c.give(mode == "trunc" ? truncate(c.b, quotient) : quotient);
}

LogicalResult importFloorDivide(Call &c) {
  SmallVector<Value> x = promoted(c.b, {c.value("self"), c.value("other")});
  return c.give(floorDivide(c.b, x[0], x[1]));
}

LogicalResult importPow(Call &c) {
  const Val &self = c.value("self"), &exponent = c.value("exponent");
  std::optional<double> known = exponent.knownDouble();
  SmallVector<Value> x = promoted(c.b, {self, exponent});
  if (known == 2.0)
    return c.give(c.b.create<MulOp>(x[0], x[0]));
  if (known == 0.5)
    return c.give(c.b.create<SqrtOp>(x[0]));
  if (known == 1.0)
    return c.give(x[0]);
  return c.give(c.b.create<PowOp>(x[0], x[1]));
}

LogicalResult importClamp(Call &c) {
  SmallVector<Val> operands = {c.value("self")};
  for (StringRef name : {"min", "max"})
    if (c.has(name))
      operands.push_back(c.value(name));
  Type type = promote(c.b, operands);
  SmallVector<Value> values = promoted(c.b, operands, type);
  Value x = values[0];
  size_t next = 1;
  if (c.has("min"))
    x = c.b.create<MaximumOp>(x, values[next++]);
  if (c.has("max"))
    x = c.b.create<MinimumOp>(x, values[next]);
  return c.give(x);
}

LogicalResult importAddcmul(Call &c) {
  SmallVector<Value> x = promoted(c.b, {c.value("self"), c.value("tensor1"), c.value("tensor2")});
  return c.give(c.b.create<AddOp>(x[0], c.b.scale(c.b.create<MulOp>(x[1], x[2]), c.number("value"))));
}

LogicalResult importAddcdiv(Call &c) {
  SmallVector<Value> x = promoted(c.b, {c.value("self"), c.value("tensor1"), c.value("tensor2")});
  return c.give(c.b.create<AddOp>(x[0], c.b.scale(c.b.create<DivOp>(x[1], x[2]), c.number("value"))));
}

/// Whether the sign is set, zeros included.
Value signBit(TensorBuilder &b, Value x) {
  Value inverse = b.create<DivOp>(b.splatLike(x, 1), x);
  Value zero = b.compareNumber(x, ComparePredicate::eq, 0),
        below = b.compareNumber(x, ComparePredicate::lt, 0);
  return b.create<OrOp>(below, b.create<AndOp>(zero, b.compareNumber(inverse, ComparePredicate::lt, 0)));
}

/// atan(y / x), moved by pi where x is negative. Two infinities count as two ones, two zeros as an angle of 0.
LogicalResult importAtan2(Call &c) {
  TensorBuilder &b = c.b;
  SmallVector<Value> operands = promoted(b, {c.value("self"), c.value("other")});
  Value y = operands[0], x = operands[1];
  if (!isa<FloatType>(elementTypeOf(x))) {
    y = b.cast(y, b.builder.getF32Type());
    x = b.cast(x, b.builder.getF32Type());
  }
  auto isInfinite = [&](Value v) {
    return b.compareNumber(b.create<AbsOp>(v), ComparePredicate::eq, HUGE_VAL);
  };
  auto isZero = [&](Value v) { return b.compareNumber(v, ComparePredicate::eq, 0); };
  Value infinite = b.create<AndOp>(isInfinite(x), isInfinite(y)),
        zero = b.create<AndOp>(isZero(x), isZero(y));
  Value over = b.create<SelectOp>(infinite, b.create<SignOp>(y), y);
  Value under = b.create<SelectOp>(infinite, b.create<SignOp>(x), x);
  Value angle = b.create<AtanOp>(b.create<SelectOp>(zero, y, b.create<DivOp>(over, under)));
  Value turn = b.create<SelectOp>(signBit(b, y), b.splatLike(y, -M_PI), b.splatLike(y, M_PI));
  return c.give(b.create<SelectOp>(signBit(b, x), b.create<AddOp>(angle, turn), angle));
}

LogicalResult importLerp(Call &c) {
  SmallVector<Value> x = promoted(c.b, {c.value("self"), c.value("end"), c.value("weight")});
  return c.give(c.b.create<AddOp>(x[0], c.b.create<MulOp>(x[2], c.b.create<SubOp>(x[1], x[0]))));
}

} // namespace

void addElementwiseOps(Table &table) {
  table.add("add(Operand self, Operand other, *, Scalar alpha=1)", importSum<AddOp, false>);
  table.add("sub(Operand self, Operand other, *, Scalar alpha=1)", importSum<SubOp, false>);
  table.add("rsub(Operand self, Operand other, Scalar alpha=1)", importSum<SubOp, true>);
  table.add("mul(Operand self, Operand other)", importMul);
  table.add("multiply(Operand self, Operand other)", importMul);
  table.add("div(Operand self, Operand other, *, str? rounding_mode=None)", importDiv);
  table.add("divide(Operand self, Operand other, *, str? rounding_mode=None)", importDiv);
  table.add("true_divide(Operand self, Operand other)", importDiv);
  table.add("floor_divide(Operand self, Operand other)", importFloorDivide);
  table.add("floordiv(Operand self, Operand other)", importFloorDivide);
  table.add("remainder(Operand self, Operand other)", importBinary<ModOp>);
  table.add("fmod(Operand self, Operand other)", importBinary<RemOp>);
  table.add("pow(Operand self, Operand exponent)", importPow);
  table.add("maximum(Tensor self, Tensor other)", importBinary<MaximumOp>);
  table.add("minimum(Tensor self, Tensor other)", importBinary<MinimumOp>);
  table.add("clamp(Tensor self, Operand? min=None, Operand? max=None)", importClamp);
  table.add("clip(Tensor self, Operand? min=None, Operand? max=None)", importClamp);
  table.add("clamp_min(Tensor self, Operand min)", importClamp);
  table.add("clamp_max(Tensor self, Operand max)", importClamp);
  table.add("addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1)", importAddcmul);
  table.add("addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1)", importAddcdiv);
  table.add("lerp(Tensor self, Tensor end, Operand weight)", importLerp);
  table.add("atan2(Tensor self, Tensor other)", importAtan2);
  table.add("abs(Tensor self)", importNumberUnary<AbsOp>);
  table.add("neg(Tensor self)", importNumberUnary<NegOp>);
  table.add("sign(Tensor self)", importNumberUnary<SignOp>);
  table.add("exp(Tensor self)", importFloatUnary<ExpOp>);
  table.add("exp2(Tensor self)", importExp2);
  table.add("expm1(Tensor self)", importFloatUnary<Expm1Op>);
  table.add("log(Tensor self)", importFloatUnary<LogOp>);
  table.add("log1p(Tensor self)", importFloatUnary<Log1pOp>);
  table.add("log2(Tensor self)", importLogarithm<2>);
  table.add("log10(Tensor self)", importLogarithm<10>);
  table.add("sqrt(Tensor self)", importFloatUnary<SqrtOp>);
  table.add("rsqrt(Tensor self)", importFloatUnary<RsqrtOp>);
  table.add("sin(Tensor self)", importFloatUnary<SinOp>);
  table.add("cos(Tensor self)", importFloatUnary<CosOp>);
  table.add("tan(Tensor self)", importFloatUnary<TanOp>);
  table.add("asin(Tensor self)", importFloatUnary<AsinOp>);
  table.add("acos(Tensor self)", importFloatUnary<AcosOp>);
  table.add("atan(Tensor self)", importFloatUnary<AtanOp>);
  table.add("sinh(Tensor self)", importFloatUnary<SinhOp>);
  table.add("cosh(Tensor self)", importFloatUnary<CoshOp>);
  table.add("tanh(Tensor self)", importFloatUnary<TanhOp>);
  table.add("erf(Tensor self)", importFloatUnary<ErfOp>);
  table.add("sigmoid(Tensor self)", importFloatUnary<SigmoidOp>);
  table.add("floor(Tensor self)", importRounding<FloorOp>);
  table.add("ceil(Tensor self)", importRounding<CeilOp>);
  table.add("round(Tensor self)", importRounding<RoundOp>);
  table.add("trunc(Tensor self)", importTrunc);
  table.add("square(Tensor self)", importSquare);
  table.add("reciprocal(Tensor self)", importReciprocal);
}

} // namespace torsh::torch
