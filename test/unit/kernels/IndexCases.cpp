//===-- IndexCases.cpp - Selections, gathers, scatters, resampling and fallback norms -----------------------===//
#include "KernelHarness.h"

using namespace torsh::test;

namespace {

using Sizes = std::vector<int64_t>;

std::string text(int64_t value) { return std::to_string(value); }

Case argReduce(const std::string &kind, const Sizes &x, size_t axis, bool keep, bool last,
               const std::string &element, Range range = {}) {
  Sizes y(x);
  if (keep)
    y[axis] = 1;
  else
    y.erase(y.begin() + axis);
  std::string xType = tensor(x, element), yType = tensor(y, "i64");
  Case made{"index", "%x: " + xType,
            "%y = torsh.arg_reduce " + kind + " %x axis = " + text(axis) + " keep_dims = " +
                (keep ? "true" : "false") + (last ? " {last = true}" : "") + " : (" + xType + ") -> " + yType,
            "%y", yType};
  if (element[0] == 'f')
    made.ranges[0] = range;
  return made;
}

Case topk(const Sizes &x, size_t axis, int64_t k, bool largest, const std::string &element,
          Range range = {}) {
  Sizes y(x);
  y[axis] = k;
  std::string xType = tensor(x, element), vType = tensor(y, element), iType = tensor(y, "i64");
  Case made{"index", "%x: " + xType,
            "%y:2 = torsh.topk %x k = <" + text(k) + "> axis = " + text(axis) + " {largest = " +
                (largest ? "true" : "false") + "} : (" + xType + ") -> (" + vType + ", " + iType + ")",
            "%y#0, %y#1", vType + ", " + iType};
  if (element[0] == 'f')
    made.ranges[0] = range;
  return made;
}

struct Resize {
  Sizes x, y;
  std::string mode, coordinates, attributes, element = "f32";
};

Case resize(const Resize &r) {
  std::string scales, xType = tensor(r.x, r.element), yType = tensor(r.y, r.element);
  for (size_t i = 0; i < r.x.size(); ++i) {
    char number[64];
    std::snprintf(number, sizeof number, "%.17e", double(r.y[i]) / double(r.x[i]));
    scales += (i ? ", " : "") + std::string(number);
  }
  return {"resize", "%x: " + xType,
          "%y = torsh.resize " + r.mode + " %x scales = [" + scales + "] coordinates = " + r.coordinates +
              (r.attributes.empty() ? "" : " {" + r.attributes + "}") + " : (" + xType + ") -> " + yType,
          "%y", yType};
}

Case groupNorm(const Sizes &x, bool last, int64_t groups, const std::string &element = "f32") {
  std::string type = tensor(x, element), channels = tensor(Sizes{last ? x.back() : x[1]}, element);
  return {"index", "%x: " + type + ", %s: " + channels + ", %b: " + channels,
          "%y = torsh.group_norm %x scale %s bias %b groups = " + text(groups) +
              " epsilon = 1.0e-5 {layout = #torsh<layout channels_" + (last ? "last" : "first") + ">} : (" +
              type + ", " + channels + ", " + channels + ") -> " + type,
          "%y", type};
}

} // namespace

TEST_CASE("arg_reduce") {
  std::vector<Case> cases;
  for (const char *kind : {"max", "min"})
    for (bool last : {false, true}) {
      Range ties{-1, 1, 0.25}, nans{-1, 1, 0.25, 0.03};
      for (int64_t size : {1, 7, 8, 16, 33, 100}) {
        cases.push_back(argReduce(kind, {3, size}, 1, false, last, "f32", ties));
        cases.push_back(argReduce(kind, {4, size}, 1, true, last, "f32", nans));
        cases.push_back(argReduce(kind, {5, size}, 0, true, last, "f32", nans));
      }
      cases.push_back(argReduce(kind, {2, 70, 5}, 1, false, last, "i32"));
      cases.push_back(argReduce(kind, {2, 3, 70}, 2, false, last, "i8"));
      cases.push_back(argReduce(kind, {3, 40}, 1, false, last, "ui8"));
      cases.push_back(argReduce(kind, {3, 40}, 1, false, last, "f16", ties));
      cases.push_back(argReduce(kind, {9}, 0, false, last, "f32"));
    }
  check(cases);
}

