//===-- TestContraction.cpp - dot_general and convolutions
//--------------------------------------------------===//
#include "test/unit/reference/Harness.h"
#include <cmath>

using namespace torsh;
using namespace torsh::test;

TEST_CASE("dot_general multiplies matrices") {
  expectFloats(eval("torsh.dot_general %a, %b batch = [] x [] contract = [1] x [0] : (tensor<2x3xf32>, "
                    "tensor<3x2xf32>) -> tensor<2x2xf32>",
                    "tensor<2x2xf32>",
                    {floats({2, 3}, {1, 2, 3, 4, 5, 6}), floats({3, 2}, {1, 0, 0, 1, 1, 1})}),
               {2, 2}, {4, 5, 10, 11});
}

TEST_CASE("dot_general orders batch, lhs and rhs dims") {
  // y[b, i, j] = sum over p of lhs[p, b, i] * rhs[j, p, b]
  Tensor lhs = ramp({3, 2, 4}, 1), rhs = ramp({5, 3, 2}, -7, 2);
  Tensor y = eval("torsh.dot_general %a, %b batch = [1] x [2] contract = [0] x [1] : (tensor<3x2x4xf32>, "
                  "tensor<5x3x2xf32>) -> tensor<2x4x5xf32>",
                  "tensor<2x4x5xf32>", {lhs, rhs});
  for (int b = 0; b < 2; ++b)
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 5; ++j) {
        double sum = 0;
        for (int p = 0; p < 3; ++p)
          sum += (1.0 + (p * 2 + b) * 4 + i) * (-7.0 + 2 * ((j * 3 + p) * 2 + b));
        CHECK(y.floats[(b * 4 + i) * 5 + j] == sum);
      }
}

TEST_CASE("dot_general spans more than one block of the contracted dim") {
  Tensor y = eval("torsh.dot_general %a, %b batch = [] x [] contract = [0] x [0] : (tensor<200xf32>, "
                  "tensor<200xf32>) -> tensor<f32>",
                  "tensor<f32>", {ramp({200}), ramp({200})});
  expectFloats(y, {}, {199.0 * 200 * 399 / 6});
}

TEST_CASE("integer dot_general accumulates in the result's type") {
  std::vector<Tensor> operands = {ints({1, 3}, {255, 255, 255}, "ui8"),
                                  ints({3, 1}, {-128, -128, 127}, "i8")};
  expectInts(eval("torsh.dot_general %a, %b batch = [] x [] contract = [1] x [0] : (tensor<1x3xui8>, "
                  "tensor<3x1xi8>) -> tensor<1x1xi32>",
                  "tensor<1x1xi32>", operands),
             {1, 1}, {255 * (-128 - 128 + 127)});
  expectInts(eval("torsh.dot_general %a, %b batch = [] x [] contract = [1] x [0] : (tensor<1x2xi8>, "
                  "tensor<2x1xi8>) -> tensor<1x1xi8>",
                  "tensor<1x1xi8>", {ints({1, 2}, {100, 100}, "i8"), ints({2, 1}, {2, 1}, "i8")}),
             {1, 1}, {44});
}

TEST_CASE("an empty contraction is zero") {
  expectFloats(eval("torsh.dot_general %a, %b batch = [] x [] contract = [1] x [0] : (tensor<2x0xf32>, "
                    "tensor<0x2xf32>) -> tensor<2x2xf32>",
                    "tensor<2x2xf32>", {floats({2, 0}, {}), floats({0, 2}, {})}),
               {2, 2}, {0, 0, 0, 0});
}

/// Sizes of a two-dimensional convolution that is computed here straight from the definition.
struct Conv2d {
  int n, c, h, w, o, kh, kw, sh, sw, dh, dw, top, left, bottom, right, groups;
  int outH() const { return int(std::floor(double(h + top + bottom - dh * (kh - 1) - 1) / sh)) + 1; }
  int outW() const { return int(std::floor(double(w + left + right - dw * (kw - 1) - 1) / sw)) + 1; }
  double x(const Tensor &t, int b, int ch, int i, int j) const {
    return i < 0 || j < 0 || i >= h || j >= w ? 0 : t.floats[((b * c + ch) * h + i) * w + j];
  }
  double at(const Tensor &image, const Tensor &weight, int b, int oc, int i, int j) const {
    double sum = 0;
    for (int ic = 0; ic < c / groups; ++ic)
      for (int p = 0; p < kh; ++p)
        for (int q = 0; q < kw; ++q)
          sum += x(image, b, oc / (o / groups) * (c / groups) + ic, i * sh - top + p * dh,
                   j * sw - left + q * dw) *
                 weight.floats[((oc * (c / groups) + ic) * kh + p) * kw + q];
    return sum;
  }
};

