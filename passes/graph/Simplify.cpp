//===-- Simplify.cpp - Algebra across ops -------------------------------------------------------------------===//
//
// Each pattern shortens a chain of ops that move or reduce elements, or brings a row op to its only kernel form.
//
//===--------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/Dim.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_SIMPLIFYPASS
#include "passes/graph/Passes.h.inc"

namespace {

bool isUnit(DimAttr dim) { return dim::isConstant(dim, 1); }

/// Whether a >= b holds for all values of the symbols, as far as a constant difference tells.
bool isAtLeast(DimAttr a, DimAttr b) { return dim::asConstant(dim::sub(a, b)).value_or(-1) >= 0; }

DimsAttr getList(MLIRContext *context, ArrayRef<DimAttr> dims) { return DimsAttr::get(context, dims); }

//===-- Reductions ------------------------------------------------------------------------------------------===//

/// reduce(reduce(x)) -> reduce(x) over the axes of both
struct MergeReductions : OpRewritePattern<ReduceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReduceOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<ReduceOp>();
    if (!inner || !inner->hasOneUse() || inner.getKind() != op.getKind() ||
        op.getKind() == ReduceKind::logsumexp)
      return failure();
    SmallVector<int64_t> axes(inner.getAxes()), kept;
    for (int64_t axis = 0, rank = inner.getX().getType().getRank(); axis < rank; ++axis)
      if (inner.getKeepDims() || !llvm::is_contained(inner.getAxes(), axis))
        kept.push_back(axis);
    for (int64_t axis : op.getAxes())
      if (!llvm::is_contained(axes, kept[axis]))
        axes.push_back(kept[axis]);
    llvm::sort(axes);
    bool same = inner.getKeepDims() == op.getKeepDims();
    auto merged =
        ReduceOp::create(rewriter, op.getLoc(), inner.getX(), op.getKind(), axes, same && op.getKeepDims());
    if (merged.getY().getType() == op.getY().getType())
      rewriter.replaceOp(op, merged);
    else
      rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getY().getType(), merged);
    return success();
  }
};

/// A reduction of unit dims changes the shape only.
struct ReduceUnitDims : OpRewritePattern<ReduceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReduceOp op, PatternRewriter &rewriter) const override {
    SmallVector<DimAttr> dims = getDims(op.getX());
    if (op.getKind() == ReduceKind::logsumexp ||
        !llvm::all_of(op.getAxes(), [&](int64_t axis) { return isUnit(dims[axis]); }))
      return failure();
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getY().getType(), op.getX());
    return success();
  }
};

//===-- Slices and concats ----------------------------------------------------------------------------------===//

/// slice(slice(x)) -> slice(x)
struct MergeSlices : OpRewritePattern<SliceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SliceOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<SliceOp>();
    if (!inner)
      return failure();
    MLIRContext *context = op.getContext();
    SmallVector<DimAttr> starts;
    SmallVector<int64_t> steps;
    for (size_t i = 0; i < op.getSteps().size(); ++i) {
      DimAttr step = dim::constant(context, inner.getSteps()[i]);
      starts.push_back(dim::add(inner.getStarts()[i], dim::mul(step, op.getStarts()[i])));
      int64_t product;
      if (llvm::MulOverflow(inner.getSteps()[i], op.getSteps()[i], product))
        return failure();
      steps.push_back(product);
    }
    auto merged =
        SliceOp::create(rewriter, op.getLoc(), inner.getX(), getList(context, starts), op.getSizes(), steps);
    rewriter.replaceOp(op, merged);
    return success();
  }
};

