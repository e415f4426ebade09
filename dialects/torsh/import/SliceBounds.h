//===-- SliceBounds.h - The start and size of a slice
//-------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_IMPORT_SLICEBOUNDS_H
#define TORSH_DIALECTS_TORSH_IMPORT_SLICEBOUNDS_H

#include "dialects/torsh/import/DimUnifier.h"
#include <algorithm>
#include <cstdint>

namespace torsh {

struct StaticSlice {
  int64_t start, size;
};

/// ONNX Slice on a dim of known size: negative bounds count from the end, then both are clamped.
inline StaticSlice clampSlice(int64_t start, int64_t end, int64_t step, int64_t size) {
  // Bounds like INT64_MIN stand for "as far as possible", so nothing is added to them without a check.
  auto wrap = [&](int64_t bound) { return bound >= 0 ? bound : bound < -size ? int64_t(-1) : bound + size; };
  bool startBelow = start < -size, endBelow = end < -size;
  start = startBelow ? 0 : std::min(wrap(start), step > 0 ? size : size - 1);
  if (step > 0) {
    end = endBelow ? 0 : std::min(wrap(end), size);
    return {start, std::max<int64_t>(0, end > start ? (end - start - 1) / step + 1 : 0)};
  }
  end = endBelow ? -1 : std::min(wrap(end), size - 1);
  uint64_t stride = uint64_t(0) - uint64_t(step);
  return {start, start > end ? int64_t(uint64_t(start - end - 1) / stride + 1) : 0};
}

struct SymbolicSlice {
  DimAttr start, size;
};

/// The same where sizes or bounds are expressions; none when the sign of a bound is not known.
std::optional<SymbolicSlice> clampSlice(DimUnifier &dims, DimAttr start, DimAttr end, int64_t step,
                                        DimAttr size);

} // namespace torsh

#endif // TORSH_DIALECTS_TORSH_IMPORT_SLICEBOUNDS_H
