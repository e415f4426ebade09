//===-- CumProd.cpp - Running products --------------------------------------------------------------------------===//
#include "dialects/torsh/CumProd.h"

using namespace mlir;

#define GET_OP_CLASSES
#include "dialects/torsh/CumProd.cpp.inc"

namespace torsh {

LogicalResult CumProdOp::verify() {
  int64_t axis = getAxis(), rank = cast<RankedTensorType>(getX().getType()).getRank();
  if (axis < 0 || axis >= rank)
    return emitOpError("cumprod_c1: axis ") << axis << " is out of range for rank " << rank;
  return success();
}

} // namespace torsh
