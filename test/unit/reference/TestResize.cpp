//===-- TestResize.cpp - Resampling
//-------------------------------------------------------------------------===//
#include "test/unit/reference/Harness.h"
#include <cmath>

using namespace torsh;
using namespace torsh::test;

static Tensor resize(const char *mode, const char *coordinates, double scale, int64_t size,
                     const Floats &values, const char *attributes = "") {
  std::string from = "tensor<" + std::to_string(values.size()) + "xf32>",
              to = "tensor<" + std::to_string(size) + "xf32>";
  std::string number = std::to_string(scale);
  return eval(std::string("torsh.resize ") + mode + " %a scales = [" + number +
                  "] coordinates = " + coordinates + " " + attributes + " : (" + from + ") -> " + to,
              to, {floats({int64_t(values.size())}, values)});
}

TEST_CASE("nearest resampling in every rounding") {
  const Floats x = {0, 1, 2, 3};
  expectFloats(resize("nearest", "asymmetric", 2, 8, x, "{nearest = #torsh<nearest_mode floor>}"), {8},
               {0, 0, 1, 1, 2, 2, 3, 3});
  // Coordinates 0, 2/1, ... at scale 0.5.
  expectFloats(resize("nearest", "asymmetric", 0.5, 2, x), {2}, {0, 2});
  // Half-pixel coordinates -0.25 0.25 0.75 ...; ties do not occur.
  expectFloats(resize("nearest", "half_pixel", 2, 8, x), {8}, {0, 0, 1, 1, 2, 2, 3, 3});
  // Coordinates 0 0.5 1 1.5: the halves tell the modes apart.
  expectFloats(resize("nearest", "asymmetric", 2, 4, {0, 1}), {4}, {0, 0, 1, 1});
  expectFloats(
      resize("nearest", "asymmetric", 2, 4, {0, 1}, "{nearest = #torsh<nearest_mode round_prefer_ceil>}"),
      {4}, {0, 1, 1, 1});
  expectFloats(resize("nearest", "asymmetric", 2, 4, {0, 1}, "{nearest = #torsh<nearest_mode ceil>}"), {4},
               {0, 1, 1, 1});
  expectInts(eval("torsh.resize nearest %a scales = [1.0, 2.0] coordinates = asymmetric {nearest = "
                  "#torsh<nearest_mode floor>} : (tensor<2x1xi64>) -> tensor<2x2xi64>",
                  "tensor<2x2xi64>", {ints({2, 1}, {INT64_MIN, INT64_MAX})}),
             {2, 2}, {INT64_MIN, INT64_MIN, INT64_MAX, INT64_MAX});
}

TEST_CASE("linear resampling in every coordinate map") {
  const Floats x = {0, 10};
  expectFloats(resize("linear", "half_pixel", 2, 4, x), {4}, {0, 2.5, 7.5, 10});
  expectFloats(resize("linear", "asymmetric", 2, 4, x), {4}, {0, 5, 10, 10});
  expectFloats(resize("linear", "align_corners", 2, 4, x), {4}, {0, 10.0f / 3, 20.0f / 3, 10}, 1e-5);
  expectFloats(resize("linear", "align_corners", 0.5, 1, x), {1}, {0});
  // 4 * 0.6 = 2.4 is cut to 2 elements, which stand where they would in a length of 2.4.
  expectFloats(resize("linear", "align_corners", 0.6, 2, {0, 1, 2, 3}), {2}, {0, 3 / 1.4}, 1e-6);
  expectFloats(resize("linear", "pytorch_half_pixel", 0.5, 1, x), {1}, {0});
  expectFloats(resize("linear", "half_pixel", 0.5, 1, x), {1}, {5});
  // 4 * 0.6 = 2.4 is cut to 2 elements: coordinates are shifted to keep the center of the image.
  double first = 2 * (1 - 2 / 2.4) + 0.5 / 0.6 - 0.5, second = 2 * (1 - 2 / 2.4) + 1.5 / 0.6 - 0.5;
  expectFloats(resize("linear", "half_pixel_symmetric", 0.6, 2, {0, 1, 2, 3}), {2}, {first, second}, 1e-6);
}

