//===-- ElementwiseCases.cpp - Elementwise chains, moved elements and concatenation -------------------------===//
#include "KernelHarness.h"

using namespace torsh::test;

namespace {

using Sizes = std::vector<int64_t>;
using Texts = std::vector<std::string>;

Case unary(const std::string &op, const std::string &type, Range range = {}) {
  Case made{"elementwise", "%x: " + type, "%y = torsh." + op + " %x : " + type, "%y", type};
  if (type.find("xf") != std::string::npos)
    made.ranges[0] = range;
  return made;
}

Case binary(const std::string &op, const std::string &type, Range left = {}, Range right = {}) {
  Case made{"elementwise", "%a: " + type + ", %b: " + type, "%y = torsh." + op + " %a, %b : " + type, "%y",
            type};
  if (type.find("xf") != std::string::npos)
    made.ranges = {{0, left}, {1, right}};
  return made;
}

/// A kernel of one input %x of type `x`, whose body ends in %y of type `y`.
Case moved(const std::string &x, const std::string &body, const std::string &y,
           std::map<std::string, int64_t> symbols = {}) {
  return {"elementwise", "%x: " + x, body, "%y", y, symbols};
}

} // namespace

TEST_CASE("unary functions") {
  std::vector<Case> cases;
  std::string rows = tensor(Sizes{3, 21});
  for (const char *op : {"abs", "neg", "sign", "exp", "expm1", "sin", "cos", "atan", "sinh", "cosh", "tanh",
                         "asinh", "erf", "sigmoid", "softplus", "floor", "ceil", "round"})
    cases.push_back(unary(op, rows, {-4, 4}));
  for (const char *op : {"log", "log1p", "sqrt", "rsqrt"})
    cases.push_back(unary(op, rows, {0.01, 9}));
  for (const char *op : {"asin", "acos", "atanh", "tan"})
    cases.push_back(unary(op, rows, {-0.9, 0.9}));
  cases.push_back(unary("acosh", rows, {1, 9}));
  for (const char *op : {"abs", "sign", "exp", "sigmoid", "tanh", "softplus", "floor"})
    cases.push_back(unary(op, rows, {-4, 4, 0, 0.1}));
  for (const char *element : {"i32", "i8", "i64"})
    for (const char *op : {"abs", "neg", "sign", "not"})
      cases.push_back(unary(op, tensor(Sizes{3, 21}, element)));
  cases.push_back(unary("not", tensor(Sizes{3, 21}, "i1")));
  cases.push_back(unary("exp", tensor(Sizes{3, 21}, "f16")));
  cases.push_back(unary("exp", tensor(Sizes{3, 21}, "bf16")));
  cases.push_back(unary("exp", tensor(Sizes{3, 21}, "f64")));
  for (int64_t size : {0, 1, 7, 8, 9, 4095, 4097, 9000})
    cases.push_back(unary("sigmoid", tensor(Sizes{size})));
  cases.push_back(unary("sqrt", tensor(Sizes{}), {0.5, 1}));
  cases.back().ranges[0] = {0.5, 1};
  check(cases);
}

TEST_CASE("binary functions") {
  std::vector<Case> cases;
  for (const char *op : {"add", "sub", "mul", "div", "maximum", "minimum", "rem", "mod"}) {
    cases.push_back(binary(op, tensor(Sizes{3, 21}), {-4, 4}, {0.5, 3}));
    cases.push_back(binary(op, tensor(Sizes{3, 21}, "f16"), {-4, 4}, {0.5, 3}));
    for (const char *element : {"i32", "i64", "i8", "ui8"})
      cases.push_back(binary(op, tensor(Sizes{3, 21}, element)));
  }
  cases.push_back(binary("pow", tensor(Sizes{3, 21}), {0.1, 4}, {-2, 3}));
  cases.push_back(binary("maximum", tensor(Sizes{3, 21}), {-1, 1, 0, 0.1}, {-1, 1, 0, 0.1}));
  cases.push_back(binary("minimum", tensor(Sizes{3, 21}), {-1, 1, 0, 0.1}, {-1, 1, 0, 0.1}));
  for (const char *op : {"and", "or", "xor"})
    for (const char *element : {"i1", "i32", "ui8"})
      cases.push_back(binary(op, tensor(Sizes{3, 21}, element)));
  for (const char *element : {"i32", "ui8"}) {
    for (const char *op : {"shift_left", "shift_right"}) {
      Case shift = binary(op, tensor(Sizes{3, 21}, element));
      shift.ranges[1] = {0, 40};
      cases.push_back(shift);
    }
  }
  check(cases);
}

