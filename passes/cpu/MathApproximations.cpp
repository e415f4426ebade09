//===-- MathApproximations.cpp - Exponential, logistic and error function in vectors ------------------------===//
//
// Epilogues apply these to every element of a contraction, so their number of instructions and the length of their
// dependence chains count. The coefficients are minimax fits of their own, made in f64 by iteratively reweighted least
// squares.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "passes/cpu/MathApproximations.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace torsh {
namespace {

/// Arithmetic on values of one type, an f32 or a vector of them.
struct Floats {
  PatternRewriter &b;
  Location loc;
  Type type;

  Type integers() const {
    Type i32 = b.getI32Type();
    if (auto vector = dyn_cast<VectorType>(type))
      return VectorType::get(vector.getShape(), i32);
    return i32;
  }
  Value constant(Type of, Attribute value) const {
    if (auto vector = dyn_cast<VectorType>(of))
      value = DenseElementsAttr::get(vector, value);
    return arith::ConstantOp::create(b, loc, of, cast<TypedAttr>(value));
  }
  Value number(double value) const { return constant(type, b.getF32FloatAttr(float(value))); }
  Value integer(int32_t value) const { return constant(integers(), b.getI32IntegerAttr(value)); }
  Value add(Value x, Value y) const { return arith::AddFOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) const { return arith::SubFOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) const { return arith::MulFOp::create(b, loc, x, y); }
  Value div(Value x, Value y) const { return arith::DivFOp::create(b, loc, x, y); }
  Value fma(Value x, Value y, Value z) const { return math::FmaOp::create(b, loc, x, y, z); }
  Value bits(Value x) const { return arith::BitcastOp::create(b, loc, integers(), x); }
  Value fromBits(Value x) const { return arith::BitcastOp::create(b, loc, type, x); }
  Value less(Value x, Value y) const {
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, y);
  }
  Value select(Value condition, Value x, Value y) const {
    return arith::SelectOp::create(b, loc, condition, x, y);
  }
  /// Into [-bound, bound]; NaN stays.
  Value clamp(Value x, double bound) const { return clamp(x, -bound, bound); }
  Value clamp(Value x, double least, double most) const {
    Value low = number(least), high = number(most);
    x = select(less(high, x), high, x);
    return select(less(x, low), low, x);
  }
  /// c[0] + c[1] x + .. for six coefficients; square is x * x.
  Value polynomial(ArrayRef<double> c, Value x, Value square) const {
    Value low = fma(number(c[1]), x, number(c[0])), middle = fma(number(c[3]), x, number(c[2])),
          high = fma(number(c[5]), x, number(c[4]));
    return fma(fma(high, square, middle), square, low);
  }
};

constexpr double log2e = 1.4426950408889634;
/// ln 2 in two parts; multiples of the first by integers below 256 are exact.
constexpr double ln2High = 0.693145751953125, ln2Low = 1.4286068203094172e-06;
/// Added to a number below 2^22 it leaves the nearest integer in the low bits.
constexpr double roundToInteger = 12582912.0; // 1.5 * 2^23

/// e^(sign * x) = fraction * 2^n, with n in the low bits of `rounded`.
struct Exponential {
  Value fraction, rounded;

  Exponential(const Floats &f, Value x, double sign) {
    // (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2, relative error 3e-9.
    constexpr double c2 = 0.4999999343189175, c3 = 0.166665203967671, c4 = 0.04166839083116049,
                     c5 = 0.008368745320388542, c6 = 0.0013814537903176025;
    rounded = f.fma(x, f.number(sign * log2e), f.number(roundToInteger));
    Value n = f.sub(rounded, f.number(roundToInteger));
    // r = x - sign * n ln 2, so e^(sign * x) = 2^n e^(sign * r).
    Value r = f.fma(n, f.number(-sign * ln2High), x);
    r = f.fma(n, f.number(-sign * ln2Low), r);
    Value square = f.mul(r, r);
    Value low = f.fma(f.number(sign * c3), r, f.number(c2)),
          high = f.fma(f.number(sign * c5), r, f.number(c4));
    high = f.fma(f.number(c6), square, high);
    Value linear = f.fma(f.number(sign), r, f.number(1));
    fraction = f.fma(f.fma(high, square, low), square, linear);
  }
  /// The integer n at the place of the exponent.
  Value exponentBits(const Floats &f) const {
    return arith::ShLIOp::create(f.b, f.loc, f.bits(rounded), f.integer(23));
  }
};

