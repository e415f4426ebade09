//===-- TransposeSinking.cpp - Moves transposes down the graph ----------------------------------------------===//
//
// "Outer" is the layout that the graph has, "inner" the one below the transpose: outer dim i is inner dim p[i]. An op
// is rebuilt on inner operands with its axes mapped, and one transpose follows it.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "passes/graph/TransposeSinking.h"
#include "dialects/torsh/CumProd.h"
#include "passes/graph/FoldedMoves.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace torsh {
namespace {

SmallVector<DimAttr> innerDims(Value outer, ArrayRef<int64_t> p) {
  return permuted<DimAttr>(getDims(outer), invertPermutation(p));
}

/// How an operand gets into the inner layout.
enum class Route { Transposed, Free, Copy };

Route routeOf(Value operand, ArrayRef<int64_t> p) {
  if (auto transpose = operand.getDefiningOp<TransposeOp>(); transpose && transpose.getPermutation() == p)
    return Route::Transposed;
  if (getConstantAttr(operand) || movesOnlyUnitDims(getDims(operand), invertPermutation(p)))
    return Route::Free;
  // A broadcast is rebuilt; only its operand moves, which has fewer elements.
  if (auto broadcast = operand.getDefiningOp<BroadcastOp>())
    return getNumElements(broadcast.getX().getType()) != getNumElements(broadcast.getY().getType())
               ? Route::Free
               : Route::Copy;
  return Route::Copy;
}

Value transposeOrReshape(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> permutation) {
  SmallVector<DimAttr> dims = getDims(value);
  bool stays =
      movesOnlyUnitDims(dims, permutation) && !value.getDefiningOp<TransposeOp>() && !getConstantAttr(value);
  if (stays && !isIdentityPermutation(permutation))
    return createReshape(builder, loc, value, permuted<DimAttr>(dims, permutation));
  return createTranspose(builder, loc, value, permutation);
}

Value toInner(OpBuilder &builder, Value operand, ArrayRef<int64_t> p) {
  Location loc = operand.getLoc();
  auto broadcast = operand.getDefiningOp<BroadcastOp>();
  if (!broadcast)
    return transposeOrReshape(builder, loc, operand, invertPermutation(p));
  // Operand dim i becomes inner dim p[axes[i]]; axes must increase.
  SmallVector<int64_t> order, axes;
  for (size_t i = 0; i < broadcast.getAxes().size(); ++i)
    order.push_back(i);
  llvm::sort(order,
             [&](int64_t a, int64_t b) { return p[broadcast.getAxes()[a]] < p[broadcast.getAxes()[b]]; });
  for (int64_t index : order)
    axes.push_back(p[broadcast.getAxes()[index]]);
  Value x = transposeOrReshape(builder, loc, broadcast.getX(), order);
  auto type = makeTensorType(innerDims(operand, p), broadcast.getY().getType().getElementType());
  return BroadcastOp::create(builder, loc, type, x, axes);
}

DimsAttr permuteDims(DimsAttr list, ArrayRef<int64_t> p) {
  return DimsAttr::get(list.getContext(), permuted<DimAttr>(list.getDims(), invertPermutation(p)));
}

struct SinkTranspose : RewritePattern {
  explicit SinkTranspose(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (op->getNumResults() != 1 || op->getParentOfType<GroupOp>())
      return failure();
    if (op->hasTrait<ElementwiseOp>() || isa<ConcatOp>(op))
      return sinkThroughMany(op, rewriter);
    if (op->getNumOperands() == 0)
      return failure();
    auto transpose = op->getOperand(0).getDefiningOp<TransposeOp>();
    if (!transpose)
      return failure();
    if (auto reshape = dyn_cast<ReshapeOp>(op))
      return sinkThroughReshape(reshape, transpose, rewriter);
    return sinkThroughOne(op, transpose, rewriter);
  }

private:
  /// A copy of the op on inner operands, whose result has these dims.
  static Operation *rebuild(PatternRewriter &rewriter, Operation *op, ArrayRef<DimAttr> dims) {
    Operation *clone = rewriter.clone(*op);
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    clone->getResult(0).setType(makeTensorType(dims, type.getElementType()));
    return clone;
  }

  static LogicalResult finish(PatternRewriter &rewriter, Operation *op, Operation *inner,
                              ArrayRef<int64_t> p) {
    Value outer = isIdentityPermutation(p) ? inner->getResult(0)
                                           : createTranspose(rewriter, op->getLoc(), inner->getResult(0), p);
    // Two names of one size: the graph keeps the type that it had.
    if (outer.getType() != op->getResult(0).getType())
      outer = ReshapeOp::create(rewriter, op->getLoc(), op->getResult(0).getType(), outer);
    rewriter.replaceOp(op, outer);
    return success();
  }

