//===-- TestElementwise.cpp - Elementwise ops and their edges
//-----------------------------------------------===//
#include "test/unit/reference/Harness.h"
#include <cmath>

using namespace torsh;
using namespace torsh::test;

/// One row of the table of unary float ops.
struct UnaryRow {
  const char *op;
  double x, y;
};

TEST_CASE("unary float ops give known values") {
  const double pi = 3.14159265358979323846;
  const UnaryRow rows[] = {{"abs", -2.5, 2.5},
                           {"abs", -0.0, 0.0},
                           {"abs", notANumber, notANumber},
                           {"neg", 0.0, -0.0},
                           {"neg", 3, -3},
                           {"sign", -7, -1},
                           {"sign", 0, 0},
                           {"sign", -0.0, 0.0},
                           {"sign", notANumber, notANumber},
                           {"sign", inf, 1},
                           {"exp", 0, 1},
                           {"exp", -inf, 0},
                           {"exp", 1000, inf},
                           {"expm1", 0, 0},
                           {"expm1", 1e-20, 1e-20},
                           {"log", 1, 0},
                           {"log", 0, -inf},
                           {"log", -1, notANumber},
                           {"log1p", 1e-20, 1e-20},
                           {"log1p", -1, -inf},
                           {"sqrt", 9, 3},
                           {"sqrt", -1, notANumber},
                           {"sqrt", -0.0, -0.0},
                           {"rsqrt", 4, 0.5},
                           {"rsqrt", 0, inf},
                           {"sin", pi / 6, 0.5},
                           {"cos", pi / 3, 0.5},
                           {"tan", pi / 4, 1},
                           {"asin", 1, pi / 2},
                           {"acos", 1, 0},
                           {"acos", 2, notANumber},
                           {"atan", 1, pi / 4},
                           {"sinh", 0, 0},
                           {"cosh", 0, 1},
                           {"tanh", inf, 1},
                           {"asinh", 0.75, std::log(2)},
                           {"acosh", 1, 0},
                           {"acosh", 0.5, notANumber},
                           {"atanh", 0.5, 0.5 * std::log(3)},
                           {"atanh", 1, inf},
                           {"erf", 0, 0},
                           {"erf", inf, 1},
                           {"erf", 1, 0.842700792949715},
                           {"sigmoid", 0, 0.5},
                           {"sigmoid", -1000, 0},
                           {"sigmoid", 1000, 1},
                           {"sigmoid", notANumber, notANumber},
                           {"softplus", 0, std::log(2)},
                           {"softplus", 1000, 1000},
                           {"softplus", -1000, 0},
                           {"softplus", inf, inf},
                           {"softplus", notANumber, notANumber},
                           {"floor", -1.5, -2},
                           {"floor", -0.0, -0.0},
                           {"ceil", -1.5, -1},
                           {"ceil", -0.5, -0.0},
                           {"round", 2.5, 2},
                           {"round", 3.5, 4},
                           {"round", -0.5, -0.0},
                           {"round", inf, inf}};
  for (const UnaryRow &row : rows) {
    INFO(row.op << " of " << row.x);
    Tensor y = eval(std::string("torsh.") + row.op + " %a : tensor<1xf64>", "tensor<1xf64>",
                    {floats({1}, {row.x}, "f64")});
    // Zeros, infinities and NaN are exact; others carry the error of libm.
    bool exact = row.y == 0 || !std::isfinite(row.y);
    expectFloats(y, {1}, {row.y}, exact ? 0 : 1e-15 * std::max(1.0, std::fabs(row.y)));
  }
}

TEST_CASE("results are rounded to the element type") {
  Tensor third =
      eval("torsh.div %a, %b : tensor<1xf32>", "tensor<1xf32>", {floats({1}, {1}), floats({1}, {3})});
  expectFloats(third, {1}, {double(1.0f / 3.0f)});
  Tensor half = eval("torsh.add %a, %b : tensor<2xf16>", "tensor<2xf16>",
                     {floats({2}, {2048, 65504}, "f16"), floats({2}, {1, 65504}, "f16")});
  expectFloats(half, {2}, {2048, inf}); // 2049 lies between two f16, to even
  Tensor exp = eval("torsh.exp %a : tensor<1xbf16>", "tensor<1xbf16>", {floats({1}, {1}, "bf16")});
  expectFloats(exp, {1}, {2.71875});
}

/// One row of the table of integer ops.
struct IntRow {
  const char *op, *element;
  int64_t a, b, y;
};

