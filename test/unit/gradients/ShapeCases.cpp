//===-- ShapeCases.cpp - Cases of rules that move elements, and of products ---------------------------------===//
#include "test/unit/gradients/Harness.h"

namespace torsh::test {

void addShapeCases(std::vector<Case> &cases) {
  auto add = [&](const char *op, const char *result, std::vector<Input> inputs) {
    cases.push_back({op, result, std::move(inputs)});
  };
  add("torsh.broadcast %a axes = [1, 3] : (tensor<3x1xf64>) -> tensor<2x3x4x2xf64>", "tensor<2x3x4x2xf64>",
      {{"tensor<3x1xf64>"}});
  add("torsh.broadcast %a axes = [] : (tensor<f64>) -> tensor<3xf64>", "tensor<3xf64>", {{"tensor<f64>"}});
  add("torsh.broadcast %a axes = [0, 1] : (tensor<1x1xf64>) -> tensor<1x4xf64>", "tensor<1x4xf64>",
      {{"tensor<1x1xf64>"}});
  add("torsh.reshape %a : (tensor<2x6xf64>) -> tensor<3x4xf64>", "tensor<3x4xf64>", {{"tensor<2x6xf64>"}});
  add("torsh.transpose %a perm = [2, 0, 1] : (tensor<2x3x4xf64>) -> tensor<4x2x3xf64>", "tensor<4x2x3xf64>",
      {{"tensor<2x3x4xf64>"}});
  add("torsh.slice %a starts = <[1, 2]> sizes = <[2, 3]> steps = [1, 1] : (tensor<4x6xf64>) -> "
      "tensor<2x3xf64>",
      "tensor<2x3xf64>", {{"tensor<4x6xf64>"}});
  add("torsh.slice %a starts = <[1, 6]> sizes = <[2, 3]> steps = [2, -3] : (tensor<5x8xf64>) -> "
      "tensor<2x3xf64>",
      "tensor<2x3xf64>", {{"tensor<5x8xf64>"}});
  add("torsh.pad %a value %b low = <[1, 0]> high = <[0, 2]> : (tensor<2x3xf64>, tensor<f64>) -> "
      "tensor<3x5xf64>",
      "tensor<3x5xf64>", {{"tensor<2x3xf64>"}, {"tensor<f64>"}});
  add("torsh.pad %a low = <[1, 3]> high = <[0, 2]> {mode = #torsh<pad_mode edge>} : (tensor<2x3xf64>) -> "
      "tensor<3x8xf64>",
      "tensor<3x8xf64>", {{"tensor<2x3xf64>"}});
  add("torsh.pad %a low = <[1, 2]> high = <[1, 1]> {mode = #torsh<pad_mode reflect>} : (tensor<2x3xf64>) -> "
      "tensor<4x6xf64>",
      "tensor<4x6xf64>", {{"tensor<2x3xf64>"}});
  add("torsh.pad %a low = <[1, 3]> high = <[1, 1]> {mode = #torsh<pad_mode wrap>} : (tensor<2x3xf64>) -> "
      "tensor<4x7xf64>",
      "tensor<4x7xf64>", {{"tensor<2x3xf64>"}});
  add("torsh.concat %a, %b axis = 1 : (tensor<2x1xf64>, tensor<2x3xf64>) -> tensor<2x4xf64>",
      "tensor<2x4xf64>", {{"tensor<2x1xf64>"}, {"tensor<2x3xf64>"}});

  add("torsh.dot_general %a, %b batch = [] x [] contract = [1] x [0] : (tensor<2x3xf64>, tensor<3x4xf64>) -> "
      "tensor<2x4xf64>",
      "tensor<2x4xf64>", {{"tensor<2x3xf64>"}, {"tensor<3x4xf64>"}});
  // Two batch dims and two contracting dims, in another order on either side.
  add("torsh.dot_general %a, %b batch = [3, 0] x [1, 2] contract = [1, 4] x [4, 0] : "
      "(tensor<2x3x2x1x4xf64>, tensor<4x1x2x2x3xf64>) -> tensor<1x2x2x2xf64>",
      "tensor<1x2x2x2xf64>", {{"tensor<2x3x2x1x4xf64>"}, {"tensor<4x1x2x2x3xf64>"}});
}

} // namespace torsh::test
