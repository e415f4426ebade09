//===-- Reduction.cpp - Gradients of reductions, scans and softmax ------------------------------------------===//
#include "dialects/torsh/gradients/Rules.h"

using namespace mlir;

namespace torsh::gradients {
namespace {

/// The derivative of a product: the product of the other factors, which is no quotient where a factor is 0.
Value productOfOthers(RuleBuilder &b, Value x, ArrayRef<int64_t> axes) {
  Value zero = b.splat(x, 0), one = b.splat(x, 1);
  Value isZero = b.compare(ComparePredicate::eq, x, zero);
  Value zeros = b.spread(b.sum(b.select(isZero, one, zero), axes), axes, x);
  Value safe = b.select(isZero, one, x);
  Value product = b.spread(b.reduce(ReduceKind::prod, safe, axes), axes, x);
  // Of exactly one factor 0 the others' product is the derivative; with more of them all derivatives are 0.
  Value otherZeros = b.sub(zeros, b.select(isZero, one, zero));
  return b.where(b.compare(ComparePredicate::eq, otherZeros, zero), b.div(product, safe));
}

LogicalResult reduceRule(ReduceOp op, RuleBuilder &b, VJPContext &context) {
  ArrayRef<int64_t> axes = op.getAxes();
  Value x = op.getX(), g = b.spread(context.cotangent(0), axes, x);
  switch (op.getKind()) {
  case ReduceKind::sum:
    break;
  case ReduceKind::mean: {
    DimAttr count = b.constant(1);
    for (int64_t axis : axes)
      count = dim::mul(count, getDims(x)[axis]);
    g = b.div(g, b.number(count, g));
    break;
  }
  case ReduceKind::max:
  case ReduceKind::min: {
    // Equal winners share.
    Value wins = b.compare(ComparePredicate::eq, x, b.spread(op.getY(), axes, x));
    Value ones = b.select(wins, b.splat(x, 1), b.splat(x, 0));
    g = b.where(wins, b.div(g, b.spread(b.sum(ones, axes), axes, x)));
    break;
  }
  case ReduceKind::prod:
    g = b.mul(g, productOfOthers(b, x, axes));
    break;
  case ReduceKind::logsumexp:
    g = b.mul(g, b.make<ExpOp>(b.sub(x, b.spread(op.getY(), axes, x))));
    break;
  case ReduceKind::any:
  case ReduceKind::all:
    return context.refuse("booleans have no derivative; stop the gradient before it");
  }
  context.accumulate(0, g);
  return success();
}

/// An element counts in every sum that comes after it, so the cotangents are summed the other way.
LogicalResult cumSumRule(CumSumOp op, RuleBuilder &b, VJPContext &context) {
  context.accumulate(0, b.make<CumSumOp>(op.getX().getType(), context.cotangent(0), op.getAxis(),
                                         op.getExclusive(), !op.getReverse()));
  return success();
}

LogicalResult softmaxRule(SoftmaxOp op, RuleBuilder &b, VJPContext &context) {
  Value y = op.getY(), weighted = b.mul(context.cotangent(0), y);
  int64_t axis = op.getAxis();
  context.accumulate(0, b.sub(weighted, b.mul(y, b.spread(b.sum(weighted, axis), axis, y))));
  return success();
}

LogicalResult logSoftmaxRule(LogSoftmaxOp op, RuleBuilder &b, VJPContext &context) {
  Value y = op.getY(), g = context.cotangent(0);
  int64_t axis = op.getAxis();
  context.accumulate(0, b.sub(g, b.mul(b.make<ExpOp>(y), b.spread(b.sum(g, axis), axis, y))));
  return success();
}

} // namespace

void attachReduction(MLIRContext *context) {
  attach<ReduceOp, reduceRule>(context);
  attach<CumSumOp, cumSumRule>(context);
  attach<SoftmaxOp, softmaxRule>(context);
  attach<LogSoftmaxOp, logSoftmaxRule>(context);
}

} // namespace torsh::gradients