static std::string shapeText(const Shape &shape) {
  std::string text = "tensor<";
  for (int64_t size : shape)
    text += std::to_string(size) + "x";
  return text + "f32>";
}

static std::string conv2dAttributes(const Conv2d &s) {
  auto pair = [](int a, int b) { return "[" + std::to_string(a) + ", " + std::to_string(b) + "]"; };
  return " strides = " + pair(s.sh, s.sw) + " dilations = " + pair(s.dh, s.dw) +
         " low = " + pair(s.top, s.left) + " high = " + pair(s.bottom, s.right);
}

TEST_CASE("conv agrees with its definition") {
  const Conv2d cases[] = {
      {1, 1, 5, 5, 1, 3, 3, 1, 1, 1, 1, 0, 0, 0, 0, 1}, {2, 4, 6, 7, 6, 3, 2, 2, 1, 1, 2, 1, 2, 0, 1, 2},
      {1, 3, 4, 4, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 3}, {1, 2, 5, 3, 4, 1, 1, 2, 2, 1, 1, 0, 0, 0, 0, 1},
      {1, 4, 3, 3, 8, 3, 3, 1, 1, 2, 2, 2, 2, 2, 2, 4}, {1, 1, 3, 3, 2, 2, 2, 3, 3, 1, 1, 0, 0, 0, 0, 1}};
  for (const Conv2d &s : cases) {
    Tensor x = ramp({s.n, s.c, s.h, s.w}, -9, 0.5), w = ramp({s.o, s.c / s.groups, s.kh, s.kw}, 3, -0.25),
           bias = ramp({s.o}, 1);
    Shape shape = {s.n, s.o, s.outH(), s.outW()};
    Tensor y = eval("torsh.conv %a, %b bias %c" + conv2dAttributes(s) +
                        " groups = " + std::to_string(s.groups) + " : (" + shapeText({s.n, s.c, s.h, s.w}) +
                        ", " + shapeText({s.o, s.c / s.groups, s.kh, s.kw}) + ", " + shapeText({s.o}) +
                        ") -> " + shapeText(shape),
                    shapeText(shape), {x, w, bias});
    Floats expected;
    for (int b = 0; b < s.n; ++b)
      for (int o = 0; o < s.o; ++o)
        for (int i = 0; i < s.outH(); ++i)
          for (int j = 0; j < s.outW(); ++j)
            expected.push_back(s.at(x, w, b, o, i, j) + 1 + o);
    expectFloats(y, shape, expected, 1e-3);
  }
}

TEST_CASE("channels_last is the transposed channels_first") {
  Tensor x = ramp({1, 5, 4}, -3), w = ramp({3, 2, 6}, 2, -0.5);
  Tensor last =
      eval("torsh.conv %a, %b strides = [1] dilations = [1] low = [1] high = [0] groups = 2 {layout = "
           "#torsh<layout channels_last>} : (tensor<1x5x4xf32>, tensor<3x2x6xf32>) -> tensor<1x4x6xf32>",
           "tensor<1x4x6xf32>", {x, w});
  Tensor first = Tensor::zeros(type("f32"), {1, 4, 5}), weight = Tensor::zeros(type("f32"), {6, 2, 3});
  for (int i = 0; i < 5; ++i)
    for (int c = 0; c < 4; ++c)
      first.floats[c * 5 + i] = x.floats[i * 4 + c];
  for (int k = 0; k < 3; ++k)
    for (int c = 0; c < 2; ++c)
      for (int o = 0; o < 6; ++o)
        weight.floats[(o * 2 + c) * 3 + k] = w.floats[(k * 2 + c) * 6 + o];
  Tensor y = eval("torsh.conv %a, %b strides = [1] dilations = [1] low = [1] high = [0] groups = 2 : "
                  "(tensor<1x4x5xf32>, tensor<6x2x3xf32>) -> tensor<1x6x4xf32>",
                  "tensor<1x6x4xf32>", {first, weight});
  for (int i = 0; i < 4; ++i)
    for (int o = 0; o < 6; ++o)
      CHECK(last.floats[i * 6 + o] == y.floats[o * 4 + i]);
}

