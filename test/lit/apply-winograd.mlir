// 3 x 3 convolutions become products of transformed tiles where the estimate says that it pays.
// RUN: torsh-opt %s --torsh-apply-winograd | FileCheck %s

// Many pixels: tiles of 4.
// CHECK-LABEL: func.func @large
// CHECK: %[[U:.*]] = torsh.constant #torsh.weight<"w", tensor<3x3x64x64xf32>, [<"winograd", [4], "", tensor<36x64x64xf32>>]>
// CHECK: %[[V:.*]] = torsh.winograd_input %{{.*}} tile = 4 low = [1, 1] high = [1, 1] : (tensor<1x56x56x64xf32>) -> tensor<36x196x64xf32>
// CHECK: %[[M:.*]] = torsh.dot_general %[[V]], %[[U]] batch = [0] x [0] contract = [2] x [1]
// CHECK: %[[Y:.*]] = torsh.winograd_output %[[M]] tile = 4
// CHECK: %[[B:.*]] = torsh.broadcast %{{.*}} axes = [3]
// CHECK: torsh.add %[[Y]], %[[B]]
func.func @large(%x: tensor<1x56x56x64xf32>, %b: tensor<64xf32>) -> tensor<1x56x56x64xf32> {
  %w = torsh.constant #torsh.weight<"w", tensor<3x3x64x64xf32>> -> tensor<3x3x64x64xf32>
  %0 = torsh.conv %x, %w bias %b strides = [1, 1] dilations = [1, 1] low = [1, 1] high = [1, 1] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x56x56x64xf32>, tensor<3x3x64x64xf32>, tensor<64xf32>) -> tensor<1x56x56x64xf32>
  return %0 : tensor<1x56x56x64xf32>
}

// Few pixels and many weights: those would be read cold.
// CHECK-LABEL: func.func @small
// CHECK-NOT: winograd
// CHECK: return
func.func @small(%x: tensor<1x7x7x512xf32>) -> tensor<1x7x7x512xf32> {
  %w = torsh.constant #torsh.weight<"w", tensor<3x3x512x512xf32>> -> tensor<3x3x512x512xf32>
  %0 = torsh.conv %x, %w strides = [1, 1] dilations = [1, 1] low = [1, 1] high = [1, 1] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x7x7x512xf32>, tensor<3x3x512x512xf32>) -> tensor<1x7x7x512xf32>
  return %0 : tensor<1x7x7x512xf32>
}

// The number of images may be a symbol.
// CHECK-LABEL: func.func @batch
// CHECK: torsh.winograd_input %{{.*}} -> tensor<36x?x32xf32, #torsh.dims<[36, 784*n, 32]>>
func.func @batch(%x: tensor<?x112x112x32xf32, #torsh.dims<[n, 112, 112, 32]>>) -> tensor<?x112x112x32xf32, #torsh.dims<[n, 112, 112, 32]>> {
  %w = torsh.constant #torsh.weight<"w", tensor<3x3x32x32xf32>> -> tensor<3x3x32x32xf32>
  %0 = torsh.conv %x, %w strides = [1, 1] dilations = [1, 1] low = [1, 1] high = [1, 1] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<?x112x112x32xf32, #torsh.dims<[n, 112, 112, 32]>>, tensor<3x3x32x32xf32>) -> tensor<?x112x112x32xf32, #torsh.dims<[n, 112, 112, 32]>>
  return %0 : tensor<?x112x112x32xf32, #torsh.dims<[n, 112, 112, 32]>>
}

// Strides, computed weights and channels that are no multiple of 8 stay.
// CHECK-LABEL: func.func @others
// CHECK-NOT: winograd
// CHECK: return
func.func @others(%x: tensor<1x57x57x64xf32>, %w: tensor<3x3x64x64xf32>) -> (tensor<1x28x28x64xf32>, tensor<1x55x55x64xf32>, tensor<1x55x55x12xf32>) {
  %k = torsh.constant #torsh.weight<"w", tensor<3x3x64x64xf32>> -> tensor<3x3x64x64xf32>
  %n = torsh.constant #torsh.weight<"n", tensor<3x3x64x12xf32>> -> tensor<3x3x64x12xf32>
  %0 = torsh.conv %x, %k strides = [2, 2] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x57x57x64xf32>, tensor<3x3x64x64xf32>) -> tensor<1x28x28x64xf32>
  %1 = torsh.conv %x, %w strides = [1, 1] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x57x57x64xf32>, tensor<3x3x64x64xf32>) -> tensor<1x55x55x64xf32>
  %2 = torsh.conv %x, %n strides = [1, 1] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x57x57x64xf32>, tensor<3x3x64x12xf32>) -> tensor<1x55x55x12xf32>
  return %0, %1, %2 : tensor<1x28x28x64xf32>, tensor<1x55x55x64xf32>, tensor<1x55x55x12xf32>
}

// What was measured goes before the estimate, and leaves no trace.
// CHECK-LABEL: func.func @chosen
// CHECK-NOT: torsh.choices
// CHECK: torsh.winograd_input %{{.*}} tile = 2
// CHECK-NOT: winograd_input
// CHECK: torsh.conv
// CHECK-NOT: torsh.choices
// CHECK: return
func.func @chosen(%x: tensor<1x56x56x64xf32>) -> (tensor<1x56x56x64xf32>, tensor<1x56x56x64xf32>) {
  %w = torsh.constant #torsh.weight<"w", tensor<3x3x64x64xf32>> -> tensor<3x3x64x64xf32>
  %0 = torsh.conv %x, %w strides = [1, 1] dilations = [1, 1] low = [1, 1] high = [1, 1] groups = 1 {layout = #torsh<layout channels_last>, torsh.choices = {winograd = 2 : i64}} : (tensor<1x56x56x64xf32>, tensor<3x3x64x64xf32>) -> tensor<1x56x56x64xf32>
  %1 = torsh.conv %x, %w strides = [1, 1] dilations = [1, 1] low = [1, 1] high = [1, 1] groups = 1 {layout = #torsh<layout channels_last>, torsh.choices = {winograd = 1 : i64}} : (tensor<1x56x56x64xf32>, tensor<3x3x64x64xf32>) -> tensor<1x56x56x64xf32>
  return %0, %1 : tensor<1x56x56x64xf32>, tensor<1x56x56x64xf32>
}
