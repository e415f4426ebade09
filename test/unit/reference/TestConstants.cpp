//===-- TestConstants.cpp - Constants, weight recipes, parameters and guards
//--------------------------------===//
#include "test/unit/reference/Harness.h"

using namespace torsh;
using namespace torsh::test;

/// Registers bytes and gives their key in quotes.
static std::string store(const Tensor &tensor) {
  std::vector<char> bytes = tensor.toBytes();
  return "\"" + weights().addCopy(bytes) + "\"";
}

TEST_CASE("dense constants") {
  expectFloats(
      eval("torsh.constant dense<[1.5, -2.0]> : tensor<2xf16> -> tensor<2xf16>", "tensor<2xf16>", {}), {2},
      {1.5, -2});
  expectFloats(
      eval("torsh.constant dense<0x7FC00000> : tensor<2x2xf32> -> tensor<2x2xf32>", "tensor<2x2xf32>", {}),
      {2, 2}, {notANumber, notANumber, notANumber, notANumber});
  expectInts(eval("torsh.constant dense<[-1, 5]> : tensor<2xi8> -> tensor<2xi8>", "tensor<2xi8>", {}), {2},
             {-1, 5});
  expectInts(eval("torsh.constant dense<255> : tensor<3xui8> -> tensor<3xui8>", "tensor<3xui8>", {}), {3},
             {255, 255, 255});
  expectInts(eval("torsh.constant dense<[true, false]> : tensor<2xi1> -> tensor<2xi1>", "tensor<2xi1>", {}),
             {2}, {1, 0});
  expectInts(eval("torsh.constant dense<true> : tensor<4xi1> -> tensor<4xi1>", "tensor<4xi1>", {}), {4},
             {1, 1, 1, 1});
  expectInts(eval("torsh.constant dense<> : tensor<0xi32> -> tensor<0xi32>", "tensor<0xi32>", {}), {0}, {});
}

static Outcome weight(const Tensor &stored, const char *source, const std::string &steps,
                      const char *result) {
  return runOp("torsh.constant #torsh.weight<" + store(stored) + ", " + source +
                   (steps.empty() ? "" : ", [" + steps + "]") + "> -> " + result,
               result, {});
}

TEST_CASE("weight recipes run their steps in order") {
  Tensor x = ramp({2, 3});
  expectFloats(weight(x, "tensor<2x3xf32>", "", "tensor<2x3xf32>").results.at(0), {2, 3}, {0, 1, 2, 3, 4, 5});
  std::string factors = store(floats({2}, {10, 100}));
  Outcome chain = weight(x, "tensor<2x3xf32>",
                         "<\"transpose\", [1, 0], \"\", tensor<3x2xf32>>, <\"scale\", [1], " + factors +
                             ", tensor<3x2xf32>>, "
                             "<\"slice\", [1, 0, 2, 2], \"\", tensor<2x2xf32>>, <\"reshape\", [4], \"\", "
                             "tensor<4xf32>>, <\"cast\", [], \"\", tensor<4xi8>>",
                         "tensor<4xi8>");
  REQUIRE(chain.error == "");
  // Transposed 0 3 1 4 2 5, scaled 0 300 10 400 20 500, rows 1 and 2; a cast to i8 saturates.
  expectInts(chain.results[0], {4}, {10, 127, 20, 127});
}

TEST_CASE("packing fills the last panel with zeros") {
  Outcome packed = weight(ramp({2, 3}, 1), "tensor<2x3xf32>", "<\"pack\", [2], \"\", tensor<2x2x2xf32>>",
                          "tensor<2x2x2xf32>");
  REQUIRE(packed.error == "");
  expectFloats(packed.results[0], {2, 2, 2}, {1, 2, 4, 5, 3, 0, 6, 0});
  Tensor unpacked = eval("torsh.unpack %a : (tensor<2x2x2xf32>) -> tensor<2x3xf32>", "tensor<2x3xf32>",
                         {packed.results[0]});
  expectFloats(unpacked, {2, 3}, {1, 2, 3, 4, 5, 6});
}

TEST_CASE("bad recipes are refused") {
  Tensor x = ramp({2, 3});
  auto refused = [&](const char *steps, const char *result) {
    CHECK_THAT(weight(x, "tensor<2x3xf32>", steps, result).error,
               Catch::Contains("TSH-0408") && Catch::Contains("torsh.constant"));
  };
  refused("<\"transpose\", [0, 0], \"\", tensor<3x2xf32>>", "tensor<3x2xf32>");
  refused("<\"transpose\", [0, 7], \"\", tensor<3x2xf32>>", "tensor<3x2xf32>");
  refused("<\"reshape\", [7], \"\", tensor<7xf32>>", "tensor<7xf32>");
  refused("<\"slice\", [1, 0, 2, 3], \"\", tensor<2x3xf32>>", "tensor<2x3xf32>");
  refused("<\"slice\", [9223372036854775807, 0, 1, 3], \"\", tensor<1x3xf32>>", "tensor<1x3xf32>");
  refused("<\"scale\", [2], \"\", tensor<2x3xf32>>", "tensor<2x3xf32>");
  refused("<\"scale\", [0], \"nothing\", tensor<2x3xf32>>", "tensor<2x3xf32>");
  refused("<\"pack\", [0], \"\", tensor<2x3xf32>>", "tensor<2x3xf32>");
  refused("<\"pack\", [9223372036854775807], \"\", tensor<2x3xf32>>", "tensor<2x3xf32>");
  refused("<\"melt\", [], \"\", tensor<2x3xf32>>", "tensor<2x3xf32>");
  refused("<\"transpose\", [1, 0], \"\", tensor<2x3xf32>>",
          "tensor<2x3xf32>"); // says another type than it gives
  CHECK_THAT(weight(x, "tensor<7xf32>", "", "tensor<7xf32>").error, Catch::Contains("TSH-0411"));
  CHECK_THAT(
      runOp("torsh.constant #torsh.weight<\"unknown\", tensor<2xf32>> -> tensor<2xf32>", "tensor<2xf32>", {})
          .error,
      Catch::Contains("TSH-0407") && Catch::Contains("loc("));
}

TEST_CASE("parameters are read by name") {
  Outcome outcome = runModule(R"(
    torsh.param @w : tensor<2xf32> = dense<[1.0, 2.0]> : tensor<2xf32> {trainable = true}
    func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
      %w = torsh.get_param @w : tensor<2xf32>
      %s = torsh.stop_gradient %w : tensor<2xf32>
      %y = torsh.add %x, %s : tensor<2xf32>
      return %y : tensor<2xf32>
    })",
                              {floats({2}, {10, 20})});
  REQUIRE(outcome.error == "");
  expectFloats(outcome.results[0], {2}, {11, 22});
}

TEST_CASE("guards hold before anything runs") {
  const char *text = R"(
    !x = tensor<?x?xf32, #torsh.dims<[n, m]>>
    func.func @f(%x: !x) -> !x {
      %y = torsh.neg %x : !x
      torsh.guard <n> equals <2*m + 1>, "rows must be twice the columns and one"
      return %y : !x
    })";
  CHECK(runModule(text, {ramp({5, 2})}).error == "");
  CHECK_THAT(runModule(text, {ramp({4, 2})}).error,
             Catch::Contains("TSH-0405") && Catch::Contains("rows must be twice"));
}
