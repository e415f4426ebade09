//===-- IndexingCases.cpp - Cases of gathers and scatters ---------------------------------------------------===//
#include "test/unit/gradients/Harness.h"

namespace torsh::test {

void addIndexingCases(std::vector<Case> &cases) {
  auto add = [&](const char *op, const char *result, std::vector<Input> inputs) {
    cases.push_back({op, result, std::move(inputs)});
  };
  // Repeated and negative indices, and one out of range.
  Input pairs{"tensor<2x2xi64>", 0, 0, {1, -1, 1, 9}};
  add("torsh.gather %a, %b axis = 0 : (tensor<4x3xf64>, tensor<2x2xi64>) -> tensor<2x2x3xf64>",
      "tensor<2x2x3xf64>", {{"tensor<4x3xf64>"}, pairs});
  add("torsh.gather %a, %b axis = 1 : (tensor<2x4x3xf64>, tensor<2x2xi64>) -> tensor<2x2x2x3xf64>",
      "tensor<2x2x2x3xf64>", {{"tensor<2x4x3xf64>"}, pairs});
  add("torsh.gather_elements %a, %b axis = 1 : (tensor<2x4xf64>, tensor<2x2xi64>) -> tensor<2x2xf64>",
      "tensor<2x2xf64>", {{"tensor<2x4xf64>"}, pairs});
  add("torsh.gather_nd %a, %b batch_dims = 0 : (tensor<3x4x2xf64>, tensor<2x2xi64>) -> tensor<2x2xf64>",
      "tensor<2x2xf64>", {{"tensor<3x4x2xf64>"}, pairs});
  add("torsh.gather_nd %a, %b batch_dims = 1 : (tensor<2x3x4xf64>, tensor<2x3x1xi64>) -> tensor<2x3x4xf64>",
      "tensor<2x3x4xf64>", {{"tensor<2x3x4xf64>"}, {"tensor<2x3x1xi64>", 0, 0, {0, 2, 2, 1, 0, -1}}});
  add("torsh.scatter_elements %a, %b, %c axis = 1 {kind = #torsh<scatter_kind add>} : (tensor<2x4xf64>, "
      "tensor<2x2xi64>, tensor<2x2xf64>) -> tensor<2x4xf64>",
      "tensor<2x4xf64>", {{"tensor<2x4xf64>"}, pairs, {"tensor<2x2xf64>"}});
  add("torsh.scatter_elements %a, %b, %c axis = 1 : (tensor<2x4xf64>, tensor<2x2xi64>, tensor<2x2xf64>) -> "
      "tensor<2x4xf64>",
      "tensor<2x4xf64>", {{"tensor<2x4xf64>"}, pairs, {"tensor<2x2xf64>"}});
  add("torsh.scatter_nd %a, %b, %c {kind = #torsh<scatter_kind add>} : (tensor<3x4xf64>, tensor<2x1xi64>, "
      "tensor<2x4xf64>) -> tensor<3x4xf64>",
      "tensor<3x4xf64>", {{"tensor<3x4xf64>"}, {"tensor<2x1xi64>", 0, 0, {2, 2}}, {"tensor<2x4xf64>"}});
  add("torsh.scatter_nd %a, %b, %c : (tensor<3x4xf64>, tensor<2x1xi64>, tensor<2x4xf64>) -> tensor<3x4xf64>",
      "tensor<3x4xf64>", {{"tensor<3x4xf64>"}, {"tensor<2x1xi64>", 0, 0, {2, 0}}, {"tensor<2x4xf64>"}});
  add("torsh.topk %a k = <2> axis = 1 : (tensor<2x4xf64>) -> (tensor<2x2xf64>, tensor<2x2xi64>)",
      "tensor<2x2xf64>, tensor<2x2xi64>", {{"tensor<2x4xf64>"}});
}

} // namespace torsh::test