TEST_CASE("linear resampling is separable") {
  expectFloats(eval("torsh.resize linear %a scales = [2.0, 1.0, 2.0] coordinates = align_corners : "
                    "(tensor<2x1x2xf32>) -> tensor<3x1x3xf32>",
                    "tensor<3x1x3xf32>", {floats({2, 1, 2}, {0, 2, 4, 6})}),
               {3, 1, 3}, {0, 1, 2, 2, 3, 4, 4, 5, 6});
}

/// The cubic kernel of Keys as the four weights around a fraction, written out.
static double cubic(const double *p, double t, double a) {
  auto near = [a](double s) { return (a + 2) * s * s * s - (a + 3) * s * s + 1; };
  auto far = [a](double s) { return a * s * s * s - 5 * a * s * s + 8 * a * s - 4 * a; };
  return p[0] * far(1 + t) + p[1] * near(t) + p[2] * near(1 - t) + p[3] * far(2 - t);
}

TEST_CASE("cubic resampling") {
  // Coordinates -0.25 0.25 0.75 1.25 ...; outside the border is repeated.
  const double padded[] = {1, 1, 1, 4, 9, 16, 16, 16};
  for (double a : {-0.75, -0.5}) {
    std::string attributes = "{cubic_coefficient = " + std::to_string(a) + " : f64}";
    Tensor y = resize("cubic", "half_pixel", 2, 8, {1, 4, 9, 16}, attributes.c_str());
    Floats expected;
    for (int i = 0; i < 8; ++i) {
      double x = (i + 0.5) / 2 - 0.5;
      int base = int(std::floor(x));
      expected.push_back(cubic(padded + 2 + base - 1, x - base, a));
    }
    expectFloats(y, {8}, expected, 1e-5);
  }
  // With exclude_outside the weights inside are scaled to the sum 1, so constants stay constant.
  expectFloats(resize("cubic", "half_pixel", 2, 6, {3, 3, 3}, "{exclude_outside = true}"), {6},
               {3, 3, 3, 3, 3, 3}, 1e-6);
}

TEST_CASE("antialiasing widens the kernel when shrinking") {
  // Scale 1/2: coordinate 0.5 and the triangle of width 2 around it: distances 1.5 0.5 0.5 1.5 at -1 0 1 2.
  expectFloats(resize("linear", "half_pixel", 0.5, 2, {0, 8, 16, 24}, "{antialias = true}"), {2},
               {(0 * 1 + 0 * 3 + 8 * 3 + 16 * 1) / 8.0, (8 + 16 * 3 + 24 * 3 + 24) / 8.0}, 1e-5);
  expectFloats(
      resize("linear", "half_pixel", 0.5, 2, {0, 8, 16, 24}, "{antialias = true, exclude_outside = true}"),
      {2}, {(0 * 3 + 8 * 3 + 16 * 1) / 7.0, (8 + 16 * 3 + 24 * 3) / 7.0}, 1e-5);
  // Growing, the kernel stays as it is.
  expectFloats(resize("linear", "half_pixel", 2, 4, {0, 10}, "{antialias = true}"), {4}, {0, 2.5, 7.5, 10});
}

TEST_CASE("hostile scales are refused or read the border") {
  Outcome wide = runOp("torsh.resize cubic %a scales = [1.0e-300] coordinates = asymmetric {antialias = "
                       "true} : (tensor<2xf32>) -> tensor<4xf32>",
                       "tensor<4xf32>", {ramp({2})});
  CHECK_THAT(wide.error, Catch::Contains("TSH-0402"));
  Outcome far = runOp("torsh.resize nearest %a scales = [1.0e-300] coordinates = asymmetric : "
                      "(tensor<2xf32>) -> tensor<3xf32>",
                      "tensor<3xf32>", {ramp({2})});
  REQUIRE(far.error == "");
  expectFloats(far.results[0], {3}, {0, 1, 1});
}
