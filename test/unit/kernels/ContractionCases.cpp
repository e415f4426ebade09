//===-- ContractionCases.cpp - Matrix products and convolutions ---------------------------------------------===//
#include "KernelHarness.h"

using namespace torsh::test;

namespace {

using Sizes = std::vector<int64_t>;
using Texts = std::vector<std::string>;

std::string text(int64_t value) { return std::to_string(value); }

/// How the right operand of a product is given.
enum class Right { packed, plain, transposed };

struct Dot {
  std::string m; ///< a number or a symbol
  int64_t n, k;
  Right right = Right::packed;
  bool epilogue = false;
  std::string element = "f32", result = "";
  int64_t symbol = 0; ///< value of the symbol m
};

Case dot(const Dot &d) {
  std::string result = d.result.empty() ? d.element : d.result;
  std::string x = tensor(Texts{d.m, text(d.k)}, d.element), w = tensor(Sizes{d.k, d.n}, d.element);
  std::string y = tensor(Texts{d.m, text(d.n)}, result), b = tensor(Sizes{d.n}, result);
  std::string arguments = "%x: " + x + ", ", body;
  if (d.right == Right::packed) {
    std::string panels = tensor(Sizes{(d.n + 15) / 16, d.k, 16}, d.element);
    arguments += "%p: " + panels;
    body = "%w = torsh.unpack %p : (" + panels + ") -> " + w + "\n";
  } else if (d.right == Right::transposed) {
    std::string t = tensor(Sizes{d.n, d.k}, d.element);
    arguments += "%t: " + t;
    body = "%w = torsh.transpose %t perm = [1, 0] : (" + t + ") -> " + w + "\n";
  } else {
    arguments += "%w: " + w;
  }
  body += "%y = torsh.dot_general %x, %w batch = [] x [] contract = [1] x [0] : (" + x + ", " + w + ") -> " +
          y + "\n";
  std::string yield = "%y";
  if (d.epilogue) {
    arguments += ", %b: " + b + ", %r: " + y;
    body += "%wide = torsh.broadcast %b axes = [1] : (" + b + ") -> " + y +
            "\n%s = torsh.add %y, %wide : " + y + "\n%t2 = torsh.tanh %s : " + y +
            "\n%z = torsh.add %t2, %r : " + y + "\n";
    yield = "%z";
  }
  Case made{"dot", arguments, body, yield, y};
  if (d.symbol)
    made.symbols[d.m] = d.symbol;
  return made;
}

struct Conv {
  Sizes spatial, kernel, strides, dilations;
  int64_t channels, outputs, groups = 1, batch = 1;
  bool epilogue = false;
  std::string element = "f32";
  bool planes = false; ///< the input is [N, C, ...] behind a transpose
};

/// The weights come as panels [groups, O/g/16, taps * C/g, 16], as the packing pass makes them.
Case conv(const Conv &c) {
  int64_t taps = 1, inputs = c.channels / c.groups, outputs = c.outputs / c.groups;
  Sizes x{c.batch}, y{c.batch}, w(c.kernel), grouped(c.kernel), split{c.groups};
  for (size_t i = 0; i < c.spatial.size(); ++i) {
    taps *= c.kernel[i];
    x.push_back(c.spatial[i]);
    y.push_back((c.spatial[i] - c.dilations[i] * (c.kernel[i] - 1) - 1) / c.strides[i] + 1);
    split.push_back(c.kernel[i]);
  }
  x.push_back(c.channels);
  y.push_back(c.outputs);
  w.insert(w.end(), {inputs, c.outputs});
  split.insert(split.end(), {inputs, outputs});
  grouped.insert(grouped.end(), {inputs, c.groups, outputs});
  std::string xType = tensor(x, c.element), yType = tensor(y, c.element), wType = tensor(w, c.element);
  std::string bType = tensor(Sizes{c.outputs}, c.element), panels, body;
  if (c.groups == 1) {
    panels = tensor(Sizes{(outputs + 15) / 16, taps * inputs, 16}, c.element);
    std::string matrix = tensor(Sizes{taps * inputs, outputs}, c.element);
    body = "%m = torsh.unpack %p : (" + panels + ") -> " + matrix + "\n%w = torsh.reshape %m : (" + matrix +
           ") -> " + wType + "\n";
  } else {
    panels = tensor(Sizes{c.groups, (outputs + 15) / 16, taps * inputs, 16}, c.element);
    std::string matrix = tensor(Sizes{c.groups, taps * inputs, outputs}, c.element);
    std::string splitType = tensor(split, c.element), groupedType = tensor(grouped, c.element);
    Sizes permutation;
    for (size_t i = 0; i <= c.kernel.size(); ++i)
      permutation.push_back(i + 1);
    permutation.push_back(0);
    permutation.push_back(c.kernel.size() + 2);
    body = "%m = torsh.unpack %p : (" + panels + ") -> " + matrix + "\n%s = torsh.reshape %m : (" + matrix +
           ") -> " + splitType + "\n%t = torsh.transpose %s perm = " + list(permutation) + " : (" +
           splitType + ") -> " + groupedType + "\n%w = torsh.reshape %t : (" + groupedType + ") -> " + wType +
           "\n";
  }
  Sizes none(c.kernel.size(), 0);
  body += "%c = torsh.conv %x, %w bias %b strides = " + list(c.strides) +
          " dilations = " + list(c.dilations) + " low = " + list(none) + " high = " + list(none) +
          " groups = " + text(c.groups) + " {layout = #torsh<layout channels_last>} : (" + xType + ", " +
          wType + ", " + bType + ") -> " + yType + "\n";
  std::string inputType = xType;
  if (c.planes) {
    Sizes first{c.batch, c.channels}, order{0};
    first.insert(first.end(), c.spatial.begin(), c.spatial.end());
    for (size_t axis = 0; axis < c.spatial.size(); ++axis)
      order.push_back(axis + 2);
    order.push_back(1);
    inputType = tensor(first, c.element);
    body =
        "%x = torsh.transpose %i perm = " + list(order) + " : (" + inputType + ") -> " + xType + "\n" + body;
  }
  std::string arguments = (c.planes ? "%i: " : "%x: ") + inputType + ", %p: " + panels + ", %b: " + bType;
  if (c.epilogue) {
    arguments += ", %r: " + yType;
    body += "%z = torsh.add %c, %r : " + yType + "\n%y = torsh.sigmoid %z : " + yType + "\n";
  }
  return {"conv", arguments, body, c.epilogue ? "%y" : "%c", yType};
}

} // namespace

