//===-- TestShapeOps.cpp - Ops that move elements
//-----------------------------------------------------------===//
#include "test/unit/reference/Harness.h"

using namespace torsh;
using namespace torsh::test;

TEST_CASE("broadcast repeats along new and unit dims") {
  expectFloats(eval("torsh.broadcast %a axes = [0, 2] : (tensor<2x1xf32>) -> tensor<2x2x3xf32>",
                    "tensor<2x2x3xf32>", {floats({2, 1}, {1, 2})}),
               {2, 2, 3}, {1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2});
  expectInts(eval("torsh.broadcast %a axes = [] : (tensor<i8>) -> tensor<2xi8>", "tensor<2xi8>",
                  {ints({}, {7}, "i8")}),
             {2}, {7, 7});
  expectFloats(eval("torsh.broadcast %a axes = [1] : (tensor<1xf32>) -> tensor<0x4xf32>", "tensor<0x4xf32>",
                    {floats({1}, {1})}),
               {0, 4}, {});
}

TEST_CASE("reshape and transpose") {
  expectFloats(
      eval("torsh.reshape %a : (tensor<2x3xf32>) -> tensor<3x2xf32>", "tensor<3x2xf32>", {ramp({2, 3})}),
      {3, 2}, {0, 1, 2, 3, 4, 5});
  expectFloats(eval("torsh.transpose %a perm = [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>",
                    "tensor<3x2xf32>", {ramp({2, 3})}),
               {3, 2}, {0, 3, 1, 4, 2, 5});
  Tensor y = eval("torsh.transpose %a perm = [2, 0, 1] : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>",
                  "tensor<4x2x3xf32>", {ramp({2, 3, 4})});
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 2; ++j)
      for (int k = 0; k < 3; ++k)
        CHECK(y.floats[(i * 2 + j) * 3 + k] == j * 12 + k * 4 + i);
  expectFloats(
      eval("torsh.transpose %a perm = [] : (tensor<f32>) -> tensor<f32>", "tensor<f32>", {floats({}, {3})}),
      {}, {3});
}

TEST_CASE("slices walk forwards and backwards") {
  auto slice = [](const char *starts, const char *sizes, const char *steps, const char *result) {
    return eval(std::string("torsh.slice %a starts = <[") + starts + "]> sizes = <[" + sizes +
                    "]> steps = [" + steps + "] : (tensor<3x4xf32>) -> " + result,
                result, {ramp({3, 4})});
  };
  expectFloats(slice("1, 0", "2, 2", "1, 2", "tensor<2x2xf32>"), {2, 2}, {4, 6, 8, 10});
  expectFloats(slice("2, 3", "3, 2", "-1, -3", "tensor<3x2xf32>"), {3, 2}, {11, 8, 7, 4, 3, 0});
  expectFloats(slice("0, 0", "0, 4", "1, 1", "tensor<0x4xf32>"), {0, 4}, {});
}

TEST_CASE("padding modes") {
  auto pad = [](const char *mode) {
    return eval(std::string("torsh.pad %a low = <[4]> high = <[3]> {mode = #torsh<pad_mode ") + mode +
                    ">} : (tensor<3xf32>) -> tensor<10xf32>",
                "tensor<10xf32>", {ramp({3})});
  };
  expectFloats(pad("edge"), {10}, {0, 0, 0, 0, 0, 1, 2, 2, 2, 2});
  expectFloats(pad("reflect"), {10}, {0, 1, 2, 1, 0, 1, 2, 1, 0, 1});
  expectFloats(pad("wrap"), {10}, {2, 0, 1, 2, 0, 1, 2, 0, 1, 2});
  expectFloats(eval("torsh.pad %a value %b low = <[1, 0]> high = <[0, 2]> : (tensor<1x2xf32>, tensor<f32>) "
                    "-> tensor<2x4xf32>",
                    "tensor<2x4xf32>", {floats({1, 2}, {1, 2}), floats({}, {-1})}),
               {2, 4}, {-1, -1, -1, -1, 1, 2, -1, -1});
  expectFloats(eval("torsh.pad %a low = <[2]> high = <[2]> {mode = #torsh<pad_mode reflect>} : "
                    "(tensor<1xf32>) -> tensor<5xf32>",
                    "tensor<5xf32>", {floats({1}, {9})}),
               {5}, {9, 9, 9, 9, 9});
}

TEST_CASE("padding of nothing with itself is refused") {
  Outcome outcome = runModule(R"(
    func.func @f(%x: tensor<?xf32, #torsh.dims<[n]>>) -> tensor<?xf32, #torsh.dims<[n + 1]>> {
      %y = torsh.pad %x low = <[1]> high = <[0]> {mode = #torsh<pad_mode edge>} : (tensor<?xf32, #torsh.dims<[n]>>) -> tensor<?xf32, #torsh.dims<[n + 1]>>
      return %y : tensor<?xf32, #torsh.dims<[n + 1]>>
    })",
                              {floats({0}, {})});
  CHECK_THAT(outcome.error, Catch::Contains("TSH-0402") && Catch::Contains("torsh.pad"));
}

TEST_CASE("concat joins along an axis, empty operands too") {
  expectFloats(eval("torsh.concat %a, %b, %c axis = 1 : (tensor<2x1xf32>, tensor<2x0xf32>, tensor<2x2xf32>) "
                    "-> tensor<2x3xf32>",
                    "tensor<2x3xf32>",
                    {floats({2, 1}, {1, 2}), floats({2, 0}, {}), floats({2, 2}, {3, 4, 5, 6})}),
               {2, 3}, {1, 3, 4, 2, 5, 6});
}

TEST_CASE("iota and from_dims") {
  expectInts(eval("torsh.iota axis = 1 : tensor<2x3xi32>", "tensor<2x3xi32>", {}), {2, 3},
             {0, 1, 2, 0, 1, 2});
  expectFloats(eval("torsh.iota axis = 0 : tensor<3xf16>", "tensor<3xf16>", {}), {3}, {0, 1, 2});
  Outcome outcome = runModule(R"(
    !in = tensor<?x?xf32, #torsh.dims<[n, m]>>
    func.func @f(%x: !in) -> (tensor<3xi64>, tensor<i32>) {
      %y = torsh.from_dims <[n, 2*m + 1, floordiv(n - 6, 2)]> : tensor<3xi64>
      %z = torsh.from_dims <[m]> : tensor<i32>
      return %y, %z : tensor<3xi64>, tensor<i32>
    })",
                              {ramp({3, 5})});
  REQUIRE(outcome.error == "");
  expectInts(outcome.results[0], {3}, {3, 11, -2});
  expectInts(outcome.results[1], {}, {5});
}
