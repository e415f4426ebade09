//===-- Indexing.cpp - Gradients of gathers, scatters and selections ----------------------------------------===//
//
// What was gathered is scattered back, equal indices add up. Indices that are negative or out of range mean the same on
// the way back, because all these ops agree about them.
//
//===--------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/gradients/Rules.h"

using namespace mlir;

namespace torsh::gradients {
namespace {

/// `updates` added to zeros at index tuples.
Value scatterNd(RuleBuilder &b, RankedTensorType type, Value indices, Value updates) {
  return b.make<ScatterNdOp>(type, b.splat(type, 0), indices, updates, ScatterKind::add);
}

/// As an embedding: rows of x are taken by index. Another axis is moved to the front first.
LogicalResult gatherRule(GatherOp op, RuleBuilder &b, VJPContext &context) {
  Value g = context.cotangent(0), indices = op.getIndices();
  int64_t axis = op.getAxis(), rank = typeOf(op.getX()).getRank(), count = typeOf(indices).getRank();
  // g has x's dims before the axis, those of the indices, and x's dims after it.
  SmallVector<int64_t> toFront = axisRange(axis, axis + count), back;
  llvm::append_range(toFront, axisRange(0, axis));
  llvm::append_range(toFront, axisRange(axis + count, rank - 1 + count));
  SmallVector<DimAttr> dims = getDims(op.getX()), tupleDims = getDims(indices);
  std::rotate(dims.begin(), dims.begin() + axis, dims.begin() + axis + 1);
  tupleDims.push_back(b.constant(1));
  Value moved = scatterNd(b, makeTensorType(dims, typeOf(op.getX()).getElementType()),
                          b.reshape(indices, tupleDims), b.transpose(g, toFront));
  for (int64_t dim = 0; dim < rank; ++dim)
    back.push_back(dim == axis ? 0 : dim < axis ? dim + 1 : dim);
  context.accumulate(0, b.transpose(moved, back));
  return success();
}

LogicalResult gatherElementsRule(GatherElementsOp op, RuleBuilder &b, VJPContext &context) {
  Value zeros = b.splat(op.getX(), 0);
  context.accumulate(0, b.make<ScatterElementsOp>(zeros.getType(), zeros, op.getIndices(),
                                                  context.cotangent(0), op.getAxis(), ScatterKind::add));
  return success();
}

/// Batch dims become leading elements of the index tuples.
LogicalResult gatherNdRule(GatherNdOp op, RuleBuilder &b, VJPContext &context) {
  Value indices = op.getIndices();
  SmallVector<Value> parts;
  SmallVector<DimAttr> column = getDims(indices);
  column.back() = b.constant(1);
  for (int64_t dim = 0; dim < int64_t(op.getBatchDims()); ++dim)
    parts.push_back(b.make<IotaOp>(makeTensorType(column, typeOf(indices).getElementType()), dim));
  if (!parts.empty()) {
    parts.push_back(indices);
    indices = b.make<ConcatOp>(parts, int64_t(column.size()) - 1);
  }
  context.accumulate(0, scatterNd(b, op.getX().getType(), indices, context.cotangent(0)));
  return success();
}

/// What both scatters do with their operands: x passes where nothing replaces it, updates take what is at their place.
template <typename OpTy, typename Scatter, typename Gather>
LogicalResult scatterRule(OpTy op, RuleBuilder &b, VJPContext &context, Scatter overwrite, Gather gather) {
  if (op.getKind() != ScatterKind::add && op.getKind() != ScatterKind::replace)
    return context.refuse("scatters that multiply or compare have no gradient; use add or replace");
  Value g = context.cotangent(0);
  if (context.needs(0))
    context.accumulate(0, op.getKind() == ScatterKind::add ? g : overwrite(g, b.splat(op.getUpdates(), 0)));
  if (context.needs(2))
    context.accumulate(2, gather(g));
  return success();
}

LogicalResult scatterElementsRule(ScatterElementsOp op, RuleBuilder &b, VJPContext &context) {
  auto overwrite = [&](Value g, Value zeros) -> Value {
    return b.make<ScatterElementsOp>(g.getType(), g, op.getIndices(), zeros, op.getAxis(),
                                     ScatterKind::replace);
  };
  auto gather = [&](Value g) -> Value { return b.make<GatherElementsOp>(g, op.getIndices(), op.getAxis()); };
  return scatterRule(op, b, context, overwrite, gather);
}

LogicalResult scatterNdRule(ScatterNdOp op, RuleBuilder &b, VJPContext &context) {
  auto overwrite = [&](Value g, Value zeros) -> Value {
    return b.make<ScatterNdOp>(g.getType(), g, op.getIndices(), zeros, ScatterKind::replace);
  };
  auto gather = [&](Value g) -> Value { return b.make<GatherNdOp>(g, op.getIndices(), int64_t(0)); };
  return scatterRule(op, b, context, overwrite, gather);
}

LogicalResult topKRule(TopKOp op, RuleBuilder &b, VJPContext &context) {
  Value zeros = b.splat(op.getX(), 0);
  context.accumulate(0, b.make<ScatterElementsOp>(zeros.getType(), zeros, op.getIndices(),
                                                  context.cotangent(0), op.getAxis(), ScatterKind::add));
  return success();
}

} // namespace

void attachIndexing(MLIRContext *context) {
  attach<GatherOp, gatherRule>(context);
  attach<GatherElementsOp, gatherElementsRule>(context);
  attach<GatherNdOp, gatherNdRule>(context);
  attach<ScatterElementsOp, scatterElementsRule>(context);
  attach<ScatterNdOp, scatterNdRule>(context);
  attach<TopKOp, topKRule>(context);
}

} // namespace torsh::gradients