TEST_CASE("comparisons, selections and casts") {
  std::vector<Case> cases;
  std::string b = tensor(Sizes{3, 21}, "i1");
  for (const char *element : {"f32", "i32", "ui8", "f16"})
    for (const char *predicate : {"eq", "ne", "lt", "le", "gt", "ge"}) {
      std::string t = tensor(Sizes{3, 21}, element);
      Case made{"elementwise", "%x: " + t + ", %y: " + t,
                std::string("%c = torsh.compare ") + predicate + " %x, %y : (" + t + ", " + t + ") -> " + b +
                    "\n%s = torsh.select %c, %x, %y : (" + b + ", " + t + ", " + t + ") -> " + t,
                "%c, %s", b + ", " + t};
      if (element[0] == 'f')
        made.ranges = {{0, {-1, 1, 0.5, 0.05}}, {1, {-1, 1, 0.5}}};
      cases.push_back(made);
    }
  for (const char *from : {"f32", "f16", "i32", "i64", "i8", "ui8", "i1"})
    for (const char *to : {"f32", "f16", "bf16", "f64", "i32", "i64", "i8", "ui8", "i1"}) {
      std::string x = tensor(Sizes{3, 21}, from), y = tensor(Sizes{3, 21}, to);
      Case made{"elementwise", "%x: " + x, "%y = torsh.cast %x : (" + x + ") -> " + y, "%y", y};
      if (from[0] == 'f')
        made.ranges[0] = {-100, 100, 0.5};
      cases.push_back(made);
    }
  // Beyond the range of all of them, on both sides and with both ways to deal with that.
  for (const char *small : {"f8E4M3FN", "f8E4M3FNUZ", "f8E5M2", "f8E5M2FNUZ", "f8E8M0FNU"})
    for (const char *other : {"f32", "f64", "f16", "i32", "i8"})
      for (bool saturate : {true, false}) {
        // A negative number has no power of two, and what is no number has no integer.
        if (std::string(small) == "f8E8M0FNU" && other[0] == 'i')
          continue;
        std::string x = tensor(Sizes{3, 21}, other), y = tensor(Sizes{3, 21}, small);
        Case made{"elementwise", "%x: " + x,
                  std::string("%y = torsh.cast %x {saturate = ") + (saturate ? "true" : "false") + "} : (" +
                      x + ") -> " + y + "\n%z = torsh.cast %y : (" + y + ") -> " + x,
                  "%y, %z", y + ", " + x};
        if (other[0] == 'f')
          made.ranges[0] = {-65000, 65000, 0, 0.1};
        cases.push_back(made);
        made.ranges[0] = {-1, 1, 0, 0.1};
        cases.push_back(made);
      }
  check(cases);
}

