// Chains of moves and reductions collapse; row ops work on the last dim.
// RUN: torsh-opt %s -torsh-simplify | FileCheck %s

!x = tensor<?x4x6x8xf32, #torsh.dims<[n, 4, 6, 8]>>
!nc = tensor<?x4xf32, #torsh.dims<[n, 4]>>
!nch = tensor<?x4x6xf32, #torsh.dims<[n, 4, 6]>>
!nc1 = tensor<?x4x1xf32, #torsh.dims<[n, 4, 1]>>

// CHECK-LABEL: func.func @reductions
// CHECK-SAME: (%[[X:.*]]: tensor
func.func @reductions(%x: !x) -> (!nc, !nc1, !nc) {
  %0 = torsh.reduce mean %x axes = [3] keep_dims = false : (!x) -> !nch
  // CHECK: %[[A:.*]] = torsh.reduce mean %[[X]] axes = [2, 3] keep_dims = false
  %1 = torsh.reduce mean %0 axes = [2] keep_dims = false : (!nch) -> !nc
  %2 = torsh.reduce max %x axes = [3] keep_dims = false : (!x) -> !nch
  // CHECK: %[[M:.*]] = torsh.reduce max %[[X]] axes = [2, 3] keep_dims = false
  // CHECK: %[[B:.*]] = torsh.reshape %[[M]]
  %3 = torsh.reduce max %2 axes = [2] keep_dims = true : (!nch) -> !nc1
  %4 = torsh.reduce sum %3 axes = [2] keep_dims = false : (!nc1) -> !nc
  // CHECK: return %[[A]], %[[B]], %[[M]]
  return %1, %3, %4 : !nc, !nc1, !nc
}

// Two kinds, or a value with other users, stay.
// CHECK-LABEL: func.func @no_reductions
func.func @no_reductions(%x: !x) -> (!nc, !nc, !nch) {
  // CHECK-COUNT-4: torsh.reduce
  %0 = torsh.reduce mean %x axes = [3] keep_dims = false : (!x) -> !nch
  %1 = torsh.reduce max %0 axes = [2] keep_dims = false : (!nch) -> !nc
  %2 = torsh.reduce sum %x axes = [3] keep_dims = false : (!x) -> !nch
  %3 = torsh.reduce sum %2 axes = [2] keep_dims = false : (!nch) -> !nc
  return %1, %3, %2 : !nc, !nc, !nch
}

