//===-- PairCases.cpp - Contractions that sum products of pairs of bf16 -------------------------------------===//
//
// Operands are exact bf16, so the evaluator's sums and the kernel's differ by the rounding of f32 sums alone: a wrong pair
// would show at once.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "KernelHarness.h"

using namespace torsh::test;

namespace {

using Sizes = std::vector<int64_t>;
using Texts = std::vector<std::string>;

std::string text(int64_t value) { return std::to_string(value); }

/// The activation behind a sum hides how large it was: a long sum of f32 is off by more of the largest result.
double toleranceOf(int64_t products) { return products > 1000 ? 1e-4 : 1e-5; }

struct PairDotCase {
  std::string m; ///< a number or a symbol
  int64_t n, k;
  bool epilogue = false;
  int64_t symbol = 0; ///< value of the symbol m
  std::string choices = "";
};

/// x [m, k] in bf16 times panels [n/16, k/2, 16, 2]; the epilogue yields f32 and its rounded copy.
Case dot(const PairDotCase &d) {
  std::string x = tensor(Texts{d.m, text(d.k)}, "bf16"), w = tensor(Sizes{d.k, d.n}, "bf16");
  std::string panels = tensor(Sizes{(d.n + 15) / 16, d.k / 2, 16, 2}, "bf16");
  std::string y = tensor(Texts{d.m, text(d.n)}), narrow = tensor(Texts{d.m, text(d.n)}, "bf16");
  std::string arguments = "%x: " + x + ", %p: " + panels;
  std::string body = "%w = torsh.unpack %p : (" + panels + ") -> " + w +
                     "\n%y = torsh.dot_general %x, %w batch = [] x [] contract = [1] x [0] : (" + x + ", " +
                     w + ") -> " + y + "\n";
  std::string yields = "%y", types = y;
  if (d.epilogue) {
    arguments += ", %r: " + narrow;
    body += "%wide = torsh.cast %r : (" + narrow + ") -> " + y + "\n%s = torsh.add %y, %wide : " + y +
            "\n%z = torsh.tanh %s : " + y + "\n%n = torsh.cast %z : (" + y + ") -> " + narrow + "\n";
    yields = "%z, %n";
    types = y + ", " + narrow;
  }
  Case made{"dot", arguments, body, yields, types};
  if (d.symbol)
    made.symbols[d.m] = d.symbol;
  made.choices = d.choices;
  made.tolerance = toleranceOf(d.k);
  return made;
}

struct PairConvCase {
  Sizes spatial, kernel, strides, dilations;
  int64_t channels, outputs, groups = 1, batch = 1;
};

Case conv(const PairConvCase &c) {
  int64_t taps = 1, inputs = c.channels / c.groups, outputs = c.outputs / c.groups;
  Sizes x{c.batch}, y{c.batch}, w(c.kernel), split{c.groups}, grouped(c.kernel);
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
  std::string xType = tensor(x, "bf16"), yType = tensor(y), wType = tensor(w, "bf16"), panels, body;
  std::string bType = tensor(Sizes{c.outputs});
  if (c.groups == 1) {
    panels = tensor(Sizes{(outputs + 15) / 16, taps * inputs / 2, 16, 2}, "bf16");
    std::string matrix = tensor(Sizes{taps * inputs, outputs}, "bf16");
    body = "%m = torsh.unpack %p : (" + panels + ") -> " + matrix + "\n%w = torsh.reshape %m : (" + matrix +
           ") -> " + wType + "\n";
  } else {
    panels = tensor(Sizes{c.groups, (outputs + 15) / 16, taps * inputs / 2, 16, 2}, "bf16");
    std::string matrix = tensor(Sizes{c.groups, taps * inputs, outputs}, "bf16");
    std::string splitType = tensor(split, "bf16"), groupedType = tensor(grouped, "bf16");
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
          wType + ", " + bType + ") -> " + yType + "\n%y = torsh.sigmoid %c : " + yType + "\n";
  Case made{"conv", "%x: " + xType + ", %p: " + panels + ", %b: " + bType, body, "%y", yType};
  made.tolerance = toleranceOf(taps * inputs);
  return made;
}

} // namespace

TEST_CASE("products of pairs of bf16") {
  std::vector<Case> cases;
  for (int64_t m = 1; m <= 33; ++m)
    cases.push_back(dot({text(m), 32, 10}));
  for (int64_t m : {71, 73, 145})
    cases.push_back(dot({text(m), 48, 22, true}));
  // Products: fewer than a round of the loop, remainders of one, pieces that stay in the cache and their remainders.
  for (int64_t k : {2, 4, 6, 8, 22, 24, 26, 62, 64, 66, 510, 512, 514})
    for (int64_t m : {1, 7})
      cases.push_back(dot({text(m), 20, k}));
  for (int64_t k : {768, 1026, 1634, 3072})
    for (int64_t m : {7, 40, 97})
      cases.push_back(dot({text(m), 33, k, true}));
  for (int64_t n : {1, 7, 8, 9, 15, 16, 17, 31, 63, 64, 65, 130})
    cases.push_back(dot({"7", n, 10, true}));
  for (int64_t m : {1, 4, 6, 13, 80})
    cases.push_back(dot({"m", 37, 12, true, m}));
  cases.push_back(dot({"40", 64, 2048, true, 0, "row_block = 36, v3 = {tile_rows = 4, tile_panels = 1}"}));
  cases.push_back(dot({"40", 64, 40, true, 0, "v3 = {depth_unroll = 2}"}));
  check(cases);
}

TEST_CASE("convolutions by pairs of bf16") {
  std::vector<Case> cases;
  auto add = [&](PairConvCase c) { cases.push_back(conv(c)); };
  for (int64_t outputs : {1, 15, 16, 17, 48, 65, 80})
    add({{5, 7}, {3, 3}, {1, 1}, {1, 1}, 6, outputs, 1, 2});
  for (int64_t width : {1, 2, 5, 6, 7, 13, 73})
    add({{1, width}, {1, 1}, {1, 1}, {1, 1}, 10, 20});
  add({{13, 12}, {3, 3}, {2, 2}, {1, 1}, 4, 32});
  add({{13, 12}, {3, 3}, {1, 1}, {2, 2}, 6, 24});
  add({{13, 12}, {3, 2}, {2, 1}, {1, 3}, 2, 24});
  // Groups of an odd and an even start.
  add({{9, 8}, {3, 3}, {1, 1}, {1, 1}, 12, 24, 2, 2});
  add({{9, 8}, {3, 3}, {2, 2}, {1, 1}, 24, 40, 4});
  add({{40}, {5}, {2}, {1}, 6, 18, 1, 2});
  add({{4, 5, 6}, {2, 3, 2}, {1, 1, 2}, {1, 1, 1}, 4, 17});
  // Long sums, cut into pieces.
  add({{12, 12}, {3, 3}, {1, 1}, {1, 1}, 256, 33});
  add({{12, 12}, {3, 3}, {1, 1}, {2, 2}, 514, 16});
  check(cases);
}

TEST_CASE("narrow operands are widened by the load") {
  std::vector<Case> cases;
  std::string narrow = tensor(Sizes{7, 24}, "bf16"), wide = tensor(Sizes{7, 24});
  std::string cast = "%a = torsh.cast %x : (" + narrow + ") -> " + wide + "\n";
  cases.push_back({"elementwise", "%x: " + narrow, cast + "%y = torsh.exp %a : " + wide, "%y", wide});
  cases.push_back(
      {"row_norm", "%x: " + narrow, cast + "%y = torsh.softmax %a axis = 1 : " + wide, "%y", wide});
  std::string row = tensor(Sizes{7});
  cases.push_back({"reduce", "%x: " + narrow,
                   cast + "%y = torsh.reduce sum %a axes = [1] keep_dims = false : (" + wide + ") -> " + row,
                   "%y", row});
  // A product in f32 of which one operand lies in memory as bf16, behind windows.
  std::string panels = tensor(Sizes{2, 24, 16}), w = tensor(Sizes{24, 20}), y = tensor(Sizes{7, 20});
  cases.push_back({"dot", "%x: " + narrow + ", %p: " + panels,
                   cast + "%w = torsh.unpack %p : (" + panels + ") -> " + w +
                       "\n%y = torsh.dot_general %a, %w batch = [] x [] contract = [1] x [0] : (" + wide +
                       ", " + w + ") -> " + y,
                   "%y", y});
  std::string t = tensor(Sizes{24, 7}), left = tensor(Sizes{5, 24}), product = tensor(Sizes{5, 7});
  cases.push_back({"dot", "%x: " + narrow + ", %l: " + left,
                   cast + "%t = torsh.transpose %a perm = [1, 0] : (" + wide + ") -> " + t +
                       "\n%y = torsh.dot_general %l, %t batch = [] x [] contract = [1] x [0] : (" + left +
                       ", " + t + ") -> " + product,
                   "%y", product});
  std::string image = tensor(Sizes{1, 4, 6, 7}), flat = tensor(Sizes{7, 24}, "bf16");
  std::string pooled = tensor(Sizes{1, 2, 3, 7});
  cases.push_back(
      {"pool", "%x: " + flat,
       cast + "%i = torsh.reshape %a : (" + wide + ") -> " + image +
           "\n%y = torsh.max_pool %i window = [2, 2] strides = [2, 2] dilations = [1, 1] low = [0, 0] "
           "high = [0, 0] {layout = #torsh<layout channels_last>} : (" +
           image + ") -> " + pooled,
       "%y", pooled});
  check(cases);
}
