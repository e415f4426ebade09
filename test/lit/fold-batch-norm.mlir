// Batch norms go into convolutions, become mul and add, or are computed.
// RUN: torsh-opt %s -torsh-fold-batch-norm | FileCheck %s
// RUN: torsh-opt %s -torsh-fold-batch-norm | FileCheck %s --check-prefix=NONE
// NONE-NOT: torsh.batch_norm

!x = tensor<?x1x4x4xf32, #torsh.dims<[n, 1, 4, 4]>>
!y = tensor<?x2x4x4xf32, #torsh.dims<[n, 2, 4, 4]>>

// factor = [2, 1.5] / sqrt([4, 0.25]) = [1, 3], shift = bias - mean * factor + b * factor.
// CHECK-LABEL: func.func @behind_conv
func.func @behind_conv(%x: !x) -> !y {
  %w = torsh.constant dense<[[[[10.0]]], [[[20.0]]]]> : tensor<2x1x1x1xf32> -> tensor<2x1x1x1xf32>
  %b = torsh.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %scale = torsh.constant dense<[2.0, 1.5]> : tensor<2xf32> -> tensor<2xf32>
  %bias = torsh.constant dense<[0.5, 1.0]> : tensor<2xf32> -> tensor<2xf32>
  %mean = torsh.constant dense<[5.0, 1.0]> : tensor<2xf32> -> tensor<2xf32>
  %variance = torsh.constant dense<[4.0, 0.25]> : tensor<2xf32> -> tensor<2xf32>
  // CHECK: %[[W:.*]] = torsh.constant dense<{{\[\[\[\[}}1.000000e+01]]], {{\[\[\[}}6.000000e+01]]]]>
  // CHECK: %[[B:.*]] = torsh.constant dense<[-3.500000e+00, 4.000000e+00]>
  // CHECK: %[[Y:.*]] = torsh.conv %{{.*}}, %[[W]] bias %[[B]]
  %0 = torsh.conv %x, %w bias %b strides = [1, 1] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 1 : (!x, tensor<2x1x1x1xf32>, tensor<2xf32>) -> !y
  %1 = torsh.batch_norm %0 scale %scale bias %bias mean %mean variance %variance axis = 1 epsilon = 0.0 : (!y, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> !y
  // CHECK: return %[[Y]]
  return %1 : !y
}

// The factor is a step of the recipe, along the outputs: axis 1 of a transposed convolution.
// CHECK-LABEL: func.func @recipe
func.func @recipe(%x: tensor<1x64x4x4xf32>) -> tensor<1x64x4x4xf32> {
  %w = torsh.constant #torsh.weight<"key", tensor<64x64x1x1xf32>> -> tensor<64x64x1x1xf32>
  %one = torsh.constant dense<1.0> : tensor<64xf32> -> tensor<64xf32>
  // CHECK: %[[W0:.*]] = torsh.constant #torsh.weight<"key", tensor<64x64x1x1xf32>, [<"scale", [0], "{{.+}}", tensor<64x64x1x1xf32>>]>
  // CHECK: torsh.conv %{{.*}}, %[[W0]] bias
  %0 = torsh.conv %x, %w strides = [1, 1] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 1 : (tensor<1x64x4x4xf32>, tensor<64x64x1x1xf32>) -> tensor<1x64x4x4xf32>
  %1 = torsh.batch_norm %0 scale %one bias %one mean %one variance %one axis = 1 epsilon = 1.0 : (tensor<1x64x4x4xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<1x64x4x4xf32>
  // CHECK: %[[W1:.*]] = torsh.constant #torsh.weight<"key", tensor<64x64x1x1xf32>, [<"scale", [1], "{{.+}}", tensor<64x64x1x1xf32>>]>
  // CHECK: torsh.conv_transpose %{{.*}}, %[[W1]] bias
  %2 = torsh.conv_transpose %1, %w strides = [1, 1] dilations = [1, 1] low = [0, 0] high = [0, 0] output_padding = [0, 0] groups = 1 : (tensor<1x64x4x4xf32>, tensor<64x64x1x1xf32>) -> tensor<1x64x4x4xf32>
  %3 = torsh.batch_norm %2 scale %one bias %one mean %one variance %one axis = 1 epsilon = 1.0 : (tensor<1x64x4x4xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<1x64x4x4xf32>
  return %3 : tensor<1x64x4x4xf32>
}

// A convolution that feeds others keeps its weights; a norm of an input has none.
// CHECK-LABEL: func.func @elsewhere
// CHECK-SAME: (%[[X:.*]]: tensor
func.func @elsewhere(%x: !y) -> !y {
  %one = torsh.constant dense<1.0> : tensor<2xf32> -> tensor<2xf32>
  %scale = torsh.constant dense<[2.0, 4.0]> : tensor<2xf32> -> tensor<2xf32>
  // CHECK: %[[C:.*]] = torsh.constant dense<[2.000000e+00, 4.000000e+00]>
  // CHECK: %[[F:.*]] = torsh.broadcast %{{.*}} axes = [1]
  // CHECK: %[[P:.*]] = torsh.mul %[[X]], %[[F]]
  // CHECK: %[[S:.*]] = torsh.constant dense<[-1.000000e+00, -3.000000e+00]>
  // CHECK: %[[B:.*]] = torsh.broadcast %[[S]] axes = [1]
  // CHECK: torsh.add %[[P]], %[[B]]
  %0 = torsh.batch_norm %x scale %scale bias %one mean %one variance %one axis = 1 epsilon = 0.0 : (!y, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> !y
  return %0 : !y
}

// CHECK-LABEL: func.func @shared_conv
func.func @shared_conv(%x: !x) -> (!y, !y) {
  %w = torsh.constant dense<1.0> : tensor<2x1x1x1xf32> -> tensor<2x1x1x1xf32>
  %one = torsh.constant dense<1.0> : tensor<2xf32> -> tensor<2xf32>
  // CHECK: %[[Y:.*]] = torsh.conv %{{.*}}, %{{.*}} strides
  // CHECK: torsh.mul %[[Y]],
  %0 = torsh.conv %x, %w strides = [1, 1] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 1 : (!x, tensor<2x1x1x1xf32>) -> !y
  %1 = torsh.batch_norm %0 scale %one bias %one mean %one variance %one axis = 1 epsilon = 1.0 : (!y, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> !y
  return %0, %1 : !y, !y
}

// The mean is subtracted first, in the type of the statistics.
// CHECK-LABEL: func.func @computed
func.func @computed(%x: tensor<8x2xf16>, %scale: tensor<2xf16>, %mean: tensor<2xf32>) -> tensor<8x2xf16> {
  // CHECK: torsh.rsqrt %{{.*}} : tensor<2xf32>
  // CHECK: torsh.sub %{{.*}} : tensor<8x2xf32>
  // CHECK: torsh.cast %{{.*}} : (tensor<8x2xf32>) -> tensor<8x2xf16>
  %0 = torsh.batch_norm %x scale %scale bias %scale mean %mean variance %mean axis = 1 epsilon = 1.0e-5 : (tensor<8x2xf16>, tensor<2xf16>, tensor<2xf16>, tensor<2xf32>, tensor<2xf32>) -> tensor<8x2xf16>
  return %0 : tensor<8x2xf16>
}
