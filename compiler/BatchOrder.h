//===-- BatchOrder.h - In which order a batch is computed ---------------------------------------------------===//
#ifndef TORSH_COMPILER_BATCHORDER_H
#define TORSH_COMPILER_BATCHORDER_H

namespace torsh {

/// Whether kernels run one after the other on all images of a batch, or in turn for each image.
enum class BatchOrder {
  Auto,   ///< image by image where values outgrow the cache
  Images, ///< image by image wherever it is possible
  Layers, ///< every kernel on the whole batch
};

} // namespace torsh

#endif // TORSH_COMPILER_BATCHORDER_H
