//===-- TestIndexing.cpp - Gathers, scatters, sorting and selection
//-----------------------------------------===//
#include "test/unit/reference/Harness.h"

using namespace torsh;
using namespace torsh::test;

TEST_CASE("gather takes slices; indices count from the end and are clamped") {
  Tensor x = floats({3, 2}, {0, 1, 10, 11, 20, 21});
  expectFloats(eval("torsh.gather %a, %b axis = 0 : (tensor<3x2xf32>, tensor<2x2xi64>) -> tensor<2x2x2xf32>",
                    "tensor<2x2x2xf32>", {x, ints({2, 2}, {2, -3, 99, -99})}),
               {2, 2, 2}, {20, 21, 0, 1, 20, 21, 0, 1});
  expectFloats(eval("torsh.gather %a, %b axis = 1 : (tensor<3x2xf32>, tensor<i32>) -> tensor<3xf32>",
                    "tensor<3xf32>", {x, ints({}, {-1}, "i32")}),
               {3}, {1, 11, 21});
  expectFloats(eval("torsh.gather %a, %b axis = 0 : (tensor<1xf32>, tensor<2xi64>) -> tensor<2xf32>",
                    "tensor<2xf32>", {floats({1}, {5}), ints({2}, {INT64_MIN, INT64_MAX})}),
               {2}, {5, 5});
}

TEST_CASE("gather from an empty axis is refused unless there are no indices") {
  const char *text = R"(
    !x = tensor<?x2xf32, #torsh.dims<[n, 2]>>
    !i = tensor<?xi64, #torsh.dims<[m]>>
    !y = tensor<?x2xf32, #torsh.dims<[m, 2]>>
    func.func @f(%x: !x, %i: !i) -> !y {
      %y = torsh.gather %x, %i axis = 0 : (!x, !i) -> !y
      return %y : !y
    })";
  CHECK_THAT(runModule(text, {floats({0, 2}, {}), ints({1}, {0})}).error, Catch::Contains("TSH-0402"));
  Outcome none = runModule(text, {floats({0, 2}, {}), ints({0}, {})});
  REQUIRE(none.error == "");
  expectFloats(none.results[0], {0, 2}, {});
}

TEST_CASE("gather_elements and gather_nd") {
  Tensor x = floats({2, 3}, {0, 1, 2, 10, 11, 12});
  expectFloats(
      eval("torsh.gather_elements %a, %b axis = 1 : (tensor<2x3xf32>, tensor<2x2xi64>) -> tensor<2x2xf32>",
           "tensor<2x2xf32>", {x, ints({2, 2}, {2, 7, -3, 0})}),
      {2, 2}, {2, 2, 10, 10});
  expectFloats(
      eval("torsh.gather_nd %a, %b batch_dims = 0 : (tensor<2x3xf32>, tensor<2x2xi64>) -> tensor<2xf32>",
           "tensor<2xf32>", {x, ints({2, 2}, {1, 2, 0, -2})}),
      {2}, {12, 1});
  expectFloats(
      eval("torsh.gather_nd %a, %b batch_dims = 1 : (tensor<2x3xf32>, tensor<2x1xi64>) -> tensor<2xf32>",
           "tensor<2xf32>", {x, ints({2, 1}, {1, 5})}),
      {2}, {1, 12});
  expectFloats(
      eval("torsh.gather_nd %a, %b batch_dims = 0 : (tensor<2x3xf32>, tensor<1x1xi64>) -> tensor<1x3xf32>",
           "tensor<1x3xf32>", {x, ints({1, 1}, {-1})}),
      {1, 3}, {10, 11, 12});
}

TEST_CASE("gather_elements reads only inside x") {
  Outcome outcome = runModule(R"(
    !i = tensor<?x1xi64, #torsh.dims<[m, 1]>>
    !y = tensor<?x1xf32, #torsh.dims<[m, 1]>>
    func.func @f(%x: tensor<2x3xf32>, %i: !i) -> !y {
      %y = torsh.gather_elements %x, %i axis = 1 : (tensor<2x3xf32>, !i) -> !y
      return %y : !y
    })",
                              {ramp({2, 3}), ints({5, 1}, {0, 0, 0, 0, 0})});
  CHECK_THAT(outcome.error, Catch::Contains("TSH-0402"));
}

