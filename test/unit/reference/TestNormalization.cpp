//===-- TestNormalization.cpp - Normalisations and attention
//------------------------------------------------===//
#include "test/unit/reference/Harness.h"
#include <cmath>

using namespace torsh;
using namespace torsh::test;

TEST_CASE("layer_norm and rms_norm") {
  // Mean 2, variance 2/3; with epsilon 1/3 the divisor is 1.
  Tensor x = floats({2, 3}, {1, 2, 3, 11, 12, 13});
  expectFloats(eval("torsh.layer_norm %a scale %b bias %c axis = 1 epsilon = 0.33333333333333333 : "
                    "(tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3xf32>",
                    "tensor<2x3xf32>", {x, floats({3}, {1, 1, 2}), floats({3}, {0, 5, 0})}),
               {2, 3}, {-1, 5, 2, -1, 5, 2}, 1e-6);
  expectFloats(eval("torsh.layer_norm %a scale %b axis = 0 epsilon = 1.0 : (tensor<2x3xf32>, "
                    "tensor<2x3xf32>) -> tensor<2x3xf32>",
                    "tensor<2x3xf32>", {floats({2, 3}, {4, 4, 4, 4, 4, 4}), ramp({2, 3})}),
               {2, 3}, {0, 0, 0, 0, 0, 0});
  // Mean of squares 12.5, with epsilon 3.5 the divisor is 4.
  expectFloats(eval("torsh.rms_norm %a scale %b axis = 0 epsilon = 3.5 : (tensor<2xf32>, tensor<2xf32>) -> "
                    "tensor<2xf32>",
                    "tensor<2xf32>", {floats({2}, {3, 4}), floats({2}, {1, 2})}),
               {2}, {0.75, 2});
}

TEST_CASE("batch_norm uses the given statistics") {
  expectFloats(eval("torsh.batch_norm %a scale %b bias %c mean %d variance %e axis = 1 epsilon = 1.0 : "
                    "(tensor<1x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> "
                    "tensor<1x2x2xf32>",
                    "tensor<1x2x2xf32>",
                    {floats({1, 2, 2}, {1, 2, 3, 4}), floats({2}, {2, 10}), floats({2}, {0, 1}),
                     floats({2}, {1, 4}), floats({2}, {3, 0})}),
               {1, 2, 2}, {0, 1, -9, 1});
}

TEST_CASE("group_norm in both layouts") {
  // Two groups of two channels; group 0 holds 0 1 2 3, group 1 holds 10 10 10 10.
  double root = std::sqrt(1.25 + 0.75);
  expectFloats(eval("torsh.group_norm %a scale %b bias %c groups = 2 epsilon = 0.75 : (tensor<1x4x2xf32>, "
                    "tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x2xf32>",
                    "tensor<1x4x2xf32>",
                    {floats({1, 4, 2}, {0, 1, 2, 3, 10, 10, 10, 10}), floats({4}, {1, 2, 1, 1}),
                     floats({4}, {0, 0, 7, 8})}),
               {1, 4, 2}, {-1.5 / root, -0.5 / root, 1 / root, 3 / root, 7, 7, 8, 8}, 1e-6);
  expectFloats(
      eval("torsh.group_norm %a scale %b bias %c groups = 2 epsilon = 0.75 {layout = #torsh<layout "
           "channels_last>} : (tensor<1x2x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x2x4xf32>",
           "tensor<1x2x4xf32>",
           {floats({1, 2, 4}, {0, 2, 10, 10, 1, 3, 10, 10}), floats({4}, {1, 2, 1, 1}),
            floats({4}, {0, 0, 7, 8})}),
      {1, 2, 4}, {-1.5 / root, 1 / root, 7, 8, -0.5 / root, 3 / root, 7, 8}, 1e-6);
}

TEST_CASE("attention weighs values by softmax") {
  // Scores 0 and log(3) give weights 1/4 and 3/4.
  Tensor q = floats({1, 1, 1}, {1}), k = floats({1, 2, 1}, {0, std::log(3.0)}),
         v = floats({1, 2, 2}, {0, 4, 8, 0});
  expectFloats(eval("torsh.attention %a, %b, %c scale = 1.0 : (tensor<1x1x1xf32>, tensor<1x2x1xf32>, "
                    "tensor<1x2x2xf32>) -> tensor<1x1x2xf32>",
                    "tensor<1x1x2xf32>", {q, k, v}),
               {1, 1, 2}, {6, 1}, 1e-6);
}

TEST_CASE("attention masks are broadcast and hide keys") {
  Tensor q = floats({2, 1, 1}, {0, 0}), k = floats({2, 2, 1}, {0, 0, 0, 0}),
         v = floats({2, 2, 1}, {1, notANumber, 3, 5});
  // The mask hides key 1 of both samples; the NaN behind it has no influence.
  expectFloats(eval("torsh.attention %a, %b, %c mask %d scale = 1.0 : (tensor<2x1x1xf32>, tensor<2x2x1xf32>, "
                    "tensor<2x2x1xf32>, tensor<1x1x2xf32>) -> tensor<2x1x1xf32>",
                    "tensor<2x1x1xf32>", {q, k, v, floats({1, 1, 2}, {0, -inf})}),
               {2, 1, 1}, {1, 3});
  expectFloats(eval("torsh.attention %a, %b, %c mask %d scale = 1.0 : (tensor<2x1x1xf32>, tensor<2x2x1xf32>, "
                    "tensor<2x2x1xf32>, tensor<2x1x1xf32>) -> tensor<2x1x1xf32>",
                    "tensor<2x1x1xf32>", {q, k, v, floats({2, 1, 1}, {-inf, 0})}),
               {2, 1, 1}, {0, 4});
}

TEST_CASE("causal attention sees keys up to i + Sk - Sq") {
  // All scores are equal, so each row is the mean of the keys that it sees.
  Tensor v = floats({4, 1}, {1, 3, 5, 7});
  expectFloats(eval("torsh.attention %a, %b, %c scale = 1.0 {causal = true} : (tensor<2x1xf32>, "
                    "tensor<4x1xf32>, tensor<4x1xf32>) -> tensor<2x1xf32>",
                    "tensor<2x1xf32>", {floats({2, 1}, {0, 0}), floats({4, 1}, {0, 0, 0, 0}), v}),
               {2, 1}, {3, 4});
  // With more queries than keys the first rows see nothing and are 0.
  expectFloats(eval("torsh.attention %a, %b, %c scale = 1.0 {causal = true} : (tensor<3x1xf32>, "
                    "tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<3x1xf32>",
                    "tensor<3x1xf32>",
                    {floats({3, 1}, {0, 0, 0}), floats({2, 1}, {0, 0}), floats({2, 1}, {2, 4})}),
               {3, 1}, {0, 2, 3});
}