TEST_CASE("chains with moved elements") {
  std::vector<Case> cases;
  std::string x = tensor(Sizes{4, 21}), v = tensor(Sizes{21}), c = tensor(Sizes{4}), s = tensor(Sizes{});
  cases.push_back({"elementwise", "%x: " + x + ", %v: " + v + ", %c: " + c + ", %s: " + s,
                   "%vw = torsh.broadcast %v axes = [1] : (" + v + ") -> " + x +
                       "\n%cw = torsh.broadcast %c axes = [0] : (" + c + ") -> " + x +
                       "\n%sw = torsh.broadcast %s axes = [] : (" + s + ") -> " + x +
                       "\n%a = torsh.mul %x, %vw : " + x + "\n%b = torsh.add %a, %cw : " + x +
                       "\n%y = torsh.sub %b, %sw : " + x,
                   "%a, %y", x + ", " + x});
  cases.push_back(
      moved("tensor<5x6x7xf32>",
            "%t = torsh.transpose %x perm = [2, 0, 1] : (tensor<5x6x7xf32>) -> tensor<7x5x6xf32>\n"
            "%y = torsh.neg %t : tensor<7x5x6xf32>",
            "tensor<7x5x6xf32>"));
  cases.push_back(moved("tensor<5x21xf32>",
                        "%n = torsh.neg %x : tensor<5x21xf32>\n%y = torsh.transpose %n perm = [1, 0] : "
                        "(tensor<5x21xf32>) -> tensor<21x5xf32>",
                        "tensor<21x5xf32>"));
  cases.push_back(moved("tensor<9x30xf32>",
                        "%y = torsh.slice %x starts = <[7, 1]> sizes = <[4, 14]> steps = [-2, 2] : "
                        "(tensor<9x30xf32>) -> tensor<4x14xf32>",
                        "tensor<4x14xf32>"));
  cases.push_back(moved("tensor<6x20xf32>",
                        "%n = torsh.exp %x : tensor<6x20xf32>\n%y = torsh.reshape %n : (tensor<6x20xf32>) "
                        "-> tensor<5x24xf32>",
                        "tensor<5x24xf32>"));
  cases.push_back(moved("tensor<6x20xf32>",
                        "%n = torsh.reshape %x : (tensor<6x20xf32>) -> tensor<3x2x20xf32>\n%y = torsh.exp "
                        "%n : tensor<3x2x20xf32>",
                        "tensor<3x2x20xf32>"));
  for (const char *mode : {"edge", "reflect", "wrap"}) {
    for (const char *body :
         {"%y = torsh.pad %x low = <[1, 3]> high = <[2, 2]> {mode = #torsh<pad_mode ",
          "%n = torsh.exp %x : tensor<4x21xf32>\n%y = torsh.pad %n low = <[1, 3]> high = <[2, 2]> "
          "{mode = #torsh<pad_mode "})
      cases.push_back(moved("tensor<4x21xf32>",
                            std::string(body) + mode + ">} : (tensor<4x21xf32>) -> tensor<7x26xf32>",
                            "tensor<7x26xf32>"));
  }
  cases.push_back({"elementwise", "%x: tensor<4x21xf32>, %v: tensor<f32>",
                   "%y = torsh.pad %x value %v low = <[0, 3]> high = <[2, 0]> : (tensor<4x21xf32>, "
                   "tensor<f32>) -> tensor<6x24xf32>",
                   "%y", "tensor<6x24xf32>"});
  // Vectors across both borders at once, wholly outside, and rows whose length is a symbol.
  for (int64_t size : {1, 3, 7, 8, 9, 30}) {
    std::string x = tensor(Texts{"4", "w"}), y = tensor(Texts{"5", "w + 19"}),
                i = tensor(Texts{"4", "w"}, "i64");
    std::string iy = tensor(Texts{"5", "w + 19"}, "i64");
    cases.push_back(
        {"elementwise",
         "%x: " + x + ", %v: tensor<f32>",
         "%y = torsh.pad %x value %v low = <[1, 9]> high = <[0, 10]> : (" + x + ", tensor<f32>) -> " + y,
         "%y",
         y,
         {{"w", size}}});
    cases.push_back(
        {"elementwise",
         "%x: " + i + ", %v: tensor<i64>",
         "%y = torsh.pad %x value %v low = <[1, 9]> high = <[0, 10]> : (" + i + ", tensor<i64>) -> " + iy,
         "%y",
         iy,
         {{"w", size}}});
  }
  cases.push_back({"elementwise", "%x: tensor<2x5x9xf32>, %v: tensor<f32>",
                   "%y = torsh.pad %x value %v low = <[0, 1, 0]> high = <[0, 2, 0]> : (tensor<2x5x9xf32>, "
                   "tensor<f32>) -> "
                   "tensor<2x8x9xf32>",
                   "%y", "tensor<2x8x9xf32>"});
  cases.push_back(
      {"elementwise",
       "%x: tensor<7x21xf32>, %i: tensor<3x2xi64>",
       "%y = torsh.gather %x, %i axis = 0 : (tensor<7x21xf32>, tensor<3x2xi64>) -> tensor<3x2x21xf32>",
       "%y",
       "tensor<3x2x21xf32>",
       {},
       {{1, {-9, 9}}}});
  cases.push_back(
      {"elementwise",
       "%x: tensor<7x21xf32>, %i: tensor<19xi32>",
       "%y = torsh.gather %x, %i axis = 1 : (tensor<7x21xf32>, tensor<19xi32>) -> tensor<7x19xf32>",
       "%y",
       "tensor<7x19xf32>",
       {},
       {{1, {-25, 25}}}});
  cases.push_back({"elementwise", "%x: tensor<3x21xf32>",
                   "%i = torsh.iota axis = 1 : tensor<3x21xf32>\n%j = torsh.iota axis = 0 : "
                   "tensor<3x21xf32>\n%a = torsh.mul "
                   "%i, %x : tensor<3x21xf32>\n%y = torsh.add %a, %j : tensor<3x21xf32>",
                   "%y", "tensor<3x21xf32>"});
  std::string d = tensor(Texts{"n", "m"});
  for (int64_t m : {1, 8, 19})
    cases.push_back(moved(d, "%y = torsh.tanh %x : " + d, d, {{"n", 3}, {"m", m}}));
  check(cases);
}