static Floats scatterElements(const char *kind) {
  return eval(std::string("torsh.scatter_elements %a, %b, %c axis = 0 {kind = #torsh<scatter_kind ") + kind +
                  ">} : (tensor<3xf32>, tensor<4xi64>, tensor<4xf32>) -> tensor<3xf32>",
              "tensor<3xf32>",
              {floats({3}, {10, 20, 30}), ints({4}, {1, 1, -1, 99}), floats({4}, {2, 50, 3, 4})})
      .floats;
}

TEST_CASE("scatter_elements combines in order") {
  CHECK(scatterElements("replace") == Floats{10, 50, 4});
  CHECK(scatterElements("add") == Floats{10, 72, 37});
  CHECK(scatterElements("mul") == Floats{10, 2000, 360});
  CHECK(scatterElements("max") == Floats{10, 50, 30});
  CHECK(scatterElements("min") == Floats{10, 2, 3});
}

TEST_CASE("scatter_nd writes slices") {
  expectFloats(eval("torsh.scatter_nd %a, %b, %c : (tensor<3x2xf32>, tensor<2x1xi64>, tensor<2x2xf32>) -> "
                    "tensor<3x2xf32>",
                    "tensor<3x2xf32>", {ramp({3, 2}), ints({2, 1}, {-1, 0}), floats({2, 2}, {7, 8, 9, 6})}),
               {3, 2}, {9, 6, 2, 3, 7, 8});
  expectInts(eval("torsh.scatter_nd %a, %b, %c {kind = #torsh<scatter_kind add>} : (tensor<2xi8>, "
                  "tensor<2x1xi32>, tensor<2xi8>) -> tensor<2xi8>",
                  "tensor<2xi8>",
                  {ints({2}, {100, 1}, "i8"), ints({2, 1}, {0, 0}, "i32"), ints({2}, {20, 20}, "i8")}),
             {2}, {-116, 1});
}

TEST_CASE("topk sorts, prefers the lower index and counts NaN as largest") {
  auto topk = [](const char *largest, Floats values) {
    Outcome outcome = runOp(std::string("torsh.topk %a k = <3> axis = 0 {largest = ") + largest +
                                "} : (tensor<5xf32>) -> (tensor<3xf32>, tensor<3xi64>)",
                            "tensor<3xf32>, tensor<3xi64>", {floats({5}, values)});
    REQUIRE(outcome.error == "");
    return outcome.results[1].ints;
  };
  CHECK(topk("true", {1, 3, 2, 3, 0}) == Ints{1, 3, 2});
  CHECK(topk("false", {1, 0, 2, 0, 3}) == Ints{1, 3, 0});
  CHECK(topk("true", {1, notANumber, inf, notANumber, 0}) == Ints{1, 3, 2});
  CHECK(topk("false", {notANumber, notANumber, 5, notANumber, notANumber}) == Ints{2, 0, 1});
  Outcome columns =
      runOp("torsh.topk %a k = <1> axis = 0 : (tensor<2x2xui64>) -> (tensor<1x2xui64>, tensor<1x2xi64>)",
            "tensor<1x2xui64>, tensor<1x2xi64>", {ints({2, 2}, {1, -1, 2, 3}, "ui64")});
  REQUIRE(columns.error == "");
  expectInts(columns.results[0], {1, 2}, {2, -1});
  expectInts(columns.results[1], {1, 2}, {1, 0});
}

TEST_CASE("non_zero gives coordinates and binds its size") {
  const char *text = R"(
    !y = tensor<2x?xi64, #torsh.dims<[2, n]>>
    func.func @f(%x: tensor<2x3xf32>) -> (!y, tensor<1xi64>) {
      %y = torsh.non_zero %x : (tensor<2x3xf32>) -> !y
      %n = torsh.from_dims <[n]> : tensor<1xi64>
      return %y, %n : !y, tensor<1xi64>
    })";
  Outcome outcome = runModule(text, {floats({2, 3}, {0, 5, -0.0, notANumber, 0, 1})});
  REQUIRE(outcome.error == "");
  expectInts(outcome.results[0], {2, 3}, {0, 1, 1, 1, 0, 2});
  expectInts(outcome.results[1], {1}, {3});
  Outcome none = runModule(text, {floats({2, 3}, {0, 0, 0, 0, 0, 0})});
  REQUIRE(none.error == "");
  expectInts(none.results[0], {2, 0}, {});
}

