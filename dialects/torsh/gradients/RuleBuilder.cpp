//===-- RuleBuilder.cpp - What gradient rules write often ---------------------------------------------------===//
#include "dialects/torsh/gradients/RuleBuilder.h"
#include "dialects/torsh/Splat.h"

using namespace mlir;

namespace torsh::gradients {

SmallVector<int64_t> axesBut(int64_t rank, ArrayRef<int64_t> kept) {
  SmallVector<int64_t> axes;
  for (int64_t axis = 0; axis < rank; ++axis)
    if (!llvm::is_contained(kept, axis))
      axes.push_back(axis);
  return axes;
}

Value RuleBuilder::splat(RankedTensorType type, double number) {
  return createSplat(builder, loc, type, number);
}
Value RuleBuilder::add(Value a, Value b) { return make<AddOp>(a, b); }
Value RuleBuilder::sub(Value a, Value b) { return make<SubOp>(a, b); }
Value RuleBuilder::mul(Value a, Value b) { return make<MulOp>(a, b); }
Value RuleBuilder::div(Value a, Value b) { return make<DivOp>(a, b); }
Value RuleBuilder::neg(Value x) { return make<NegOp>(x); }

Value RuleBuilder::compare(ComparePredicate predicate, Value a, Value b) {
  return make<CompareOp>(withElementType(typeOf(a), builder.getI1Type()), a, b, predicate);
}

Value RuleBuilder::select(Value condition, Value a, Value b) {
  return make<SelectOp>(a.getType(), condition, a, b);
}

Value RuleBuilder::castTo(Value x, Type element) {
  RankedTensorType type = typeOf(x);
  if (type.getElementType() == element)
    return x;
  return make<CastOp>(withElementType(type, element), x, /*saturate=*/true);
}

Value RuleBuilder::reshape(Value x, RankedTensorType type) {
  return x.getType() == type ? x : make<ReshapeOp>(type, x).getY();
}

Value RuleBuilder::reshape(Value x, ArrayRef<DimAttr> dims) {
  return reshape(x, makeTensorType(dims, typeOf(x).getElementType()));
}

Value RuleBuilder::transpose(Value x, ArrayRef<int64_t> permutation) {
  if (llvm::equal(permutation, llvm::seq<int64_t>(0, permutation.size())))
    return x;
  return make<TransposeOp>(x, permutation);
}

Value RuleBuilder::broadcast(Value x, RankedTensorType type, ArrayRef<int64_t> axes) {
  return x.getType() == type ? x : make<BroadcastOp>(type, x, axes).getY();
}

Value RuleBuilder::reduce(ReduceKind kind, Value x, ArrayRef<int64_t> axes, bool keepDims) {
  return axes.empty() ? x : make<ReduceOp>(x, kind, axes, keepDims).getY();
}

Value RuleBuilder::slice(Value x, int64_t axis, DimAttr start, DimAttr count) {
  SmallVector<DimAttr> sizes = getDims(x), starts(sizes.size(), constant(0));
  if (sizes[axis] == count && dim::isConstant(start, 0))
    return x;
  SmallVector<int64_t> steps(sizes.size(), 1);
  starts[axis] = start;
  sizes[axis] = count;
  return make<SliceOp>(x, DimsAttr::get(context(), starts), DimsAttr::get(context(), sizes), steps);
}

Value RuleBuilder::pad(Value x, int64_t axis, DimAttr low, DimAttr high) {
  if (dim::isConstant(low, 0) && dim::isConstant(high, 0))
    return x;
  RankedTensorType type = typeOf(x);
  SmallVector<DimAttr> lows(type.getRank(), constant(0)), highs(lows);
  lows[axis] = low;
  highs[axis] = high;
  Value zero = createSplat(builder, loc, RankedTensorType::get({}, type.getElementType()), 0);
  return make<PadOp>(x, zero, DimsAttr::get(context(), lows), DimsAttr::get(context(), highs),
                     PadMode::constant);
}

Value RuleBuilder::reverse(Value x, int64_t axis) {
  SmallVector<DimAttr> sizes = getDims(x), starts(sizes.size(), constant(0));
  SmallVector<int64_t> steps(sizes.size(), 1);
  starts[axis] = dim::sub(sizes[axis], constant(1));
  steps[axis] = -1;
  return make<SliceOp>(x, DimsAttr::get(context(), starts), DimsAttr::get(context(), sizes), steps);
}

Value RuleBuilder::spread(Value reduced, ArrayRef<int64_t> axes, Value like) {
  RankedTensorType type = typeOf(like);
  SmallVector<int64_t> kept = axesBut(type.getRank(), axes);
  SmallVector<DimAttr> dims = getDims(like), keptDims;
  for (int64_t axis : kept)
    keptDims.push_back(dims[axis]);
  return broadcast(reshape(reduced, keptDims), withElementType(type, typeOf(reduced).getElementType()), kept);
}

Value RuleBuilder::along(Value vector, int64_t axis, Value like) {
  return broadcast(vector, withElementType(typeOf(like), typeOf(vector).getElementType()), axis);
}

Value RuleBuilder::number(DimAttr dim, Value like) {
  RankedTensorType type = typeOf(like);
  if (std::optional<int64_t> known = dim::asConstant(dim))
    return splat(like, double(*known));
  Value size = make<FromDimsOp>(RankedTensorType::get({}, builder.getI64Type()),
                                DimsAttr::get(context(), ArrayRef<DimAttr>(dim)));
  return broadcast(castTo(size, type.getElementType()), type, {});
}

} // namespace torsh::gradients
