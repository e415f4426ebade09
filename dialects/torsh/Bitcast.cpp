//===-- Bitcast.cpp - Bits of one element type read as another --------------------------------------------------===//
#include "dialects/torsh/Bitcast.h"

using namespace mlir;

#define GET_OP_CLASSES
#include "dialects/torsh/Bitcast.cpp.inc"

namespace torsh {

/// Bits of an element in memory: a boolean takes a byte.
static unsigned storedWidth(Type element) {
  return element.isInteger(1) ? 8 : element.getIntOrFloatBitWidth();
}

LogicalResult BitcastOp::verify() {
  Type from = cast<RankedTensorType>(getX().getType()).getElementType();
  Type to = cast<RankedTensorType>(getY().getType()).getElementType();
  if (storedWidth(from) != storedWidth(to))
    return emitOpError("bitcast_c1: ") << from << " and " << to << " differ in width";
  return success();
}

} // namespace torsh
