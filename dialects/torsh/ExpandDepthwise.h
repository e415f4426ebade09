//===-- ExpandDepthwise.h - A pointwise convolution and the depthwise one that reads it -----------------------===//
//
// Mobile networks widen an image by a 1 x 1 convolution, filter each channel, and narrow it again. The wide image is the
// network's largest value. One kernel can compute its rows just before they are filtered and keep the last ones only.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_EXPANDDEPTHWISE_H
#define TORSH_DIALECTS_TORSH_EXPANDDEPTHWISE_H

#include "dialects/torsh/Torsh.h"
#include "llvm/ADT/SetVector.h"

namespace torsh {

/// Channels-last and in f32; all sizes but that of the batch are known.
struct ExpandDepthwise {
  ConvOp wide;                                             ///< 1 x 1, of packed weights
  UnpackOp weights;                                        ///< those of `wide`
  llvm::SmallSetVector<mlir::Operation *, 16> between;     ///< elementwise, from `wide` to `filter`
  ConvOp filter;                                           ///< depthwise
  int64_t height = 0, width = 0, inputs = 0, channels = 0; ///< of `wide`

  /// Bytes of the value between the convolutions, for one image.
  int64_t bytesBetween() const { return height * width * channels * 4; }
  /// Rows of that value that a row of the result reads, rounded to a power of two.
  int64_t rowsOfRing() const;
  /// Rows of the result.
  int64_t rows() const;
  /// Rows of the result that a tile computes for its channels. What they read of the input fits the second-level cache,
  /// where the tiles of the other channels find it.
  int64_t rowsOfBand() const;
};

/// What one kernel can compute together with a depthwise convolution: nobody else reads any of it.
std::optional<ExpandDepthwise> matchExpandDepthwise(ConvOp filter);

} // namespace torsh

#endif // TORSH_DIALECTS_TORSH_EXPANDDEPTHWISE_H
