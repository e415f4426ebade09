//===-- Random.cpp - Verifiers of random numbers --------------------------------------------------------===//
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"

using namespace mlir;

namespace torsh {

static LogicalResult verifyState(Operation *op, Value state, StringRef label) {
  SmallVector<DimAttr> dims = getDims(state);
  if (dims.size() != 1 || !dim::isConstant(dims[0], 2))
    return op->emitOpError(label) << ": state has the shape [2], not " << state.getType();
  return success();
}

LogicalResult RandomUniformOp::verify() { return verifyState(*this, getState(), "random_uniform_c1"); }

LogicalResult RandomNormalOp::verify() { return verifyState(*this, getState(), "random_normal_c1"); }

} // namespace torsh