bool isF32(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  return getElementTypeOrSelf(type).isF32() && (!vector || !vector.isScalable());
}

struct ApproximateExp : OpRewritePattern<math::ExpOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::ExpOp op, PatternRewriter &rewriter) const override {
    if (!isF32(op.getType()))
      return failure();
    Floats f{rewriter, op.getLoc(), op.getType()};
    Value x = op.getOperand();
    Exponential e(f, x, 1);
    // The exponent is added as an integer, which is right for normal results.
    Value result =
        f.fromBits(arith::AddIOp::create(rewriter, op.getLoc(), f.bits(e.fraction), e.exponentBits(f)));
    result = f.select(f.less(x, f.number(-87.33)), f.number(0), result);
    // Neither infinity nor NaN is less.
    Value large = f.add(x, f.number(std::numeric_limits<double>::infinity()));
    rewriter.replaceOp(op, f.select(f.less(x, f.number(88.72283)), result, large));
    return success();
  }
};

/// The x of `1 + e^-x`, null for others.
Value matchLogisticDivisor(Value divisor) {
  auto sum = divisor.getDefiningOp<arith::AddFOp>();
  if (!sum)
    return {};
  for (auto [one, other] : {std::pair(sum.getLhs(), sum.getRhs()), std::pair(sum.getRhs(), sum.getLhs())}) {
    auto exponential = other.getDefiningOp<math::ExpOp>();
    auto negative = exponential ? exponential.getOperand().getDefiningOp<arith::NegFOp>() : arith::NegFOp();
    if (negative && matchPattern(one, m_OneFloat()))
      return negative.getOperand();
  }
  return {};
}

/// a / (1 + e^-x), and y * (1 / (1 + e^-x)) -> y / (1 + e^-x).
struct ApproximateLogistic : OpRewritePattern<arith::DivFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::DivFOp op, PatternRewriter &rewriter) const override {
    Value x = isF32(op.getType()) ? matchLogisticDivisor(op.getRhs()) : Value();
    if (!x)
      return failure();
    Floats f{rewriter, op.getLoc(), op.getType()};
    // 2^r for |r| <= 1/2, relative error 1.1e-7. The reduction takes one step, because the product in it is not
    // rounded: log2 e as an f32 adds a relative error of 1.4e-8 |x| to the power.
    constexpr double c1 = 0.6931469775982093, c2 = 0.2402224208385024, c3 = 0.05550733743982833,
                     c4 = 0.009671512739072612, c5 = 0.0013264727272200606;
    // Below the first bound the power is infinite, above the second less than half a unit of 1.
    Value bounded = f.clamp(x, -88.73, 87);
    Value rounded = f.fma(bounded, f.number(-log2e), f.number(roundToInteger));
    Value r = f.fma(bounded, f.number(-log2e), f.sub(f.number(roundToInteger), rounded));
    Value sum = f.fma(f.number(c5), r, f.number(c4));
    for (double c : {c3, c2, c1, 1.0})
      sum = f.fma(sum, r, f.number(c));
    Value exponent = arith::ShLIOp::create(rewriter, op.getLoc(), f.bits(rounded), f.integer(23));
    Value power = f.fromBits(arith::AddIOp::create(rewriter, op.getLoc(), exponent, f.integer(0x3f800000)));
    Value divisor = f.fma(sum, power, f.number(1));
    auto product = op->hasOneUse() ? dyn_cast<arith::MulFOp>(*op->user_begin()) : arith::MulFOp();
    if (product && matchPattern(op.getLhs(), m_OneFloat())) {
      Value other = product.getLhs() == op.getResult() ? product.getRhs() : product.getLhs();
      rewriter.setInsertionPoint(product);
      rewriter.replaceOp(product, f.div(other, divisor));
      rewriter.eraseOp(op);
      return success();
    }
    rewriter.replaceOp(op, f.div(op.getLhs(), divisor));
    return success();
  }
};

