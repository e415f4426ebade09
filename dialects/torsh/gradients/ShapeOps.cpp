//===-- ShapeOps.cpp - Gradients of ops that move elements --------------------------------------------------===//
#include "dialects/torsh/gradients/Rules.h"

using namespace mlir;

namespace torsh::gradients {
namespace {

LogicalResult broadcastRule(BroadcastOp op, RuleBuilder &b, VJPContext &context) {
  SmallVector<DimAttr> x = getDims(op.getX()), y = getDims(op.getY());
  SmallVector<int64_t> kept;
  for (auto [index, axis] : llvm::enumerate(op.getAxes())) {
    if (x[index] == y[axis] || (!dim::isConstant(x[index], 1) && dim::asConstant(x[index])))
      kept.push_back(axis);
    else if (!dim::isConstant(x[index], 1))
      return context.refuse("whether operand dim " + Twine(index) + " of size " + dim::toString(x[index]) +
                            " is repeated is only known in a run; fix the dim with --dim");
  }
  // A unit dim that stays a unit dim needs no sum.
  Value g = b.sum(context.cotangent(0), axesBut(int64_t(y.size()), kept));
  context.accumulate(0, b.reshape(g, op.getX().getType()));
  return success();
}

LogicalResult reshapeRule(ReshapeOp op, RuleBuilder &b, VJPContext &context) {
  context.accumulate(0, b.reshape(context.cotangent(0), op.getX().getType()));
  return success();
}

LogicalResult transposeRule(TransposeOp op, RuleBuilder &b, VJPContext &context) {
  SmallVector<int64_t> inverse(op.getPermutation().size());
  for (auto [index, axis] : llvm::enumerate(op.getPermutation()))
    inverse[axis] = index;
  context.accumulate(0, b.transpose(context.cotangent(0), inverse));
  return success();
}

/// Puts the elements of a slice along one axis back to where they were, with zeros elsewhere.
Value unslice(RuleBuilder &b, Value g, int64_t axis, DimAttr start, int64_t step, DimAttr size) {
  DimAttr count = getDims(g)[axis], one = b.constant(1);
  if (step < 0) {
    g = b.reverse(g, axis);
    start = dim::add(start, dim::mul(dim::sub(count, one), b.constant(step)));
    step = -step;
  }
  if (step > 1) {
    // Each element is followed by step - 1 zeros; the last ones are cut off, because the operand may end before.
    SmallVector<DimAttr> dims = getDims(g);
    dims.insert(dims.begin() + axis + 1, one);
    g = b.pad(b.reshape(g, dims), axis + 1, b.constant(0), b.constant(step - 1));
    dims = getDims(g);
    dims.erase(dims.begin() + axis + 1);
    dims[axis] = dim::mul(count, b.constant(step));
    DimAttr reach = dim::add(dim::mul(dim::sub(count, one), b.constant(step)), one);
    g = b.slice(b.reshape(g, dims), axis, b.constant(0), reach);
    count = reach;
  }
  return b.pad(g, axis, start, dim::sub(size, dim::add(start, count)));
}

LogicalResult sliceRule(SliceOp op, RuleBuilder &b, VJPContext &context) {
  SmallVector<DimAttr> sizes = getDims(op.getX());
  // Nothing was read, and where nothing starts does not matter.
  if (llvm::any_of(op.getSizes().getDims(), [](DimAttr size) { return dim::isConstant(size, 0); }))
    return success();
  Value g = context.cotangent(0);
  for (size_t axis = 0; axis < sizes.size(); ++axis)
    g = unslice(b, g, axis, op.getStarts()[axis], op.getSteps()[axis], sizes[axis]);
  context.accumulate(0, g);
  return success();
}

/// Adds what lies in the padding of one axis to the elements that it was copied from.
FailureOr<Value> unpadCopies(RuleBuilder &b, VJPContext &context, PadOp op, Value g, int64_t axis,
                             DimAttr size) {
  DimAttr low = op.getLow()[axis], high = op.getHigh()[axis], zero = b.constant(0), one = b.constant(1);
  Value sum = b.slice(g, axis, low, size);
  auto addAt = [&](Value part, DimAttr count, DimAttr start) {
    sum = b.add(sum, b.pad(part, axis, start, dim::sub(size, dim::add(start, count))));
  };
  for (bool isLow : {true, false}) {
    DimAttr count = isLow ? low : high;
    if (dim::isConstant(count, 0))
      continue;
    Value part = b.slice(g, axis, isLow ? zero : dim::add(low, size), count);
    if (op.getMode() == PadMode::edge) {
      addAt(b.sum(part, axis, /*keepDims=*/true), one, isLow ? zero : dim::sub(size, one));
      continue;
    }
    // A reflection leaves out the border itself.
    bool reflect = op.getMode() == PadMode::reflect;
    std::optional<int64_t> room = dim::asConstant(dim::sub(size, count));
    if (!room || *room < (reflect ? 1 : 0))
      return context.refuse("padding of " + dim::toString(count) + " copies dim " + Twine(axis) +
                            " of size " + dim::toString(size) +
                            " more than once, or that is not known; fix sizes with --dim");
    if (reflect)
      addAt(b.reverse(part, axis), count, isLow ? one : dim::sub(dim::sub(size, one), count));
    else
      addAt(part, count, isLow ? dim::sub(size, count) : zero);
  }
  return sum;
}

LogicalResult padRule(PadOp op, RuleBuilder &b, VJPContext &context) {
  SmallVector<DimAttr> sizes = getDims(op.getX());
  Value g = context.cotangent(0), inner = g;
  for (int64_t axis = 0, rank = sizes.size(); axis < rank; ++axis) {
    if (op.getMode() == PadMode::constant) {
      inner = b.slice(inner, axis, op.getLow()[axis], sizes[axis]);
      continue;
    }
    FailureOr<Value> folded = unpadCopies(b, context, op, inner, axis, sizes[axis]);
    if (failed(folded))
      return failure();
    inner = *folded;
  }
  if (context.needs(0))
    context.accumulate(0, inner);
  if (op.getValue() && context.needs(1)) {
    SmallVector<int64_t> axes = axesBut(int64_t(sizes.size()), {});
    context.accumulate(1, b.sub(b.sum(g, axes), b.sum(inner, axes)));
  }
  return success();
}

LogicalResult concatRule(ConcatOp op, RuleBuilder &b, VJPContext &context) {
  Value g = context.cotangent(0);
  int64_t axis = op.getAxis();
  DimAttr start = b.constant(0);
  for (auto [index, x] : llvm::enumerate(op.getXs())) {
    DimAttr count = getDims(x)[axis];
    if (context.needs(index))
      context.accumulate(index, b.slice(g, axis, start, count));
    start = dim::add(start, count);
  }
  return success();
}

} // namespace

void attachShapeOps(MLIRContext *context) {
  attach<BroadcastOp, broadcastRule>(context);
  attach<ReshapeOp, reshapeRule>(context);
  attach<TransposeOp, transposeRule>(context);
  attach<SliceOp, sliceRule>(context);
  attach<PadOp, padRule>(context);
  attach<ConcatOp, concatRule>(context);
}

} // namespace torsh::gradients
