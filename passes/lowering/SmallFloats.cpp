//===-- SmallFloats.cpp - Floats of at most 8 bits in kernels -----------------------------------------------===//
#include "passes/lowering/SmallFloats.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/APFloat.h"

using namespace mlir;

namespace torsh {

bool isSmallFloat(Type elementType) {
  auto type = dyn_cast<FloatType>(elementType);
  return type && type.getWidth() <= 8;
}

namespace {

/// Integer arithmetic in the shape (scalar or vector) of one value.
struct Lanes {
  OpBuilder &b;
  Location loc;
  Type like; ///< a type of the shape

  Type shaped(Type element) const {
    auto vector = dyn_cast<VectorType>(like);
    return vector ? Type(VectorType::get(vector.getShape(), element)) : element;
  }
  Type i32() const { return shaped(b.getI32Type()); }
  Type f32() const { return shaped(b.getF32Type()); }
  Value constant(Type element, TypedAttr value) const {
    Attribute attribute = value;
    if (auto vector = dyn_cast<VectorType>(shaped(element)))
      attribute = DenseElementsAttr::get(vector, attribute);
    return arith::ConstantOp::create(b, loc, cast<TypedAttr>(attribute));
  }
  Value number(uint32_t value) const {
    return constant(b.getI32Type(), b.getIntegerAttr(b.getI32Type(), int32_t(value)));
  }
  Value real(double value) const { return constant(b.getF32Type(), b.getF32FloatAttr(float(value))); }
  template <typename OpTy> Value make(Value x, Value y) const { return OpTy::create(b, loc, x, y); }
  Value add(Value x, Value y) const { return make<arith::AddIOp>(x, y); }
  Value sub(Value x, Value y) const { return make<arith::SubIOp>(x, y); }
  Value bitAnd(Value x, uint32_t mask) const { return make<arith::AndIOp>(x, number(mask)); }
  Value bitOr(Value x, Value y) const { return make<arith::OrIOp>(x, y); }
  Value left(Value x, unsigned by) const { return by ? make<arith::ShLIOp>(x, number(by)) : x; }
  Value right(Value x, unsigned by) const { return by ? make<arith::ShRUIOp>(x, number(by)) : x; }
  Value less(Value x, Value y) const {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, x, y);
  }
  Value equal(Value x, Value y) const {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, x, y);
  }
  Value select(Value condition, Value x, Value y) const {
    return arith::SelectOp::create(b, loc, condition, x, y);
  }
  Value bits(Value x) const { return arith::BitcastOp::create(b, loc, i32(), x); }
  Value fromBits(Value x) const { return arith::BitcastOp::create(b, loc, f32(), x); }
};

constexpr uint32_t quietNaN = 0x7fc00000, infinity = 0x7f800000;

/// The codes of a type with a sign.
struct Format {
  unsigned width, mantissa;
  int bias;
  uint32_t largest;                      ///< code of the largest number
  std::optional<uint32_t> infinity, nan; ///< codes without the sign
  bool isNaNNegativeZero;                ///< one NaN, which has the code of -0; there is no -0

  explicit Format(FloatType type) {
    const llvm::fltSemantics &semantics = type.getFloatSemantics();
    auto code = [](const APFloat &value) { return uint32_t(value.bitcastToAPInt().getZExtValue()); };
    width = type.getWidth();
    mantissa = APFloat::semanticsPrecision(semantics) - 1;
    bias = 1 - APFloat::semanticsMinExponent(semantics);
    largest = code(APFloat::getLargest(semantics));
    if (APFloat::semanticsHasInf(semantics))
      infinity = code(APFloat::getInf(semantics));
    if (APFloat::semanticsHasNaN(semantics))
      nan = code(APFloat::getNaN(semantics));
    isNaNNegativeZero = nan == signBit();
  }
  uint32_t signBit() const { return 1u << (width - 1); }
};

/// Codes of powers of two are the exponents of f32; only the smallest is a denormal there.
Value decodePower(const Lanes &l, Value code) {
  Value value = l.select(l.equal(code, l.number(0)), l.number(0x00400000), l.left(code, 23));
  return l.fromBits(l.select(l.equal(code, l.number(255)), l.number(quietNaN), value));
}

Value encodePower(const Lanes &l, Value bits, bool saturate) {
  Value magnitude = l.bitAnd(bits, 0x7fffffff);
  // Half of a normal number's distance carries into the exponent; between 2^-127 and 2^-126 the half lies elsewhere.
  Value normal = l.right(l.add(magnitude, l.number(0x00400000)), 23);
  Value smallest = l.select(l.less(magnitude, l.number(0x00600000)), l.number(0), l.number(1));
  Value code = l.select(l.less(magnitude, l.number(0x00800000)), smallest, normal);
  Value tooLarge = l.less(l.number(254), code);
  if (saturate) {
    code = l.select(tooLarge, l.number(254), code);
    return l.select(l.less(l.number(infinity), magnitude), l.number(255), code);
  }
  Value outside = l.bitOr(tooLarge, l.less(magnitude, l.number(0x00400000)));
  return l.select(outside, l.number(255), code);
}

} // namespace

