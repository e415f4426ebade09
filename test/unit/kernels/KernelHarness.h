//===-- KernelHarness.h - Compares kernels with the reference evaluator -------------------------------------===//
#ifndef TORSH_TEST_UNIT_KERNELS_KERNELHARNESS_H
#define TORSH_TEST_UNIT_KERNELS_KERNELHARNESS_H

#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace torsh::test {

/// What the elements of an input are drawn from.
struct Range {
  double low = -1, high = 1;
  double step = 0;     ///< floats are rounded to multiples of it: ties
  double nanShare = 0; ///< share of NaNs
};

/// One kernel as text.
struct Case {
  std::string anchor;
  std::string arguments; ///< "%x: tensor<2x3xf32>, ..."
  std::string body;      ///< ops
  std::string yields;    ///< "%y, %z"
  std::string types;     ///< "tensor<2x3xf32>, tensor<3xf32>"
  std::map<std::string, int64_t> symbols = {};
  std::map<unsigned, Range> ranges = {}; ///< by input; integers are drawn from -3..7 otherwise
  double tolerance = 1e-5;               ///< of the largest value
  std::string choices = {};              ///< entries of the kernel's torsh.choices
};

/// Compiles all cases for 8 and 16 lanes, runs them whole and tile by tile, and compares with the evaluator.
void check(const std::vector<Case> &cases);
/// Requires that the compiler refuses the kernel with a message that holds `text`.
void expectRefused(const Case &refused, const std::string &text);

/// "2x3xf32" -> "tensor<2x3xf32>"; dims that are names become symbols: "nx4xf32" with dims "n, 4".
std::string tensor(const std::vector<std::string> &dims, const std::string &element = "f32");
std::string tensor(const std::vector<int64_t> &dims, const std::string &element = "f32");
/// "[1, 2]"
std::string list(const std::vector<int64_t> &values);

} // namespace torsh::test

#endif // TORSH_TEST_UNIT_KERNELS_KERNELHARNESS_H
