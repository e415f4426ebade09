// Spatial ops take their channels last; transposes move down until they cancel or meet the end of the graph.
// RUN: torsh-opt %s --torsh-channels-last | FileCheck %s

!x = tensor<1x8x6x6xf32>
!y = tensor<1x4x6x6xf32>
!w = tensor<4x8x3x3xf32>

// Two convolutions with ops between: one transpose at each border, the weights' one in the recipe.
// CHECK-LABEL: func.func @chain
// CHECK: torsh.constant #torsh.weight<"k", tensor<4x8x3x3xf32>, [<"transpose", [2, 3, 1, 0], "", tensor<3x3x8x4xf32>>]>
// CHECK: %[[IN:.*]] = torsh.transpose %{{.*}} perm = [0, 2, 3, 1]
// CHECK: torsh.conv %[[IN]]{{.*}}channels_last
// CHECK: torsh.broadcast %{{.*}} axes = [3] : (tensor<4xf32>) -> tensor<1x6x6x4xf32>
// CHECK-NOT: torsh.transpose
// CHECK: torsh.max_pool {{.*}}channels_last
// CHECK: %[[OUT:.*]] = torsh.transpose %{{.*}} perm = [0, 3, 1, 2] : (tensor<1x3x3x4xf32>) -> tensor<1x4x3x3xf32>
// CHECK: return %[[OUT]]
func.func @chain(%x: !x, %scale: tensor<4xf32>) -> tensor<1x4x3x3xf32> {
  %w = torsh.constant #torsh.weight<"k", !w> -> !w
  %0 = torsh.conv %x, %w strides = [1, 1] dilations = [1, 1] low = [1, 1] high = [1, 1] groups = 1 : (!x, !w) -> !y
  %1 = torsh.broadcast %scale axes = [1] : (tensor<4xf32>) -> !y
  %2 = torsh.mul %0, %1 : !y
  %3 = torsh.tanh %2 : !y
  %4 = torsh.max_pool %3 window = [2, 2] strides = [2, 2] dilations = [1, 1] low = [0, 0] high = [0, 0] : (!y) -> tensor<1x4x3x3xf32>
  return %4 : tensor<1x4x3x3xf32>
}

// Axes of reductions, concats and slices are mapped, and a reshape of unit dims needs no transpose.
// CHECK-LABEL: func.func @axes
// CHECK: torsh.concat %{{.*}}, %{{.*}} axis = 3 : (tensor<1x3x3x4xf32>, tensor<1x3x3x4xf32>)
// CHECK: torsh.slice %{{.*}} starts = <[0, 0, 0, 2]> sizes = <[1, 3, 3, 4]>
// CHECK: torsh.reduce {{.*}} axes = [1, 2] keep_dims = true : (tensor<1x3x3x4xf32>) -> tensor<1x1x1x4xf32>
// CHECK-NEXT: %[[FLAT:.*]] = torsh.reshape %{{.*}} : (tensor<1x1x1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT: return %[[FLAT]]
func.func @axes(%x: !y) -> tensor<1x4xf32> {
  %0 = torsh.max_pool %x window = [2, 2] strides = [2, 2] dilations = [1, 1] low = [0, 0] high = [0, 0] : (!y) -> tensor<1x4x3x3xf32>
  %1 = torsh.tanh %0 : tensor<1x4x3x3xf32>
  %2 = torsh.concat %0, %1 axis = 1 : (tensor<1x4x3x3xf32>, tensor<1x4x3x3xf32>) -> tensor<1x8x3x3xf32>
  %3 = torsh.slice %2 starts = <[0, 2, 0, 0]> sizes = <[1, 4, 3, 3]> steps = [1, 1, 1, 1] : (tensor<1x8x3x3xf32>) -> tensor<1x4x3x3xf32>
  %4 = torsh.reduce mean %3 axes = [2, 3] keep_dims = true : (tensor<1x4x3x3xf32>) -> tensor<1x4x1x1xf32>
  %5 = torsh.reshape %4 : (tensor<1x4x1x1xf32>) -> tensor<1x4xf32>
  return %5 : tensor<1x4xf32>
}

// Joining channels with positions needs the old order: the transpose stays above the reshape.
// CHECK-LABEL: func.func @flatten
// CHECK: %[[T:.*]] = torsh.transpose %{{.*}} perm = [0, 3, 1, 2]
// CHECK-NEXT: torsh.reshape %[[T]]
func.func @flatten(%x: !y) -> tensor<1x36xf32> {
  %0 = torsh.max_pool %x window = [2, 2] strides = [2, 2] dilations = [1, 1] low = [0, 0] high = [0, 0] : (!y) -> tensor<1x4x3x3xf32>
  %1 = torsh.reshape %0 : (tensor<1x4x3x3xf32>) -> tensor<1x36xf32>
  return %1 : tensor<1x36xf32>
}

// Joining positions keeps them neighbours: [N, C, H * W] of a channels-last value is [N, H * W, C] transposed.
// CHECK-LABEL: func.func @tokens
// CHECK: %[[R:.*]] = torsh.reshape %{{.*}} : (tensor<1x3x3x4xf32>) -> tensor<1x9x4xf32>
// CHECK-NEXT: return %[[R]]
func.func @tokens(%x: !y) -> tensor<1x9x4xf32> {
  %0 = torsh.max_pool %x window = [2, 2] strides = [2, 2] dilations = [1, 1] low = [0, 0] high = [0, 0] : (!y) -> tensor<1x4x3x3xf32>
  %1 = torsh.reshape %0 : (tensor<1x4x3x3xf32>) -> tensor<1x4x9xf32>
  %2 = torsh.transpose %1 perm = [0, 2, 1] : (tensor<1x4x9xf32>) -> tensor<1x9x4xf32>
  return %2 : tensor<1x9x4xf32>
}

// Softmax along the channels is along the last dim.
// CHECK-LABEL: func.func @softmax
// CHECK: torsh.softmax %{{.*}} axis = 3 : tensor<1x6x6x4xf32>
func.func @softmax(%x: !y) -> !y {
  %0 = torsh.softmax %x axis = 1 : !y
  return %0 : !y
}

// One constant index is a slice, which the transpose passes: queries of a joint projection become a window.
// CHECK-LABEL: func.func @gather
// CHECK: torsh.slice %{{.*}} starts = <[0, 0, 1, 0]> sizes = <[9, 2, 1, 8]>
// CHECK-NOT: torsh.transpose
// CHECK: return
func.func @gather(%x: tensor<9x2x3x8xf32>) -> tensor<9x2x8xf32> {
  %i = torsh.constant dense<-2> : tensor<i64> -> tensor<i64>
  %0 = torsh.transpose %x perm = [2, 0, 1, 3] : (tensor<9x2x3x8xf32>) -> tensor<3x9x2x8xf32>
  %1 = torsh.gather %0, %i axis = 0 : (tensor<3x9x2x8xf32>, tensor<i64>) -> tensor<9x2x8xf32>
  return %1 : tensor<9x2x8xf32>
}
