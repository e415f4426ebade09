//===-- Window.h - Sliding windows of convolution and pooling
//-----------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_REFERENCE_WINDOW_H
#define TORSH_DIALECTS_TORSH_REFERENCE_WINDOW_H

#include "dialects/torsh/reference/Call.h"

namespace torsh::reference {

/// A window over the spatial dims: one entry a dim in each list.
struct Window {
  llvm::ArrayRef<int64_t> size, strides, dilations, low, high;

  /// The error of lists of another length than `rank`, or of values that no model needs (beyond 31 bits), so
  /// that no sum or product below can overflow.
  llvm::Error check(const Call &call, int64_t rank) const;
  /// The number of positions in dim `dim` of size `input`, or the error of an input that is too small.
  llvm::Expected<int64_t> numPositions(const Call &call, int64_t dim, int64_t input, bool ceilMode) const;
  /// The input index under element 0 of the window at a position. It may lie in the padding.
  int64_t start(int64_t dim, int64_t position) const { return position * strides[dim] - low[dim]; }
};

/// A half-open range of window elements.
struct WindowRange {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};
/// The elements k of the window for which first <= start + k * dilation < last. Empty ranges are 0..0.
WindowRange elementsInside(const Window &window, int64_t dim, int64_t position, int64_t first, int64_t last);

/// Positions of the batch, channel and spatial dims of a layout.
struct LayoutView {
  int64_t channel, firstSpatial;
  explicit LayoutView(Layout layout, int64_t rank)
      : channel(layout == Layout::channels_first ? 1 : rank - 1),
        firstSpatial(layout == Layout::channels_first ? 2 : 1) {}
  /// A shape of batch, channels and spatial sizes in the order of the layout.
  llvm::SmallVector<int64_t> shape(int64_t batch, int64_t channels, llvm::ArrayRef<int64_t> spatial) const;
};

} // namespace torsh::reference

#endif // TORSH_DIALECTS_TORSH_REFERENCE_WINDOW_H