/// Replaces an op by a call of a function of libm for each lane.
LogicalResult callByLane(Operation *op, StringRef name, PatternRewriter &rewriter) {
  Type type = op->getResult(0).getType();
  auto vector = dyn_cast<VectorType>(type);
  if (vector && (vector.getRank() != 1 || vector.isScalable()))
    return failure();
  Location loc = op->getLoc();
  Type number = getElementTypeOrSelf(type);
  auto module = op->getParentOfType<ModuleOp>();
  auto callee = module.lookupSymbol<func::FuncOp>(name);
  if (!callee) {
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPointToStart(module.getBody());
    SmallVector<Type> parameters(op->getNumOperands(), number);
    callee = func::FuncOp::create(rewriter, loc, name, rewriter.getFunctionType(parameters, {number}));
    callee.setPrivate();
  }
  auto call = [&](ValueRange operands) {
    return func::CallOp::create(rewriter, loc, callee, operands).getResult(0);
  };
  if (!vector) {
    rewriter.replaceOp(op, call(op->getOperands()));
    return success();
  }
  Value result = arith::ConstantOp::create(rewriter, loc, rewriter.getZeroAttr(vector));
  for (int64_t lane = 0; lane < vector.getNumElements(); ++lane) {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(vector::ExtractOp::create(rewriter, loc, operand, lane));
    result = vector::InsertOp::create(rewriter, loc, call(operands), result, lane);
  }
  rewriter.replaceOp(op, result);
  return success();
}

/// The error function of f64, which LLVM has no intrinsic for.
struct CallErf : OpRewritePattern<math::ErfOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::ErfOp op, PatternRewriter &rewriter) const override {
    return getElementTypeOrSelf(op.getType()).isF64() ? callByLane(op, "erf", rewriter) : failure();
  }
};

/// Powers with exponents that are not constant. e^(y log x) would be off by as many units as the exponent of the result is
/// large, and has no answer for 0^0 and for negative x; models rarely have them in hot places.
struct CallPower : OpRewritePattern<math::PowFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::PowFOp op, PatternRewriter &rewriter) const override {
    Type number = getElementTypeOrSelf(op.getType());
    if (!number.isF32() && !number.isF64())
      return failure();
    return callByLane(op, number.isF32() ? "powf" : "pow", rewriter);
  }
};

struct ApproximateErf : OpRewritePattern<math::ErfOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::ErfOp op, PatternRewriter &rewriter) const override {
    if (!isF32(op.getType()))
      return failure();
    // erf x = x P(x^2) / Q(x^2) for |x| <= 4, relative error 2.5e-8; beyond, it is 1 to all f32 digits.
    const double p[] = {1.1283791065216064,    0.19351613521575928,    0.053097765892744064,
                        0.0038820741301162004, 0.00028453237609937787, 1.986929873964982e-06};
    const double q[] = {1,
                        0.5048317909240723,
                        0.11533790826797485,
                        0.01520469505339861,
                        0.0011852550087496638,
                        3.741997352335602e-05};
    Floats f{rewriter, op.getLoc(), op.getType()};
    Value x = f.clamp(op.getOperand(), 4);
    Value square = f.mul(x, x), fourth = f.mul(square, square);
    Value ratio = f.div(f.mul(x, f.polynomial(p, square, fourth)), f.polynomial(q, square, fourth));
    rewriter.replaceOp(op, f.clamp(ratio, 1));
    return success();
  }
};

} // namespace

void populateLogisticApproximation(RewritePatternSet &patterns) {
  patterns.add<ApproximateLogistic>(patterns.getContext());
}

void populateMathApproximations(RewritePatternSet &patterns) {
  patterns.add<CallErf, CallPower>(patterns.getContext(), /*benefit=*/2);
  patterns.add<ApproximateExp, ApproximateErf>(patterns.getContext(), /*benefit=*/2);
}

} // namespace torsh
