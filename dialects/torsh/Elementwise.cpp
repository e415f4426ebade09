//===-- Elementwise.cpp - Shape functions, folders and canonical forms of elementwise ops ---------------===//
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Splat.h"
#include "dialects/torsh/Torsh.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace torsh {

//===-- Shape functions
//--------------------------------------------------------------------------------------===//

static void addBoolTensor(MLIRContext *context, Value like, SmallVectorImpl<Type> &types) {
  types.push_back(withElementType(cast<RankedTensorType>(like.getType()), IntegerType::get(context, 1)));
}

LogicalResult CompareOp::inferReturnTypes(MLIRContext *context, std::optional<Location>, Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  addBoolTensor(context, adaptor.getLhs(), types);
  return success();
}

LogicalResult IsNanOp::inferReturnTypes(MLIRContext *context, std::optional<Location>, Adaptor adaptor,
                                        SmallVectorImpl<Type> &types) {
  addBoolTensor(context, adaptor.getX(), types);
  return success();
}

//===-- Folders
//----------------------------------------------------------------------------------------------===//
// x*0 -> 0 is no identity of floats (NaN and infinity), so it is missing here.

OpFoldResult NegOp::fold(FoldAdaptor) {
  // neg(neg(x)) -> x
  if (auto inner = getX().getDefiningOp<NegOp>())
    return inner.getX();
  return {};
}

OpFoldResult AddOp::fold(FoldAdaptor) {
  // x+0 -> x, 0+x -> x
  if (getSplatNumber(getRhs()) == 0.0)
    return getLhs();
  if (getSplatNumber(getLhs()) == 0.0)
    return getRhs();
  return {};
}

OpFoldResult SubOp::fold(FoldAdaptor) {
  // x-0 -> x
  if (getSplatNumber(getRhs()) == 0.0)
    return getLhs();
  return {};
}

OpFoldResult MulOp::fold(FoldAdaptor) {
  // x*1 -> x, 1*x -> x
  if (getSplatNumber(getRhs()) == 1.0)
    return getLhs();
  if (getSplatNumber(getLhs()) == 1.0)
    return getRhs();
  return {};
}

OpFoldResult DivOp::fold(FoldAdaptor) {
  // x/1 -> x
  if (getSplatNumber(getRhs()) == 1.0)
    return getLhs();
  return {};
}

OpFoldResult SelectOp::fold(FoldAdaptor) {
  // select(c, x, x) -> x
  if (getOnTrue() == getOnFalse())
    return getOnTrue();
  // select(true, x, y) -> x, select(false, x, y) -> y
  if (std::optional<double> condition = getSplatNumber(getCondition()))
    return *condition != 0.0 ? getOnTrue() : getOnFalse();
  return {};
}

//===-- pow
//--------------------------------------------------------------------------------------------------===//

namespace {

/// pow with a constant exponent becomes the ops that it stands for.
struct ExpandConstantPower : OpRewritePattern<PowOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PowOp op, PatternRewriter &rewriter) const override {
    std::optional<double> exponent = getSplatNumber(op.getRhs());
    if (!exponent)
      return failure();
    Value x = op.getLhs();
    Location location = op.getLoc();
    bool isFloat = isa<FloatType>(op.getY().getType().getElementType());
    if (*exponent == 0.0) // x^0 -> 1, NaN included
      rewriter.replaceOp(op, createSplat(rewriter, location, op.getY().getType(), 1.0));
    else if (*exponent == 1.0) // x^1 -> x
      rewriter.replaceOp(op, x);
    else if (*exponent == 2.0) // x^2 -> x*x
      rewriter.replaceOpWithNewOp<MulOp>(op, x, x);
    else if (*exponent == 3.0) // x^3 -> x*x*x
      rewriter.replaceOpWithNewOp<MulOp>(op, MulOp::create(rewriter, location, x, x), x);
    else if (isFloat && *exponent == 0.5) // x^0.5 -> sqrt(x)
      rewriter.replaceOpWithNewOp<SqrtOp>(op, x);
    else if (isFloat && *exponent == 0.75) { // x^0.75 -> sqrt(x)*sqrt(sqrt(x))
      Value root = SqrtOp::create(rewriter, location, x);
      rewriter.replaceOpWithNewOp<MulOp>(op, root, SqrtOp::create(rewriter, location, root));
    } else if (isFloat && *exponent == 1.5) // x^1.5 -> x*sqrt(x)
      rewriter.replaceOpWithNewOp<MulOp>(op, x, SqrtOp::create(rewriter, location, x));
    else if (isFloat && *exponent == -0.5) // x^-0.5 -> rsqrt(x)
      rewriter.replaceOpWithNewOp<RsqrtOp>(op, x);
    else if (isFloat && *exponent == -1.0) // x^-1 -> 1/x
      rewriter.replaceOpWithNewOp<DivOp>(op, createSplat(rewriter, location, op.getY().getType(), 1.0), x);
    else
      return failure();
    return success();
  }
};

} // namespace

void PowOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<ExpandConstantPower>(context);
}

} // namespace torsh