  static LogicalResult sinkThroughMany(Operation *op, PatternRewriter &rewriter) {
    for (Value candidate : op->getOperands()) {
      auto transpose = candidate.getDefiningOp<TransposeOp>();
      if (!transpose)
        continue;
      SmallVector<int64_t> p(transpose.getPermutation());
      llvm::SmallPtrSet<Value, 4> transposed, copied;
      for (Value operand : op->getOperands()) {
        Route route = routeOf(operand, p);
        if (route == Route::Transposed)
          transposed.insert(operand);
        if (route == Route::Copy)
          copied.insert(operand);
      }
      if (transposed.size() <= copied.size())
        continue;
      SmallVector<Value> operands;
      for (Value operand : op->getOperands())
        operands.push_back(toInner(rewriter, operand, p));
      Operation *inner = rebuild(rewriter, op, innerDims(op->getResult(0), p));
      inner->setOperands(operands);
      if (auto concat = dyn_cast<ConcatOp>(inner))
        concat.setAxis(p[concat.getAxis()]);
      return finish(rewriter, op, inner, p);
    }
    return failure();
  }

  static LogicalResult sinkThroughOne(Operation *op, TransposeOp transpose, PatternRewriter &rewriter) {
    SmallVector<int64_t> p(transpose.getPermutation()), after(p);
    SmallVector<DimAttr> dims;
    int64_t rank = p.size();
    // Reductions that drop dims: what is left of the permutation.
    auto dropAxes = [&](ArrayRef<int64_t> axes) {
      SmallVector<int64_t> kept;
      after.clear();
      for (int64_t axis = 0; axis < rank; ++axis)
        if (!llvm::is_contained(axes, axis))
          kept.push_back(p[axis]);
      SmallVector<int64_t> sorted(kept);
      llvm::sort(sorted);
      for (int64_t axis : kept)
        after.push_back(llvm::find(sorted, axis) - sorted.begin());
    };
    Builder &b = rewriter;
    SmallVector<NamedAttribute> changes;
    auto change = [&](StringRef name, Attribute value) { changes.push_back(b.getNamedAttr(name, value)); };
    bool movable =
        llvm::TypeSwitch<Operation *, bool>(op)
            .Case([&](SliceOp slice) {
              change("starts", permuteDims(slice.getStarts(), p));
              change("sizes", permuteDims(slice.getSizes(), p));
              change("steps",
                     b.getDenseI64ArrayAttr(permuted<int64_t>(slice.getSteps(), invertPermutation(p))));
              return true;
            })
            .Case([&](PadOp pad) {
              change("low", permuteDims(pad.getLow(), p));
              change("high", permuteDims(pad.getHigh(), p));
              return true;
            })
            .Case([&](ReduceOp reduce) {
              SmallVector<int64_t> axes;
              for (int64_t axis : reduce.getAxes())
                axes.push_back(p[axis]);
              llvm::sort(axes);
              change("axes", b.getDenseI64ArrayAttr(axes));
              if (!reduce.getKeepDims())
                dropAxes(reduce.getAxes());
              return true;
            })
            .Case([&](ArgReduceOp reduce) {
              int64_t axis = reduce.getAxis();
              change("axis", b.getI64IntegerAttr(p[axis]));
              if (!reduce.getKeepDims())
                dropAxes({axis});
              return true;
            })
            // Their kernels run along the last dim.
            .Case<SoftmaxOp, LogSoftmaxOp>([&](auto softmax) {
              change("axis", b.getI64IntegerAttr(p[softmax.getAxis()]));
              return p[softmax.getAxis()] + 1 == rank;
            })
            .Case<BatchNormOp, CumSumOp, CumProdOp>([&](auto named) {
              change("axis", b.getI64IntegerAttr(p[named.getAxis()]));
              return true;
            })
            .Case([&](ResizeOp resize) {
              change("scales",
                     b.getDenseF64ArrayAttr(permuted<double>(resize.getScales(), invertPermutation(p))));
              return true;
            })
            .Default([](Operation *) { return false; });
    if (!movable)
      return failure();
    Operation *inner =
        rebuild(rewriter, op, permuted<DimAttr>(getDims(op->getResult(0)), invertPermutation(after)));
    inner->setOperand(0, transpose.getX());
    for (NamedAttribute attribute : changes)
      inner->setAttr(attribute.getName(), attribute.getValue());
    return finish(rewriter, op, inner, after);
  }

