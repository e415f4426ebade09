//===-- TestReduction.cpp - Reductions, scans and softmax
//---------------------------------------------------===//
#include "test/unit/reference/Harness.h"
#include <cmath>

using namespace torsh;
using namespace torsh::test;

static Tensor reduce(const char *kind, const Tensor &x, const char *from, const char *to, const char *axes,
                     bool keep = false) {
  return eval(std::string("torsh.reduce ") + kind + " %a axes = [" + axes +
                  "] keep_dims = " + (keep ? "true" : "false") + " : (" + from + ") -> " + to,
              to, {x});
}

TEST_CASE("reductions along any axes") {
  Tensor x = ramp({2, 3, 2});
  expectFloats(reduce("sum", x, "tensor<2x3x2xf32>", "tensor<2x2xf32>", "1"), {2, 2}, {6, 9, 24, 27});
  expectFloats(reduce("sum", x, "tensor<2x3x2xf32>", "tensor<1x3x1xf32>", "0, 2", true), {1, 3, 1},
               {14, 22, 30});
  expectFloats(reduce("mean", x, "tensor<2x3x2xf32>", "tensor<f32>", "0, 1, 2"), {}, {5.5});
  expectFloats(reduce("max", x, "tensor<2x3x2xf32>", "tensor<3xf32>", "0, 2"), {3}, {7, 9, 11});
  expectFloats(reduce("min", x, "tensor<2x3x2xf32>", "tensor<2x3x2xf32>", ""), {2, 3, 2}, x.floats);
  expectFloats(reduce("prod", floats({2, 2}, {1, 2, 3, 4}), "tensor<2x2xf32>", "tensor<2xf32>", "0"), {2},
               {3, 8});
}

TEST_CASE("an empty reduction is the neutral element") {
  Tensor x = floats({0, 2}, {});
  auto run = [&](const char *kind) { return reduce(kind, x, "tensor<0x2xf32>", "tensor<2xf32>", "0"); };
  expectFloats(run("sum"), {2}, {0, 0});
  expectFloats(run("prod"), {2}, {1, 1});
  expectFloats(run("max"), {2}, {-inf, -inf});
  expectFloats(run("min"), {2}, {inf, inf});
  expectFloats(run("mean"), {2}, {notANumber, notANumber});
  expectFloats(run("logsumexp"), {2}, {-inf, -inf});
  CHECK(reduce("max", ints({0}, {}, "i8"), "tensor<0xi8>", "tensor<i8>", "0").ints == Ints{-128});
  CHECK(reduce("min", ints({0}, {}, "ui8"), "tensor<0xui8>", "tensor<ui8>", "0").ints == Ints{255});
  CHECK(reduce("all", bools({0}, {}), "tensor<0xi1>", "tensor<i1>", "0").ints == Ints{1});
  CHECK(reduce("any", bools({0}, {}), "tensor<0xi1>", "tensor<i1>", "0").ints == Ints{0});
}

TEST_CASE("NaN wins, integers wrap, logsumexp does not overflow") {
  expectFloats(reduce("max", floats({3}, {1, notANumber, 2}), "tensor<3xf32>", "tensor<f32>", "0"), {},
               {notANumber});
  expectFloats(reduce("min", floats({3}, {1, notANumber, 2}), "tensor<3xf32>", "tensor<f32>", "0"), {},
               {notANumber});
  CHECK(reduce("sum", ints({2}, {100, 100}, "i8"), "tensor<2xi8>", "tensor<i8>", "0").ints == Ints{-56});
  CHECK(reduce("max", ints({2}, {-1, 1}, "ui64"), "tensor<2xui64>", "tensor<ui64>", "0").ints == Ints{-1});
  CHECK(reduce("mean", ints({2}, {-4, 1}, "i32"), "tensor<2xi32>", "tensor<i32>", "0").ints == Ints{-1});
  CHECK(reduce("any", bools({2, 2}, {0, 0, 0, 1}), "tensor<2x2xi1>", "tensor<2xi1>", "1").ints == Ints{0, 1});
  CHECK(reduce("all", bools({2, 2}, {1, 1, 0, 1}), "tensor<2x2xi1>", "tensor<2xi1>", "1").ints == Ints{1, 0});
  expectFloats(reduce("logsumexp", floats({2}, {1000, 1000}), "tensor<2xf32>", "tensor<f32>", "0"), {},
               {1000 + std::log(2)}, 1e-4);
  expectFloats(reduce("logsumexp", floats({2}, {inf, 0}), "tensor<2xf32>", "tensor<f32>", "0"), {}, {inf});
}

