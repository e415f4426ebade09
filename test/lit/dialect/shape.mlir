// Ops that move elements survive a round trip, with static and symbolic dims.
// RUN: torsh-opt %s | torsh-opt | FileCheck %s

!x = tensor<?x4xf32, #torsh.dims<[n, 4]>>

// CHECK-LABEL: func.func @shape
func.func @shape(%x: !x, %v: tensor<f32>) {
  // CHECK: torsh.broadcast %{{.*}} axes = [1, 2] : {{.*}} -> tensor<3x?x4xf32, #torsh.dims<[3, n, 4]>>
  %0 = torsh.broadcast %x axes = [1, 2] : (!x) -> tensor<3x?x4xf32, #torsh.dims<[3, n, 4]>>
  // CHECK: torsh.broadcast %{{.*}} axes = [] : (tensor<f32>) -> tensor<2xf32>
  %1 = torsh.broadcast %v axes = [] : (tensor<f32>) -> tensor<2xf32>
  // CHECK: torsh.reshape %{{.*}} : {{.*}} -> tensor<?xf32, #torsh.dims<[4*n]>>
  %2 = torsh.reshape %x : (!x) -> tensor<?xf32, #torsh.dims<[4*n]>>
  // CHECK: torsh.transpose %{{.*}} perm = [1, 0] : {{.*}} -> tensor<4x?xf32, #torsh.dims<[4, n]>>
  %3 = torsh.transpose %x perm = [1, 0] : (!x) -> tensor<4x?xf32, #torsh.dims<[4, n]>>
  // CHECK: torsh.slice %{{.*}} starts = <[n - 1, 1]> sizes = <[n, 2]> steps = [-1, 2] : {{.*}} -> tensor<?x2xf32, #torsh.dims<[n, 2]>>
  %4 = torsh.slice %x starts = <[n - 1, 1]> sizes = <[n, 2]> steps = [-1, 2] : (!x) -> tensor<?x2xf32, #torsh.dims<[n, 2]>>
  // CHECK: torsh.pad %{{.*}} value %{{.*}} low = <[0, 1]> high = <[m, 1]> : {{.*}} -> tensor<?x6xf32, #torsh.dims<[m + n, 6]>>
  %5 = torsh.pad %x value %v low = <[0, 1]> high = <[m, 1]> : (!x, tensor<f32>) -> tensor<?x6xf32, #torsh.dims<[m + n, 6]>>
  // CHECK: torsh.pad %{{.*}} low = <[0, 1]> high = <[0, 1]> {mode = #torsh<pad_mode reflect>}
  %6 = torsh.pad %x low = <[0, 1]> high = <[0, 1]> {mode = #torsh<pad_mode reflect>} : (!x) -> tensor<?x6xf32, #torsh.dims<[n, 6]>>
  // CHECK: torsh.concat %{{.*}}, %{{.*}} axis = 0 : {{.*}} -> tensor<?x4xf32, #torsh.dims<[2*n, 4]>>
  %7 = torsh.concat %x, %x axis = 0 : (!x, !x) -> tensor<?x4xf32, #torsh.dims<[2*n, 4]>>
  // CHECK: torsh.iota axis = 1 : tensor<2x3xi32>
  %8 = torsh.iota axis = 1 : tensor<2x3xi32>
  // CHECK: torsh.from_dims <[n, 4]> : tensor<2xi64>
  %9 = torsh.from_dims <[n, 4]> : tensor<2xi64>
  // CHECK: torsh.from_dims <[2*n + 1]> : tensor<i64>
  %10 = torsh.from_dims <[n*2 + 1]> : tensor<i64>
  return
}

// Other names, and dims whose equality cannot be proved, are accepted.
// CHECK-LABEL: func.func @unproved
func.func @unproved(%x: !x, %y: tensor<?x4xf32, #torsh.dims<[m, 4]>>, %z: tensor<?x?xf32>) {
  // CHECK: torsh.broadcast
  %0 = torsh.broadcast %x axes = [0, 1] : (!x) -> tensor<?x4xf32, #torsh.dims<[m, 4]>>
  // CHECK: torsh.reshape
  %1 = torsh.reshape %x : (!x) -> tensor<?xf32, #torsh.dims<[k]>>
  // CHECK: torsh.concat
  %2 = torsh.concat %x, %y axis = 1 : (!x, tensor<?x4xf32, #torsh.dims<[m, 4]>>) -> tensor<?x8xf32, #torsh.dims<[m, 8]>>
  // CHECK: torsh.transpose
  %3 = torsh.transpose %z perm = [1, 0] : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return
}