TEST_CASE("matrix products") {
  std::vector<Case> cases;
  for (Right right : {Right::packed, Right::plain, Right::transposed}) {
    // Rows: multiples of the register tile, one more, one less; few rows; whole tiles of the tile space.
    for (int64_t m : {1, 2, 3, 5, 6, 7, 12, 71, 73, 145})
      cases.push_back(dot({text(m), 32, 9, right}));
    // Columns: whole panels, one more, one less, several column tiles.
    for (int64_t n : {1, 15, 16, 17, 31, 63, 64, 65, 130})
      cases.push_back(dot({"7", n, 10, right, true}));
    for (int64_t k : {1, 2, 64, 300})
      cases.push_back(dot({"5", 20, k, right}));
    for (int64_t m : {1, 4, 6, 13, 80})
      cases.push_back(dot({"m", 37, 11, right, true, "f32", "", m}));
    cases.push_back(dot({"1", 200, 64, right}));
    cases.push_back(dot({"8", 24, 33, right, false, "f16"}));
    cases.push_back(dot({"8", 24, 33, right, false, "i32"}));
    cases.push_back(dot({"8", 24, 33, right, false, "f64"}));
  }
  cases.push_back(dot({"8", 24, 33, Right::plain, false, "i8", "i32"}));
  check(cases);
}