  /// Dims that a reshape joins or splits, without unit dims.
  struct Factor {
    SmallVector<int64_t> from, to;
  };
  static std::optional<SmallVector<Factor>> factorize(ArrayRef<DimAttr> from, ArrayRef<DimAttr> to) {
    SmallVector<Factor> factors;
    size_t i = 0, j = 0;
    auto skipUnits = [](ArrayRef<DimAttr> dims, size_t &index) {
      while (index < dims.size() && dim::isConstant(dims[index], 1))
        ++index;
    };
    while (true) {
      skipUnits(from, i);
      skipUnits(to, j);
      if (i == from.size() && j == to.size())
        return factors;
      if (i == from.size() || j == to.size())
        return std::nullopt;
      Factor factor;
      DimAttr left = from[i], right = to[j];
      factor.from.push_back(i++);
      factor.to.push_back(j++);
      while (left != right) {
        // The smaller product takes the next dim.
        if (dim::exactQuotient(right, left)) {
          skipUnits(from, i);
          if (i == from.size())
            return std::nullopt;
          left = dim::mul(left, from[i]);
          factor.from.push_back(i++);
        } else if (dim::exactQuotient(left, right)) {
          skipUnits(to, j);
          if (j == to.size())
            return std::nullopt;
          right = dim::mul(right, to[j]);
          factor.to.push_back(j++);
        } else {
          return std::nullopt;
        }
      }
      factors.push_back(factor);
    }
  }

  /// A reshape that joins only dims that are neighbours below the transpose too.
  static LogicalResult sinkThroughReshape(ReshapeOp op, TransposeOp transpose, PatternRewriter &rewriter) {
    SmallVector<DimAttr> outer = getDims(op.getX()), inner = getDims(transpose.getX()),
                         to = getDims(op.getY());
    ArrayRef<int64_t> p = transpose.getPermutation();
    auto factors = factorize(outer, to);
    if (!factors || factors->empty())
      return failure();
    // Rank of each inner dim among those that are not 1.
    SmallVector<int64_t> rank(inner.size(), 0);
    int64_t count = 0;
    for (size_t i = 0; i < inner.size(); ++i)
      if (!dim::isConstant(inner[i], 1))
        rank[i] = count++;
    for (Factor &factor : *factors)
      for (size_t i = 1; i < factor.from.size(); ++i)
        if (rank[p[factor.from[i]]] != rank[p[factor.from[i - 1]]] + 1)
          return failure();
    // Unit dims of the result follow the factor before them.
    SmallVector<SmallVector<int64_t>> places(factors->size());
    size_t current = 0;
    for (int64_t j = 0; j < int64_t(to.size()); ++j) {
      for (size_t f = 0; f < factors->size(); ++f)
        if (llvm::is_contained((*factors)[f].to, j))
          current = f;
      places[current].push_back(j);
    }
    SmallVector<size_t> order;
    for (size_t f = 0; f < factors->size(); ++f)
      order.push_back(f);
    llvm::sort(order,
               [&](size_t a, size_t b) { return p[(*factors)[a].from[0]] < p[(*factors)[b].from[0]]; });
    SmallVector<DimAttr> dims;
    SmallVector<int64_t> listed;
    for (size_t f : order)
      for (int64_t j : places[f]) {
        dims.push_back(to[j]);
        listed.push_back(j);
      }
    Value moved = createReshape(rewriter, op.getLoc(), transpose.getX(), dims);
    SmallVector<int64_t> after = invertPermutation(listed);
    rewriter.replaceOp(op, createTranspose(rewriter, op.getLoc(), moved, after));
    return success();
  }
};

/// gather(x, one constant index) -> reshape(slice(x)): a window, through which transposes sink.
struct GatherOneToSlice : OpRewritePattern<GatherOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GatherOp op, PatternRewriter &rewriter) const override {
    auto dense = dyn_cast_or_null<DenseElementsAttr>(getConstantAttr(op.getIndices()));
    if (!dense || dense.getNumElements() != 1 || !isa<IntegerType>(dense.getElementType()))
      return failure();
    SmallVector<DimAttr> dims = getDims(op.getX());
    int64_t axis = op.getAxis(), index = dense.getSplatValue<APInt>().getSExtValue();
    std::optional<int64_t> size = dim::asConstant(dims[axis]);
    if (!size)
      return failure();
    index += index < 0 ? *size : 0;
    if (index < 0 || index >= *size)
      return failure();
    MLIRContext *context = op.getContext();
    SmallVector<DimAttr> starts(dims.size(), dim::constant(context, 0));
    starts[axis] = dim::constant(context, index);
    dims[axis] = dim::constant(context, 1);
    SmallVector<int64_t> steps(dims.size(), 1);
    Value slice = SliceOp::create(rewriter, op.getLoc(), op.getX(), DimsAttr::get(context, starts),
                                  DimsAttr::get(context, dims), steps);
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getY().getType(), slice);
    return success();
  }
};

} // namespace

void populateTransposeSinkingPatterns(RewritePatternSet &patterns) {
  patterns.add<SinkTranspose, GatherOneToSlice>(patterns.getContext());
}

} // namespace torsh
