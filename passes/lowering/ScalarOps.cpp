//===-- ScalarOps.cpp - Elementwise ops on scalars and vectors ----------------------------------------------===//
//
// One entry an op. Operands are in compute type (f32 for narrow floats, signless integers); whether an integer is
// unsigned is read from the torsh op. Everything here works on a scalar and on a vector alike.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/Bitcast.h"
#include "dialects/torsh/TreeEnsemble.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/lowering/KernelBuilder.h"
#include "passes/lowering/SmallFloats.h"

using namespace mlir;

namespace torsh {
namespace {

/// Builds with one location; `type` is the result's compute type (scalar or vector).
struct Scalars {
  KernelBuilder &kb;
  Operation *op;
  unsigned lanes;
  Type type;          ///< of the first operand
  Type element;       ///< torsh element type of the first operand
  Type resultElement; ///< torsh element type of the result

  bool isFloat() const { return isa<FloatType>(kb.computeType(element)); }
  bool isUnsigned() const { return element.isUnsignedInteger(); }
  template <typename OpTy, typename... Args> Value create(Args &&...args) {
    return OpTy::create(kb.b, kb.loc, std::forward<Args>(args)...);
  }
  Value number(double value) { return kb.splatConstant(element, value, lanes); }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) {
    return create<arith::CmpFOp>(predicate, x, y);
  }
  Value compare(arith::CmpIPredicate predicate, Value x, Value y) {
    return create<arith::CmpIOp>(predicate, x, y);
  }
  Value select(Value condition, Value x, Value y) { return create<arith::SelectOp>(condition, x, y); }
};

/// max(x, 0) + log1p(e^-|x|)
Value softplus(Scalars &s, Value x) {
  Value e = s.create<math::ExpOp>(s.create<arith::NegFOp>(s.create<math::AbsFOp>(x)));
  return s.create<arith::AddFOp>(s.create<arith::MaximumFOp>(x, s.number(0)), s.create<math::Log1pOp>(e));
}

/// The bits of a float as an integer: those of negative numbers are complemented, others get the highest bit. Adding 0
/// turns -0 into 0.
Value sortKey(Scalars &s, Value x) {
  unsigned width = s.element.getIntOrFloatBitWidth();
  Type integer = IntegerType::get(s.op->getContext(), width);
  auto number = [&](double value) { return s.kb.splatConstant(integer, value, s.lanes); };
  Value bits =
      s.create<arith::BitcastOp>(s.kb.vectorOf(integer, s.lanes), s.create<arith::AddFOp>(x, s.number(0)));
  Value sign = s.create<arith::ShRSIOp>(bits, number(width - 1));
  Value flip = s.create<arith::OrIOp>(sign, number(-std::ldexp(1.0, width - 1)));
  Value isNan = s.compare(arith::CmpFPredicate::UNO, x, x);
  return s.select(isNan, number(-1), s.create<arith::XOrIOp>(bits, flip));
}

Value unaryFloat(Scalars &s, Value x) {
  return llvm::TypeSwitch<Operation *, Value>(s.op)
      .Case([&](AbsOp) { return s.create<math::AbsFOp>(x); })
      .Case([&](NegOp) { return s.create<arith::NegFOp>(x); })
      .Case([&](SignOp) {
        // NaN compares false twice, so it stays itself.
        Value positive = s.compare(arith::CmpFPredicate::OGT, x, s.number(0));
        Value negative = s.compare(arith::CmpFPredicate::OLT, x, s.number(0));
        return s.select(positive, s.number(1), s.select(negative, s.number(-1), x));
      })
      .Case([&](ExpOp) { return s.create<math::ExpOp>(x); })
      .Case([&](Expm1Op) { return s.create<math::ExpM1Op>(x); })
      .Case([&](LogOp) { return s.create<math::LogOp>(x); })
      .Case([&](Log1pOp) { return s.create<math::Log1pOp>(x); })
      .Case([&](SqrtOp) { return s.create<math::SqrtOp>(x); })
      .Case([&](RsqrtOp) { return s.create<arith::DivFOp>(s.number(1), s.create<math::SqrtOp>(x)); })
      .Case([&](SinOp) { return s.create<math::SinOp>(x); })
      .Case([&](CosOp) { return s.create<math::CosOp>(x); })
      .Case([&](TanOp) { return s.create<math::TanOp>(x); })
      .Case([&](AsinOp) { return s.create<math::AsinOp>(x); })
      .Case([&](AcosOp) { return s.create<math::AcosOp>(x); })
      .Case([&](AtanOp) { return s.create<math::AtanOp>(x); })
      .Case([&](SinhOp) { return s.create<math::SinhOp>(x); })
      .Case([&](CoshOp) { return s.create<math::CoshOp>(x); })
      .Case([&](TanhOp) { return s.create<math::TanhOp>(x); })
      .Case([&](AsinhOp) { return s.create<math::AsinhOp>(x); })
      .Case([&](AcoshOp) { return s.create<math::AcoshOp>(x); })
      .Case([&](AtanhOp) { return s.create<math::AtanhOp>(x); })
      .Case([&](ErfOp) { return s.create<math::ErfOp>(x); })
      .Case([&](SigmoidOp) { return s.kb.emitSigmoid(x, s.element, s.lanes); })
      .Case([&](SoftplusOp) { return softplus(s, x); })
      .Case([&](FloorOp) { return s.create<math::FloorOp>(x); })
      .Case([&](CeilOp) { return s.create<math::CeilOp>(x); })
      .Case([&](RoundOp) { return s.create<math::RoundEvenOp>(x); })
      .Case([&](SortKeyOp) { return sortKey(s, x); })
      .Case([&](IsNanOp) { return s.compare(arith::CmpFPredicate::UNO, x, x); })
      .Default([](Operation *) { return Value(); });
}

Value unaryInteger(Scalars &s, Value x) {
  return llvm::TypeSwitch<Operation *, Value>(s.op)
      .Case([&](AbsOp) -> Value {
        if (s.isUnsigned())
          return x;
        Value negative = s.compare(arith::CmpIPredicate::slt, x, s.number(0));
        return s.select(negative, s.create<arith::SubIOp>(s.number(0), x), x);
      })
      .Case([&](NegOp) { return s.create<arith::SubIOp>(s.number(0), x); })
      .Case([&](SignOp) -> Value {
        Value positive =
            s.compare(s.isUnsigned() ? arith::CmpIPredicate::ugt : arith::CmpIPredicate::sgt, x, s.number(0));
        Value other = x;
        if (!s.isUnsigned())
          other = s.select(s.compare(arith::CmpIPredicate::slt, x, s.number(0)), s.number(-1), x);
        return s.select(positive, s.number(1), other);
      })
      .Case([&](NotOp) { return s.create<arith::XOrIOp>(x, s.number(-1)); })
      .Default([](Operation *) { return Value(); });
}

/// A value that is a constant without NaN.
bool isConstantNumber(Value value) {
  Attribute attribute;
  if (!matchPattern(value, m_Constant(&attribute)))
    return false;
  if (auto splat = dyn_cast<SplatElementsAttr>(attribute))
    attribute = splat.getSplatValue<Attribute>();
  auto number = dyn_cast<FloatAttr>(attribute);
  return number && !number.getValue().isNaN();
}

/// The larger (or smaller) of both, NaN wins. Against a constant it is one instruction, whose operand order lets the
/// NaN of the other operand through: c > x ? c : x.
Value extremum(Scalars &s, Value x, Value y, bool largest) {
  if (isConstantNumber(x))
    std::swap(x, y);
  if (isConstantNumber(y))
    return s.select(s.compare(largest ? arith::CmpFPredicate::OGT : arith::CmpFPredicate::OLT, y, x), y, x);
  return largest ? s.create<arith::MaximumFOp>(x, y) : s.create<arith::MinimumFOp>(x, y);
}

Value binaryFloat(Scalars &s, Value x, Value y) {
  return llvm::TypeSwitch<Operation *, Value>(s.op)
      .Case([&](AddOp) { return s.create<arith::AddFOp>(x, y); })
      .Case([&](SubOp) { return s.create<arith::SubFOp>(x, y); })
      .Case([&](MulOp) { return s.create<arith::MulFOp>(x, y); })
      .Case([&](DivOp) { return s.create<arith::DivFOp>(x, y); })
      .Case([&](RemOp) { return s.create<arith::RemFOp>(x, y); })
      .Case([&](ModOp) {
        // The remainder takes the sign of the divisor.
        Value rest = s.create<arith::RemFOp>(x, y);
        Value zero = s.number(0);
        Value differs = s.create<arith::XOrIOp>(s.compare(arith::CmpFPredicate::OLT, rest, zero),
                                                s.compare(arith::CmpFPredicate::OLT, y, zero));
        Value nonZero = s.compare(arith::CmpFPredicate::UNE, rest, zero);
        return s.select(s.create<arith::AndIOp>(differs, nonZero), s.create<arith::AddFOp>(rest, y), rest);
      })
      .Case([&](PowOp) { return s.create<math::PowFOp>(x, y); })
      .Case([&](MaximumOp) { return extremum(s, x, y, true); })
      .Case([&](MinimumOp) { return extremum(s, x, y, false); })
      .Default([](Operation *) { return Value(); });
}

/// Signed or unsigned division or remainder that never traps: x / 0 = 0 and INT_MIN / -1 = INT_MIN.
Value safeDivide(Scalars &s, Value x, Value y, bool remainder) {
  Value zero = s.number(0), one = s.number(1);
  Value byZero = s.compare(arith::CmpIPredicate::eq, y, zero);
  if (s.isUnsigned()) {
    Value divisor = s.select(byZero, one, y);
    Value result = remainder ? s.create<arith::RemUIOp>(x, divisor) : s.create<arith::DivUIOp>(x, divisor);
    return s.select(byZero, zero, result);
  }
  // x / -1 is -x in wrapping arithmetic.
  Value byMinusOne = s.compare(arith::CmpIPredicate::eq, y, s.number(-1));
  Value divisor = s.select(s.create<arith::OrIOp>(byZero, byMinusOne), one, y);
  Value result = remainder ? s.create<arith::RemSIOp>(x, divisor) : s.create<arith::DivSIOp>(x, divisor);
  Value minusOne = remainder ? zero : s.create<arith::SubIOp>(zero, x);
  return s.select(byZero, zero, s.select(byMinusOne, minusOne, result));
}

/// x^y by squaring over all bits of y; a negative y gives 0 but for x = 1 and x = -1.
Value integerPower(Scalars &s, Value x, Value y) {
  unsigned bits = getElementTypeOrSelf(s.type).getIntOrFloatBitWidth();
  Value result = s.number(1), base = x, zero = s.number(0), one = s.number(1);
  for (unsigned bit = 0; bit < std::min(bits, 63u); ++bit) {
    Value isSet = s.compare(arith::CmpIPredicate::ne,
                            s.create<arith::AndIOp>(s.create<arith::ShRUIOp>(y, s.number(bit)), one), zero);
    result = s.select(isSet, s.create<arith::MulIOp>(result, base), result);
    base = s.create<arith::MulIOp>(base, base);
  }
  if (s.isUnsigned())
    return result;
  Value odd = s.compare(arith::CmpIPredicate::ne, s.create<arith::AndIOp>(y, one), zero);
  Value inverse = s.select(
      s.compare(arith::CmpIPredicate::eq, x, one), one,
      s.select(s.compare(arith::CmpIPredicate::eq, x, s.number(-1)), s.select(odd, s.number(-1), one), zero));
  return s.select(s.compare(arith::CmpIPredicate::slt, y, zero), inverse, result);
}

Value binaryInteger(Scalars &s, Value x, Value y) {
  bool isUnsigned = s.isUnsigned();
  auto width = [&] { return s.number(getElementTypeOrSelf(s.type).getIntOrFloatBitWidth()); };
  return llvm::TypeSwitch<Operation *, Value>(s.op)
      .Case([&](AddOp) { return s.create<arith::AddIOp>(x, y); })
      .Case([&](SubOp) { return s.create<arith::SubIOp>(x, y); })
      .Case([&](MulOp) { return s.create<arith::MulIOp>(x, y); })
      .Case([&](DivOp) { return safeDivide(s, x, y, false); })
      .Case([&](RemOp) { return safeDivide(s, x, y, true); })
      .Case([&](ModOp) {
        Value rest = safeDivide(s, x, y, true);
        if (isUnsigned)
          return rest;
        Value zero = s.number(0);
        Value differs = s.compare(arith::CmpIPredicate::slt, s.create<arith::XOrIOp>(rest, y), zero);
        Value nonZero = s.compare(arith::CmpIPredicate::ne, rest, zero);
        return s.select(s.create<arith::AndIOp>(differs, nonZero), s.create<arith::AddIOp>(rest, y), rest);
      })
      .Case([&](PowOp) { return integerPower(s, x, y); })
      .Case([&](MaximumOp) {
        return isUnsigned ? s.create<arith::MaxUIOp>(x, y) : s.create<arith::MaxSIOp>(x, y);
      })
      .Case([&](MinimumOp) {
        return isUnsigned ? s.create<arith::MinUIOp>(x, y) : s.create<arith::MinSIOp>(x, y);
      })
      .Case([&](AndOp) { return s.create<arith::AndIOp>(x, y); })
      .Case([&](OrOp) { return s.create<arith::OrIOp>(x, y); })
      .Case([&](XorOp) { return s.create<arith::XOrIOp>(x, y); })
      .Case([&](ShiftLeftOp) {
        Value tooFar = s.compare(arith::CmpIPredicate::uge, y, width());
        Value amount = s.select(tooFar, s.number(0), y);
        return s.select(tooFar, s.number(0), s.create<arith::ShLIOp>(x, amount));
      })
      .Case([&](ShiftRightOp) {
        Value last = s.create<arith::SubIOp>(width(), s.number(1));
        Value tooFar = s.compare(arith::CmpIPredicate::uge, y, width());
        if (isUnsigned) {
          Value shifted = s.create<arith::ShRUIOp>(x, s.select(tooFar, s.number(0), y));
          return s.select(tooFar, s.number(0), shifted);
        }
        return s.create<arith::ShRSIOp>(x, s.select(tooFar, last, y));
      })
      .Default([](Operation *) { return Value(); });
}

Value compareValues(Scalars &s, ComparePredicate predicate, Value x, Value y) {
  if (s.isFloat()) {
    static const arith::CmpFPredicate table[] = {arith::CmpFPredicate::OEQ, arith::CmpFPredicate::UNE,
                                                 arith::CmpFPredicate::OLT, arith::CmpFPredicate::OLE,
                                                 arith::CmpFPredicate::OGT, arith::CmpFPredicate::OGE};
    return s.compare(table[int(predicate)], x, y);
  }
  static const arith::CmpIPredicate asSigned[] = {arith::CmpIPredicate::eq,  arith::CmpIPredicate::ne,
                                                  arith::CmpIPredicate::slt, arith::CmpIPredicate::sle,
                                                  arith::CmpIPredicate::sgt, arith::CmpIPredicate::sge};
  static const arith::CmpIPredicate asUnsigned[] = {arith::CmpIPredicate::eq,  arith::CmpIPredicate::ne,
                                                    arith::CmpIPredicate::ult, arith::CmpIPredicate::ule,
                                                    arith::CmpIPredicate::ugt, arith::CmpIPredicate::uge};
  bool isUnsigned = s.isUnsigned() || s.element.isInteger(1);
  return s.compare((isUnsigned ? asUnsigned : asSigned)[int(predicate)], x, y);
}

/// float -> integer truncates and saturates; NaN becomes 0.
Value floatToInteger(Scalars &s, Value x, Type to) {
  unsigned bits = s.resultElement.getIntOrFloatBitWidth();
  bool isUnsigned = s.resultElement.isUnsignedInteger();
  double low = isUnsigned ? 0.0 : -std::ldexp(1.0, bits - 1);
  double high = std::ldexp(1.0, isUnsigned ? bits : bits - 1); // first value that is too large
  Value tooLow = s.compare(arith::CmpFPredicate::OLT, x, s.number(low));
  Value tooHigh = s.compare(arith::CmpFPredicate::OGE, x, s.number(high));
  Value outside = s.create<arith::OrIOp>(s.create<arith::OrIOp>(tooLow, tooHigh),
                                         s.compare(arith::CmpFPredicate::UNO, x, x));
  Value inside = s.select(outside, s.number(0), x);
  Value converted =
      isUnsigned ? s.create<arith::FPToUIOp>(to, inside) : s.create<arith::FPToSIOp>(to, inside);
  auto limit = [&](bool largest) -> Value {
    APInt value = isUnsigned ? (largest ? APInt::getMaxValue(bits) : APInt::getMinValue(bits))
                             : (largest ? APInt::getSignedMaxValue(bits) : APInt::getSignedMinValue(bits));
    Attribute attribute = s.kb.b.getIntegerAttr(getElementTypeOrSelf(to), value);
    if (auto vector = dyn_cast<VectorType>(to))
      attribute = DenseElementsAttr::get(vector, attribute);
    return s.create<arith::ConstantOp>(cast<TypedAttr>(attribute));
  };
  return s.select(tooLow, limit(false), s.select(tooHigh, limit(true), converted));
}

/// Rounds an f32 to the narrow result type, so that what follows in the body sees the rounded value.
Value rounded(Scalars &s, Value value) {
  if (isSmallFloat(s.resultElement))
    return s.kb.roundSmallFloat(value, s.resultElement, cast<CastOp>(s.op).getSaturate()).value;
  Type narrow = s.kb.vectorOf(s.resultElement, s.lanes);
  return s.create<arith::ExtFOp>(value.getType(), s.create<arith::TruncFOp>(narrow, value));
}

Value castValue(Scalars &s, Value x) {
  Type from = getElementTypeOrSelf(x.getType());
  Type scalar = s.kb.computeType(s.resultElement);
  Type to = s.kb.vectorOf(scalar, s.lanes);
  if (s.resultElement.isInteger(1)) {
    if (isa<FloatType>(from))
      return s.compare(arith::CmpFPredicate::UNE, x, s.number(0));
    return from.isInteger(1) ? x : s.compare(arith::CmpIPredicate::ne, x, s.number(0));
  }
  if (isa<FloatType>(from) && isa<FloatType>(scalar)) {
    bool narrows = s.resultElement != scalar && s.resultElement != s.element;
    if (from == scalar)
      return narrows ? rounded(s, x) : x;
    if (scalar.isF64())
      return s.create<arith::ExtFOp>(to, x);
    return narrows ? rounded(s, truncateToOdd(s.kb.b, s.kb.loc, x)) : s.create<arith::TruncFOp>(to, x);
  }
  if (isa<FloatType>(from))
    return floatToInteger(s, x, to);
  bool isUnsigned = s.isUnsigned() || from.isInteger(1);
  if (isa<FloatType>(scalar)) {
    Value value = isUnsigned ? s.create<arith::UIToFPOp>(to, x) : s.create<arith::SIToFPOp>(to, x);
    return s.resultElement == scalar ? value : rounded(s, value);
  }
  unsigned have = from.getIntOrFloatBitWidth(), want = scalar.getIntOrFloatBitWidth();
  if (have == want)
    return x;
  if (have > want)
    return s.create<arith::TruncIOp>(to, x);
  return isUnsigned ? s.create<arith::ExtUIOp>(to, x) : s.create<arith::ExtSIOp>(to, x);
}

/// The bits of a computed value; one that lies in memory is read as the other type (KernelBuilder::viewOf).
Value bitcastValue(Scalars &s, Value x) {
  auto bitsOf = [&](Type element) -> Type {
    unsigned width = element.isInteger(1) ? 8 : element.getIntOrFloatBitWidth();
    return s.kb.vectorOf(s.kb.b.getIntegerType(width), s.lanes);
  };
  Type bits = bitsOf(s.element);
  if (s.element.isInteger(1)) {
    x = s.create<arith::ExtUIOp>(bits, x);
  } else if (isSmallFloat(s.element)) {
    x = encodeSmallFloat(s.kb.b, s.kb.loc, x, cast<FloatType>(s.element), false);
  } else if (isa<FloatType>(s.element)) {
    if (s.kb.computeType(s.element) != s.element)
      x = s.create<arith::TruncFOp>(s.kb.vectorOf(s.element, s.lanes), x);
    x = s.create<arith::BitcastOp>(bits, x);
  }
  if (s.resultElement.isInteger(1))
    return s.compare(arith::CmpIPredicate::ne, x,
                     s.create<arith::ConstantOp>(cast<TypedAttr>(s.kb.b.getZeroAttr(bits))));
  if (!isa<FloatType>(s.resultElement))
    return x;
  if (isSmallFloat(s.resultElement))
    return decodeSmallFloat(s.kb.b, s.kb.loc, x, cast<FloatType>(s.resultElement));
  x = s.create<arith::BitcastOp>(s.kb.vectorOf(s.resultElement, s.lanes), x);
  Type scalar = s.kb.computeType(s.resultElement);
  return scalar == s.resultElement ? x : s.create<arith::ExtFOp>(s.kb.vectorOf(scalar, s.lanes), x);
}

} // namespace