TEST_CASE("topk") {
  std::vector<Case> cases;
  Range ties{-1, 1, 0.125}, nans{-1, 1, 0.25, 0.1};
  for (bool largest : {true, false}) {
    for (int64_t k : {0, 1, 3, 17, 40})
      cases.push_back(topk({2, 40}, 1, k, largest, "f32", ties));
    cases.push_back(topk({40, 3}, 0, 5, largest, "f32", nans));
    cases.push_back(topk({2, 9, 3}, 1, 9, largest, "i32"));
    cases.push_back(topk({30}, 0, 7, largest, "f16", ties));
    cases.push_back(topk({3, 30}, 1, 7, largest, "ui8"));
    // Longer lists are heaps.
    for (int64_t k : {65, 150, 199, 200})
      cases.push_back(topk({2, 200}, 1, k, largest, "f32", ties));
    cases.push_back(topk({130, 3}, 0, 130, largest, "f32", nans));
    cases.push_back(topk({2, 100}, 1, 90, largest, "i32"));
    for (int64_t n : {1, 2, 77}) {
      std::string x = tensor(std::vector<std::string>{"3", "n"}),
                  indices = tensor(std::vector<std::string>{"3", "n"}, "i64");
      std::string body =
          "%y:2 = torsh.topk %x k = <n> axis = 1 {largest = " + std::string(largest ? "true" : "false") +
          "} : (" + x + ") -> (" + x + ", " + indices + ")";
      cases.push_back({"index", "%x: " + x, body, "%y#0, %y#1", x + ", " + indices, {{"n", n}}, {{0, ties}}});
      cases.push_back({"index", "%x: " + x, body, "%y#1", indices, {{"n", n}}, {{0, ties}}});
      cases.push_back({"index", "%x: " + x, body, "%y#0", x, {{"n", n}}, {{0, ties}}});
    }
    Case one = topk({3, 30}, 1, 7, largest, "f32", ties);
    one.yields = "%y#1";
    one.types = "tensor<3x7xi64>";
    cases.push_back(one);
    one.yields = "%y#0";
    one.types = "tensor<3x7xf32>";
    cases.push_back(one);
  }
  check(cases);
}

TEST_CASE("gathers") {
  std::vector<Case> cases;
  auto elements = [&](const Sizes &x, const Sizes &i, int64_t axis, const std::string &type) {
    std::string xType = tensor(x), iType = tensor(i, type), yType = tensor(i);
    cases.push_back({"index",
                     "%x: " + xType + ", %i: " + iType,
                     "%y = torsh.gather_elements %x, %i axis = " + text(axis) + " : (" + xType + ", " +
                         iType + ") -> " + yType,
                     "%y",
                     yType,
                     {},
                     {{1, {-9, 9}}}});
  };
  elements({5, 6}, {5, 9}, 1, "i64");
  elements({5, 6}, {11, 4}, 0, "i32");
  elements({7}, {3}, 0, "i64");
  elements({2, 3, 4}, {1, 5, 4}, 1, "i64");
  auto tuples = [&](const Sizes &x, const Sizes &i, int64_t batch, const Sizes &y) {
    std::string xType = tensor(x), iType = tensor(i, "i64"), yType = tensor(y);
    cases.push_back({"index",
                     "%x: " + xType + ", %i: " + iType,
                     "%y = torsh.gather_nd %x, %i batch_dims = " + text(batch) + " : (" + xType + ", " +
                         iType + ") -> " + yType,
                     "%y",
                     yType,
                     {},
                     {{1, {-6, 6}}}});
  };
  tuples({4, 5, 19}, {7, 2}, 0, {7, 19});
  tuples({4, 5}, {3, 7, 2}, 0, {3, 7});
  tuples({4, 5, 19}, {4, 3, 1}, 1, {4, 3, 19});
  tuples({4, 5}, {2}, 0, {});
  tuples({4, 5, 3}, {6, 1}, 0, {6, 5, 3});
  check(cases);
}