/// slice(concat(.., x, ..)) -> slice(x), when the box lies in x
struct SliceOfConcat : OpRewritePattern<SliceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SliceOp op, PatternRewriter &rewriter) const override {
    auto concat = op.getX().getDefiningOp<ConcatOp>();
    if (!concat || op.getSteps()[concat.getAxis()] != 1)
      return failure();
    int64_t axis = concat.getAxis();
    MLIRContext *context = op.getContext();
    DimAttr offset = dim::constant(context, 0), zero = offset;
    for (Value x : concat.getXs()) {
      DimAttr extent = getDims(x)[axis], start = dim::sub(op.getStarts()[axis], offset);
      if (isAtLeast(start, zero) && isAtLeast(extent, dim::add(start, op.getSizes()[axis]))) {
        SmallVector<DimAttr> starts(op.getStarts().getDims());
        starts[axis] = start;
        auto slice =
            SliceOp::create(rewriter, op.getLoc(), x, getList(context, starts), op.getSizes(), op.getSteps());
        if (slice.getY().getType() != op.getY().getType())
          return rewriter.eraseOp(slice), failure();
        rewriter.replaceOp(op, slice);
        return success();
      }
      offset = dim::add(offset, extent);
    }
    return failure();
  }
};

/// concat of neighbouring slices of one value -> one slice
struct ConcatOfSlices : OpRewritePattern<ConcatOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ConcatOp op, PatternRewriter &rewriter) const override {
    if (op.getXs().size() < 2)
      return failure();
    auto first = op.getXs().front().getDefiningOp<SliceOp>();
    if (!first)
      return failure();
    int64_t axis = op.getAxis();
    SmallVector<DimAttr> starts(first.getStarts().getDims()), sizes(first.getSizes().getDims());
    for (Value x : op.getXs().drop_front()) {
      auto slice = x.getDefiningOp<SliceOp>();
      if (!slice || slice.getX() != first.getX() || slice.getSteps() != first.getSteps() ||
          slice.getSteps()[axis] != 1)
        return failure();
      for (size_t i = 0; i < starts.size(); ++i) {
        bool along = int64_t(i) == axis;
        DimAttr start = along ? dim::add(starts[i], sizes[i]) : starts[i];
        if (slice.getStarts()[i] != start || (!along && slice.getSizes()[i] != sizes[i]))
          return failure();
      }
      sizes[axis] = dim::add(sizes[axis], slice.getSizes()[axis]);
    }
    MLIRContext *context = op.getContext();
    auto slice = SliceOp::create(rewriter, op.getLoc(), first.getX(), getList(context, starts),
                                 getList(context, sizes), first.getSteps());
    if (slice.getY().getType() != op.getY().getType())
      return rewriter.eraseOp(slice), failure();
    rewriter.replaceOp(op, slice);
    return success();
  }
};

//===-- Broadcasts, reshapes and transposes -----------------------------------------------------------------===//

/// broadcast(broadcast(x)) -> broadcast(x)
struct MergeBroadcasts : OpRewritePattern<BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BroadcastOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<BroadcastOp>();
    if (!inner)
      return failure();
    SmallVector<int64_t> axes;
    for (int64_t axis : inner.getAxes())
      axes.push_back(op.getAxes()[axis]);
    rewriter.replaceOpWithNewOp<BroadcastOp>(op, op.getY().getType(), inner.getX(), axes);
    return success();
  }
};

/// broadcast(reshape(x)) -> broadcast(x), when the reshape adds unit dims only
struct BroadcastOfUnsqueeze : OpRewritePattern<BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BroadcastOp op, PatternRewriter &rewriter) const override {
    auto reshape = op.getX().getDefiningOp<ReshapeOp>();
    if (!reshape)
      return failure();
    SmallVector<DimAttr> from = getDims(reshape.getX()), to = getDims(reshape.getY());
    SmallVector<int64_t> axes;
    size_t next = 0;
    for (size_t i = 0; i < to.size(); ++i) {
      if (next < from.size() && from[next] == to[i]) {
        axes.push_back(op.getAxes()[i]);
        ++next;
      } else if (!isUnit(to[i])) {
        return failure();
      }
    }
    if (next != from.size() || from.size() >= to.size())
      return failure();
    rewriter.replaceOpWithNewOp<BroadcastOp>(op, op.getY().getType(), reshape.getX(), axes);
    return success();
  }
};