Value KernelBuilder::emitElementwise(Operation *op, ValueRange operands, unsigned lanes) {
  auto elementOf = [](Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); };
  Scalars s{
      *this, op, lanes, operands[0].getType(), elementOf(op->getOperand(0)), elementOf(op->getResult(0))};
  if (auto compare = dyn_cast<CompareOp>(op))
    return compareValues(s, compare.getPredicate(), operands[0], operands[1]);
  if (isa<SelectOp>(op))
    return arith::SelectOp::create(b, loc, operands[0], operands[1], operands[2]);
  if (isa<CastOp>(op))
    return castValue(s, operands[0]);
  if (isa<BitcastOp>(op))
    return bitcastValue(s, operands[0]);
  if (operands.size() == 1)
    return s.isFloat() ? unaryFloat(s, operands[0]) : unaryInteger(s, operands[0]);
  if (operands.size() == 2)
    return s.isFloat() ? binaryFloat(s, operands[0], operands[1])
                       : binaryInteger(s, operands[0], operands[1]);
  return Value();
}

// e^-x overflows to infinity for very negative x, and 1 / inf is the right 0.
Value KernelBuilder::emitSigmoid(Value x, Type element, unsigned lanes) {
  Value one = splatConstant(element, 1, lanes);
  Value e = math::ExpOp::create(b, loc, arith::NegFOp::create(b, loc, x));
  return arith::DivFOp::create(b, loc, one, arith::AddFOp::create(b, loc, one, e));
}

} // namespace torsh