TEST_CASE("integer ops keep to their rules at the edges") {
  const int64_t least = INT64_MIN;
  const IntRow rows[] = {{"add", "i8", 127, 1, -128},
                         {"add", "i64", INT64_MAX, 1, least},
                         {"sub", "ui8", 0, 1, 255},
                         {"sub", "i64", least, 1, INT64_MAX},
                         {"mul", "i8", 100, 3, 44},
                         {"mul", "i64", least, -1, least},
                         {"mul", "ui64", -1, -1, 1},
                         {"div", "i32", 7, 0, 0},
                         {"div", "i32", INT32_MIN, -1, INT32_MIN},
                         {"div", "i64", least, -1, least},
                         {"div", "i8", -128, -1, -128},
                         {"div", "i32", -7, 2, -3},
                         {"div", "ui64", -1, 2, INT64_MAX},
                         {"div", "ui64", 5, 0, 0},
                         {"rem", "i32", -7, 3, -1},
                         {"rem", "i32", 7, 0, 0},
                         {"rem", "i64", least, -1, 0},
                         {"rem", "ui64", -1, 10, 5},
                         {"mod", "i32", -7, 3, 2},
                         {"mod", "i32", 7, -3, -2},
                         {"mod", "i32", 6, -3, 0},
                         {"mod", "i32", 7, 0, 0},
                         {"mod", "i64", least, -1, 0},
                         {"mod", "ui8", 250, 7, 5},
                         {"mod", "i64", INT64_MAX, least, -1},
                         {"pow", "i32", 3, 4, 81},
                         {"pow", "i32", 0, 0, 1},
                         {"pow", "i32", 2, -1, 0},
                         {"pow", "i32", 1, -5, 1},
                         {"pow", "i32", -1, -5, -1},
                         {"pow", "i32", -1, -4, 1},
                         {"pow", "i32", 0, -1, 0},
                         {"pow", "i8", 2, 7, -128},
                         {"pow", "ui8", 255, 2, 1},
                         {"maximum", "i8", -1, 1, 1},
                         {"maximum", "ui64", -1, 1, -1},
                         {"minimum", "ui64", -1, 1, 1},
                         {"minimum", "i64", -1, 1, -1},
                         {"and", "i32", 12, 10, 8},
                         {"or", "i32", 12, 10, 14},
                         {"xor", "i32", 12, 10, 6},
                         {"and", "i1", 1, 0, 0},
                         {"or", "i1", 1, 0, 1},
                         {"xor", "i1", 1, 1, 0},
                         {"shift_left", "i32", 1, 31, INT32_MIN},
                         {"shift_left", "i32", 1, 32, 0},
                         {"shift_left", "i32", 1, -1, 0},
                         {"shift_left", "i64", 3, 63, least},
                         {"shift_right", "i32", -8, 1, -4},
                         {"shift_right", "i32", -8, 40, -1},
                         {"shift_right", "i32", 8, 32, 0},
                         {"shift_right", "ui8", 128, 7, 1},
                         {"shift_right", "ui64", -1, 63, 1},
                         {"shift_right", "ui64", -1, 64, 0},
                         {"shift_right", "i64", least, 64, -1}};
  for (const IntRow &row : rows) {
    std::string tensor = std::string("tensor<1x") + row.element + ">";
    INFO(row.op << " " << row.element << " of " << row.a << " and " << row.b);
    Tensor y = eval(std::string("torsh.") + row.op + " %a, %b : " + tensor, tensor,
                    {ints({1}, {row.a}, row.element), ints({1}, {row.b}, row.element)});
    expectInts(y, {1}, {row.y});
  }
}

TEST_CASE("unary integer ops") {
  auto run = [](const char *op, const char *element, int64_t x) {
    std::string tensor = std::string("tensor<1x") + element + ">";
    return eval(std::string("torsh.") + op + " %a : " + tensor, tensor, {ints({1}, {x}, element)}).ints[0];
  };
  CHECK(run("abs", "i8", -128) == -128);
  CHECK(run("abs", "i64", INT64_MIN) == INT64_MIN);
  CHECK(run("abs", "ui64", -5) == -5);
  CHECK(run("neg", "i8", -128) == -128);
  CHECK(run("neg", "ui8", 1) == 255);
  CHECK(run("sign", "i32", -9) == -1);
  CHECK(run("sign", "ui64", -9) == 1);
  CHECK(run("not", "i8", 5) == -6);
  CHECK(run("not", "ui8", 5) == 250);
  CHECK(run("not", "i1", 1) == 0);
  CHECK(run("not", "i1", 0) == 1);
}

struct FloatRow {
  const char *op;
  double a, b, y;
};

