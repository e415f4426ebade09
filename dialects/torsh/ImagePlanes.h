//===-- ImagePlanes.h - Convolutions that read an image plane by plane --------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_IMAGEPLANES_H
#define TORSH_DIALECTS_TORSH_IMAGEPLANES_H

#include "dialects/torsh/Torsh.h"

namespace torsh {

/// Whether the kernel of a channels-last convolution also reads channels that are not neighbours in memory: the planes of
/// an image, few enough that every offset in a kernel row is a constant of the code.
inline bool mayReadPlanes(ConvOp op) {
  constexpr int64_t mostPlanes = 4, mostOfRow = 32;
  llvm::ArrayRef<int64_t> weights = llvm::cast<mlir::RankedTensorType>(op.getW().getType()).getShape();
  int64_t channels = weights[weights.size() - 2], columns = weights[weights.size() - 3];
  return op.getGroups() == 1 && channels > 0 && columns > 0 && channels <= mostPlanes &&
         channels * columns <= mostOfRow;
}

} // namespace torsh

#endif // TORSH_DIALECTS_TORSH_IMAGEPLANES_H