static Ints suppress(const char *attributes, const Tensor &boxes, const Tensor &scores) {
  std::string n = std::to_string(boxes.shape[1]), c = std::to_string(scores.shape[1]);
  std::string y = "tensor<?x3xi64, #torsh.dims<[m, 3]>>";
  Outcome outcome = runOp(std::string("torsh.non_max_suppression %a, %b {") + attributes + "} : (tensor<1x" +
                              n + "x4xf32>, tensor<1x" + c + "x" + n + "xf32>) -> " + y,
                          y, {boxes, scores});
  REQUIRE(outcome.error == "");
  REQUIRE(outcome.results[0].shape[1] == 3);
  return outcome.results[0].ints;
}

TEST_CASE("non_max_suppression selects greedily") {
  // Boxes 0 and 1 overlap by 1/3, boxes 0 and 2 not at all; box 3 is box 2 with its corners swapped.
  Tensor boxes = floats({1, 4, 4}, {0, 0, 2, 2, 0, 1, 2, 3, 5, 5, 6, 6, 6, 6, 5, 5});
  Tensor scores = floats({1, 1, 4}, {0.9f, 0.8f, 0.5, 0.7f});
  CHECK(suppress("max_boxes_per_class = 9, iou_threshold = 0.5 : f64", boxes, scores) ==
        Ints{0, 0, 0, 0, 0, 1, 0, 0, 3});
  CHECK(suppress("max_boxes_per_class = 9, iou_threshold = 0.3 : f64", boxes, scores) ==
        Ints{0, 0, 0, 0, 0, 3});
  CHECK(suppress("max_boxes_per_class = 1, iou_threshold = 0.3 : f64", boxes, scores) == Ints{0, 0, 0});
  CHECK(suppress("max_boxes_per_class = 0, iou_threshold = 0.3 : f64", boxes, scores) == Ints{});
  CHECK(suppress("max_boxes_per_class = 9, iou_threshold = 0.3 : f64, score_threshold = 0.75 : f64", boxes,
                 scores) == Ints{0, 0, 0});
  // The threshold is exceeded, not reached: equal scores keep their order.
  CHECK(suppress("max_boxes_per_class = 9, iou_threshold = 0.9 : f64, score_threshold = 0.5 : f64",
                 floats({1, 2, 4}, {0, 0, 1, 1, 2, 2, 3, 3}),
                 floats({1, 2, 2}, {0.5, 0.5, 0.75, 0.75})) == Ints{0, 1, 0, 0, 1, 1});
  // Center form: x, y, width, height. The second box lies inside the first and covers a quarter of it.
  CHECK(suppress("max_boxes_per_class = 9, iou_threshold = 0.2 : f64, center = true",
                 floats({1, 2, 4}, {2, 2, 4, 4, 1, 1, 2, 2}), floats({1, 1, 2}, {1, 2})) == Ints{0, 0, 1});
  // NaN scores come last and do not disturb the order.
  CHECK(suppress("max_boxes_per_class = 9, iou_threshold = 0.5 : f64",
                 floats({1, 3, 4}, {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5}),
                 floats({1, 1, 3}, {notANumber, 1, 2})) == Ints{0, 0, 2, 0, 0, 1, 0, 0, 0});
}

TEST_CASE("suppress_boxes fills what is left with -1") {
  Tensor boxes = floats({1, 4, 4}, {0, 0, 2, 2, 0, 1, 2, 3, 5, 5, 6, 6, 6, 6, 5, 5});
  Tensor scores = floats({1, 1, 4}, {0.9f, 0.8f, 0.5, 0.7f});
  auto run = [&](int64_t most, double iou, double score) {
    return eval(
               "torsh.suppress_boxes %a, %b most %c iou %d score %e : (tensor<1x4x4xf32>, tensor<1x1x4xf32>, "
               "tensor<i64>, tensor<f32>, tensor<f32>) -> tensor<1x1x4xi64>",
               "tensor<1x1x4xi64>", {boxes, scores, ints({}, {most}), floats({}, {iou}), floats({}, {score})})
        .ints;
  };
  CHECK(run(9, 0.5, 0) == Ints{0, 1, 3, -1});
  CHECK(run(9, 0.3, 0) == Ints{0, 3, -1, -1});
  CHECK(run(1, 0.3, 0) == Ints{0, -1, -1, -1});
  CHECK(run(0, 0.3, 0) == Ints{-1, -1, -1, -1});
  CHECK(run(9, 0.3, 0.75) == Ints{0, -1, -1, -1});
}
