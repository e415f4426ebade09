//===-- TestControlFlow.cpp - Regions, functions and symbols
//------------------------------------------------===//
#include "test/unit/reference/Harness.h"

using namespace torsh;
using namespace torsh::test;

TEST_CASE("if runs one region, which sees outer values") {
  const char *text = R"(
    func.func @f(%c: tensor<i1>, %x: tensor<2xf32>) -> tensor<2xf32> {
      %n = torsh.neg %x : tensor<2xf32>
      %y = torsh.if %c {
        %s = torsh.add %n, %x : tensor<2xf32>
        torsh.yield %s : tensor<2xf32>
      } else {
        torsh.yield %n : tensor<2xf32>
      } : (tensor<i1>) -> tensor<2xf32>
      return %y : tensor<2xf32>
    })";
  expectFloats(runModule(text, {bools({}, {1}), floats({2}, {1, 2})}).results.at(0), {2}, {0, 0});
  expectFloats(runModule(text, {bools({}, {0}), floats({2}, {1, 2})}).results.at(0), {2}, {-1, -2});
}

static const char *countedLoop = R"(
  !in = tensor<?xf32, #torsh.dims<[n]>>
  !out = tensor<?x2xf32, #torsh.dims<[n, 2]>>
  func.func @f(%t: !in, %x: tensor<2xf32>) -> (tensor<2xf32>, !out) {
    %y:2 = torsh.for <n> init(%x) {
    ^bb0(%i: tensor<i64>, %v: tensor<2xf32>):
      %f = torsh.cast %i : (tensor<i64>) -> tensor<f32>
      %b = torsh.broadcast %f axes = [] : (tensor<f32>) -> tensor<2xf32>
      %next = torsh.add %v, %b : tensor<2xf32>
      torsh.yield %next, %v : tensor<2xf32>, tensor<2xf32>
    } : (tensor<2xf32>) -> (tensor<2xf32>, !out)
    return %y#0, %y#1 : tensor<2xf32>, !out
  })";

TEST_CASE("for carries values and stacks others") {
  Outcome outcome = runModule(countedLoop, {ramp({4}), floats({2}, {10, 20})});
  REQUIRE(outcome.error == "");
  expectFloats(outcome.results[0], {2}, {16, 26});
  expectFloats(outcome.results[1], {4, 2}, {10, 20, 10, 20, 11, 21, 13, 23});
}

TEST_CASE("a loop without iterations gives its initial values and empty stacks") {
  Outcome outcome = runModule(countedLoop, {floats({0}, {}), floats({2}, {10, 20})});
  REQUIRE(outcome.error == "");
  expectFloats(outcome.results[0], {2}, {10, 20});
  expectFloats(outcome.results[1], {0, 2}, {});
}

static const char *conditionalLoop = R"(
  func.func @f(%limit: tensor<i64>, %start: tensor<i64>) -> tensor<i64> {
    %c = torsh.compare lt %start, %limit : (tensor<i64>, tensor<i64>) -> tensor<i1>
    %two = torsh.constant dense<2> : tensor<i64> -> tensor<i64>
    %y = torsh.while %c init(%start) {
    ^bb0(%v: tensor<i64>):
      %next = torsh.mul %v, %two : tensor<i64>
      %more = torsh.compare lt %next, %limit : (tensor<i64>, tensor<i64>) -> tensor<i1>
      torsh.yield %more, %next : tensor<i1>, tensor<i64>
    } : (tensor<i1>, tensor<i64>) -> tensor<i64>
    return %y : tensor<i64>
  })";

TEST_CASE("while runs as long as its condition holds") {
  expectInts(runModule(conditionalLoop, {ints({}, {100}), ints({}, {3})}).results.at(0), {}, {192});
  expectInts(runModule(conditionalLoop, {ints({}, {1}), ints({}, {3})}).results.at(0), {}, {3});
}

TEST_CASE("an endless loop is refused at the limit") {
  EvaluatorLimits limits;
  limits.maxIterations = 1000;
  Outcome outcome = runModule(conditionalLoop, {ints({}, {100}), ints({}, {0})}, limits);
  CHECK_THAT(outcome.error, Catch::Contains("TSH-0409") && Catch::Contains("torsh.while"));
}

TEST_CASE("groups and launches are transparent") {
  Outcome outcome = runModule(R"(
    !x = tensor<?xf32, #torsh.dims<[n]>>
    !k = tensor<?xf32, #torsh.dims<[s0]>>
    torsh.kernel @k "elementwise" ["s0"] {
    ^bb0(%v: !k):
      %e = torsh.abs %v : !k
      torsh.yield %e : !k
    }
    func.func @f(%x: !x) -> !x {
      %y = torsh.group "elementwise"(%x) {
      ^bb0(%v: !x):
        %e = torsh.neg %v : !x
        torsh.yield %e : !x
      } : (!x) -> !x
      %z = torsh.launch @k(%y) dims = <[n]> : (!x) -> !x
      %s = torsh.sub %z, %y : !x
      return %s : !x
    })",
                              {floats({3}, {1, -2, 3})});
  REQUIRE(outcome.error == "");
  expectFloats(outcome.results[0], {3}, {2, 0, 6});
}

