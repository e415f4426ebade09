//===-- TestRegionPool.cpp - Pooling over boxes -------------------------------------------------------------===//
#include "test/unit/reference/Harness.h"

using namespace torsh;
using namespace torsh::test;

namespace {

/// x is a 1 x 3 x 4 x 1 ramp: 0 1 2 3 / 4 5 6 7 / 8 9 10 11.
Tensor align(Floats box, std::string options, std::string cells = "1x1") {
  std::string result = "tensor<1x" + cells + "x1xf32>";
  return eval("torsh.roi_align %a, %b, %c " + options +
                  " : (tensor<1x3x4x1xf32>, tensor<1x4xf32>, tensor<1xi64>) -> " + result,
              result, {ramp({1, 3, 4, 1}), floats({1, 4}, box), ints({1}, {0})});
}

Tensor pool(Floats box, std::string cells) {
  std::string result = "tensor<1x" + cells + "x1xf32>";
  return eval("torsh.roi_max_pool %a, %b scale = 1.0 : (tensor<1x3x4x1xf32>, tensor<1x5xf32>) -> " + result,
              result, {ramp({1, 3, 4, 1}), floats({1, 5}, box)});
}

} // namespace

TEST_CASE("roi_align samples a linear image exactly") {
  // One sample in the middle of the box: x = 1.5, y = 1 gives 4 * 1 + 1.5.
  expectFloats(align({1, 0, 2, 2}, "scale = 1.0 offset = 0.0 samples = 1"), {1, 1, 1, 1}, {5.5});
  // Half a pixel further to the top left.
  expectFloats(align({1, 1, 2, 2}, "scale = 1.0 offset = 0.5 samples = 1"), {1, 1, 1, 1}, {5});
  expectFloats(align({2, 0, 4, 4}, "scale = 0.5 offset = 0.0 samples = 2"), {1, 1, 1, 1}, {5.5});
  // Two cells in width, whose centers are 1 apart.
  expectFloats(align({0, 1, 2, 2}, "scale = 1.0 offset = 0.0 samples = 1", "1x2"), {1, 1, 2, 1}, {6.5, 7.5});
}

TEST_CASE("roi_align takes as many samples as a cell has elements") {
  // 2 x 2 samples at 0.5 and 1.5: their mean is that of the middle.
  expectFloats(align({0, 0, 2, 2}, "scale = 1.0 offset = 0.0 samples = 0"), {1, 1, 1, 1}, {5});
  // A box without extent has one element at least, or no samples where that is not asked for.
  expectFloats(align({1, 1, 1, 1}, "scale = 1.0 offset = 0.0 samples = 0"), {1, 1, 1, 1}, {7.5});
  expectFloats(align({1, 1, 1, 1}, "scale = 1.0 offset = 0.5 samples = 0"), {1, 1, 1, 1}, {0});
}

TEST_CASE("roi_align outside of the image") {
  // All samples are more than one element away.
  expectFloats(align({10, 10, 12, 12}, "scale = 1.0 offset = 0.0 samples = 2"), {1, 1, 1, 1}, {0});
  // Up to one element away the border is repeated.
  expectFloats(align({-1, 0, 0, 1}, "scale = 1.0 offset = 0.0 samples = 1"), {1, 1, 1, 1}, {2});
}

TEST_CASE("roi_align's maximum is over weighted neighbours") {
  // The sample at (1.5, 0.5) has 1, 2, 5 and 6 around it, each with weight 1/4.
  expectFloats(align({1, 0, 2, 1}, "scale = 1.0 offset = 0.0 samples = 1 {maximum = true}"), {1, 1, 1, 1},
               {1.5});
}

TEST_CASE("roi_max_pool splits boxes into cells that may overlap") {
  expectFloats(pool({0, 0, 0, 3, 2}, "1x2"), {1, 1, 2, 1}, {9, 11});
  // Three columns in two cells: 0 to 1 and 1 to 2.
  expectFloats(pool({0, 0, 0, 2, 0}, "1x2"), {1, 1, 2, 1}, {1, 2});
  // Corners are rounded and part of the box.
  expectFloats(pool({0, 0.6, 0.4, 1.4, 0.4}, "1x1"), {1, 1, 1, 1}, {1});
  expectFloats(pool({0, 9, 9, 12, 12}, "1x1"), {1, 1, 1, 1}, {0});
}

TEST_CASE("an image number out of range is clamped") {
  std::string op = "torsh.roi_max_pool %a, %b scale = 1.0 : (tensor<2x1x1x1xf32>, tensor<3x5xf32>) -> "
                   "tensor<3x1x1x1xf32>";
  Tensor boxes = floats({3, 5}, {-4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 99, 0, 0, 0, 0});
  expectFloats(eval(op, "tensor<3x1x1x1xf32>", {floats({2, 1, 1, 1}, {10, 20}), boxes}), {3, 1, 1, 1},
               {10, 20, 20});
}
