//===-- RaisePatterns.cpp - Decomposed norms and softmax become one op --------------------------------------===//
#include "dialects/torsh/Splat.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Passes.h"
#include <cmath>

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_RAISEPATTERNSPASS
#include "passes/graph/Passes.h.inc"

namespace {

/// The reduction behind a value that repeats it along the reduced axes, so that it has the shape of the operand.
ReduceOp getSpreadReduction(BroadcastOp broadcast, Value reduced) {
  auto reduce = reduced.getDefiningOp<ReduceOp>();
  if (!broadcast || !reduce || reduce.getX().getType() != broadcast.getY().getType())
    return {};
  int64_t rank = reduce.getX().getType().getRank();
  SmallVector<int64_t> kept;
  for (int64_t axis = 0; axis < rank; ++axis)
    if (reduce.getKeepDims() || !llvm::is_contained(reduce.getAxes(), axis))
      kept.push_back(axis);
  return ArrayRef<int64_t>(kept) == broadcast.getAxes() ? reduce : ReduceOp();
}

/// Matches a broadcast back of a reduction of `kind` over the operand's own shape.
ReduceOp matchSpread(Value value, ReduceKind kind) {
  auto broadcast = value.getDefiningOp<BroadcastOp>();
  ReduceOp reduce = broadcast ? getSpreadReduction(broadcast, broadcast.getX()) : ReduceOp();
  return reduce && reduce.getKind() == kind ? reduce : ReduceOp();
}

/// The only positions of x and y among the operands of a commutative op.
template <typename OpTy> std::optional<std::pair<Value, Value>> getPair(Value value) {
  auto op = value.getDefiningOp<OpTy>();
  return op ? std::optional(std::pair<Value, Value>(op->getOperand(0), op->getOperand(1))) : std::nullopt;
}

/// mean(d * d) + epsilon, spread over the shape of d.
struct Moment {
  Value d;
  SmallVector<int64_t> axes;
  double epsilon;
};

/// Matches `deviation` (sqrt, or its reciprocal when `inverse`) of a moment, spread over the shape of d.
std::optional<Moment> matchMoment(Value value, bool inverse) {
  auto broadcast = value.getDefiningOp<BroadcastOp>();
  if (!broadcast)
    return std::nullopt;
  Value root = broadcast.getX(), inner;
  if (!inverse) {
    if (auto sqrt = root.getDefiningOp<SqrtOp>())
      inner = sqrt.getX();
  } else if (auto rsqrt = root.getDefiningOp<RsqrtOp>()) {
    inner = rsqrt.getX();
  } else if (auto div = root.getDefiningOp<DivOp>(); div && getSplatNumber(div.getLhs()) == 1.0) {
    if (auto sqrt = div.getRhs().getDefiningOp<SqrtOp>())
      inner = sqrt.getX();
  }
  auto sum = inner ? getPair<AddOp>(inner) : std::nullopt;
  if (!sum)
    return std::nullopt;
  std::optional<double> epsilon = getSplatNumber(sum->second);
  Value mean = sum->first;
  if (!epsilon) {
    epsilon = getSplatNumber(sum->first);
    mean = sum->second;
  }
  ReduceOp reduce = getSpreadReduction(broadcast, mean);
  if (!epsilon || !(*epsilon >= 0) || !std::isfinite(*epsilon) || !reduce ||
      reduce.getKind() != ReduceKind::mean)
    return std::nullopt;
  auto square = reduce.getX().getDefiningOp<MulOp>();
  if (!square || square.getLhs() != square.getRhs())
    return std::nullopt;
  return Moment{square.getLhs(), SmallVector<int64_t>(reduce.getAxes()), *epsilon};
}

/// Whether the axes are the last ones of a tensor.
bool areTrailing(ArrayRef<int64_t> axes, int64_t rank) {
  return !axes.empty() && axes.front() == rank - int64_t(axes.size()) && axes.back() == rank - 1;
}

/// d / sqrt(mean(d * d) + epsilon), where d is x (RMS norm) or x - mean(x) (layer norm). Axes that are not the
/// last ones are moved there and back.
LogicalResult raiseNorm(PatternRewriter &rewriter, Operation *op, const Moment &moment) {
  Location location = op->getLoc();
  Value x = moment.d;
  bool centred = false;
  if (auto sub = x.getDefiningOp<SubOp>())
    if (ReduceOp mean = matchSpread(sub.getRhs(), ReduceKind::mean);
        mean && mean.getX() == sub.getLhs() && mean.getAxes() == ArrayRef<int64_t>(moment.axes)) {
      x = sub.getLhs();
      centred = true;
    }
  auto type = cast<RankedTensorType>(x.getType());
  if (!isa<FloatType>(type.getElementType()) || moment.axes.empty())
    return failure();
  int64_t rank = type.getRank(), axis = rank - moment.axes.size();
  SmallVector<int64_t> permutation, inverse(rank);
  bool moved = !areTrailing(moment.axes, rank);
  if (moved) {
    for (int64_t i = 0; i < rank; ++i)
      if (!llvm::is_contained(moment.axes, i))
        permutation.push_back(i);
    permutation.append(moment.axes);
    for (auto [to, from] : llvm::enumerate(permutation))
      inverse[from] = to;
    x = TransposeOp::create(rewriter, location, x, permutation);
  }
  SmallVector<DimAttr> dims = getDims(x);
  auto scaleType = makeTensorType(ArrayRef(dims).drop_front(axis), type.getElementType());
  Value ones = createSplat(rewriter, location, scaleType, 1.0);
  Type normType = x.getType();
  llvm::APFloat epsilon(moment.epsilon);
  Value y = centred
                ? LayerNormOp::create(rewriter, location, normType, x, ones, Value(), axis, epsilon).getY()
                : RmsNormOp::create(rewriter, location, normType, x, ones, axis, epsilon).getY();
  if (moved)
    y = TransposeOp::create(rewriter, location, y, inverse);
  rewriter.replaceOp(op, y);
  return success();
}

/// d / sqrt(moment)
struct RaiseNormDiv : OpRewritePattern<DivOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(DivOp op, PatternRewriter &rewriter) const override {
    std::optional<Moment> moment = matchMoment(op.getRhs(), /*inverse=*/false);
    return moment && moment->d == op.getLhs() ? raiseNorm(rewriter, op, *moment) : failure();
  }
};

