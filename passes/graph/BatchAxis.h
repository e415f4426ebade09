//===-- BatchAxis.h - Whether a fusion group computes each image by itself ----------------------------------===//
//
// The leading dim of a value is a batch when element i of it depends on element i of the operands alone. Then the group
// can run once an image, on types whose leading dim is 1.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_PASSES_GRAPH_BATCHAXIS_H
#define TORSH_PASSES_GRAPH_BATCHAXIS_H

#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"

namespace torsh {

/// How a value holds the images of a batch.
enum class BatchForm {
  None,    ///< it does not: every image reads the whole value
  Leading, ///< the leading dim counts images
  Tiles,   ///< dim 1 counts the Winograd tiles of all images, which are not contiguous for one image
};

/// The forms of all values of a group's body. None when the group does not compute each of `images` by itself.
std::optional<llvm::DenseMap<mlir::Value, BatchForm>> findBatch(GroupOp group, DimAttr images);

/// The type of one image's part, null when `images` do not divide it.
mlir::RankedTensorType imageType(mlir::RankedTensorType type, BatchForm form, DimAttr images);

} // namespace torsh

#endif // TORSH_PASSES_GRAPH_BATCHAXIS_H
