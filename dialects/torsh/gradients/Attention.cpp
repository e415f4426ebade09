//===-- Attention.cpp - Gradient of scaled dot-product attention --------------------------------------------===//
#include "dialects/torsh/gradients/Rules.h"

using namespace mlir;

namespace torsh::gradients {
namespace {

/// The attention's weights, computed again: softmax of the masked scores, and 0 in rows whose keys are all hidden.
class Weights {
public:
  Weights(AttentionOp op, RuleBuilder &b) : op(op), b(b), scoreDims(getDims(op.getQ())) {
    keys = scoreDims.size() - 1;
    rows = keys - 1;
    scoreDims[keys] = getDims(op.getK())[rows];
    batch = axisRange(0, rows);
  }

  Value build();

  AttentionOp op;
  RuleBuilder &b;
  SmallVector<DimAttr> scoreDims;
  SmallVector<int64_t> batch;
  int64_t rows, keys; ///< axes of the scores

private:
  RankedTensorType scoresOf(Type element) { return makeTensorType(scoreDims, element); }
  /// Where the key is not after the query's position.
  Value visible();
};

Value Weights::visible() {
  RankedTensorType index = scoresOf(b.builder.getI64Type());
  Value query = b.make<IotaOp>(index, rows), key = b.make<IotaOp>(index, keys);
  Value limit = b.add(query, b.number(dim::sub(scoreDims[keys], scoreDims[rows]), query));
  return b.compare(ComparePredicate::le, key, limit);
}

Value Weights::build() {
  Value scores = b.make<DotGeneralOp>(op.getQ(), op.getK(), batch, batch, ArrayRef<int64_t>{keys},
                                      ArrayRef<int64_t>{keys});
  scores = b.mul(scores, op.getScale().convertToDouble());
  Value lowest = b.splat(scores, -std::numeric_limits<double>::infinity());
  if (op.getMask()) {
    SmallVector<int64_t> all = axesBut(int64_t(scoreDims.size()), {});
    scores = b.add(scores, b.broadcast(op.getMask(), typeOf(scores), all));
  }
  if (op.getCausal())
    scores = b.select(visible(), scores, lowest);
  Value weights = b.make<SoftmaxOp>(scores.getType(), scores, keys);
  auto ahead = dim::asConstant(dim::sub(scoreDims[keys], scoreDims[rows]));
  if (!op.getMask() && (!op.getCausal() || ahead.value_or(-1) >= 0))
    return weights;
  Value best = b.spread(b.reduce(ReduceKind::max, scores, keys), keys, scores);
  return b.select(b.compare(ComparePredicate::eq, best, lowest), b.splat(weights, 0), weights);
}

/// The sum of a cotangent of the scores over the dims in which the mask is 1.
Value sumToMask(RuleBuilder &b, Value g, Value mask) {
  SmallVector<int64_t> repeated;
  SmallVector<DimAttr> from = getDims(mask), to = getDims(g);
  for (auto [axis, dim] : llvm::enumerate(from))
    if (dim::isConstant(dim, 1) && dim != to[axis])
      repeated.push_back(axis);
  return b.sum(g, repeated, /*keepDims=*/true);
}

LogicalResult attentionRule(AttentionOp op, RuleBuilder &b, VJPContext &context) {
  Weights forward(op, b);
  Value g = context.cotangent(0), p = forward.build();
  ArrayRef<int64_t> batch = forward.batch;
  int64_t rows = forward.rows, keys = forward.keys;
  auto dot = [&](Value x, Value y, int64_t xAxis, int64_t yAxis) -> Value {
    return b.make<DotGeneralOp>(x, y, batch, batch, ArrayRef<int64_t>{xAxis}, ArrayRef<int64_t>{yAxis});
  };
  if (context.needs(2))
    context.accumulate(2, dot(p, g, rows, rows));
  if (!context.needs(0) && !context.needs(1) && !(op.getMask() && context.needs(3)))
    return success();
  // The softmax's own gradient, then that of the scores.
  Value weighted = b.mul(dot(g, op.getV(), keys, keys), p);
  Value scores = b.sub(weighted, b.mul(p, b.spread(b.sum(weighted, keys), keys, p)));
  if (op.getMask() && context.needs(3))
    context.accumulate(3, sumToMask(b, scores, op.getMask()));
  scores = b.mul(scores, op.getScale().convertToDouble());
  if (context.needs(0))
    context.accumulate(0, dot(scores, op.getK(), keys, rows));
  if (context.needs(1))
    context.accumulate(1, dot(scores, op.getQ(), rows, rows));
  return success();
}

} // namespace

void attachAttention(MLIRContext *context) { attach<AttentionOp, attentionRule>(context); }

} // namespace torsh::gradients
