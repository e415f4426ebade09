//===-- Resize.cpp - Verifier of resize -----------------------------------------------------------------===//
#include "dialects/torsh/Torsh.h"

using namespace mlir;

namespace torsh {

LogicalResult ResizeOp::verify() {
  int64_t rank = getX().getType().getRank();
  if (getY().getType().getRank() != rank || static_cast<int64_t>(getScales().size()) != rank)
    return emitOpError("resize_c1: x has rank ") << rank << ", y has rank " << getY().getType().getRank()
                                                 << ", there are " << getScales().size() << " scales";
  if (getX().getType().getElementType() != getY().getType().getElementType())
    return emitOpError("resize_c2: x and y have one element type");
  for (double scale : getScales())
    if (!(scale >= 0))
      return emitOpError("resize_c3: scales are not negative");
  return success();
}

} // namespace torsh