TEST_CASE("batched matrix products") {
  std::vector<Case> cases;
  auto add = [&](const Texts &x, const Texts &w, const Texts &y, const std::string &attributes,
                 std::map<std::string, int64_t> symbols = {}) {
    std::string xType = tensor(x), wType = tensor(w), yType = tensor(y);
    cases.push_back(
        {"dot", "%x: " + xType + ", %w: " + wType,
         "%y = torsh.dot_general %x, %w " + attributes + " : (" + xType + ", " + wType + ") -> " + yType,
         "%y", yType, symbols});
  };
  // Attention: scores with k contiguous on both sides, then values.
  add({"2", "3", "7", "16"}, {"2", "3", "9", "16"}, {"2", "3", "7", "9"},
      "batch = [0, 1] x [0, 1] contract = [3] x [3]");
  add({"2", "3", "7", "9"}, {"2", "3", "9", "16"}, {"2", "3", "7", "16"},
      "batch = [0, 1] x [0, 1] contract = [3] x [2]");
  add({"b", "s", "16"}, {"b", "s", "16"}, {"b", "s", "s"}, "batch = [0] x [0] contract = [2] x [2]",
      {{"b", 2}, {"s", 11}});
  add({"b", "s", "s"}, {"b", "s", "20"}, {"b", "s", "20"}, "batch = [0] x [0] contract = [2] x [1]",
      {{"b", 2}, {"s", 11}});
  add({"2", "3", "5"}, {"5", "18"}, {"2", "3", "18"}, "batch = [] x [] contract = [2] x [0]");
  check(cases);
}

TEST_CASE("convolutions on packed weights") {
  std::vector<Case> cases;
  auto add = [&](Conv c) { cases.push_back(conv(c)); };
  for (int64_t outputs : {1, 8, 15, 16, 17, 24, 40, 48, 65, 72, 80, 88})
    add({{5, 7}, {3, 3}, {1, 1}, {1, 1}, 6, outputs, 1, 2, true});
  for (int64_t width : {1, 2, 5, 6, 7, 13, 73})
    add({{1, width}, {1, 1}, {1, 1}, {1, 1}, 9, 20});
  add({{13, 12}, {3, 3}, {2, 2}, {1, 1}, 3, 32});
  add({{13, 12}, {3, 3}, {1, 1}, {2, 2}, 5, 24});
  add({{13, 12}, {3, 2}, {2, 1}, {1, 3}, 5, 24, 1, 1, true});
  add({{9, 8}, {3, 3}, {1, 1}, {1, 1}, 8, 24, 2, 2, true});
  add({{9, 8}, {3, 3}, {2, 2}, {1, 1}, 12, 40, 4});
  add({{6, 5}, {1, 1}, {1, 1}, {1, 1}, 8, 36, 2});
  add({{40}, {5}, {2}, {1}, 7, 18, 1, 2});
  add({{4, 5, 6}, {2, 3, 2}, {1, 1, 2}, {1, 1, 1}, 4, 17});
  add({{9, 8}, {3, 3}, {1, 1}, {1, 1}, 8, 24, 1, 1, true, "f16"});
  // Images by planes: up to four, all steps of a kernel row unrolled.
  for (int64_t channels : {1, 2, 3, 4})
    add({{11, 13}, {3, 3}, {2, 2}, {1, 1}, channels, 20, 1, 2, true, "f32", true});
  add({{15, 16}, {7, 7}, {2, 2}, {1, 1}, 3, 64, 1, 1, false, "f32", true});
  add({{12, 12}, {4, 4}, {4, 4}, {1, 1}, 3, 33, 1, 1, false, "f32", true});
  add({{9, 12}, {2, 3}, {1, 1}, {2, 3}, 3, 9, 1, 1, true, "f16", true});
  add({{40}, {5}, {3}, {2}, 4, 18, 1, 2, false, "f32", true});
  add({{9, 8}, {3, 3}, {1, 1}, {1, 1}, 8, 24, 1, 1, false, "i32"});
  check(cases);
}

