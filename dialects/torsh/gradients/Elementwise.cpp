//===-- Elementwise.cpp - Gradients of elementwise ops ------------------------------------------------------===//
//
// Integers and booleans have no cotangents, so each rule sees floats only.
//
//===--------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/Splat.h"
#include "dialects/torsh/gradients/Rules.h"
#include <cmath>

using namespace mlir;

namespace torsh::gradients {
namespace {

//===-- One operand: the derivative at x, where y is the result -------------------------------------------===//

using Derivative = Value (*)(RuleBuilder &b, Value x, Value y);

template <typename OpTy, Derivative derivative>
LogicalResult unaryRule(OpTy op, RuleBuilder &b, VJPContext &context) {
  context.accumulate(0, b.mul(context.cotangent(0), derivative(b, op.getX(), op.getY())));
  return success();
}

Value dAbs(RuleBuilder &b, Value x, Value) { return b.make<SignOp>(x); }
Value dExp(RuleBuilder &, Value, Value y) { return y; }
Value dExpm1(RuleBuilder &b, Value, Value y) { return b.add(y, 1); }
Value dLog(RuleBuilder &b, Value x, Value) { return b.div(b.splat(x, 1), x); }
Value dLog1p(RuleBuilder &b, Value x, Value) { return b.div(b.splat(x, 1), b.add(x, 1)); }
Value dSqrt(RuleBuilder &b, Value, Value y) { return b.div(b.splat(y, 0.5), y); }
Value dRsqrt(RuleBuilder &b, Value, Value y) { return b.mul(b.mul(y, b.square(y)), -0.5); }
Value dSin(RuleBuilder &b, Value x, Value) { return b.make<CosOp>(x); }
Value dCos(RuleBuilder &b, Value x, Value) { return b.neg(b.make<SinOp>(x)); }
Value dTan(RuleBuilder &b, Value, Value y) { return b.add(b.square(y), 1); }
Value dAsin(RuleBuilder &b, Value x, Value) { return b.make<RsqrtOp>(b.sub(1, b.square(x))); }
Value dAcos(RuleBuilder &b, Value x, Value y) { return b.neg(dAsin(b, x, y)); }
Value dAtan(RuleBuilder &b, Value x, Value) { return b.div(b.splat(x, 1), b.add(b.square(x), 1)); }
Value dSinh(RuleBuilder &b, Value x, Value) { return b.make<CoshOp>(x); }
Value dCosh(RuleBuilder &b, Value x, Value) { return b.make<SinhOp>(x); }
Value dTanh(RuleBuilder &b, Value, Value y) { return b.sub(1, b.square(y)); }
Value dAsinh(RuleBuilder &b, Value x, Value) { return b.make<RsqrtOp>(b.add(b.square(x), 1)); }
Value dAcosh(RuleBuilder &b, Value x, Value) { return b.make<RsqrtOp>(b.add(b.square(x), -1)); }
Value dAtanh(RuleBuilder &b, Value x, Value) { return b.div(b.splat(x, 1), b.sub(1, b.square(x))); }
Value dErf(RuleBuilder &b, Value x, Value) {
  return b.mul(b.make<ExpOp>(b.neg(b.square(x))), 2 / std::sqrt(std::acos(-1.0)));
}
Value dSigmoid(RuleBuilder &b, Value, Value y) { return b.mul(y, b.sub(1, y)); }
Value dSoftplus(RuleBuilder &b, Value x, Value) { return b.make<SigmoidOp>(x); }

LogicalResult negRule(NegOp, RuleBuilder &b, VJPContext &context) {
  context.accumulate(0, b.neg(context.cotangent(0)));
  return success();
}

//===-- Two operands --------------------------------------------------------------------------------------===//

LogicalResult addRule(AddOp, RuleBuilder &, VJPContext &context) {
  for (unsigned operand : {0, 1})
    if (context.needs(operand))
      context.accumulate(operand, context.cotangent(0));
  return success();
}

LogicalResult subRule(SubOp, RuleBuilder &b, VJPContext &context) {
  if (context.needs(0))
    context.accumulate(0, context.cotangent(0));
  if (context.needs(1))
    context.accumulate(1, b.neg(context.cotangent(0)));
  return success();
}

LogicalResult mulRule(MulOp op, RuleBuilder &b, VJPContext &context) {
  if (context.needs(0))
    context.accumulate(0, b.mul(context.cotangent(0), op.getRhs()));
  if (context.needs(1))
    context.accumulate(1, b.mul(context.cotangent(0), op.getLhs()));
  return success();
}

LogicalResult divRule(DivOp op, RuleBuilder &b, VJPContext &context) {
  Value quotient = b.div(context.cotangent(0), op.getRhs());
  if (context.needs(0))
    context.accumulate(0, quotient);
  if (context.needs(1))
    context.accumulate(1, b.neg(b.mul(quotient, op.getY())));
  return success();
}

/// x = n * y + result with a whole number n, for both kinds of remainder.
template <typename OpTy> LogicalResult remainderRule(OpTy op, RuleBuilder &b, VJPContext &context) {
  Value g = context.cotangent(0);
  if (context.needs(0))
    context.accumulate(0, g);
  if (context.needs(1)) {
    Value whole = b.make<RoundOp>(b.div(b.sub(op.getLhs(), op.getY()), op.getRhs()));
    context.accumulate(1, b.neg(b.mul(g, whole)));
  }
  return success();
}

/// Powers of 0 have the derivatives that are finite: b * 0^(b-1) is 0 for b = 0, and 0^b does not change with b >= 0.
LogicalResult powRule(PowOp op, RuleBuilder &b, VJPContext &context) {
  Value g = context.cotangent(0), base = op.getLhs(), exponent = op.getRhs();
  if (context.needs(0)) {
    Value slope = b.mul(exponent, b.make<PowOp>(base, b.add(exponent, -1)));
    Value constant = b.compare(ComparePredicate::eq, exponent, b.splat(exponent, 0));
    context.accumulate(0, b.mul(g, b.select(constant, b.splat(slope, 0), slope)));
  }
  if (context.needs(1)) {
    Value zero = b.splat(base, 0);
    Value flat = b.make<AndOp>(b.compare(ComparePredicate::eq, base, zero),
                               b.compare(ComparePredicate::ge, exponent, zero));
    // The logarithm of 0 must not enter, not even times 0.
    Value safe = b.select(flat, b.splat(base, 1), base);
    context.accumulate(1, b.mul(g, b.mul(op.getY(), b.make<LogOp>(safe))));
  }
  return success();
}

/// The operand that wins takes the cotangent. Where both are equal and computed each takes half; where one is a constant
/// the other takes nothing, which is ReLU's and ReLU6's convention.
template <typename OpTy, ComparePredicate wins>
LogicalResult extremeRule(OpTy op, RuleBuilder &b, VJPContext &context) {
  Value g = context.cotangent(0);
  Value operands[] = {op.getLhs(), op.getRhs()};
  bool shared = !getSplatNumber(operands[0]) && !getSplatNumber(operands[1]);
  for (unsigned index : {0, 1}) {
    if (!context.needs(index))
      continue;
    Value mine = operands[index], other = operands[1 - index];
    Value part = b.where(b.compare(wins, mine, other), g);
    if (shared)
      part = b.select(b.compare(ComparePredicate::eq, mine, other), b.mul(g, 0.5), part);
    context.accumulate(index, part);
  }
  return success();
}

//===-- Others --------------------------------------------------------------------------------------------===//

LogicalResult selectRule(SelectOp op, RuleBuilder &b, VJPContext &context) {
  Value g = context.cotangent(0);
  if (context.needs(1))
    context.accumulate(1, b.where(op.getCondition(), g));
  if (context.needs(2))
    context.accumulate(2, b.select(op.getCondition(), b.splat(g, 0), g));
  return success();
}

/// Between floats; integers on either side carry no cotangent.
LogicalResult castRule(CastOp op, RuleBuilder &b, VJPContext &context) {
  context.accumulate(0, b.castTo(context.cotangent(0), typeOf(op.getX()).getElementType()));
  return success();
}

template <typename OpTy, Derivative derivative> void attachUnary(MLIRContext *context) {
  attach<OpTy, unaryRule<OpTy, derivative>>(context);
}

} // namespace

void attachElementwise(MLIRContext *context) {
  attachUnary<AbsOp, dAbs>(context);
  attachUnary<ExpOp, dExp>(context);
  attachUnary<Expm1Op, dExpm1>(context);
  attachUnary<LogOp, dLog>(context);
  attachUnary<Log1pOp, dLog1p>(context);
  attachUnary<SqrtOp, dSqrt>(context);
  attachUnary<RsqrtOp, dRsqrt>(context);
  attachUnary<SinOp, dSin>(context);
  attachUnary<CosOp, dCos>(context);
  attachUnary<TanOp, dTan>(context);
  attachUnary<AsinOp, dAsin>(context);
  attachUnary<AcosOp, dAcos>(context);
  attachUnary<AtanOp, dAtan>(context);
  attachUnary<SinhOp, dSinh>(context);
  attachUnary<CoshOp, dCosh>(context);
  attachUnary<TanhOp, dTanh>(context);
  attachUnary<AsinhOp, dAsinh>(context);
  attachUnary<AcoshOp, dAcosh>(context);
  attachUnary<AtanhOp, dAtanh>(context);
  attachUnary<ErfOp, dErf>(context);
  attachUnary<SigmoidOp, dSigmoid>(context);
  attachUnary<SoftplusOp, dSoftplus>(context);
  attach<NegOp, negRule>(context);
  attach<AddOp, addRule>(context);
  attach<SubOp, subRule>(context);
  attach<MulOp, mulRule>(context);
  attach<DivOp, divRule>(context);
  attach<RemOp, remainderRule<RemOp>>(context);
  attach<ModOp, remainderRule<ModOp>>(context);
  attach<PowOp, powRule>(context);
  attach<MaximumOp, extremeRule<MaximumOp, ComparePredicate::gt>>(context);
  attach<MinimumOp, extremeRule<MinimumOp, ComparePredicate::lt>>(context);
  attach<SelectOp, selectRule>(context);
  attach<CastOp, castRule>(context);
}

} // namespace torsh::gradients