Value decodeSmallFloat(OpBuilder &builder, Location loc, Value codes, FloatType type) {
  Lanes l{builder, loc, codes.getType()};
  Value code = arith::ExtUIOp::create(builder, loc, l.i32(), codes);
  if (isa<Float8E8M0FNUType>(type))
    return decodePower(l, code);
  Format format(type);
  Value magnitude = l.bitAnd(code, format.signBit() - 1);
  unsigned shift = 23 - format.mantissa;
  Value normal = l.add(l.left(magnitude, shift), l.number(uint32_t(127 - format.bias) << 23));
  // A denormal is a small integer times a power of two.
  Value integer = arith::UIToFPOp::create(builder, loc, l.f32(), magnitude);
  Value unit = l.real(std::ldexp(1.0, 1 - format.bias - int(format.mantissa)));
  Value denormal = l.bits(l.make<arith::MulFOp>(integer, unit));
  Value value = l.select(l.less(magnitude, l.number(1u << format.mantissa)), denormal, normal);
  if (format.infinity) {
    // All ones in the exponent, with the mantissa of infinity or of a NaN.
    Value special = l.bitOr(l.left(magnitude, shift), l.number(infinity));
    value = l.select(l.less(magnitude, l.number(*format.infinity)), value, special);
  } else if (format.nan && !format.isNaNNegativeZero) {
    value = l.select(l.equal(magnitude, l.number(*format.nan)), l.number(quietNaN), value);
  }
  value = l.bitOr(value, l.left(l.bitAnd(code, format.signBit()), 32 - format.width));
  if (format.isNaNNegativeZero)
    value = l.select(l.equal(code, l.number(*format.nan)), l.number(quietNaN), value);
  return l.fromBits(value);
}

Value encodeSmallFloat(OpBuilder &builder, Location loc, Value values, FloatType type, bool saturate) {
  Lanes l{builder, loc, values.getType()};
  auto asByte = [&](Value code) {
    return arith::TruncIOp::create(builder, loc, l.shaped(builder.getI8Type()), code).getResult();
  };
  Value bits = l.bits(values);
  if (isa<Float8E8M0FNUType>(type))
    return asByte(encodePower(l, bits, saturate));
  Format format(type);
  Value magnitude = l.bitAnd(bits, 0x7fffffff);
  unsigned shift = 23 - format.mantissa;
  // Nearest, ties to even: just under a half is added, and one more to what is odd.
  Value isOdd = l.bitAnd(l.right(magnitude, shift), 1);
  Value rounded = l.add(l.add(magnitude, l.number((1u << (shift - 1)) - 1)), isOdd);
  Value normal = l.sub(l.right(rounded, shift), l.number(uint32_t(127 - format.bias) << format.mantissa));
  // Beside a number whose last bit has the weight of the smallest denormal, the addition itself rounds to such bits.
  Value anchor = l.real(std::ldexp(1.0, 23 + 1 - format.bias - int(format.mantissa)));
  Value beside = l.make<arith::AddFOp>(l.fromBits(magnitude), anchor);
  Value denormal = l.sub(l.bits(beside), l.bits(anchor));
  Value code = l.select(l.less(magnitude, l.number(uint32_t(128 - format.bias) << 23)), denormal, normal);

  uint32_t overflow =
      saturate ? format.largest : format.infinity.value_or(format.nan.value_or(format.largest));
  Value tooLarge = l.less(l.number(format.largest), code);
  code = l.select(tooLarge, l.number(overflow), code);
  Value isNaN = l.less(l.number(infinity), magnitude);
  code = l.select(isNaN, l.number(format.nan.value_or(0)), code);
  Value sign = l.bitAnd(l.right(bits, 32 - format.width), format.signBit());
  if (format.isNaNNegativeZero) {
    // Neither 0 nor NaN has a sign.
    Value isUnsigned = l.bitOr(l.equal(code, l.number(0)), l.equal(code, l.number(*format.nan)));
    sign = l.select(isUnsigned, l.number(0), sign);
  } else if (!format.nan) {
    sign = l.select(isNaN, l.number(0), sign);
  }
  return asByte(l.bitOr(code, sign));
}

Value truncateToOdd(OpBuilder &builder, Location loc, Value values) {
  Lanes l{builder, loc, values.getType()};
  Value nearest = arith::TruncFOp::create(builder, loc, l.f32(), values);
  Value back = arith::ExtFOp::create(builder, loc, values.getType(), nearest);
  Value bits = l.bits(nearest);
  auto compare = [&](arith::CmpFPredicate predicate, Value x, Value y) {
    return arith::CmpFOp::create(builder, loc, predicate, x, y).getResult();
  };
  // Magnitudes grow with their bits: what was rounded away from zero goes one step back, then the last bit is set.
  auto magnitude = [&](Value x) {
    Value zero = l.constant(builder.getF64Type(), builder.getF64FloatAttr(0));
    Value negative = arith::NegFOp::create(builder, loc, x);
    return l.select(compare(arith::CmpFPredicate::OLT, x, zero), negative, x);
  };
  Value away = compare(arith::CmpFPredicate::OGT, magnitude(back), magnitude(values));
  Value towards = l.select(away, l.sub(bits, l.number(1)), bits);
  Value odd = l.bitOr(towards, l.number(1));
  Value inexact = compare(arith::CmpFPredicate::ONE, back, values);
  return l.fromBits(l.select(inexact, odd, bits));
}

} // namespace torsh