TEST_CASE("scatters") {
  std::vector<Case> cases;
  for (const char *kind : {"replace", "add", "mul", "max", "min"})
    for (const char *element : {"f32", "i32", "ui8"}) {
      std::string attribute = std::string(" {kind = #torsh<scatter_kind ") + kind + ">}";
      auto elements = [&](const Sizes &x, const Sizes &i, int64_t axis) {
        std::string xType = tensor(x, element), iType = tensor(i, "i64"), uType = tensor(i, element);
        cases.push_back({"index",
                         "%x: " + xType + ", %i: " + iType + ", %u: " + uType,
                         "%y = torsh.scatter_elements %x, %i, %u axis = " + text(axis) + attribute + " : (" +
                             xType + ", " + iType + ", " + uType + ") -> " + xType,
                         "%y",
                         xType,
                         {},
                         {{1, {-9, 9}}}});
      };
      elements({5, 6}, {5, 9}, 1);
      elements({5, 13}, {8, 4}, 0);
      elements({3, 5, 6}, {2, 3, 6}, 2);
      auto tuples = [&](const Sizes &x, const Sizes &i, const Sizes &u) {
        std::string xType = tensor(x, element), iType = tensor(i, "i64"), uType = tensor(u, element);
        cases.push_back({"index",
                         "%x: " + xType + ", %i: " + iType + ", %u: " + uType,
                         "%y = torsh.scatter_nd %x, %i, %u" + attribute + " : (" + xType + ", " + iType +
                             ", " + uType + ") -> " + xType,
                         "%y",
                         xType,
                         {},
                         {{1, {-6, 6}}}});
      };
      tuples({4, 5, 19}, {7, 2}, {7, 19});
      tuples({9}, {3, 1}, {3});
      tuples({4, 5, 3}, {2, 2, 1}, {2, 2, 5, 3});
    }
  check(cases);
}