TEST_CASE("binary float ops keep to their rules at the edges") {
  const FloatRow rows[] = {{"div", 1, 0, inf},
                           {"div", 0, 0, notANumber},
                           {"rem", -7, 3, -1},
                           {"rem", 7, 0, notANumber},
                           {"mod", -7, 3, 2},
                           {"mod", 7, -3, -2},
                           {"mod", 6, -3, -0.0},
                           {"mod", 5.5, 2, 1.5},
                           {"pow", 2, -1, 0.5},
                           {"pow", 0, 0, 1},
                           {"pow", -8, 1.0 / 3, notANumber},
                           {"pow", notANumber, 0, 1},
                           {"maximum", notANumber, 1, notANumber},
                           {"maximum", 1, notANumber, notANumber},
                           {"maximum", -0.0, 0.0, 0.0},
                           {"maximum", 0.0, -0.0, 0.0},
                           {"minimum", 0.0, -0.0, -0.0},
                           {"minimum", notANumber, -inf, notANumber},
                           {"minimum", 2, -inf, -inf},
                           {"sub", inf, inf, notANumber}};
  for (const FloatRow &row : rows) {
    INFO(row.op << " of " << row.a << " and " << row.b);
    expectFloats(eval(std::string("torsh.") + row.op + " %a, %b : tensor<f32>", "tensor<f32>",
                      {floats({}, {row.a}), floats({}, {row.b})}),
                 {}, {row.y});
  }
}

TEST_CASE("comparisons are false for NaN, but ne is true") {
  Tensor a = floats({4}, {1, notANumber, 2, -0.0}), b = floats({4}, {1, 1, 1, 0.0});
  auto compare = [&](const char *predicate) {
    return eval(std::string("torsh.compare ") + predicate +
                    " %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>",
                "tensor<4xi1>", {a, b})
        .ints;
  };
  CHECK(compare("eq") == Ints{1, 0, 0, 1});
  CHECK(compare("ne") == Ints{0, 1, 1, 0});
  CHECK(compare("lt") == Ints{0, 0, 0, 0});
  CHECK(compare("le") == Ints{1, 0, 0, 1});
  CHECK(compare("gt") == Ints{0, 0, 1, 0});
  CHECK(compare("ge") == Ints{1, 0, 1, 1});
  expectInts(eval("torsh.compare lt %a, %b : (tensor<1xui64>, tensor<1xui64>) -> tensor<1xi1>",
                  "tensor<1xi1>", {ints({1}, {1}, "ui64"), ints({1}, {-1}, "ui64")}),
             {1}, {1});
}

TEST_CASE("select and is_nan") {
  expectFloats(eval("torsh.select %a, %b, %c : (tensor<2xi1>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>",
                    "tensor<2xf32>",
                    {bools({2}, {1, 0}), floats({2}, {1, notANumber}), floats({2}, {notANumber, 4})}),
               {2}, {1, 4});
  expectInts(eval("torsh.is_nan %a : (tensor<3xf32>) -> tensor<3xi1>", "tensor<3xi1>",
                  {floats({3}, {notANumber, inf, 0})}),
             {3}, {1, 0, 0});
}

static Tensor cast(const Tensor &x, const char *from, const char *to, bool saturate = true) {
  std::string n = std::to_string(x.numElements()), result = "tensor<" + n + "x" + to + ">";
  return eval("torsh.cast %a " + std::string(saturate ? "" : "{saturate = false} ") + ": (tensor<" + n + "x" +
                  from + ">) -> " + result,
              result, {x});
}

TEST_CASE("casts truncate, saturate and wrap") {
  Tensor x = floats({8}, {1.9, -1.9, notANumber, inf, -inf, 1e10, 300, -3});
  CHECK(cast(x, "f32", "i32").ints == Ints{1, -1, 0, INT32_MAX, INT32_MIN, INT32_MAX, 300, -3});
  CHECK(cast(x, "f32", "ui8").ints == Ints{1, 0, 0, 255, 0, 255, 255, 0});
  CHECK(cast(x, "f32", "i1").ints == Ints{1, 1, 1, 1, 1, 1, 1, 1});
  CHECK(cast(floats({2}, {0, -0.0}), "f32", "i1").ints == Ints{0, 0});
  CHECK(cast(floats({3}, {1e19, -1, 0x1p63}, "f64"), "f64", "i64").ints == Ints{INT64_MAX, -1, INT64_MAX});
  CHECK(cast(floats({3}, {1e20, -1, 0x1p63}, "f64"), "f64", "ui64").ints == Ints{-1, 0, INT64_MIN});
  CHECK(cast(ints({3}, {300, -1, 128}, "i32"), "i32", "i8").ints == Ints{44, -1, -128});
  CHECK(cast(ints({2}, {-1, 256}, "i32"), "i32", "ui8").ints == Ints{255, 0});
  CHECK(cast(ints({2}, {256, 0}, "i32"), "i32", "i1").ints == Ints{1, 0});
  expectFloats(cast(ints({2}, {-1, 2}, "ui64"), "ui64", "f64"), {2}, {0x1p64, 2});
}

