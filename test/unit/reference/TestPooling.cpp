//===-- TestPooling.cpp - Window reductions
//-----------------------------------------------------------------===//
#include "test/unit/reference/Harness.h"

using namespace torsh;
using namespace torsh::test;

TEST_CASE("max_pool takes the largest of each window") {
  expectFloats(eval("torsh.max_pool %a window = [2, 2] strides = [2, 1] dilations = [1, 1] low = [0, 0] high "
                    "= [0, 0] : (tensor<1x1x2x3xf32>) -> tensor<1x1x1x2xf32>",
                    "tensor<1x1x1x2xf32>", {floats({1, 1, 2, 3}, {1, 5, 2, 3, 4, 9})}),
               {1, 1, 1, 2}, {5, 9});
}

TEST_CASE("padding never wins in max_pool, NaN does") {
  expectFloats(eval("torsh.max_pool %a window = [2] strides = [1] dilations = [1] low = [1] high = [1] : "
                    "(tensor<1x1x3xf32>) -> tensor<1x1x4xf32>",
                    "tensor<1x1x4xf32>", {floats({1, 1, 3}, {-5, notANumber, -7})}),
               {1, 1, 4}, {-5, notANumber, notANumber, -7});
  expectInts(eval("torsh.max_pool %a window = [2] strides = [2] dilations = [1] low = [1] high = [0] : "
                  "(tensor<1x1x3xi8>) -> tensor<1x1x2xi8>",
                  "tensor<1x1x2xi8>", {ints({1, 1, 3}, {-5, -128, -7}, "i8")}),
             {1, 1, 2}, {-5, -7});
  expectInts(eval("torsh.max_pool %a window = [2] strides = [1] dilations = [1] low = [0] high = [0] : "
                  "(tensor<1x1x2xui8>) -> tensor<1x1x1xui8>",
                  "tensor<1x1x1xui8>", {ints({1, 1, 2}, {200, 3}, "ui8")}),
             {1, 1, 1}, {200});
}

TEST_CASE("ceil_mode adds a window only where it starts inside") {
  // (5 - 2) / 2 is 1.5: a third window of one element.
  expectFloats(eval("torsh.max_pool %a window = [2] strides = [2] dilations = [1] low = [0] high = [0] "
                    "{ceil_mode = true} : (tensor<1x1x5xf32>) -> tensor<1x1x3xf32>",
                    "tensor<1x1x3xf32>", {ramp({1, 1, 5})}),
               {1, 1, 3}, {1, 3, 4});
  // (2 + 1 - 1) / 3 rounds up to 1, but the second window would start at 3 and the input ends at 2.
  expectFloats(eval("torsh.max_pool %a window = [1] strides = [3] dilations = [1] low = [0] high = [1] "
                    "{ceil_mode = true} : (tensor<1x1x2xf32>) -> tensor<1x1x1xf32>",
                    "tensor<1x1x1xf32>", {ramp({1, 1, 2})}),
               {1, 1, 1}, {0});
}

TEST_CASE("avg_pool divides by what counts") {
  auto pool = [](const char *attributes) {
    return eval(
        std::string("torsh.avg_pool %a window = [3] strides = [2] dilations = [1] low = [1] high = [1] ") +
            attributes + " : (tensor<1x1x4xf32>) -> tensor<1x1x" +
            (std::string(attributes).find("ceil") == std::string::npos ? "2" : "3") + "xf32>",
        std::string("tensor<1x1x") + (std::string(attributes).find("ceil") == std::string::npos ? "2" : "3") +
            "xf32>",
        {floats({1, 1, 4}, {6, 12, 18, 24})});
  };
  expectFloats(pool(""), {1, 1, 2}, {9, 18});
  expectFloats(pool("{count_include_pad = true}"), {1, 1, 2}, {6, 18});
  // The third window covers 3, the padding at 4 and one position beyond it that never counts.
  expectFloats(pool("{ceil_mode = true}"), {1, 1, 3}, {9, 18, 24});
  expectFloats(pool("{ceil_mode = true, count_include_pad = true}"), {1, 1, 3}, {6, 18, 12});
}

TEST_CASE("dilated and channels_last pooling") {
  expectFloats(eval("torsh.max_pool %a window = [2] strides = [1] dilations = [2] low = [0] high = [0] "
                    "{layout = #torsh<layout channels_last>} : (tensor<1x4x2xf32>) -> tensor<1x2x2xf32>",
                    "tensor<1x2x2xf32>", {floats({1, 4, 2}, {9, 1, 8, 2, 7, 3, 6, 4})}),
               {1, 2, 2}, {9, 3, 8, 4});
}

TEST_CASE("max_pool_grad gives to the first of equal maxima and to NaN") {
  auto grad = [](Floats x, Floats dy) {
    return eval(
        "torsh.max_pool_grad %a, %b window = [2] strides = [1] dilations = [1] low = [0] high = [1] : "
        "(tensor<1x1x4xf32>, tensor<1x1x4xf32>) -> tensor<1x1x4xf32>",
        "tensor<1x1x4xf32>", {floats({1, 1, 4}, x), floats({1, 1, 4}, dy)});
  };
  // Windows {0,1}, {1,2}, {2,3}, {3}: the maxima are elements 0, 1, 3, 3.
  expectFloats(grad({7, 7, 2, 3}, {1, 10, 100, 1000}), {1, 1, 4}, {1, 10, 0, 1100});
  expectFloats(grad({1, notANumber, notANumber, 3}, {1, 10, 100, 1000}), {1, 1, 4}, {0, 11, 100, 1000});
  expectFloats(grad({-inf, -inf, -inf, -inf}, {1, 10, 100, 1000}), {1, 1, 4}, {1, 10, 100, 1000});
}

TEST_CASE("avg_pool_grad shares by the divisors of avg_pool") {
  auto grad = [](const char *attributes) {
    return eval(
        std::string(
            "torsh.avg_pool_grad %a window = [3] strides = [2] dilations = [1] low = [1] high = [1] ") +
            attributes + " : (tensor<1x1x2xf32>) -> tensor<1x1x4xf32>",
        "tensor<1x1x4xf32>", {floats({1, 1, 2}, {6, 12})});
  };
  // Windows {0, 1} with a padding before, and {1, 2, 3}.
  expectFloats(grad(""), {1, 1, 4}, {3, 7, 4, 4});
  expectFloats(grad("{count_include_pad = true}"), {1, 1, 4}, {2, 6, 4, 4});
}