TEST_CASE("arg_reduce gives the first or the last index") {
  auto run = [](const char *kind, const char *last, Floats values) {
    std::string n = std::to_string(values.size());
    return eval(std::string("torsh.arg_reduce ") + kind + " %a axis = 0 keep_dims = false {last = " + last +
                    "} : (tensor<" + n + "xf32>) -> tensor<i64>",
                "tensor<i64>", {floats({int64_t(values.size())}, values)})
        .ints[0];
  };
  CHECK(run("max", "false", {1, 3, 3, 2}) == 1);
  CHECK(run("max", "true", {1, 3, 3, 2}) == 2);
  CHECK(run("min", "false", {2, 1, 1}) == 1);
  CHECK(run("min", "true", {2, 1, 1}) == 2);
  CHECK(run("max", "false", {1, notANumber, 5, notANumber}) == 1);
  CHECK(run("min", "true", {1, notANumber, 5, notANumber}) == 3);
  expectInts(eval("torsh.arg_reduce max %a axis = 0 keep_dims = true : (tensor<2x3xf32>) -> tensor<1x3xi64>",
                  "tensor<1x3xi64>", {floats({2, 3}, {1, 5, 2, 3, 4, 2})}),
             {1, 3}, {1, 0, 0});
}

TEST_CASE("arg_reduce of an empty axis is refused") {
  Outcome outcome = runModule(R"(
    func.func @f(%x: tensor<?xf32, #torsh.dims<[n]>>) -> tensor<i64> {
      %y = torsh.arg_reduce max %x axis = 0 keep_dims = false : (tensor<?xf32, #torsh.dims<[n]>>) -> tensor<i64>
      return %y : tensor<i64>
    })",
                              {floats({0}, {})});
  CHECK_THAT(outcome.error, Catch::Contains("TSH-0402"));
}

TEST_CASE("cumsum in all its directions") {
  auto run = [](const char *attributes) {
    return eval(std::string("torsh.cumsum %a axis = 1 ") + attributes + " : tensor<2x3xf32>",
                "tensor<2x3xf32>", {floats({2, 3}, {1, 2, 3, 4, 5, 6})})
        .floats;
  };
  CHECK(run("") == Floats{1, 3, 6, 4, 9, 15});
  CHECK(run("{exclusive = true}") == Floats{0, 1, 3, 0, 4, 9});
  CHECK(run("{reverse = true}") == Floats{6, 5, 3, 15, 11, 6});
  CHECK(run("{exclusive = true, reverse = true}") == Floats{5, 3, 0, 11, 6, 0});
}

TEST_CASE("cumprod in all its directions") {
  auto run = [](const char *attributes) {
    return eval(std::string("torsh.cumprod %a axis = 1 ") + attributes + " : tensor<2x3xf32>",
                "tensor<2x3xf32>", {floats({2, 3}, {1, 2, 3, 4, 5, 6})})
        .floats;
  };
  CHECK(run("") == Floats{1, 2, 6, 4, 20, 120});
  CHECK(run("{exclusive = true}") == Floats{1, 1, 2, 1, 4, 20});
  CHECK(run("{reverse = true}") == Floats{6, 6, 3, 120, 30, 6});
  CHECK(run("{exclusive = true, reverse = true}") == Floats{6, 3, 1, 30, 6, 1});
  expectInts(eval("torsh.cumprod %a axis = 0 : tensor<2xi8>", "tensor<2xi8>", {ints({2}, {100, 3}, "i8")}),
             {2}, {100, 44});
}

TEST_CASE("softmax and log_softmax") {
  double e = std::exp(1.0);
  expectFloats(eval("torsh.softmax %a axis = 0 : tensor<2x2xf32>", "tensor<2x2xf32>",
                    {floats({2, 2}, {1000, 0, 1001, -inf})}),
               {2, 2}, {1 / (1 + e), 1, e / (1 + e), 0}, 1e-7);
  expectFloats(
      eval("torsh.log_softmax %a axis = 0 : tensor<2xf32>", "tensor<2xf32>", {floats({2}, {1000, 1001})}),
      {2}, {-std::log(1 + e), 1 - std::log(1 + e)}, 1e-6);
  expectFloats(
      eval("torsh.softmax %a axis = 0 : tensor<2xf32>", "tensor<2xf32>", {floats({2}, {-inf, -inf})}), {2},
      {notANumber, notANumber});
}