namespace {

struct AttentionSizes {
  std::string batch, queries, keys;
  int64_t depth, width;
  std::map<std::string, int64_t> symbols = {};
  std::string element = "f32";
};

/// softmax(scale * q k^T + mask) v; the mask hides some keys, and with `capped` the scores pass through tanh.
Case attention(const AttentionSizes &a, bool capped = false, bool transposed = false) {
  auto type = [&](const Texts &dims) { return tensor(dims, a.element); };
  std::string q = type({a.batch, a.queries, text(a.depth)}), k = type({a.batch, a.keys, text(a.depth)});
  std::string v = type({a.batch, a.keys, text(a.width)}), s = type({a.batch, a.queries, a.keys});
  std::string y = type({a.batch, a.queries, text(a.width)}), mask = type({a.queries, a.keys});
  std::string scalar = tensor(Sizes{}, a.element);
  std::string body = "%s = torsh.dot_general %q, %k batch = [0] x [0] contract = [2] x [2] : (" + q + ", " +
                     k + ") -> " + s + "\n%c = torsh.constant dense<0.3> : " + scalar + " -> " + scalar +
                     "\n%f = torsh.broadcast %c axes = [] : (" + scalar + ") -> " + s +
                     "\n%t = torsh.mul %s, %f : " + s + "\n%w = torsh.broadcast %m axes = [1, 2] : (" + mask +
                     ") -> " + s + "\n" +
                     (capped ? "%h = torsh.tanh %t : " + s + "\n%u = torsh.add %h, %w : " + s
                             : "%u = torsh.add %t, %w : " + s) +
                     "\n%p = torsh.softmax %u axis = 2 : " + s +
                     "\n%o = torsh.dot_general %p, %v batch = [0] x [0] contract = [2] x [1] : (" + s + ", " +
                     v + ") -> " + y + "\n%z = torsh.add %o, %r : " + y + "\n";
  std::string yield = "%z", yieldType = y;
  if (transposed) {
    yield = "%l";
    yieldType = type({a.queries, a.batch, text(a.width)});
    body += "%l = torsh.transpose %z perm = [1, 0, 2] : (" + y + ") -> " + yieldType + "\n";
  }
  Case made{"attention", "%q: " + q + ", %k: " + k + ", %v: " + v + ", %m: " + mask + ", %r: " + y,
            body,        yield,
            yieldType,   a.symbols};
  // Wide scores, so that the running maximum moves from block to block.
  made.ranges[0] = {-9, 9};
  made.ranges[3] = {-20, 0};
  if (a.element == "f16")
    made.tolerance = 4e-3;
  return made;
}

} // namespace

TEST_CASE("attention streamed over the keys") {
  std::vector<Case> cases;
  // Queries: the register tile and the tile of the tile space, one more, one less.
  for (int64_t queries : {1, 5, 6, 7, 12, 71, 72, 73, 145})
    cases.push_back(attention({"2", text(queries), "70", 16, 16}));
  // Keys: whole blocks, one more, one less, fewer than a vector.
  for (int64_t keys : {1, 3, 8, 15, 16, 17, 63, 64, 65, 128, 200})
    cases.push_back(attention({"1", "13", text(keys), 24, 32}));
  for (int64_t depth : {1, 7, 8, 9, 64})
    for (int64_t width : {1, 15, 16, 17, 64, 72})
      cases.push_back(attention({"2", "14", "33", depth, width}));
  for (int64_t queries : {1, 6, 13, 80})
    for (int64_t keys : {1, 9, 64, 130})
      cases.push_back(attention({"b", "s", "t", 20, 24, {{"b", 2}, {"s", queries}, {"t", keys}}}, true));
  // Heads go back between the rows.
  cases.push_back(attention({"3", "14", "70", 16, 24}, false, true));
  cases.push_back(attention({"b", "s", "70", 16, 17, {{"b", 3}, {"s", 20}}}, true, true));
  cases.push_back(attention({"2", "14", "70", 16, 24, {}, "f64"}));
  cases.push_back(attention({"2", "14", "70", 16, 24, {}, "f16"}));
  check(cases);
}