TEST_CASE("a large integer becomes a float with one rounding") {
  // 2^60 + 2^36 + 1 is above the middle of two f32; in f64 the last bit is lost and the middle would go to
  // even.
  int64_t value = (int64_t(1) << 60) + (int64_t(1) << 36) + 1;
  expectFloats(cast(ints({2}, {value, -value}), "i64", "f32"), {2},
               {double(float(value)), -double(float(value))});
  CHECK(double(float(value)) != double(float(double(value))));
}

TEST_CASE("casts to 8-bit floats saturate or not") {
  Tensor x = floats({5}, {500, -500, inf, notANumber, 17});
  expectFloats(cast(x, "f32", "f8E4M3FN"), {5}, {448, -448, 448, notANumber, 16});
  expectFloats(cast(x, "f32", "f8E4M3FN", false), {5}, {notANumber, notANumber, notANumber, notANumber, 16});
  expectFloats(cast(floats({2}, {1e6, -inf}), "f32", "f8E5M2"), {2}, {57344, -57344});
  expectFloats(cast(floats({2}, {1e6, -inf}), "f32", "f8E5M2", false), {2}, {inf, -inf});
  expectFloats(cast(ints({1}, {1000}), "i64", "f8E4M3FN"), {1}, {448});
  expectFloats(cast(x, "f32", "f8E4M3FNUZ"), {5}, {240, -240, 240, notANumber, 16});
  expectFloats(cast(x, "f32", "f8E5M2FNUZ", false), {5}, {512, -512, notANumber, notANumber, 16});
}

TEST_CASE("casts to floats without infinity and NaN always saturate") {
  Tensor x = floats({6}, {500, -500, inf, notANumber, 0.3, -2.5});
  for (bool saturate : {true, false}) {
    expectFloats(cast(x, "f32", "f4E2M1FN", saturate), {6}, {6, -6, 6, 0, 0.5, -2});
    expectFloats(cast(x, "f32", "f6E2M3FN", saturate), {6}, {7.5, -7.5, 7.5, 0, 0.25, -2.5});
    expectFloats(cast(x, "f32", "f6E3M2FN", saturate), {6}, {28, -28, 28, 0, 0.3125, -2.5});
  }
}

TEST_CASE("casts to powers of two go to the nearest one, ties up, and lose the sign") {
  Tensor x = floats({8}, {0, 0.75, 1.4, -1.5, 3, inf, notANumber, 0x1.8p127});
  expectFloats(cast(x, "f32", "f8E8M0FNU"), {8}, {0x1p-127, 1, 1, 2, 4, 0x1p127, notANumber, 0x1p127});
  expectFloats(cast(x, "f32", "f8E8M0FNU", false), {8},
               {notANumber, 1, 1, 2, 4, notANumber, notANumber, notANumber});
}

TEST_CASE("empty and rank-0 tensors") {
  expectFloats(eval("torsh.exp %a : tensor<0x3xf32>", "tensor<0x3xf32>", {floats({0, 3}, {})}), {0, 3}, {});
  expectInts(
      eval("torsh.add %a, %b : tensor<i32>", "tensor<i32>", {ints({}, {1}, "i32"), ints({}, {2}, "i32")}), {},
      {3});
}

TEST_CASE("bits as another type") {
  expectInts(eval("torsh.bitcast %a : (tensor<3xf32>) -> tensor<3xi32>", "tensor<3xi32>",
                  {floats({3}, {1, -0.0, -2})}),
             {3}, {0x3f800000, INT32_MIN, int32_t(0xc0000000)});
  expectFloats(eval("torsh.bitcast %a : (tensor<2xi16>) -> tensor<2xf16>", "tensor<2xf16>",
                    {ints({2}, {0x3c00, -1024}, "i16")}),
               {2}, {1, -inf});
  expectInts(
      eval("torsh.bitcast %a : (tensor<2xi8>) -> tensor<2xui8>", "tensor<2xui8>", {ints({2}, {-1, 5}, "i8")}),
      {2}, {255, 5});
  expectInts(
      eval("torsh.bitcast %a : (tensor<2xui8>) -> tensor<2xi1>", "tensor<2xi1>", {ints({2}, {0, 2}, "ui8")}),
      {2}, {0, 1});
}
