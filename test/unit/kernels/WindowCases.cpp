//===-- WindowCases.cpp - Pooling and depthwise convolution -------------------------------------------------===//
#include "KernelHarness.h"

using namespace torsh::test;

namespace {

using Sizes = std::vector<int64_t>;

int64_t positions(int64_t size, int64_t window, int64_t stride, int64_t dilation, int64_t low, int64_t high,
                  bool ceilMode = false) {
  int64_t slack = size + low + high - dilation * (window - 1) - 1;
  int64_t count = (slack + (ceilMode ? stride - 1 : 0)) / stride + 1;
  return ceilMode ? std::min(count, (size + low + stride - 1) / stride) : count;
}

struct Pool {
  Sizes spatial, window, strides, dilations, low, high;
  int64_t channels = 1, batch = 1;
  bool last = true, ceilMode = false, countPadding = false;
  std::string element = "f32";
};

Case pool(const std::string &kind, const Pool &p, Range range = {}) {
  Sizes x{p.batch}, y{p.batch};
  auto channel = [&](bool now) {
    if (now) {
      x.push_back(p.channels);
      y.push_back(p.channels);
    }
  };
  channel(!p.last);
  for (size_t i = 0; i < p.spatial.size(); ++i) {
    x.push_back(p.spatial[i]);
    y.push_back(
        positions(p.spatial[i], p.window[i], p.strides[i], p.dilations[i], p.low[i], p.high[i], p.ceilMode));
  }
  channel(p.last);
  std::string attributes = std::string("layout = #torsh<layout channels_") + (p.last ? "last>" : "first>");
  if (p.ceilMode)
    attributes += ", ceil_mode = true";
  if (p.countPadding)
    attributes += ", count_include_pad = true";
  std::string xType = tensor(x, p.element), yType = tensor(y, p.element);
  return {"pool",
          "%x: " + xType,
          "%y = torsh." + kind + "_pool %x window = " + list(p.window) + " strides = " + list(p.strides) +
              " dilations = " + list(p.dilations) + " low = " + list(p.low) + " high = " + list(p.high) +
              " {" + attributes + "} : (" + xType + ") -> " + yType,
          "%y",
          yType,
          {},
          {{0, range}}};
}

struct Depthwise {
  Sizes spatial, kernel, strides, dilations, low, high;
  int64_t channels, batch = 1;
  bool bias = false, relu = false;
  std::string element = "f32";
};

Case depthwise(const Depthwise &d) {
  Sizes x{d.batch}, w(d.kernel), y{d.batch};
  for (size_t i = 0; i < d.spatial.size(); ++i) {
    x.push_back(d.spatial[i]);
    y.push_back(positions(d.spatial[i], d.kernel[i], d.strides[i], d.dilations[i], d.low[i], d.high[i]));
  }
  x.push_back(d.channels);
  y.push_back(d.channels);
  w.insert(w.end(), {1, d.channels});
  std::string xType = tensor(x, d.element), wType = tensor(w, d.element), yType = tensor(y, d.element);
  std::string bType = tensor(Sizes{d.channels}, d.element);
  std::string body =
      "%c = torsh.conv %x, %w" + std::string(d.bias ? " bias %b" : "") + " strides = " + list(d.strides) +
      " dilations = " + list(d.dilations) + " low = " + list(d.low) + " high = " + list(d.high) +
      " groups = " + std::to_string(d.channels) + " {layout = #torsh<layout channels_last>} : (" + xType +
      ", " + wType + (d.bias ? ", " + bType : "") + ") -> " + yType + "\n";
  if (d.relu)
    body += "%zero = torsh.constant dense<0.0> : " + yType + " -> " + yType +
            "\n%y = torsh.maximum %c, %zero : " + yType + "\n";
  return {"depthwise", "%x: " + xType + ", %w: " + wType + (d.bias ? ", %b: " + bType : ""), body,
          d.relu ? "%y" : "%c", yType};
}

/// The gradient of a pooling, channels last; the maximum has equal elements to choose from.
Case poolGrad(const std::string &kind, const Pool &p, Range range = {-1, 1, 0.25}) {
  Sizes x{p.batch}, y{p.batch};
  for (size_t i = 0; i < p.spatial.size(); ++i) {
    x.push_back(p.spatial[i]);
    y.push_back(
        positions(p.spatial[i], p.window[i], p.strides[i], p.dilations[i], p.low[i], p.high[i], p.ceilMode));
  }
  x.push_back(p.channels);
  y.push_back(p.channels);
  bool maximum = kind == "max";
  std::string xType = tensor(x, p.element), yType = tensor(y, p.element), attributes;
  if (p.ceilMode)
    attributes += ", ceil_mode = true";
  if (p.countPadding)
    attributes += ", count_include_pad = true";
  return {"pool_grad",
          (maximum ? "%x: " + xType + ", " : "") + "%g: " + yType,
          "%y = torsh." + kind + "_pool_grad " + (maximum ? "%x, " : "") + "%g window = " + list(p.window) +
              " strides = " + list(p.strides) + " dilations = " + list(p.dilations) + " low = " +
              list(p.low) + " high = " + list(p.high) + " {layout = #torsh<layout channels_last>" +
              attributes + "} : (" + (maximum ? xType + ", " : "") + yType + ") -> " + xType,
          "%y",
          xType,
          {},
          {{0, range}}};
}

struct WeightGrad {
  Sizes spatial, kernel, strides, dilations;
  int64_t inputs, outputs, groups = 1, batch = 2;
  std::string element = "f32";
};

/// The gradient of a convolution's weights on a padded input, channels last.
Case weightGrad(const WeightGrad &g) {
  Sizes x{g.batch}, y{g.batch}, w(g.kernel), none(g.spatial.size(), 0);
  for (size_t i = 0; i < g.spatial.size(); ++i) {
    x.push_back(g.spatial[i]);
    y.push_back(positions(g.spatial[i], g.kernel[i], g.strides[i], g.dilations[i], 0, 0));
  }
  x.push_back(g.inputs);
  y.push_back(g.outputs);
  w.insert(w.end(), {g.inputs / g.groups, g.outputs});
  std::string xType = tensor(x, g.element), yType = tensor(y, g.element), wType = tensor(w, g.element);
  return {"weight_grad", "%x: " + xType + ", %g: " + yType,
          "%w = torsh.conv_weight_grad %x, %g kernel = " + list(g.kernel) + " strides = " + list(g.strides) +
              " dilations = " + list(g.dilations) + " low = " + list(none) + " high = " + list(none) +
              " groups = " + std::to_string(g.groups) + " {layout = #torsh<layout channels_last>} : (" +
              xType + ", " + yType + ") -> " + wType,
          "%w", wType};
}

} // namespace