/// A transpose that keeps the order of all dims but unit ones is a reshape.
struct TransposeOfUnitDims : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    SmallVector<DimAttr> dims = getDims(op.getX());
    int64_t last = -1;
    for (int64_t axis : op.getPermutation()) {
      if (isUnit(dims[axis]))
        continue;
      if (axis < last)
        return failure();
      last = axis;
    }
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getY().getType(), op.getX());
    return success();
  }
};

/// stop_gradient(x) -> x
struct RemoveStopGradient : OpRewritePattern<StopGradientOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(StopGradientOp op, PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, op.getX());
    return success();
  }
};

//===-- Row ops on the last dim -----------------------------------------------------------------------------===//

/// softmax along an inner axis -> along the last one, between two transposes
template <typename OpTy> struct SoftmaxOnLastDim : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    RankedTensorType type = op.getX().getType();
    int64_t rank = type.getRank(), axis = op.getAxis();
    // A `?` without an expression would come back with one.
    if (axis == rank - 1 || makeTensorType(getDims(type), type.getElementType()) != type)
      return failure();
    // Exchanging two dims is its own inverse.
    SmallVector<int64_t> exchange;
    for (int64_t i = 0; i < rank; ++i)
      exchange.push_back(i == axis ? rank - 1 : i == rank - 1 ? axis : i);
    Value x = TransposeOp::create(rewriter, op.getLoc(), op.getX(), exchange);
    Value y = OpTy::create(rewriter, op.getLoc(), x.getType(), x, rank - 1);
    rewriter.replaceOpWithNewOp<TransposeOp>(op, y, exchange);
    return success();
  }
};

/// The dims before `axis` and one for all others.
RankedTensorType joinTrailing(RankedTensorType type, int64_t axis) {
  SmallVector<DimAttr> dims = getDims(type);
  DimAttr joined = dim::product(type.getContext(), ArrayRef(dims).drop_front(axis));
  dims.resize(axis);
  dims.push_back(joined);
  return makeTensorType(dims, type.getElementType());
}

/// A norm of several trailing dims is one of their product.
template <typename OpTy> struct NormOnLastDim : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    RankedTensorType type = op.getX().getType();
    int64_t axis = op.getAxis();
    if (axis == type.getRank() - 1)
      return failure();
    Location location = op.getLoc();
    auto join = [&](Value value, int64_t from) -> Value {
      auto joined = joinTrailing(cast<RankedTensorType>(value.getType()), from);
      return ReshapeOp::create(rewriter, location, joined, value);
    };
    Value x = join(op.getX(), axis), scale = join(op.getScale(), 0), y;
    if constexpr (std::is_same_v<OpTy, LayerNormOp>)
      y = LayerNormOp::create(rewriter, location, x.getType(), x, scale,
                              op.getBias() ? join(op.getBias(), 0) : Value(), axis, op.getEpsilon());
    else
      y = RmsNormOp::create(rewriter, location, x.getType(), x, scale, axis, op.getEpsilon());
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getY().getType(), y);
    return success();
  }
};

struct Simplify : impl::SimplifyPassBase<Simplify> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    patterns.add<MergeReductions, ReduceUnitDims, MergeSlices, SliceOfConcat, ConcatOfSlices, MergeBroadcasts,
                 BroadcastOfUnsqueeze, TransposeOfUnitDims, RemoveStopGradient, SoftmaxOnLastDim<SoftmaxOp>,
                 SoftmaxOnLastDim<LogSoftmaxOp>, NormOnLastDim<LayerNormOp>, NormOnLastDim<RmsNormOp>>(
        context);
    // Chains collapse only when the moves themselves are merged.
    ReshapeOp::getCanonicalizationPatterns(patterns, context);
    TransposeOp::getCanonicalizationPatterns(patterns, context);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      getOperation().emitError("TSH-0517: the patterns of torsh-simplify do not come to rest");
      signalPassFailure();
    }
  }
};

} // namespace
} // namespace torsh