/// d * rsqrt(moment)
struct RaiseNormMul : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MulOp op, PatternRewriter &rewriter) const override {
    std::pair<Value, Value> orders[] = {{op.getLhs(), op.getRhs()}, {op.getRhs(), op.getLhs()}};
    for (auto [d, factor] : orders)
      if (std::optional<Moment> moment = matchMoment(factor, /*inverse=*/true); moment && moment->d == d)
        return raiseNorm(rewriter, op, *moment);
    return failure();
  }
};

/// The value that is repeated along the dims before `axis` of the result, with the dims from there on.
Value getTrailingParameter(PatternRewriter &rewriter, Location location, Value value, int64_t axis) {
  auto broadcast = value.getDefiningOp<BroadcastOp>();
  if (!broadcast)
    return {};
  SmallVector<DimAttr> target = getDims(broadcast.getY()), source = getDims(broadcast.getX());
  SmallVector<int64_t> axes;
  SmallVector<DimAttr> kept;
  for (auto [from, to] : llvm::zip_equal(source, broadcast.getAxes())) {
    if (to >= axis) {
      axes.push_back(to - axis);
      kept.push_back(from);
    } else if (!dim::isConstant(from, 1)) {
      return {};
    }
  }
  Value x = broadcast.getX();
  Type element = broadcast.getX().getType().getElementType();
  if (auto type = makeTensorType(kept, element); type != x.getType())
    x = ReshapeOp::create(rewriter, location, type, x);
  auto type = makeTensorType(ArrayRef(target).drop_front(axis), element);
  return type == x.getType() ? x : BroadcastOp::create(rewriter, location, type, x, axes).getY();
}

/// The other operand of a commutative op that reads `norm`.
template <typename OpTy> Value getOther(OpTy op, Operation *norm) {
  if (op.getLhs().getDefiningOp() == norm)
    return op.getRhs();
  return op.getRhs().getDefiningOp() == norm ? op.getLhs() : Value();
}

/// norm(x) * scale -> norm(x, scale), where the norm has no scale yet.
struct AbsorbScale : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  template <typename NormTy> bool absorb(MulOp op, Value operand, PatternRewriter &rewriter) const {
    auto norm = operand.getDefiningOp<NormTy>();
    if (!norm || !norm->hasOneUse() || getSplatNumber(norm.getScale()) != 1.0)
      return false;
    if constexpr (std::is_same_v<NormTy, LayerNormOp>)
      if (norm.getBias())
        return false;
    rewriter.setInsertionPoint(op);
    Value scale = getTrailingParameter(rewriter, op.getLoc(), getOther(op, norm), norm.getAxis());
    if (!scale)
      return false;
    if constexpr (std::is_same_v<NormTy, LayerNormOp>)
      rewriter.replaceOpWithNewOp<LayerNormOp>(op, norm.getY().getType(), norm.getX(), scale, Value(),
                                               norm.getAxis(), norm.getEpsilon());
    else
      rewriter.replaceOpWithNewOp<RmsNormOp>(op, norm.getY().getType(), norm.getX(), scale, norm.getAxis(),
                                             norm.getEpsilon());
    return true;
  }

  LogicalResult matchAndRewrite(MulOp op, PatternRewriter &rewriter) const override {
    for (Value operand : op->getOperands())
      if (absorb<LayerNormOp>(op, operand, rewriter) || absorb<RmsNormOp>(op, operand, rewriter))
        return success();
    return failure();
  }
};

