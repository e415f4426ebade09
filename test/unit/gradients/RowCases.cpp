//===-- RowCases.cpp - Cases of reductions, scans, softmax, normalisations and attention --------------------===//
#include "test/unit/gradients/Harness.h"

namespace torsh::test {

void addRowCases(std::vector<Case> &cases) {
  auto add = [&](const char *op, const char *result, std::vector<Input> inputs) {
    cases.push_back({op, result, std::move(inputs)});
  };
  Input x{"tensor<2x3x4xf64>"};
  add("torsh.reduce sum %a axes = [0, 2] keep_dims = false : (tensor<2x3x4xf64>) -> tensor<3xf64>",
      "tensor<3xf64>", {x});
  add("torsh.reduce sum %a axes = [1] keep_dims = true : (tensor<2x3x4xf64>) -> tensor<2x1x4xf64>",
      "tensor<2x1x4xf64>", {x});
  add("torsh.reduce mean %a axes = [0, 1] keep_dims = false : (tensor<2x3x4xf64>) -> tensor<4xf64>",
      "tensor<4xf64>", {x});
  add("torsh.reduce max %a axes = [1] keep_dims = false : (tensor<2x3x4xf64>) -> tensor<2x4xf64>",
      "tensor<2x4xf64>", {x});
  add("torsh.reduce min %a axes = [2] keep_dims = true : (tensor<2x3x4xf64>) -> tensor<2x3x1xf64>",
      "tensor<2x3x1xf64>", {x});
  // Derivatives of derivatives at 0 are not what the rule is for.
  cases.push_back({"torsh.reduce prod %a axes = [1] keep_dims = false : (tensor<3x3xf64>) -> tensor<3xf64>",
                   "tensor<3xf64>",
                   {{"tensor<3x3xf64>", 0, 0, {2, 0, 3, 0, 4, 0, 5, -1, 2}}},
                   /*twice=*/false});
  add("torsh.reduce logsumexp %a axes = [1, 2] keep_dims = false : (tensor<2x3x4xf64>) -> tensor<2xf64>",
      "tensor<2xf64>", {x});
  add("torsh.cumsum %a axis = 1 : tensor<2x3x4xf64>", "tensor<2x3x4xf64>", {x});
  add("torsh.cumsum %a axis = 2 {exclusive = true, reverse = true} : tensor<2x3x4xf64>", "tensor<2x3x4xf64>",
      {x});
  add("torsh.softmax %a axis = 1 : tensor<2x3x4xf64>", "tensor<2x3x4xf64>", {x});
  add("torsh.log_softmax %a axis = 2 : tensor<2x3x4xf64>", "tensor<2x3x4xf64>", {x});

  Input row{"tensor<4xf64>", 0.5, 2};
  add("torsh.layer_norm %a scale %b bias %c axis = 2 epsilon = 1.0e-2 : (tensor<2x3x4xf64>, tensor<4xf64>, "
      "tensor<4xf64>) -> tensor<2x3x4xf64>",
      "tensor<2x3x4xf64>", {x, row, row});
  add("torsh.layer_norm %a scale %b axis = 1 epsilon = 1.0e-2 : (tensor<2x3x4xf64>, tensor<3x4xf64>) -> "
      "tensor<2x3x4xf64>",
      "tensor<2x3x4xf64>", {x, {"tensor<3x4xf64>"}});
  add("torsh.rms_norm %a scale %b axis = 2 epsilon = 1.0e-2 : (tensor<2x3x4xf64>, tensor<4xf64>) -> "
      "tensor<2x3x4xf64>",
      "tensor<2x3x4xf64>", {x, row});
  Input feature{"tensor<3xf64>", 0.5, 2};
  add("torsh.batch_norm %a scale %b bias %c mean %d variance %e axis = 1 epsilon = 1.0e-2 : "
      "(tensor<2x3x4xf64>, "
      "tensor<3xf64>, tensor<3xf64>, tensor<3xf64>, tensor<3xf64>) -> tensor<2x3x4xf64>",
      "tensor<2x3x4xf64>", {x, feature, feature, feature, feature});
  Input four{"tensor<4xf64>", 0.5, 2};
  add("torsh.group_norm %a scale %b bias %c groups = 2 epsilon = 1.0e-2 : (tensor<2x4x3xf64>, tensor<4xf64>, "
      "tensor<4xf64>) -> tensor<2x4x3xf64>",
      "tensor<2x4x3xf64>", {{"tensor<2x4x3xf64>"}, four, four});
  add("torsh.group_norm %a scale %b bias %c groups = 2 epsilon = 1.0e-2 {layout = "
      "#torsh<layout channels_last>} : "
      "(tensor<2x3x4xf64>, tensor<4xf64>, tensor<4xf64>) -> tensor<2x3x4xf64>",
      "tensor<2x3x4xf64>", {x, four, four});

  Input q{"tensor<2x3x2xf64>"}, k{"tensor<2x4x2xf64>"}, v{"tensor<2x4x3xf64>"};
  add("torsh.attention %a, %b, %c scale = 5.0e-1 : (tensor<2x3x2xf64>, tensor<2x4x2xf64>, tensor<2x4x3xf64>) "
      "-> "
      "tensor<2x3x3xf64>",
      "tensor<2x3x3xf64>", {q, k, v});
  // Fewer keys than queries: the first query sees none, and its row is 0.
  add("torsh.attention %a, %b, %c mask %d scale = 5.0e-1 {causal = true} : (tensor<2x4x2xf64>, "
      "tensor<2x3x2xf64>, "
      "tensor<2x3x3xf64>, tensor<2x1x3xf64>) -> tensor<2x4x3xf64>",
      "tensor<2x4x3xf64>", {k, q, {"tensor<2x3x3xf64>"}, {"tensor<2x1x3xf64>"}});
}

} // namespace torsh::test
