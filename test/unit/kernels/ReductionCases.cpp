//===-- ReductionCases.cpp - Reductions, scans and row normalisations ---------------------------------------===//
#include "KernelHarness.h"

using namespace torsh::test;

namespace {

using Sizes = std::vector<int64_t>;

Case reduce(const std::string &kind, const Sizes &x, const Sizes &axes, bool keep,
            const std::string &element = "f32", Range range = {}) {
  Sizes y;
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::find(axes.begin(), axes.end(), int64_t(i)) == axes.end())
      y.push_back(x[i]);
    else if (keep)
      y.push_back(1);
  }
  std::string xType = tensor(x, element), yType = tensor(y, element);
  Case made{"reduce", "%x: " + xType,
            "%y = torsh.reduce " + kind + " %x axes = " + list(axes) +
                " keep_dims = " + (keep ? "true" : "false") + " : (" + xType + ") -> " + yType,
            "%y", yType};
  if (range.low != -1 || range.high != 1 || range.nanShare)
    made.ranges[0] = range;
  return made;
}

Case rowNorm(const std::string &text, const std::string &type, const std::string &arguments,
             Range range = {}) {
  return {"row_norm", "%x: " + type + arguments, "%y = torsh." + text, "%y", type, {}, {{0, range}}};
}

Case scan(const Sizes &x, int64_t axis, const std::string &attributes, const std::string &element = "f32",
          const std::string &op = "cumsum") {
  std::string type = tensor(x, element);
  return {"scan", "%x: " + type,
          "%y = torsh." + op + " %x axis = " + std::to_string(axis) + " " + attributes + " : " + type, "%y",
          type};
}

} // namespace

TEST_CASE("reductions of rows and columns") {
  std::vector<Case> cases;
  for (const char *kind : {"sum", "mean", "max", "min", "prod", "logsumexp"}) {
    for (int64_t size : {1, 7, 8, 31, 32, 45, 200})
      cases.push_back(reduce(kind, {3, size}, {1}, false, "f32", {0.5, 1.5}));
    for (int64_t size : {1, 9, 64, 65, 130})
      cases.push_back(reduce(kind, {5, size}, {0}, true, "f32", {0.5, 1.5}));
    cases.push_back(reduce(kind, {2, 3, 4, 5}, {1, 3}, false, "f32", {0.5, 1.5}));
    cases.push_back(reduce(kind, {2, 3, 4, 9}, {0, 2}, true, "f32", {0.5, 1.5}));
    cases.push_back(reduce(kind, {3, 4, 5}, {0, 1, 2}, false, "f32", {0.5, 1.5}));
    cases.push_back(reduce(kind, {2, 19}, {1}, false, "f16", {0.5, 1.5}));
  }
  for (const char *kind : {"sum", "max", "min", "prod"})
    for (const char *element : {"i32", "i64", "i8", "ui8"}) {
      cases.push_back(reduce(kind, {3, 21}, {1}, false, element));
      cases.push_back(reduce(kind, {3, 21}, {0}, false, element));
    }
  for (const char *kind : {"any", "all"}) {
    cases.push_back(reduce(kind, {9, 21}, {1}, false, "i1"));
    cases.push_back(reduce(kind, {2, 21}, {0}, false, "i1"));
  }
  for (const char *kind : {"max", "min"}) {
    cases.push_back(reduce(kind, {9, 33}, {1}, false, "f32", {-1, 1, 0, 0.03}));
    cases.push_back(reduce(kind, {9, 33}, {0}, false, "f32", {-1, 1, 0, 0.03}));
  }
  cases.push_back(reduce("sum", {3, 0}, {1}, false));
  cases.push_back(reduce("max", {0, 3}, {0}, false));
  cases.push_back(reduce("mean", {4, 33}, {1}, false, "i32"));
  check(cases);
}

TEST_CASE("reductions with a prologue and an epilogue") {
  std::string x = tensor(std::vector<std::string>{"n", "m"}), y = tensor(std::vector<std::string>{"n"});
  std::string body = "%e = torsh.exp %x : " + x +
                     "\n%s = torsh.reduce sum %e axes = [1] keep_dims = false : (" + x + ") -> " + y +
                     "\n%l = torsh.log %s : " + y;
  std::vector<Case> cases;
  for (int64_t size : {1, 8, 77})
    cases.push_back({"reduce", "%x: " + x, body, "%l, %s", y + ", " + y, {{"n", 3}, {"m", size}}});
  check(cases);
}

TEST_CASE("softmax and norms of rows") {
  std::vector<Case> cases;
  for (int64_t size : {1, 5, 8, 31, 64, 131}) {
    for (const char *element : {"f32", "f16"}) {
      std::string type = tensor(Sizes{2, 3, size}, element), row = tensor(Sizes{size}, element);
      cases.push_back(rowNorm("softmax %x axis = 2 : " + type, type, "", {-9, 9}));
      cases.push_back(rowNorm("log_softmax %x axis = 2 : " + type, type, "", {-9, 9}));
      cases.push_back(rowNorm("layer_norm %x scale %s bias %b axis = 2 epsilon = 1.0e-3 : (" + type + ", " +
                                  row + ", " + row + ") -> " + type,
                              type, ", %s: " + row + ", %b: " + row));
      cases.push_back(
          rowNorm("layer_norm %x scale %s axis = 2 epsilon = 1.0e-3 : (" + type + ", " + row + ") -> " + type,
                  type, ", %s: " + row));
      cases.push_back(
          rowNorm("rms_norm %x scale %s axis = 2 epsilon = 1.0e-3 : (" + type + ", " + row + ") -> " + type,
                  type, ", %s: " + row));
    }
  }
  std::string type = tensor(std::vector<std::string>{"n", "m"});
  cases.push_back(rowNorm("softmax %x axis = 1 : " + type, type, ""));
  cases.back().symbols = {{"n", 4}, {"m", 13}};
  // Residual before, scale after.
  std::string t = tensor(Sizes{3, 20}), row = tensor(Sizes{20});
  cases.push_back({"row_norm", "%x: " + t + ", %r: " + t + ", %s: " + row,
                   "%sum = torsh.add %x, %r : " + t +
                       "\n%n = torsh.layer_norm %sum scale %s axis = 1 epsilon = "
                       "1.0e-5 : (" +
                       t + ", " + row + ") -> " + t + "\n%y = torsh.mul %n, %r : " + t,
                   "%sum, %y", t + ", " + t});
  check(cases);
}

TEST_CASE("running sums") {
  std::vector<Case> cases;
  for (const char *attributes :
       {"", "{exclusive = true}", "{reverse = true}", "{exclusive = true, reverse = true}"}) {
    cases.push_back(scan({3, 13}, 1, attributes));
    cases.push_back(scan({13, 70}, 0, attributes));
    cases.push_back(scan({2, 5, 9}, 1, attributes, "i32"));
    cases.push_back(scan({1}, 0, attributes, "i64"));
    cases.push_back(scan({2, 0, 3}, 1, attributes));
    cases.push_back(scan({3, 13}, 1, attributes, "f32", "cumprod"));
    cases.push_back(scan({13, 70}, 0, attributes, "f32", "cumprod"));
    cases.push_back(scan({2, 5, 9}, 1, attributes, "i32", "cumprod"));
    cases.push_back(scan({2, 0, 3}, 1, attributes, "f32", "cumprod"));
  }
  check(cases);
}
