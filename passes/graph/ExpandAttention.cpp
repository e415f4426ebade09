//===-- ExpandAttention.cpp - Attention as two products and a softmax ---------------------------------------===//
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Splat.h"
#include "passes/graph/FoldedMoves.h"
#include "passes/graph/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_EXPANDATTENTIONPASS
#include "passes/graph/Passes.h.inc"

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Expansion {
  AttentionOp op;
  OpBuilder b;
  Location loc;
  SmallVector<DimAttr> scoreDims;
  int64_t rows, keys; ///< axes of the scores
  Type element;

  explicit Expansion(AttentionOp op)
      : op(op), b(op), loc(op.getLoc()), scoreDims(getDims(op.getQ())),
        element(op.getY().getType().getElementType()) {
    keys = scoreDims.size() - 1;
    rows = keys - 1;
    scoreDims[keys] = getDims(op.getK())[rows];
  }

  RankedTensorType scoresOf(Type type) { return makeTensorType(scoreDims, type); }
  Value spread(Value value, ArrayRef<DimAttr> dims) {
    auto type = makeTensorType(dims, cast<RankedTensorType>(value.getType()).getElementType());
    SmallVector<int64_t> axes(llvm::to_vector(llvm::seq<int64_t>(0, dims.size())));
    return type == value.getType() ? value : BroadcastOp::create(b, loc, type, value, axes).getY();
  }
  Value visible();
  Value hide(Value scores, Value shown) {
    return SelectOp::create(b, loc, shown, scores, createSplat(b, loc, scoresOf(element), -infinity));
  }
  void run();
};

/// key <= query + keys - queries
Value Expansion::visible() {
  Type index = b.getI64Type();
  RankedTensorType type = scoresOf(index);
  Value key = IotaOp::create(b, loc, type, keys), query = IotaOp::create(b, loc, type, rows);
  DimAttr ahead = dim::sub(scoreDims[keys], scoreDims[rows]);
  Value offset;
  if (auto known = dim::asConstant(ahead)) {
    offset = createSplat(b, loc, type, *known);
  } else {
    Value number = FromDimsOp::create(b, loc, makeTensorType({}, index),
                                      DimsAttr::get(op.getContext(), ArrayRef<DimAttr>(ahead)));
    offset = BroadcastOp::create(b, loc, type, number, ArrayRef<int64_t>());
  }
  Value limit = AddOp::create(b, loc, query, offset);
  return CompareOp::create(b, loc, scoresOf(b.getI1Type()), key, limit, ComparePredicate::le);
}

void Expansion::run() {
  SmallVector<int64_t> batch(llvm::to_vector(llvm::seq<int64_t>(0, rows)));
  Value scores = DotGeneralOp::create(b, loc, op.getQ(), op.getK(), batch, batch, {keys}, {keys});
  scores =
      MulOp::create(b, loc, scores, createSplat(b, loc, scoresOf(element), op.getScale().convertToDouble()));
  Value mask = op.getMask() ? spread(op.getMask(), scoreDims) : Value();
  if (mask)
    scores = AddOp::create(b, loc, scores, mask);
  Value shown = op.getCausal() ? visible() : Value();
  if (shown)
    scores = hide(scores, shown);
  Value weights = SoftmaxOp::create(b, loc, scoresOf(element), scores, keys);
  Value y = DotGeneralOp::create(b, loc, weights, op.getV(), batch, batch, {keys}, {rows});
  // A query that sees no key is 0 here and NaN for softmax. Without a mask only queries before the first key see none.
  auto ahead = dim::asConstant(dim::sub(scoreDims[keys], scoreDims[rows]));
  if (mask || (shown && ahead.value_or(-1) < 0)) {
    Value best = op.getMask();
    SmallVector<DimAttr> dims = getDims(op.getY());
    if (shown) {
      Value zeros = mask ? mask : createSplat(b, loc, scoresOf(element), 0);
      best = hide(zeros, shown);
    }
    best = ReduceOp::create(b, loc, best, ReduceKind::max, ArrayRef<int64_t>{keys}, /*keepDims=*/true);
    SmallVector<DimAttr> bestDims = getDims(best);
    Value lowest = createSplat(b, loc, cast<RankedTensorType>(best.getType()), -infinity);
    Value blind = CompareOp::create(b, loc, makeTensorType(bestDims, b.getI1Type()), best, lowest,
                                    ComparePredicate::eq);
    y = SelectOp::create(b, loc, spread(blind, dims),
                         createSplat(b, loc, cast<RankedTensorType>(y.getType()), 0), y);
  }
  op.getY().replaceAllUsesWith(y);
  op.erase();
}

struct ExpandAttention : impl::ExpandAttentionPassBase<ExpandAttention> {
  void runOnOperation() override {
    SmallVector<AttentionOp> ops;
    getOperation().walk([&](AttentionOp op) { ops.push_back(op); });
    for (AttentionOp op : ops)
      Expansion(op).run();
  }
};

} // namespace
} // namespace torsh
