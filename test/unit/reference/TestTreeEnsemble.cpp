//===-- TestTreeEnsemble.cpp - Decision trees -----------------------------------------------------------------===//
#include "test/unit/reference/Harness.h"
#include "llvm/ADT/bit.h"
#include <algorithm>

using namespace torsh;
using namespace torsh::test;

namespace {

int64_t bits(float value) { return llvm::bit_cast<uint32_t>(value); }

/// Column 0 <= key(1.0) ? 10 : (column 1 <= key(-2.0) ? 20 : 30), over columns that end with the one of zeros.
const Ints nodes = {0xbf800000, 0 | 2 << 16, bits(-1),   2,           // the root, and a node that is not read
                    bits(10),   2,           0x3fffffff, 1 | 1 << 16, // its children
                    bits(20),   2,           bits(30),   2};

Tensor keysOf(const Floats &values) {
  Tensor keys = eval("torsh.sort_key %a : (tensor<4x3xf32>) -> tensor<4x3xui32>", "tensor<4x3xui32>",
                     {floats({4, 3}, values)});
  for (int row = 0; row < 4; ++row)
    keys.ints[3 * row + 2] = 0;
  return keys;
}

} // namespace

TEST_CASE("sort keys have the order of the floats") {
  Floats values = {-inf, -3.5, -1e-45, 0, 1e-45, 2, 1e30, inf, notANumber};
  Tensor keys =
      eval("torsh.sort_key %a : (tensor<9xf32>) -> tensor<9xui32>", "tensor<9xui32>", {floats({9}, values)});
  CHECK(std::is_sorted(keys.ints.begin(), keys.ints.end()));
  CHECK(std::adjacent_find(keys.ints.begin(), keys.ints.end()) == keys.ints.end());
  CHECK(keys.ints.front() > 0);
  CHECK(keys.ints.back() == 0xffffffff);
  Tensor zeros = eval("torsh.sort_key %a : (tensor<2xf64>) -> tensor<2xui64>", "tensor<2xui64>",
                      {floats({2}, {0.0, -0.0}, "f64")});
  CHECK(zeros.ints[0] == zeros.ints[1]);
}

TEST_CASE("a row goes left when its key is not above the threshold") {
  Tensor keys = keysOf({1, 5, 0, 1.5, -2, 0, 2, -1, 0, notANumber, -inf, 0});
  Tensor y =
      eval("torsh.tree_ensemble sum %a nodes %b trees %c : (tensor<4x3xui32>, tensor<6x2xui32>, "
           "tensor<1x4xi32>) -> tensor<1x4x1xf32>",
           "tensor<1x4x1xf32>", {keys, ints({6, 2}, nodes, "ui32"), ints({1, 4}, {0, 1, 1, 0}, "i32")});
  expectFloats(y, {1, 4, 1}, {10, 20, 30, 20});
}

TEST_CASE("chunks share the trees, and a tree adds to its target") {
  Tensor keys = keysOf({1, 5, 0, 1.5, -2, 0, 2, -1, 0, notANumber, -inf, 0});
  Tensor y =
      eval("torsh.tree_ensemble max %a nodes %b trees %c : (tensor<4x3xui32>, tensor<6x2xui32>, "
           "tensor<3x4xi32>) -> tensor<2x4x2xf32>",
           "tensor<2x4x2xf32>",
           {keys, ints({6, 2}, nodes, "ui32"), ints({3, 4}, {0, 2, 0, 0, 3, 1, 0, 1, 4, 0, 0, 1}, "i32")});
  expectFloats(y, {2, 4, 2}, {10, 30, 20, 20, 30, 30, 20, 20, -inf, 20, -inf, 20, -inf, 20, -inf, 20});
}

TEST_CASE("leaves may hold a row of all targets") {
  Ints rows = nodes;
  rows[4] = 0;
  rows[8] = 1;
  rows[10] = 2;
  Tensor keys = keysOf({1, 5, 0, 1.5, -2, 0, 2, -1, 0, notANumber, -inf, 0});
  std::vector<Tensor> inputs = {keys, ints({6, 2}, rows, "ui32"), ints({1, 4}, {0, 2, 0, 0}, "i32"),
                                floats({3, 2}, {1, 2, 3, 4, 5, 6})};
  const char *op =
      "torsh.tree_ensemble sum %a nodes %b trees %c leaves %d : (tensor<4x3xui32>, tensor<6x2xui32>, "
      "tensor<1x4xi32>, tensor<3x2xf32>) -> tensor<1x4x2xf32>";
  expectFloats(eval(op, "tensor<1x4x2xf32>", inputs), {1, 4, 2}, {1, 2, 3, 4, 5, 6, 3, 4});
  inputs[1].ints[10] = 3;
  CHECK(runOp(op, "tensor<1x4x2xf32>", inputs).error.find("TSH-0402") != std::string::npos);
}

TEST_CASE("tables that are no trees are refused") {
  Tensor keys = keysOf({1, 5, 0, 1.5, -2, 0, 2, -1, 0, 3, 3, 0});
  auto run = [&](Ints words, Ints trees) {
    return runOp("torsh.tree_ensemble sum %a nodes %b trees %c : (tensor<4x3xui32>, tensor<6x2xui32>, "
                 "tensor<1x4xi32>) -> tensor<1x4x1xf32>",
                 "tensor<1x4x1xf32>", {keys, ints({6, 2}, words, "ui32"), ints({1, 4}, trees, "i32")})
        .error;
  };
  CHECK(run(nodes, {0, 2, 0, 0}).empty());
  CHECK_FALSE(run(nodes, {6, 2, 0, 0}).empty()); // a root that is not there
  CHECK_FALSE(run(nodes, {0, 1, 0, 0}).empty()); // too few steps
  CHECK_FALSE(run(nodes, {0, 2, 0, 1}).empty()); // a target that is not there
  Ints outside = nodes;
  outside[1] = 0 | 9 << 16;
  CHECK_FALSE(run(outside, {0, 2, 0, 0}).empty());
}