TEST_CASE("resampling") {
  std::vector<Case> cases;
  for (const char *coordinates :
       {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", "half_pixel_symmetric"}) {
    for (const char *mode : {"nearest", "linear", "cubic"}) {
      cases.push_back(resize({{1, 5, 7, 9}, {1, 10, 14, 9}, mode, coordinates, ""}));
      cases.push_back(resize({{2, 3, 8, 6}, {2, 3, 5, 13}, mode, coordinates, ""}));
      cases.push_back(resize({{2, 3, 9}, {2, 3, 1}, mode, coordinates, ""}));
      cases.push_back(resize({{1, 1, 1}, {1, 4, 1}, mode, coordinates, ""}));
      cases.push_back(resize({{1, 3, 4, 5}, {1, 6, 6, 9}, mode, coordinates, ""}));
    }
    for (const char *nearest : {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}) {
      std::string attribute = std::string("nearest = #torsh<nearest_mode ") + nearest + ">";
      cases.push_back(resize({{1, 6, 7}, {1, 15, 5}, "nearest", coordinates, attribute}));
      cases.push_back(resize({{4, 9, 8}, {9, 5, 8}, "nearest", coordinates, attribute, "ui8"}));
    }
  }
  cases.push_back(resize({{1, 6, 7, 3}, {1, 15, 5, 3}, "cubic", "half_pixel", "exclude_outside = true"}));
  cases.push_back(resize({{1, 6, 7, 3}, {1, 15, 5, 3}, "linear", "half_pixel", "exclude_outside = true"}));
  cases.push_back(resize({{1, 6, 7, 3}, {1, 15, 5, 3}, "cubic", "half_pixel", "cubic_coefficient = -0.5"}));
  cases.push_back(resize({{1, 6, 7, 20}, {1, 12, 14, 20}, "linear", "half_pixel", "", "f16"}));
  check(cases);
  expectRefused(resize({{1, 8}, {1, 4}, "linear", "half_pixel", "antialias = true"}), "antialias");
}

TEST_CASE("resampling with sizes known at run time") {
  std::string x = tensor({"n", "h", "w", "12"}), y = tensor({"n", "2*h", "2*w", "12"});
  std::vector<Case> cases;
  for (const char *mode : {"nearest", "linear"})
    cases.push_back({"resize",
                     "%x: " + x,
                     std::string("%y = torsh.resize ") + mode +
                         " %x scales = [1.0, 2.0, 2.0, 1.0] coordinates = half_pixel : (" + x + ") -> " + y,
                     "%y",
                     y,
                     {{"n", 1}, {"h", 3}, {"w", 5}}});
  check(cases);
}

TEST_CASE("group norm and batch norm as they stand") {
  std::vector<Case> cases;
  for (bool last : {false, true}) {
    Sizes x = last ? Sizes{2, 5, 7, 12} : Sizes{2, 12, 5, 7};
    for (int64_t groups : {1, 3, 4, 12})
      cases.push_back(groupNorm(x, last, groups));
    cases.push_back(groupNorm(last ? Sizes{1, 70, 40} : Sizes{1, 40, 70}, last, 2));
    cases.push_back(groupNorm(last ? Sizes{2, 9, 32} : Sizes{2, 32, 9}, last, 2, "f16"));
  }
  cases.push_back(groupNorm({3, 12}, false, 4));
  for (int64_t axis : {1, 2}) {
    std::string type = tensor(Sizes{2, 9, 21}), feature = tensor(Sizes{axis == 1 ? 9 : 21});
    cases.push_back(
        {"index",
         "%x: " + type + ", %s: " + feature + ", %b: " + feature + ", %m: " + feature + ", %v: " + feature,
         "%y = torsh.batch_norm %x scale %s bias %b mean %m variance %v axis = " + text(axis) +
             " epsilon = 1.0e-5 : (" + type + ", " + feature + ", " + feature + ", " + feature + ", " +
             feature + ") -> " + type,
         "%y",
         type,
         {},
         {{4, {0.5, 2}}}});
  }
  check(cases);
}

TEST_CASE("suppress_boxes") {
  std::vector<Case> cases;
  for (int64_t n : {0, 1, 2, 40}) {
    std::string boxes = tensor(Sizes{2, n, 4}), scores = tensor(Sizes{2, 3, n}),
                y = tensor(Sizes{2, 3, n}, "i64");
    for (const char *center : {"", " {center = true}"})
      for (bool hasThreshold : {false, true})
        // The numbers asked for reach from none to more than there are.
        for (Range most : {Range{0, 0}, Range{3, 3}, Range{60, 60}}) {
          std::string text = "%y = torsh.suppress_boxes %b, %s most %m iou %i" +
                             std::string(hasThreshold ? " score %t" : "") + center + " : (" + boxes + ", " +
                             scores + ", tensor<i64>, tensor<f32>" + (hasThreshold ? ", tensor<f32>" : "") +
                             ") -> " + y;
          Case made{"index",
                    "%b: " + boxes + ", %s: " + scores + ", %m: tensor<i64>, %i: tensor<f32>" +
                        (hasThreshold ? ", %t: tensor<f32>" : ""),
                    text, "%y", y};
          // Coarse boxes overlap, and coarse scores are equal, often.
          made.ranges = {{0, {0, 4, 0.5}}, {1, {0, 1, 0.125, 0.03}}, {2, most}, {3, {0.1, 0.3}}};
          if (hasThreshold)
            made.ranges[4] = {0.2, 0.4};
          cases.push_back(made);
        }
  }
  check(cases);
}