TEST_CASE("integer conv is exact") {
  // 3000000001^2 - 14 does not fit a double.
  expectInts(eval("torsh.conv %a, %b strides = [1] dilations = [1] low = [1] high = [0] groups = 1 : "
                  "(tensor<1x1x3xi64>, tensor<1x1x2xi64>) -> tensor<1x1x3xi64>",
                  "tensor<1x1x3xi64>",
                  {ints({1, 1, 3}, {3000000001, -2, 5}), ints({1, 1, 2}, {3000000001, 7})}),
             {1, 1, 3}, {21000000007, 9000000005999999987, -5999999967});
}

TEST_CASE("conv_transpose by hand") {
  // Each input adds its multiple of the kernel at stride 2.
  expectFloats(eval("torsh.conv_transpose %a, %b bias %c strides = [2] dilations = [1] low = [0] high = [0] "
                    "output_padding = [1] groups = 1 : (tensor<1x1x2xf32>, tensor<1x1x3xf32>, tensor<1xf32>) "
                    "-> tensor<1x1x6xf32>",
                    "tensor<1x1x6xf32>",
                    {floats({1, 1, 2}, {1, 10}), floats({1, 1, 3}, {1, 2, 3}), floats({1}, {100})}),
               {1, 1, 6}, {101, 102, 113, 120, 130, 100});
  expectFloats(
      eval("torsh.conv_transpose %a, %b strides = [2] dilations = [1] low = [1] high = [1] output_padding = "
           "[0] groups = 1 : (tensor<1x1x2xf32>, tensor<1x1x3xf32>) -> tensor<1x1x3xf32>",
           "tensor<1x1x3xf32>", {floats({1, 1, 2}, {1, 10}), floats({1, 1, 3}, {1, 2, 3})}),
      {1, 1, 3}, {2, 13, 20});
}

static double inner(const Tensor &a, const Tensor &b) {
  double sum = 0;
  for (size_t i = 0; i < a.floats.size(); ++i)
    sum += a.floats[i] * b.floats[i];
  return sum;
}

TEST_CASE("conv_transpose is the adjoint of conv") {
  // <conv(x, w), y> = <x, conv_transpose(y, w)> with the same weights: [O, C/g, k] of conv is [C', O'/g, k]
  // of the other.
  const Conv2d cases[] = {{2, 4, 7, 6, 6, 3, 2, 2, 1, 1, 2, 1, 2, 0, 1, 2},
                          {1, 3, 5, 5, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 3},
                          {1, 2, 8, 5, 5, 2, 3, 3, 2, 2, 1, 0, 1, 0, 1, 1}};
  for (const Conv2d &s : cases) {
    Shape in = {s.n, s.c, s.h, s.w}, out = {s.n, s.o, s.outH(), s.outW()},
          weight = {s.o, s.c / s.groups, s.kh, s.kw};
    Tensor x = ramp(in, -5, 0.25), w = ramp(weight, 2, -0.125), v = ramp(out, 1, -0.5);
    std::string groups = " groups = " + std::to_string(s.groups) + " : (";
    Tensor y = eval("torsh.conv %a, %b" + conv2dAttributes(s) + groups + shapeText(in) + ", " +
                        shapeText(weight) + ") -> " + shapeText(out),
                    shapeText(out), {x, w});
    // What the floor of conv's output size cut off comes back as output padding.
    int extraH = (s.h + s.top + s.bottom - s.dh * (s.kh - 1) - 1) % s.sh,
        extraW = (s.w + s.left + s.right - s.dw * (s.kw - 1) - 1) % s.sw;
    Tensor back = eval("torsh.conv_transpose %a, %b" + conv2dAttributes(s) + " output_padding = [" +
                           std::to_string(extraH) + ", " + std::to_string(extraW) + "]" + groups +
                           shapeText(out) + ", " + shapeText(weight) + ") -> " + shapeText(in),
                       shapeText(in), {v, w});
    CHECK(inner(y, v) == Approx(inner(x, back)).epsilon(1e-6));
  }
}