/// layer_norm(x) + bias -> layer_norm(x, bias), where the norm has no bias yet.
struct AbsorbBias : OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AddOp op, PatternRewriter &rewriter) const override {
    for (Value operand : op->getOperands()) {
      auto norm = operand.getDefiningOp<LayerNormOp>();
      if (!norm || !norm->hasOneUse() || norm.getBias())
        continue;
      Value bias = getTrailingParameter(rewriter, op.getLoc(), getOther(op, norm), norm.getAxis());
      if (!bias)
        continue;
      rewriter.replaceOpWithNewOp<LayerNormOp>(op, norm.getY().getType(), norm.getX(), norm.getScale(), bias,
                                               norm.getAxis(), norm.getEpsilon());
      return success();
    }
    return failure();
  }
};

/// The x of x - max(x) and the axis.
std::optional<std::pair<Value, int64_t>> matchShifted(Value value) {
  auto sub = value.getDefiningOp<SubOp>();
  if (!sub)
    return std::nullopt;
  ReduceOp max = matchSpread(sub.getRhs(), ReduceKind::max);
  if (!max || max.getX() != sub.getLhs() || max.getAxes().size() != 1 ||
      !isa<FloatType>(sub.getY().getType().getElementType()))
    return std::nullopt;
  return std::pair(sub.getLhs(), max.getAxes()[0]);
}

/// e / sum(e) with e = exp(x - max(x)) -> softmax(x)
struct RaiseSoftmax : OpRewritePattern<DivOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(DivOp op, PatternRewriter &rewriter) const override {
    auto exp = op.getLhs().getDefiningOp<ExpOp>();
    ReduceOp sum = matchSpread(op.getRhs(), ReduceKind::sum);
    auto shifted = exp ? matchShifted(exp.getX()) : std::nullopt;
    if (!shifted || !sum || sum.getX() != exp.getY() || sum.getAxes() != ArrayRef<int64_t>(shifted->second))
      return failure();
    rewriter.replaceOpWithNewOp<SoftmaxOp>(op, op.getY().getType(), shifted->first, shifted->second);
    return success();
  }
};

/// s - log(sum(exp(s))) with s = x - max(x) -> log_softmax(x)
struct RaiseLogSoftmax : OpRewritePattern<SubOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SubOp op, PatternRewriter &rewriter) const override {
    auto shifted = matchShifted(op.getLhs());
    auto broadcast = op.getRhs().getDefiningOp<BroadcastOp>();
    auto log = broadcast ? broadcast.getX().getDefiningOp<LogOp>() : LogOp();
    ReduceOp sum = log ? getSpreadReduction(broadcast, log.getX()) : ReduceOp();
    if (!shifted || !sum || sum.getKind() != ReduceKind::sum ||
        sum.getAxes() != ArrayRef<int64_t>(shifted->second))
      return failure();
    auto exp = sum.getX().getDefiningOp<ExpOp>();
    if (!exp || exp.getX() != op.getLhs())
      return failure();
    rewriter.replaceOpWithNewOp<LogSoftmaxOp>(op, op.getY().getType(), shifted->first, shifted->second);
    return success();
  }
};

/// x / 2^k -> x * 2^-k: both are the nearest number to the same quotient.
struct DivideByPowerOfTwo : OpRewritePattern<DivOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(DivOp op, PatternRewriter &rewriter) const override {
    RankedTensorType type = op.getY().getType();
    auto element = dyn_cast<FloatType>(type.getElementType());
    std::optional<double> divisor = getSplatNumber(op.getRhs());
    if (!element || element.getWidth() < 16 || !divisor || *divisor == 0 || !std::isfinite(*divisor))
      return failure();
    int exponent = 0;
    double fraction = std::frexp(*divisor, &exponent);
    // The reciprocal must be a normal number of the element type.
    const llvm::fltSemantics &semantics = element.getFloatSemantics();
    int k = exponent - 1;
    if (std::abs(fraction) != 0.5 || -k < llvm::APFloat::semanticsMinExponent(semantics) ||
        -k > llvm::APFloat::semanticsMaxExponent(semantics))
      return failure();
    Value reciprocal = createSplat(rewriter, op.getLoc(), type, 1.0 / *divisor);
    rewriter.replaceOpWithNewOp<MulOp>(op, op.getLhs(), reciprocal);
    return success();
  }
};

struct RaisePatterns : impl::RaisePatternsPassBase<RaisePatterns> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RaiseNormDiv, RaiseNormMul, AbsorbScale, AbsorbBias, RaiseSoftmax, RaiseLogSoftmax,
                 DivideByPowerOfTwo>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      getOperation().emitError("TSH-0517: the patterns of torsh-raise-patterns do not come to rest");
      signalPassFailure();
    }
  }
};

} // namespace
} // namespace torsh