TEST_CASE("gradients of pooling") {
  std::vector<Case> cases;
  for (const char *kind : {"max", "avg"}) {
    cases.push_back(poolGrad(kind, {{8, 8}, {2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}, 16, 2}));
    cases.push_back(poolGrad(kind, {{7, 9}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 5, 2}));
    cases.push_back(poolGrad(kind, {{8, 11}, {2, 3}, {1, 1}, {1, 2}, {0, 1}, {1, 2}, 70, 1}));
    cases.push_back(poolGrad(kind, {{10, 10}, {3, 3}, {2, 2}, {1, 1}, {0, 0}, {0, 0}, 8, 1, true, true}));
    cases.push_back(poolGrad(kind, {{33}, {5}, {1}, {1}, {2}, {2}, 3, 2}));
    cases.push_back(
        poolGrad(kind, {{6, 6}, {6, 6}, {1, 1}, {1, 1}, {0, 0}, {0, 0}, 17, 2, true, false, false, "f64"}));
  }
  cases.push_back(
      poolGrad("avg", {{7, 9}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 16, 1, true, false, true}));
  cases.push_back(
      poolGrad("max", {{9, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 4, 1}, {-1, 1, 0.5, 0.05}));
  check(cases);
}

TEST_CASE("gradients of a convolution's weights") {
  std::vector<Case> cases;
  // Remainders of rows and columns of the register tiles.
  for (int64_t outputs : {1, 6, 8, 16, 19, 33, 70})
    cases.push_back(weightGrad({{6, 7}, {3, 3}, {1, 1}, {1, 1}, 5, outputs}));
  for (int64_t inputs : {1, 3, 8, 17, 30})
    cases.push_back(weightGrad({{6, 7}, {3, 3}, {1, 1}, {1, 1}, inputs, 16}));
  cases.push_back(weightGrad({{9, 11}, {3, 2}, {2, 2}, {1, 1}, 4, 12}));
  cases.push_back(weightGrad({{9, 11}, {3, 2}, {1, 2}, {2, 2}, 4, 12}));
  cases.push_back(weightGrad({{8, 8}, {3, 3}, {1, 1}, {1, 1}, 6, 10, 2}));
  cases.push_back(weightGrad({{8, 8}, {3, 3}, {1, 1}, {1, 1}, 5, 5, 5}));
  cases.push_back(weightGrad({{40}, {5}, {1}, {1}, 3, 7, 1, 3}));
  cases.push_back(weightGrad({{4, 5, 6}, {2, 3, 2}, {1, 1, 1}, {1, 1, 1}, 3, 4}));
  cases.push_back(weightGrad({{1, 1}, {1, 1}, {1, 1}, {1, 1}, 24, 32}));
  cases.push_back(weightGrad({{6, 7}, {3, 3}, {1, 1}, {1, 1}, 5, 9, 1, 2, "f64"}));
  // More lines than a chunk holds.
  cases.push_back(weightGrad({{64, 64}, {3, 3}, {1, 1}, {1, 1}, 8, 16, 1, 3}));
  check(cases);
  Case padded = weightGrad({{6, 7}, {3, 3}, {1, 1}, {1, 1}, 5, 8});
  padded.body.replace(padded.body.find("low = [0, 0]"), 12, "low = [1, 1]");
  padded.body.replace(padded.body.find("high = [0, 0]"), 13, "high = [1, 1]");
  padded.arguments.replace(padded.arguments.find("2x4x5x8"), 7, "2x6x7x8");
  padded.body.replace(padded.body.find("2x4x5x8"), 7, "2x6x7x8");
  expectRefused(padded, "padded input");
}

TEST_CASE("pooling") {
  std::vector<Case> cases;
  for (bool last : {true, false}) {
    for (const char *kind : {"max", "avg"}) {
      cases.push_back(pool(kind, {{7, 9}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 5, 2, last}));
      cases.push_back(pool(kind, {{8, 21}, {2, 3}, {1, 1}, {1, 2}, {0, 1}, {1, 2}, 37, 1, last}));
      cases.push_back(pool(kind, {{10, 10}, {3, 3}, {2, 2}, {1, 1}, {0, 0}, {0, 0}, 8, 1, last, true}));
      cases.push_back(pool(kind, {{10, 11}, {3, 2}, {3, 2}, {2, 1}, {1, 1}, {0, 1}, 40, 1, last, true}));
      cases.push_back(pool(kind, {{1, 1}, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}, 1, 1, last}));
      cases.push_back(pool(kind, {{33}, {5}, {1}, {1}, {2}, {2}, 3, 2, last}));
      cases.push_back(
          pool(kind, {{4, 5, 6}, {2, 2, 3}, {2, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 0, 1}, 9, 1, last}));
      cases.push_back(
          pool(kind, {{6, 6}, {6, 6}, {1, 1}, {1, 1}, {0, 0}, {0, 0}, 17, 2, last, false, false, "f16"}));
    }
    cases.push_back(pool("avg", {{7, 9}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 16, 1, last, false, true}));
    cases.push_back(pool("avg", {{10, 10}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {0, 0}, 7, 1, last, true, true}));
    cases.push_back(
        pool("max", {{9, 40}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 4, 1, last}, {-1, 1, 0, 0.05}));
    cases.push_back(
        pool("max", {{9, 9}, {2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}, 19, 1, last, false, false, "i8"}));
    cases.push_back(pool(
        "max", {{5, 9}, {2, 2}, {1, 1}, {1, 1}, {0, 1}, {0, 0}, 3, 1, last, false, false, "ui8"}, {0, 255}));
  }
  check(cases);
}

