//===-- ApproximationCases.cpp - Accuracy of the functions that kernels approximate -------------------------===//
#include "KernelHarness.h"

using namespace torsh::test;

namespace {

/// Values of one sign within a factor of three bound the relative error by that of the largest.
Case band(const std::string &op, double low, double high, double tolerance, double nanShare = 0) {
  // 67 elements: whole vectors of 8 and 16 lanes, and a rest of scalars.
  std::string type = tensor(std::vector<int64_t>{67});
  Range range;
  range.low = low;
  range.high = high;
  range.nanShare = nanShare;
  return {"elementwise", "%x: " + type, "%y = torsh." + op + " %x : " + type, "%y", type, {},
          {{0, range}},  tolerance};
}

} // namespace

TEST_CASE("exp is accurate to some units in the last place from end to end") {
  std::vector<Case> cases;
  for (double from : {-87.3, -60.0, -20.5, -3.0, -1.0, -0.1, 0.0, 0.5, 2.0, 10.0, 40.25, 80.0, 87.7})
    cases.push_back(band("exp", from, from + 1, 3e-7));
  cases.push_back(band("exp", 88.4, 88.72, 3e-7));
  cases.push_back(band("exp", 88.73, 500, 0));    // infinity
  cases.push_back(band("exp", -1e30, -104, 0));   // zero
  cases.push_back(band("exp", 1e10, 3e38, 0));    // infinity
  cases.push_back(band("exp", -5, 5, 3e-7, 0.3)); // NaN stays
  check(cases);
}

TEST_CASE("sigmoid is accurate to some units in the last place, with an error that grows where it vanishes") {
  std::vector<Case> cases;
  for (double from : {-30.0, -8.0, -2.0, -0.5, 0.0, 3.0, 20.0})
    cases.push_back(band("sigmoid", from, from + 1, 7e-7));
  cases.push_back(band("sigmoid", -86, -85, 1.5e-6));
  cases.push_back(band("sigmoid", -3e38, -89, 0)); // zero
  cases.push_back(band("sigmoid", 30, 3e38, 1e-7));
  cases.push_back(band("sigmoid", -3, 3, 3e-7, 0.3));
  check(cases);
}

TEST_CASE("x * sigmoid(x) is one division") {
  std::vector<Case> cases;
  std::string type = tensor(std::vector<int64_t>{67});
  auto silu = [&](double low, double high, double tolerance, double nanShare = 0) {
    Range range;
    range.low = low;
    range.high = high;
    range.nanShare = nanShare;
    cases.push_back({"elementwise",
                     "%x: " + type,
                     "%s = torsh.sigmoid %x : " + type + " %y = torsh.mul %s, %x : " + type,
                     "%y",
                     type,
                     {},
                     {{0, range}},
                     tolerance});
  };
  for (double from : {-20.0, -4.0, 1.0, 10.0, 86.0})
    silu(from, from + 0.5, 7e-7);
  silu(-3e38, -100, 0); // zero
  silu(100, 3e38, 1e-7);
  silu(-2, 2, 7e-7, 0.3); // NaN stays
  check(cases);
}

TEST_CASE("erf is accurate to some units in the last place and never passes 1") {
  std::vector<Case> cases;
  for (double from : {0.001, 0.01, 0.1, 0.5, 1.0, 1.7, 2.5, 3.5, -0.003, -0.03, -0.3, -1.5, -3.0})
    cases.push_back(band("erf", from, from > 0 ? 3 * from : from / 3, 6e-7));
  cases.push_back(band("erf", 4, 1e30, 1e-7));
  cases.push_back(band("erf", -1e30, -4, 1e-7));
  cases.push_back(band("erf", -3, 3, 6e-7, 0.3));
  check(cases);
}
