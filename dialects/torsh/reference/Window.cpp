//===-- Window.cpp - Sliding windows of convolution and pooling
//---------------------------------------------===//
#include "dialects/torsh/reference/Window.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace torsh::reference {

Error Window::check(const Call &call, int64_t rank) const {
  for (ArrayRef<int64_t> list : {size, strides, dilations, low, high})
    if (int64_t(list.size()) != rank)
      return call.misfit("the window's lists must have one entry for each of the " + Twine(rank) +
                         " spatial dims");
  auto isPositive = [](int64_t value) { return value >= 1 && value <= INT32_MAX; };
  auto isSmall = [](int64_t value) { return std::abs(value) <= INT32_MAX; };
  // A window of size 0 has no elements; the sizes come from a weight's shape and may be 0.
  if (!all_of(size, [&](int64_t value) { return value == 0 || isPositive(value); }) ||
      !all_of(strides, isPositive) || !all_of(dilations, isPositive) || !all_of(low, isSmall) ||
      !all_of(high, isSmall))
    return call.misfit(
        "window sizes, strides and dilations must be positive and, as the padding, fit 31 bits");
  return Error::success();
}

Expected<int64_t> Window::numPositions(const Call &call, int64_t dim, int64_t input, bool ceilMode) const {
  int64_t slack = input + low[dim] + high[dim] - dilations[dim] * (size[dim] - 1) - 1;
  int64_t positions =
      (ceilMode ? divideCeilSigned(slack, strides[dim]) : divideFloorSigned(slack, strides[dim])) + 1;
  // With ceil_mode the last window must start inside the input or its low padding.
  if (ceilMode)
    positions = std::min(positions, divideCeilSigned(input + low[dim], strides[dim]));
  if (positions < 0)
    return call.misfit("spatial dim " + Twine(dim) + " of size " + Twine(input) +
                       " is smaller than the window even with its padding");
  return positions;
}

WindowRange elementsInside(const Window &window, int64_t dim, int64_t position, int64_t first, int64_t last) {
  int64_t start = window.start(dim, position), dilation = window.dilations[dim];
  int64_t begin = std::max<int64_t>(divideCeilSigned(first - start, dilation), 0);
  int64_t end = std::min<int64_t>(divideCeilSigned(last - start, dilation), window.size[dim]);
  return begin < end ? WindowRange{begin, end} : WindowRange{0, 0};
}

SmallVector<int64_t> LayoutView::shape(int64_t batch, int64_t channels, ArrayRef<int64_t> spatial) const {
  SmallVector<int64_t> result = {batch};
  if (channel == 1 && firstSpatial == 2)
    result.push_back(channels);
  result.append(spatial.begin(), spatial.end());
  if (firstSpatial == 1)
    result.push_back(channels);
  return result;
}

} // namespace torsh::reference