TEST_CASE("symbols that are born in a group are known outside") {
  Outcome outcome = runModule(R"(
    !n = tensor<1x?xi64, #torsh.dims<[1, k]>>
    func.func @f(%x: tensor<4xf32>) -> (!n, tensor<1xi64>) {
      %y = torsh.group "index"(%x) {
      ^bb0(%v: tensor<4xf32>):
        %e = torsh.non_zero %v : (tensor<4xf32>) -> !n
        torsh.yield %e : !n
      } : (tensor<4xf32>) -> !n
      %k = torsh.from_dims <[3*k]> : tensor<1xi64>
      return %y, %k : !n, tensor<1xi64>
    })",
                              {floats({4}, {0, 1, 0, 1})});
  REQUIRE(outcome.error == "");
  expectInts(outcome.results[0], {1, 2}, {1, 3});
  expectInts(outcome.results[1], {1}, {6});
}

TEST_CASE("inputs are checked against the types") {
  const char *text = R"(
    !a = tensor<?x?xf32, #torsh.dims<[2*n + 1, m]>>
    !b = tensor<?xf32, #torsh.dims<[n]>>
    func.func @f(%a: !a, %b: !b) -> !a {
      return %a : !a
    })";
  CHECK(runModule(text, {ramp({7, 2}), ramp({3})}).error == "");
  CHECK_THAT(runModule(text, {ramp({6, 2}), ramp({3})}).error,
             Catch::Contains("TSH-0404") && Catch::Contains("input 0"));
  CHECK_THAT(runModule(text, {ramp({7}), ramp({3})}).error, Catch::Contains("TSH-0404"));
  CHECK_THAT(runModule(text, {ramp({7, 2}), ints({3}, {1, 2, 3})}).error, Catch::Contains("TSH-0404"));
  CHECK_THAT(runModule(text, {ramp({7, 2})}).error, Catch::Contains("TSH-0404"));
  Tensor torn = ramp({3});
  torn.floats.pop_back();
  CHECK_THAT(runModule(text, {ramp({7, 2}), torn}).error, Catch::Contains("TSH-0404"));
}

TEST_CASE("results are checked against the types") {
  // Two symbols that turn out to differ meet in one op.
  Outcome outcome = runModule(R"(
    !a = tensor<?xf32, #torsh.dims<[n]>>
    !b = tensor<?xf32, #torsh.dims<[m]>>
    func.func @f(%a: !a, %b: !b) -> !a {
      %y = torsh.reshape %b : (!b) -> !a
      return %y : !a
    })",
                              {ramp({3}), ramp({4})});
  CHECK_THAT(outcome.error, Catch::Contains("TSH-0402") && Catch::Contains("torsh.reshape"));
}

TEST_CASE("large tensors are refused, empty ones with huge dims too") {
  EvaluatorLimits limits;
  limits.maxElements = 100;
  CHECK_THAT(runOp("torsh.iota axis = 0 : tensor<101xi64>", "tensor<101xi64>", {}, limits).error,
             Catch::Contains("TSH-0401") && Catch::Contains("torsh.iota") && Catch::Contains("loc("));
  CHECK(runOp("torsh.iota axis = 0 : tensor<100xi64>", "tensor<100xi64>", {}, limits).error == "");
  CHECK_THAT(runOp("torsh.iota axis = 0 : tensor<1099511627776x0x1099511627776xi64>",
                   "tensor<1099511627776x0x1099511627776xi64>", {})
                 .error,
             Catch::Contains("TSH-0401"));
  CHECK_THAT(
      runOp(
          "torsh.constant dense<1> : tensor<4294967296x4294967296xi64> -> tensor<4294967296x4294967296xi64>",
          "tensor<4294967296x4294967296xi64>", {})
          .error,
      Catch::Contains("TSH-0401"));
  CHECK_THAT(runOp("torsh.broadcast %a axes = [0] : (tensor<1xf32>) -> tensor<200xf32>", "tensor<200xf32>",
                   {ramp({1})}, limits)
                 .error,
             Catch::Contains("TSH-0401"));
}

TEST_CASE("an op of another dialect is refused by name") {
  Outcome outcome = runModule(R"(
    func.func private @g(tensor<2xf32>) -> tensor<2xf32>
    func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
      %y = call @g(%x) : (tensor<2xf32>) -> tensor<2xf32>
      return %y : tensor<2xf32>
    })",
                              {ramp({2})});
  CHECK_THAT(outcome.error, Catch::Contains("TSH-0406") && Catch::Contains("func.call"));
}

TEST_CASE("a value is the same before and after others are freed") {
  // %x is used last by the third op; %a twice by one op.
  Outcome outcome = runModule(R"(
    func.func @f(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
      %a = torsh.neg %x : tensor<2xf32>
      %b = torsh.mul %a, %a : tensor<2xf32>
      %c = torsh.add %b, %x : tensor<2xf32>
      %unused = torsh.exp %c : tensor<2xf32>
      return %c, %c : tensor<2xf32>, tensor<2xf32>
    })",
                              {floats({2}, {2, -3})});
  REQUIRE(outcome.error == "");
  expectFloats(outcome.results[0], {2}, {6, 6});
  expectFloats(outcome.results[1], {2}, {6, 6});
}
