//===-- TestWinograd.cpp - Winograd's transforms are a convolution ------------------------------------------===//
#include "dialects/torsh/Winograd.h"
#include "test/unit/reference/Harness.h"

using namespace torsh;
using namespace torsh::test;

namespace {

/// One 3 x 3 filter on a patch through the three matrices, against the direct sum.
void expectConvolution(int64_t tile) {
  const WinogradTransform *transform = getWinogradTransform(tile);
  REQUIRE(transform);
  const int64_t patch = transform->patch;
  CHECK(patch == tile + 2);
  auto pixel = [](int64_t a, int64_t b) { return double((a * 7 + b * 5) % 11) - 4; };
  auto weight = [](int64_t a, int64_t b) { return double((a * 2 + b * 3) % 5) - 1.5; };
  auto d = transformBothDims(transform->input, patch, patch, pixel);
  auto g = transformBothDims(transform->weights, patch, 3, weight);
  auto y = transformBothDims(transform->output, tile, patch,
                             [&](int64_t a, int64_t b) { return d[a * patch + b] * g[a * patch + b]; });
  for (int64_t i = 0; i < tile; ++i)
    for (int64_t j = 0; j < tile; ++j) {
      double direct = 0;
      for (int64_t a = 0; a < 3; ++a)
        for (int64_t b = 0; b < 3; ++b)
          direct += pixel(i + a, j + b) * weight(a, b);
      CHECK(y[i * tile + j] == Approx(direct).margin(1e-12));
    }
  // The run-time matrices are exact in f32, so an evaluation in f64 and a kernel mean the same.
  for (double value : transform->input)
    CHECK(double(float(value)) == value);
  for (double value : transform->output)
    CHECK(double(float(value)) == value);
}

} // namespace

TEST_CASE("the matrices of both tile sizes give a convolution") {
  expectConvolution(2);
  expectConvolution(4);
  CHECK(getWinogradTransform(3) == nullptr);
}

TEST_CASE("winograd_input of a constant image") {
  // B^T d B of the 4 x 4 patch of ones: only the places of the points' even parts stay.
  expectFloats(eval("torsh.winograd_input %a tile = 2 low = [0, 0] high = [0, 0] : (tensor<1x4x4x1xf32>) -> "
                    "tensor<16x1x1xf32>",
                    "tensor<16x1x1xf32>", {floats({1, 4, 4, 1}, std::vector<double>(16, 1))}),
               {16, 1, 1}, {0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("winograd_output drops what lies past the image") {
  std::vector<double> sums(16, 0);
  sums[0] = 3; // reaches the first pixel alone
  expectFloats(eval("torsh.winograd_output %a tile = 2 : (tensor<16x1x1xf32>) -> tensor<1x1x2x1xf32>",
                    "tensor<1x1x2x1xf32>", {floats({16, 1, 1}, sums)}),
               {1, 1, 2, 1}, {3, 0});
}
