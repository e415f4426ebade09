//===-- ShapeFolding.cpp - Folders and canonical forms of ops that move elements ------------------------===//
//
// Identities disappear, small constants are moved at once, and weights take the move as a step of their
// recipe.
//
//===----------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Splat.h"
#include "dialects/torsh/Torsh.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace torsh {

/// 0, 1, 2, ...
static bool isIdentity(ArrayRef<int64_t> list) {
  return llvm::all_of(llvm::enumerate(list),
                      [](auto pair) { return pair.value() == static_cast<int64_t>(pair.index()); });
}

static WeightAttr appendStep(WeightAttr weight, StringRef kind, ArrayRef<int64_t> ints,
                             RankedTensorType type) {
  MLIRContext *context = weight.getContext();
  return weight.append(
      WeightStepAttr::get(context, StringAttr::get(context, kind), ints, StringAttr::get(context, ""), type));
}

//===-- broadcast
//--------------------------------------------------------------------------------------------===//

OpFoldResult BroadcastOp::fold(FoldAdaptor adaptor) {
  // broadcast to the operand's own type -> x
  if (getX().getType() == getY().getType() && isIdentity(getAxes()))
    return getX();
  auto dense = dyn_cast_or_null<DenseElementsAttr>(adaptor.getX());
  if (dense && dense.isSplat() && getY().getType().hasStaticShape())
    return resizeSplat(dense, getY().getType());
  return {};
}

//===-- reshape
//----------------------------------------------------------------------------------------------===//

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  RankedTensorType type = getY().getType();
  // reshape to the operand's own type -> x
  if (getX().getType() == type)
    return getX();
  if (!type.hasStaticShape())
    return {};
  if (auto dense = dyn_cast_or_null<DenseElementsAttr>(adaptor.getX()))
    return dense.isSplat() ? resizeSplat(dense, type) : dense.reshape(type);
  if (auto weight = dyn_cast_or_null<WeightAttr>(adaptor.getX()))
    return appendStep(weight, "reshape", type.getShape(), type);
  return {};
}

namespace {

/// reshape(reshape(x)) -> reshape(x)
struct MergeReshapes : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<ReshapeOp>();
    if (!inner)
      return failure();
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getY().getType(), inner.getX());
    return success();
  }
};

/// transpose(transpose(x)) -> transpose(x)
struct MergeTransposes : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<TransposeOp>();
    if (!inner)
      return failure();
    SmallVector<int64_t> permutation;
    for (int64_t axis : op.getPermutation())
      permutation.push_back(inner.getPermutation()[axis]);
    rewriter.replaceOpWithNewOp<TransposeOp>(op, op.getY().getType(), inner.getX(), permutation);
    return success();
  }
};

} // namespace

void ReshapeOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<MergeReshapes>(context);
}

//===-- transpose
//--------------------------------------------------------------------------------------------===//

/// The elements of a small constant in the order of the result.
static DenseElementsAttr transposeDense(DenseElementsAttr value, ArrayRef<int64_t> permutation,
                                        RankedTensorType type) {
  ArrayRef<int64_t> shape = cast<ShapedType>(value.getType()).getShape();
  SmallVector<int64_t> strides(shape.size(), 1), index(shape.size(), 0);
  for (int64_t i = static_cast<int64_t>(shape.size()) - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * shape[i + 1];
  SmallVector<Attribute> source(value.getValues<Attribute>()), result;
  for (size_t count = 0; count < source.size(); ++count) {
    int64_t offset = 0;
    for (auto [axis, position] : llvm::zip(permutation, index))
      offset += strides[axis] * position;
    result.push_back(source[offset]);
    for (int64_t i = static_cast<int64_t>(index.size()) - 1; i >= 0 && ++index[i] == type.getDimSize(i); --i)
      index[i] = 0;
  }
  return DenseElementsAttr::get(type, result);
}

OpFoldResult TransposeOp::fold(FoldAdaptor adaptor) {
  RankedTensorType type = getY().getType();
  // transpose with the identity -> x
  if (isIdentity(getPermutation()) && getX().getType() == type)
    return getX();
  if (!type.hasStaticShape())
    return {};
  if (auto dense = dyn_cast_or_null<DenseElementsAttr>(adaptor.getX()))
    return dense.isSplat() ? resizeSplat(dense, type) : transposeDense(dense, getPermutation(), type);
  if (auto weight = dyn_cast_or_null<WeightAttr>(adaptor.getX()))
    return appendStep(weight, "transpose", getPermutation(), type);
  return {};
}

void TransposeOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<MergeTransposes>(context);
}

//===-- slice, concat, from_dims
//-----------------------------------------------------------------------------===//

OpFoldResult SliceOp::fold(FoldAdaptor adaptor) {
  RankedTensorType type = getY().getType();
  bool fromStart =
      llvm::all_of(getStarts().getDims(), [](DimAttr start) { return dim::isConstant(start, 0); });
  bool dense = llvm::all_of(getSteps(), [](int64_t step) { return step == 1; });
  // slice of everything -> x
  if (getX().getType() == type && fromStart && dense)
    return getX();
  auto value = dyn_cast_or_null<DenseElementsAttr>(adaptor.getX());
  if (value && value.isSplat() && type.hasStaticShape())
    return resizeSplat(value, type);
  return {};
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  // concat(x) -> x
  if (getXs().size() == 1 && getXs().front().getType() == getY().getType())
    return getXs().front();
  return {};
}

OpFoldResult FromDimsOp::fold(FoldAdaptor) {
  std::optional<SmallVector<int64_t>> values = getDims().getConstants();
  RankedTensorType type = getY().getType();
  unsigned width = type.getElementTypeBitWidth();
  // A non-splat constant of more than 1 KiB would have to be a weight.
  if (!values || values->size() * width > 8 * 1024)
    return {};
  SmallVector<APInt> elements;
  for (int64_t value : *values)
    elements.push_back(APInt(64, value, /*isSigned=*/true).sextOrTrunc(width));
  return DenseElementsAttr::get(type, elements);
}

} // namespace torsh
