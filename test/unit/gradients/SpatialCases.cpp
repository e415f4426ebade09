//===-- SpatialCases.cpp - Cases of convolutions and pools --------------------------------------------------===//
#include "test/unit/gradients/Harness.h"

namespace torsh::test {

void addSpatialCases(std::vector<Case> &cases) {
  auto add = [&](const char *op, const char *result, std::vector<Input> inputs) {
    cases.push_back({op, result, std::move(inputs)});
  };
  // A stride that leaves the last column unread, dilation, uneven padding, groups.
  add("torsh.conv %a, %b bias %c strides = [2, 1] dilations = [1, 2] low = [1, 0] high = [0, 2] groups = 2 : "
      "(tensor<2x4x6x5xf64>, tensor<2x2x3x2xf64>, tensor<2xf64>) -> tensor<2x2x3x5xf64>",
      "tensor<2x2x3x5xf64>", {{"tensor<2x4x6x5xf64>"}, {"tensor<2x2x3x2xf64>"}, {"tensor<2xf64>"}});
  add("torsh.conv %a, %b strides = [2] dilations = [1] low = [1] high = [1] groups = 1 "
      "{layout = #torsh<layout channels_last>} : (tensor<2x5x3xf64>, tensor<3x3x2xf64>) -> tensor<2x3x2xf64>",
      "tensor<2x3x2xf64>", {{"tensor<2x5x3xf64>"}, {"tensor<3x3x2xf64>"}});
  add("torsh.conv_transpose %a, %b bias %c strides = [2, 1] dilations = [1, 2] low = [1, 0] high = [0, 1] "
      "output_padding = [1, 0] groups = 2 : (tensor<1x4x3x2xf64>, tensor<4x1x2x2xf64>, tensor<2xf64>) -> "
      "tensor<1x2x6x3xf64>",
      "tensor<1x2x6x3xf64>", {{"tensor<1x4x3x2xf64>"}, {"tensor<4x1x2x2xf64>"}, {"tensor<2xf64>"}});
  add("torsh.conv_transpose %a, %b strides = [2] dilations = [1] low = [0] high = [1] output_padding = [0] "
      "groups = 1 "
      "{layout = #torsh<layout channels_last>} : (tensor<2x3x3xf64>, tensor<3x3x2xf64>) -> tensor<2x6x2xf64>",
      "tensor<2x6x2xf64>", {{"tensor<2x3x3xf64>"}, {"tensor<3x3x2xf64>"}});
  add("torsh.conv_weight_grad %a, %b kernel = [3] strides = [2] dilations = [1] low = [1] high = [0] groups "
      "= 2 : "
      "(tensor<2x4x6xf64>, tensor<2x2x3xf64>) -> tensor<2x2x3xf64>",
      "tensor<2x2x3xf64>", {{"tensor<2x4x6xf64>"}, {"tensor<2x2x3xf64>"}});
  add("torsh.max_pool %a window = [2, 3] strides = [2, 1] dilations = [1, 2] low = [1, 1] high = [0, 1] "
      "{ceil_mode = true} : (tensor<1x2x4x6xf64>) -> tensor<1x2x3x4xf64>",
      "tensor<1x2x3x4xf64>", {{"tensor<1x2x4x6xf64>", -9, 9}});
  add("torsh.max_pool_grad %a, %b window = [2, 2] strides = [2, 2] dilations = [1, 1] low = [0, 0] high = "
      "[0, 0] "
      "{layout = #torsh<layout channels_last>} : (tensor<1x4x5x2xf64>, tensor<1x2x2x2xf64>) -> "
      "tensor<1x4x5x2xf64>",
      "tensor<1x4x5x2xf64>", {{"tensor<1x4x5x2xf64>", -9, 9}, {"tensor<1x2x2x2xf64>"}});
  add("torsh.avg_pool %a window = [3, 2] strides = [2, 2] dilations = [1, 1] low = [1, 0] high = [1, 1] : "
      "(tensor<1x2x5x3xf64>) -> tensor<1x2x3x2xf64>",
      "tensor<1x2x3x2xf64>", {{"tensor<1x2x5x3xf64>"}});
  add("torsh.avg_pool %a window = [2] strides = [2] dilations = [1] low = [1] high = [0] {count_include_pad "
      "= true, "
      "layout = #torsh<layout channels_last>} : (tensor<2x5x2xf64>) -> tensor<2x3x2xf64>",
      "tensor<2x3x2xf64>", {{"tensor<2x5x2xf64>"}});
  add("torsh.avg_pool_grad %a window = [2] strides = [2] dilations = [1] low = [1] high = [0] : "
      "(tensor<2x2x3xf64>) -> tensor<2x2x5xf64>",
      "tensor<2x2x5xf64>", {{"tensor<2x2x3xf64>"}});
}

} // namespace torsh::test