TEST_CASE("conv_weight_grad is the adjoint of conv in its weights") {
  // <conv(x, w), dy> = <w, conv_weight_grad(x, dy)>, with strides that cut rows off, dilations, padding and groups.
  const Conv2d cases[] = {{2, 4, 7, 6, 6, 3, 2, 2, 1, 1, 2, 1, 2, 0, 1, 2},
                          {3, 3, 5, 5, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 3},
                          {1, 2, 8, 5, 5, 2, 3, 3, 2, 2, 1, 0, 1, 0, 1, 1}};
  for (const Conv2d &s : cases) {
    Shape in = {s.n, s.c, s.h, s.w}, out = {s.n, s.o, s.outH(), s.outW()},
          weight = {s.o, s.c / s.groups, s.kh, s.kw};
    Tensor x = ramp(in, -5, 0.25), w = ramp(weight, 2, -0.125), dy = ramp(out, 1, -0.5);
    std::string groups = " groups = " + std::to_string(s.groups) + " : (";
    Tensor y = eval("torsh.conv %a, %b" + conv2dAttributes(s) + groups + shapeText(in) + ", " +
                        shapeText(weight) + ") -> " + shapeText(out),
                    shapeText(out), {x, w});
    Tensor dw = eval("torsh.conv_weight_grad %a, %b kernel = [" + std::to_string(s.kh) + ", " +
                         std::to_string(s.kw) + "]" + conv2dAttributes(s) + groups + shapeText(in) + ", " +
                         shapeText(out) + ") -> " + shapeText(weight),
                     shapeText(weight), {x, dy});
    CHECK(inner(y, dy) == Approx(inner(w, dw)).epsilon(1e-6));
  }
}

TEST_CASE("conv_weight_grad by hand, channels_last") {
  // One image [3, 2 channels], one output channel, window 2: dw[k][c] = x[0 + k][c] * dy[0] + x[1 + k][c] * dy[1].
  expectFloats(
      eval("torsh.conv_weight_grad %a, %b kernel = [2] strides = [1] dilations = [1] low = [0] high = [0] "
           "groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x3x2xf32>, tensor<1x2x1xf32>) -> "
           "tensor<2x2x1xf32>",
           "tensor<2x2x1xf32>", {floats({1, 3, 2}, {1, 2, 3, 4, 5, 6}), floats({1, 2, 1}, {10, 100})}),
      {2, 2, 1}, {310, 420, 530, 640});
}

TEST_CASE("conv_transpose in channels_last") {
  // One channel in, two out: w [k, C, O].
  expectFloats(eval("torsh.conv_transpose %a, %b strides = [1] dilations = [1] low = [0] high = [0] "
                    "output_padding = [0] groups = 1 {layout = #torsh<layout channels_last>} : "
                    "(tensor<1x2x1xf32>, tensor<2x1x2xf32>) -> tensor<1x3x2xf32>",
                    "tensor<1x3x2xf32>", {floats({1, 2, 1}, {1, 10}), floats({2, 1, 2}, {1, 2, 3, 4})}),
               {1, 3, 2}, {1, 2, 13, 24, 30, 40});
}

TEST_CASE("an input smaller than the window is refused") {
  Outcome outcome = runModule(R"(
    !x = tensor<1x1x?xf32, #torsh.dims<[1, 1, n]>>
    !y = tensor<1x1x?xf32, #torsh.dims<[1, 1, n - 4]>>
    func.func @f(%x: !x, %w: tensor<1x1x5xf32>) -> !y {
      %y = torsh.conv %x, %w strides = [1] dilations = [1] low = [0] high = [0] groups = 1 : (!x, tensor<1x1x5xf32>) -> !y
      return %y : !y
    })",
                              {ramp({1, 1, 2}), ramp({1, 1, 5})});
  CHECK_THAT(outcome.error, Catch::Contains("TSH-0402") && Catch::Contains("smaller than the window"));
}