TEST_CASE("concatenation") {
  std::vector<Case> cases;
  for (const char *element : {"f32", "f16", "i64", "i1"}) {
    std::string a = tensor(Sizes{3, 4, 5}, element), b = tensor(Sizes{3, 9, 5}, element),
                y = tensor(Sizes{3, 17, 5}, element);
    cases.push_back({"concat", "%a: " + a + ", %b: " + b,
                     "%y = torsh.concat %a, %b, %a axis = 1 : (" + a + ", " + b + ", " + a + ") -> " + y,
                     "%y", y});
  }
  std::string a = tensor(Texts{"n", "3"}), b = tensor(Texts{"m", "3"}), y = tensor(Texts{"m + n", "3"});
  cases.push_back({"concat",
                   "%a: " + a + ", %b: " + b,
                   "%y = torsh.concat %a, %b axis = 0 : (" + a + ", " + b + ") -> " + y,
                   "%y",
                   y,
                   {{"n", 4}, {"m", 7}}});
  std::string c = tensor(Sizes{4, 5}), d = tensor(Sizes{4, 6}), e = tensor(Sizes{4, 11});
  cases.push_back(
      {"elementwise", "%a: " + c + ", %b: " + d,
       "%c = torsh.concat %a, %b axis = 1 : (" + c + ", " + d + ") -> " + e + "\n%y = torsh.exp %c : " + e,
       "%y", e});
  check(cases);
}

TEST_CASE("bits as another type") {
  std::vector<Case> cases;
  using Pair = std::pair<const char *, const char *>;
  for (auto [from, to] :
       {Pair{"f32", "i32"}, Pair{"i32", "f32"}, Pair{"f64", "i64"}, Pair{"ui64", "f64"}, Pair{"f16", "i16"},
        Pair{"ui16", "f16"}, Pair{"i8", "ui8"}, Pair{"i1", "ui8"}, Pair{"ui8", "i1"}, Pair{"f16", "bf16"}}) {
    std::string x = tensor(Sizes{3, 21}, from), y = tensor(Sizes{3, 21}, to);
    cases.push_back({"elementwise", "%x: " + x, "%y = torsh.bitcast %x : (" + x + ") -> " + y, "%y", y});
    if (std::string(from) == "i1")
      continue;
    // A computed value is not in memory.
    std::string op = from[0] == 'f' ? "abs" : "not";
    cases.push_back({"elementwise", "%x: " + x,
                     "%e = torsh." + op + " %x : " + x + "\n%y = torsh.bitcast %e : (" + x + ") -> " + y,
                     "%y", y});
  }
  check(cases);
}
