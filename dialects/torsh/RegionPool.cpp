//===-- RegionPool.cpp - Pooling over boxes of a feature map ------------------------------------------------===//
#include "dialects/torsh/RegionPool.h"
#include "dialects/torsh/Dim.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;

#define GET_OP_CLASSES
#include "dialects/torsh/RegionPool.cpp.inc"

namespace torsh {
namespace {

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// Whether two sizes are the same, as far as both are known.
bool mayAgree(DimAttr a, DimAttr b) {
  auto known = dim::asConstant(a), other = dim::asConstant(b);
  return !known || !other || *known == *other;
}

/// Whether y [R, h, w, C] can be what boxes [R, `width`] take from x [N, H, W, C].
bool fits(Value x, Value rois, Value y, int64_t width) {
  if (typeOf(x).getRank() != 4 || typeOf(rois).getRank() != 2 || typeOf(y).getRank() != 4)
    return false;
  SmallVector<DimAttr> from = getDims(x), boxes = getDims(rois), to = getDims(y);
  return mayAgree(boxes[1], dim::constant(x.getContext(), width)) && mayAgree(boxes[0], to[0]) &&
         mayAgree(from[3], to[3]);
}

bool haveOneType(Value x, Value rois, Value y) {
  return typeOf(x).getElementType() == typeOf(rois).getElementType() &&
         typeOf(x).getElementType() == typeOf(y).getElementType();
}

} // namespace

LogicalResult RoiAlignOp::verify() {
  bool images = typeOf(getImages()).getRank() == 1 && typeOf(getRois()).getRank() == 2 &&
                mayAgree(getDims(getImages())[0], getDims(getRois())[0]);
  if (!images || !fits(getX(), getRois(), getY(), 4))
    return emitOpError("roi_align_c1: x must be [N, H, W, C], rois [R, 4], images [R] and y [R, h, w, C]");
  if (!haveOneType(getX(), getRois(), getY()))
    return emitOpError("roi_align_c2: x, rois and y must have one element type");
  if (static_cast<int64_t>(getSamples()) < 0)
    return emitOpError("roi_align_c3: samples must not be negative");
  return success();
}

LogicalResult RoiMaxPoolOp::verify() {
  if (!fits(getX(), getRois(), getY(), 5))
    return emitOpError("roi_max_pool_c1: x must be [N, H, W, C], rois [R, 5] and y [R, h, w, C]");
  if (!haveOneType(getX(), getRois(), getY()))
    return emitOpError("roi_max_pool_c2: x, rois and y must have one element type");
  return success();
}

} // namespace torsh
