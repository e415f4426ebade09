//===-- SpatialDims.h - Where batch, channel and spatial dims lie, and how many windows fit -------------===//
#ifndef TORSH_DIALECTS_TORSH_SPATIALDIMS_H
#define TORSH_DIALECTS_TORSH_SPATIALDIMS_H

#include "dialects/torsh/Dim.h"

namespace torsh {

/// Dim positions of a spatial op of a given rank (batch + channel + spatial dims).
class SpatialDims {
public:
  SpatialDims(Layout layout, size_t rank) : last(layout == Layout::channels_last), rank(rank) {}

  bool isChannelsLast() const { return last; }
  size_t numSpatial() const { return rank - 2; }
  size_t channel() const { return last ? rank - 1 : 1; }
  size_t spatial(size_t index) const { return index + (last ? 1 : 2); }
  /// Positions in the filter of a convolution: [O, C/groups, spatial...] or [spatial..., C/groups, O].
  size_t filterOutputs() const { return last ? rank - 1 : 0; }
  size_t filterInputs() const { return last ? rank - 2 : 1; }
  size_t filterSpatial(size_t index) const { return index + (last ? 0 : 2); }

private:
  bool last;
  size_t rank;
};

/// The size of a dim with its padding.
inline DimAttr paddedExtent(DimAttr size, int64_t low, int64_t high) {
  return dim::add(size, dim::constant(size.getContext(), low + high));
}

/// floor((extent - dilation * (window - 1) - 1) / stride) + 1, with ceil instead of floor when `ceilMode`.
inline DimAttr windowCount(DimAttr extent, DimAttr window, int64_t stride, int64_t dilation,
                           bool ceilMode = false) {
  mlir::MLIRContext *context = extent.getContext();
  DimAttr one = dim::constant(context, 1), step = dim::constant(context, stride);
  DimAttr reach = dim::mul(dim::sub(window, one), dim::constant(context, dilation));
  DimAttr room = dim::sub(dim::sub(extent, reach), one);
  return dim::add(ceilMode ? dim::ceilDiv(room, step) : dim::floorDiv(room, step), one);
}

} // namespace torsh

#endif // TORSH_DIALECTS_TORSH_SPATIALDIMS_H
