//===-- Gradient.cpp - Derivatives that a model asks for --------------------------------------------------------===//
#include "dialects/torsh/Gradient.h"

using namespace mlir;

#define GET_OP_CLASSES
#include "dialects/torsh/Gradient.cpp.inc"

namespace torsh {

LogicalResult GradientOp::verify() {
  if (getXs().size() != getDxs().size())
    return emitOpError("gradient_c1: ")
           << getXs().size() << " operands, but " << getDxs().size() << " results";
  for (auto [x, dx] : llvm::zip_equal(getXs(), getDxs()))
    if (!typesMayBeEqual(TypeRange{x.getType()}, TypeRange{dx.getType()}))
      return emitOpError("gradient_c1: the derivative by ") << x.getType() << " is " << dx.getType();
  return success();
}

} // namespace torsh
