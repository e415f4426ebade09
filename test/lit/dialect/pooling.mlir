// Window reductions survive a round trip; each result type is computed by hand.
// RUN: torsh-opt %s | torsh-opt | FileCheck %s

// CHECK-LABEL: func.func @pools
func.func @pools(%x: tensor<?x3x?x6xf32, #torsh.dims<[n, 3, h, 6]>>, %y: tensor<1x6x6x3xf32>, %z: tensor<1x1x6xf32>) {
  // CHECK: torsh.max_pool %{{.*}} window = [3, 2] strides = [2, 2] dilations = [1, 1] low = [1, 0] high = [1, 0] : {{.*}} -> tensor<?x3x?x3xf32, #torsh.dims<[n, 3, {{.*}}, 3]>>
  %0 = torsh.max_pool %x window = [3, 2] strides = [2, 2] dilations = [1, 1] low = [1, 0] high = [1, 0] : (tensor<?x3x?x6xf32, #torsh.dims<[n, 3, h, 6]>>) -> tensor<?x3x?x3xf32, #torsh.dims<[n, 3, floordiv(h - 1, 2) + 1, 3]>>
  // CHECK: torsh.avg_pool {{.*}} {count_include_pad = true, layout = #torsh<layout channels_last>} : {{.*}} -> tensor<1x4x4x3xf32>
  %1 = torsh.avg_pool %y window = [3, 3] strides = [1, 1] dilations = [1, 1] low = [0, 0] high = [0, 0] {count_include_pad = true, layout = #torsh<layout channels_last>} : (tensor<1x6x6x3xf32>) -> tensor<1x4x4x3xf32>
  // ceil((6 - 3) / 2) + 1 = 3; the third window starts at 4 < 6.
  // CHECK: torsh.max_pool {{.*}} {ceil_mode = true} : {{.*}} -> tensor<1x1x3xf32>
  %2 = torsh.max_pool %z window = [3] strides = [2] dilations = [1] low = [0] high = [0] {ceil_mode = true} : (tensor<1x1x6xf32>) -> tensor<1x1x3xf32>
  // ceil((6 + 0 + 1 - 1 - 1) / 3) + 1 = 3, but the third window would start at 6, outside the input.
  // CHECK: torsh.max_pool {{.*}} {ceil_mode = true} : {{.*}} -> tensor<1x1x2xf32>
  %3 = torsh.max_pool %z window = [2] strides = [3] dilations = [1] low = [0] high = [1] {ceil_mode = true} : (tensor<1x1x6xf32>) -> tensor<1x1x2xf32>
  return
}

// CHECK-LABEL: func.func @gradients
func.func @gradients(%x: tensor<1x3x6xf32>, %dy: tensor<1x3x3xf32>) {
  // CHECK: torsh.max_pool_grad %{{.*}}, %{{.*}} window = [2] strides = [2] dilations = [1] low = [0] high = [0] : {{.*}} -> tensor<1x3x6xf32>
  %0 = torsh.max_pool_grad %x, %dy window = [2] strides = [2] dilations = [1] low = [0] high = [0] : (tensor<1x3x6xf32>, tensor<1x3x3xf32>) -> tensor<1x3x6xf32>
  // CHECK: torsh.avg_pool_grad {{.*}} {count_include_pad = true} : (tensor<1x3x3xf32>) -> tensor<1x3x6xf32>
  %1 = torsh.avg_pool_grad %dy window = [2] strides = [2] dilations = [1] low = [0] high = [0] {count_include_pad = true} : (tensor<1x3x3xf32>) -> tensor<1x3x6xf32>
  return
}
