//===-- SliceBounds.cpp - The start and size of a slice
//-----------------------------------------------------===//
#include "dialects/torsh/import/SliceBounds.h"

namespace torsh {

/// A bound in [least, most] with negative values counted from the end.
static std::optional<DimAttr> clampBound(DimUnifier &dims, DimAttr bound, DimAttr size, int64_t least,
                                         DimAttr most) {
  mlir::MLIRContext *context = bound.getContext();
  // Sentinels for "the end" must not take part in arithmetic.
  if (auto value = dim::asConstant(bound)) {
    if (*value >= INT32_MAX)
      return most;
    if (*value <= INT32_MIN)
      return dim::constant(context, least);
  }
  if (auto value = dim::asConstant(bound); value && *value < 0)
    bound = dim::add(bound, size);
  else if (!dims.isNonNegative(bound)) {
    // An expression like n - 4 is meant as a position in the dim; a negative one would count from the end.
    // When it cannot be told, it is only accepted if it is certainly negative.
    if (dims.isNonNegative(dim::neg(bound)))
      bound = dim::add(bound, size);
    else
      return std::nullopt;
  }
  return dims.max(dim::constant(context, least), dims.min(bound, most));
}

std::optional<SymbolicSlice> clampSlice(DimUnifier &dims, DimAttr start, DimAttr end, int64_t step,
                                        DimAttr size) {
  mlir::MLIRContext *context = size.getContext();
  DimAttr zero = dim::constant(context, 0), one = dim::constant(context, 1), last = dim::sub(size, one);
  if (step > 0) {
    auto from = clampBound(dims, start, size, 0, size), to = clampBound(dims, end, size, 0, size);
    if (!from || !to)
      return std::nullopt;
    DimAttr span = dims.max(zero, dim::sub(*to, *from));
    return SymbolicSlice{*from, step == 1 ? span : dim::ceilDiv(span, dim::constant(context, step))};
  }
  auto from = clampBound(dims, start, size, 0, last), to = clampBound(dims, end, size, -1, last);
  if (!from || !to || step < -INT32_MAX)
    return std::nullopt;
  DimAttr span = dims.max(zero, dim::sub(*from, *to));
  return SymbolicSlice{*from, step == -1 ? span : dim::ceilDiv(span, dim::constant(context, -step))};
}

} // namespace torsh
