//===-- Plan.cpp - Verifiers of the host plan ---------------------------------------------------------------===//
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"

using namespace mlir;

namespace torsh {

LogicalResult UnpackOp::verify() {
  auto from = cast<RankedTensorType>(getX().getType()), to = cast<RankedTensorType>(getY().getType());
  // Panels of pairs have one dim more: [.., panels, k / 2, p, 2].
  bool pairs = from.getRank() == to.getRank() + 2;
  bool fits = from.getRank() >= (pairs ? 4 : 3) && (pairs || to.getRank() == from.getRank() - 1) &&
              from.hasStaticShape() && to.hasStaticShape() && (!pairs || from.getShape().back() == 2) &&
              (from.getElementType() == to.getElementType() ||
               (from.getElementType().isBF16() && to.getElementType().isF32()));
  if (fits) {
    ArrayRef<int64_t> x = from.getShape().drop_back(pairs), y = to.getShape();
    int64_t panel = x.back(), panels = x[x.size() - 3], k = x[x.size() - 2] * (pairs ? 2 : 1);
    fits = x.drop_back(3) == y.drop_back(2) && y[y.size() - 2] == k && panel > 0 &&
           (y.back() + panel - 1) / panel == panels;
  }
  if (!fits)
    return emitOpError("unpack_c1: the result must be the matrix of the operand's panels");
  return success();
}

} // namespace torsh