TEST_CASE("pooling with sizes known at run time") {
  std::string x = tensor({"n", "h", "w", "12"}), y = tensor({"n", "floordiv(h - 1, 2) + 1", "w", "12"});
  std::string body =
      "%y = torsh.max_pool %x window = [3, 3] strides = [2, 1] dilations = [1, 1] low = [1, 1] "
      "high = [1, 1] {layout = #torsh<layout channels_last>} : (" +
      x + ") -> " + y;
  std::vector<Case> cases;
  for (int64_t size : {1, 2, 8})
    cases.push_back({"pool", "%x: " + x, body, "%y", y, {{"n", 2}, {"h", size}, {"w", size + 1}}});
  check(cases);
}

TEST_CASE("depthwise convolution") {
  std::vector<Case> cases;
  auto add = [&](Depthwise d) { cases.push_back(depthwise(d)); };
  // Channel remainders.
  for (int64_t channels : {2, 7, 8, 9, 16, 24, 31, 144, 257})
    add({{6, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, channels, 1, true, true});
  // Row lengths around the pixel blocks.
  for (int64_t width : {1, 2, 3, 4, 5, 7, 8, 14, 28, 33})
    add({{3, width}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 16, 2});
  for (int64_t width : {3, 4, 15, 16, 56})
    add({{7, width}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 24});
  add({{14, 14}, {5, 5}, {1, 1}, {1, 1}, {2, 2}, {2, 2}, 40});
  add({{15, 15}, {5, 5}, {2, 2}, {1, 1}, {1, 1}, {2, 2}, 16});
  add({{12, 12}, {7, 7}, {1, 1}, {1, 1}, {3, 3}, {3, 3}, 32, 1, true});
  add({{12, 20}, {3, 3}, {1, 1}, {2, 3}, {2, 3}, {2, 3}, 17});
  add({{5, 5}, {3, 3}, {1, 1}, {1, 1}, {0, 0}, {0, 0}, 8});
  add({{5, 5}, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}, 8});
  add({{2, 2}, {5, 5}, {1, 1}, {1, 1}, {4, 4}, {4, 4}, 8});
  add({{37}, {4}, {3}, {1}, {1}, {2}, 10, 2});
  add({{70}, {40}, {1}, {1}, {20}, {20}, 20});
  add({{3, 4, 5}, {3, 2, 3}, {1, 2, 1}, {1, 1, 1}, {1, 0, 1}, {1, 0, 1}, 6});
  add({{6, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 20, 1, true, true, "f16"});
  add({{6, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 20, 1, true, true, "f64"});
  add({{6, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 20, 1, true, false, "i32"});
  check(cases);
}

TEST_CASE("depthwise convolution with sizes known at run time") {
  std::vector<Case> cases;
  for (int64_t stride : {1, 2}) {
    std::string step = std::to_string(stride);
    std::string width = stride == 1 ? "w" : "floordiv(w - 1, 2) + 1",
                height = stride == 1 ? "h" : "floordiv(h - 1, 2) + 1";
    std::string x = tensor({"n", "h", "w", "20"}), y = tensor({"n", height, width, "20"});
    std::string body = "%y = torsh.conv %x, %w strides = [" + step + ", " + step +
                       "] dilations = [1, 1] low = [1, 1] high = [1, 1] groups = 20 {layout = #torsh<layout "
                       "channels_last>} : (" +
                       x + ", tensor<3x3x1x20xf32>) -> " + y;
    for (int64_t size : {1, 2, 3, 7, 19})
      cases.push_back({"depthwise",
                       "%x: " + x + ", %w: tensor<3x3x1x20xf32>",
                       body,
                       "%y",
                       y,
                       {{"n", 2}, {"h", 4}, {"w", size}}});
  }
  check(cases);
}