// CHECK-LABEL: func.func @slices
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32{{.*}}, %[[Y:.*]]: tensor<2x4xf32>)
func.func @slices(%x: !nc, %y: tensor<2x4xf32>) -> (tensor<1x4xf32>, !nc, tensor<2x4xf32>, tensor<1x2xf32>) {
  %0 = torsh.concat %x, %y axis = 0 : (!nc, tensor<2x4xf32>) -> tensor<?x4xf32, #torsh.dims<[n + 2, 4]>>
  // CHECK-DAG: %[[A:.*]] = torsh.slice %[[Y]] starts = <[1, 0]> sizes = <[1, 4]>
  %1 = torsh.slice %0 starts = <[n + 1, 0]> sizes = <[1, 4]> steps = [1, 1] : (tensor<?x4xf32, #torsh.dims<[n + 2, 4]>>) -> tensor<1x4xf32>
  %2 = torsh.slice %0 starts = <[0, 0]> sizes = <[n, 4]> steps = [1, 1] : (tensor<?x4xf32, #torsh.dims<[n + 2, 4]>>) -> !nc
  %3 = torsh.slice %y starts = <[0, 0]> sizes = <[2, 1]> steps = [1, 1] : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %4 = torsh.slice %y starts = <[0, 1]> sizes = <[2, 3]> steps = [1, 1] : (tensor<2x4xf32>) -> tensor<2x3xf32>
  %5 = torsh.concat %3, %4 axis = 1 : (tensor<2x1xf32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  // CHECK-DAG: %[[D:.*]] = torsh.slice %[[Y]] starts = <[1, 3]> sizes = <[1, 2]> steps = [1, -2]
  %6 = torsh.slice %y starts = <[0, 3]> sizes = <[2, 4]> steps = [1, -1] : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %7 = torsh.slice %6 starts = <[1, 0]> sizes = <[1, 2]> steps = [1, 2] : (tensor<2x4xf32>) -> tensor<1x2xf32>
  // CHECK: return %[[A]], %[[X]], %[[Y]], %[[D]]
  return %1, %2, %5, %7 : tensor<1x4xf32>, !nc, tensor<2x4xf32>, tensor<1x2xf32>
}

// A box that lies in both operands stays.
// CHECK-LABEL: func.func @no_slices
func.func @no_slices(%x: !nc, %y: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // CHECK: %[[C:.*]] = torsh.concat
  %0 = torsh.concat %x, %y axis = 0 : (!nc, tensor<2x4xf32>) -> tensor<?x4xf32, #torsh.dims<[n + 2, 4]>>
  // CHECK: torsh.slice %[[C]]
  %1 = torsh.slice %0 starts = <[n - 1, 0]> sizes = <[2, 4]> steps = [1, 1] : (tensor<?x4xf32, #torsh.dims<[n + 2, 4]>>) -> tensor<2x4xf32>
  return %1 : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @moves
// CHECK-SAME: (%[[B:.*]]: tensor<4xf32>, %[[X:.*]]: tensor
func.func @moves(%b: tensor<4xf32>, %x: !nch) -> (!x, !nch) {
  %0 = torsh.reshape %b : (tensor<4xf32>) -> tensor<1x4x1x1xf32>
  %1 = torsh.broadcast %0 axes = [0, 1, 2, 3] : (tensor<1x4x1x1xf32>) -> tensor<1x4x6x1xf32>
  // CHECK: %[[Y:.*]] = torsh.broadcast %[[B]] axes = [1]
  %2 = torsh.broadcast %1 axes = [0, 1, 2, 3] : (tensor<1x4x6x1xf32>) -> !x
  %3 = torsh.reshape %x : (!nch) -> tensor<?x4x1x6xf32, #torsh.dims<[n, 4, 1, 6]>>
  %4 = torsh.transpose %3 perm = [2, 0, 1, 3] : (tensor<?x4x1x6xf32, #torsh.dims<[n, 4, 1, 6]>>) -> tensor<1x?x4x6xf32, #torsh.dims<[1, n, 4, 6]>>
  %5 = torsh.reshape %4 : (tensor<1x?x4x6xf32, #torsh.dims<[1, n, 4, 6]>>) -> !nch
  %6 = torsh.stop_gradient %5 : !nch
  // CHECK-NEXT: return %[[Y]], %[[X]]
  return %2, %6 : !x, !nch
}

// CHECK-LABEL: func.func @rows
// CHECK-SAME: (%[[X:.*]]: tensor<?x4x6xf32{{.*}}, %[[S:.*]]: tensor<4x6xf32>, %[[C:.*]]: tensor<4x6xf32>)
func.func @rows(%x: !nch, %s: tensor<4x6xf32>, %c: tensor<4x6xf32>) -> (!nch, !nch) {
  // CHECK-DAG: %[[T:.*]] = torsh.transpose %[[X]] perm = [0, 2, 1]
  // CHECK-DAG: %[[A:.*]] = torsh.softmax %[[T]] axis = 2
  // CHECK-DAG: %[[U:.*]] = torsh.transpose %[[A]] perm = [0, 2, 1]
  %0 = torsh.softmax %x axis = 1 : !nch
  // CHECK-DAG: %[[R:.*]] = torsh.reshape %[[X]] {{.*}} -> tensor<?x24xf32
  // CHECK-DAG: %[[V:.*]] = torsh.reshape %[[S]] {{.*}} -> tensor<24xf32>
  // CHECK-DAG: %[[W:.*]] = torsh.reshape %[[C]] {{.*}} -> tensor<24xf32>
  // CHECK-DAG: %[[N:.*]] = torsh.layer_norm %[[R]] scale %[[V]] bias %[[W]] axis = 1
  // CHECK-DAG: %[[L:.*]] = torsh.reshape %[[N]]
  %1 = torsh.layer_norm %x scale %s bias %c axis = 1 epsilon = 1.0e-5 : (!nch, tensor<4x6xf32>, tensor<4x6xf32>) -> !nch
  // CHECK: return %[[U]], %[[L]]
  return %0, %1 : !nch, !nch
}
