// Decomposed norms and softmax become one op; near misses stay.
// RUN: torsh-opt %s -canonicalize -cse -torsh-raise-patterns | FileCheck %s

!x = tensor<?x8x16xf32, #torsh.dims<[n, 8, 16]>>
!m = tensor<?x8x1xf32, #torsh.dims<[n, 8, 1]>>

// The form of exporters before opset 17.
// CHECK-LABEL: func.func @layer_norm
// CHECK-SAME: (%[[X:.*]]: tensor<?x8x16xf32{{.*}}, %[[S:.*]]: tensor<16xf32>, %[[B:.*]]: tensor<16xf32>)
func.func @layer_norm(%x: !x, %s: tensor<16xf32>, %b: tensor<16xf32>) -> !x {
  %two = torsh.constant dense<2.0> : tensor<f32> -> tensor<f32>
  %eps = torsh.constant dense<0.5> : tensor<f32> -> tensor<f32>
  %0 = torsh.reduce mean %x axes = [2] keep_dims = true : (!x) -> !m
  %1 = torsh.broadcast %0 axes = [0, 1, 2] : (!m) -> !x
  %2 = torsh.sub %x, %1 : !x
  %3 = torsh.broadcast %two axes = [] : (tensor<f32>) -> !x
  %4 = torsh.pow %2, %3 : !x
  %5 = torsh.reduce mean %4 axes = [2] keep_dims = true : (!x) -> !m
  %6 = torsh.broadcast %eps axes = [] : (tensor<f32>) -> !m
  %7 = torsh.add %5, %6 : !m
  %8 = torsh.sqrt %7 : !m
  %9 = torsh.broadcast %8 axes = [0, 1, 2] : (!m) -> !x
  %10 = torsh.div %2, %9 : !x
  %11 = torsh.broadcast %s axes = [2] : (tensor<16xf32>) -> !x
  %12 = torsh.mul %10, %11 : !x
  %13 = torsh.broadcast %b axes = [2] : (tensor<16xf32>) -> !x
  // CHECK: %[[Y:.*]] = torsh.layer_norm %[[X]] scale %[[S]] bias %[[B]] axis = 2 epsilon = 5.000000e-01
  %14 = torsh.add %12, %13 : !x
  // CHECK-NEXT: return %[[Y]]
  return %14 : !x
}

// The channels of an image: a transpose on both sides. No scale, so it is 1.
// CHECK-LABEL: func.func @channels
// CHECK-SAME: (%[[X:.*]]: tensor<2x8x4x4xf32>)
func.func @channels(%x: tensor<2x8x4x4xf32>) -> tensor<2x8x4x4xf32> {
  %eps = torsh.constant dense<0.5> : tensor<2x1x4x4xf32> -> tensor<2x1x4x4xf32>
  %0 = torsh.reduce mean %x axes = [1] keep_dims = true : (tensor<2x8x4x4xf32>) -> tensor<2x1x4x4xf32>
  %1 = torsh.broadcast %0 axes = [0, 1, 2, 3] : (tensor<2x1x4x4xf32>) -> tensor<2x8x4x4xf32>
  %2 = torsh.sub %x, %1 : tensor<2x8x4x4xf32>
  %3 = torsh.mul %2, %2 : tensor<2x8x4x4xf32>
  %4 = torsh.reduce mean %3 axes = [1] keep_dims = true : (tensor<2x8x4x4xf32>) -> tensor<2x1x4x4xf32>
  %5 = torsh.add %4, %eps : tensor<2x1x4x4xf32>
  %6 = torsh.rsqrt %5 : tensor<2x1x4x4xf32>
  %7 = torsh.broadcast %6 axes = [0, 1, 2, 3] : (tensor<2x1x4x4xf32>) -> tensor<2x8x4x4xf32>
  // CHECK-DAG: %[[ONE:.*]] = torsh.constant dense<1.000000e+00> : tensor<8xf32>
  // CHECK-DAG: %[[T:.*]] = torsh.transpose %[[X]] perm = [0, 2, 3, 1]
  // CHECK: %[[N:.*]] = torsh.layer_norm %[[T]] scale %[[ONE]] axis = 3
  // CHECK: %[[Y:.*]] = torsh.transpose %[[N]] perm = [0, 3, 1, 2]
  %8 = torsh.mul %2, %7 : tensor<2x8x4x4xf32>
  // CHECK: return %[[Y]]
  return %8 : tensor<2x8x4x4xf32>
}

// CHECK-LABEL: func.func @rms_norm
// CHECK-SAME: (%[[X:.*]]: tensor<4x16xf32>, %[[S:.*]]: tensor<16xf32>)
func.func @rms_norm(%x: tensor<4x16xf32>, %s: tensor<16xf32>) -> tensor<4x16xf32> {
  %eps = torsh.constant dense<0.5> : tensor<4xf32> -> tensor<4xf32>
  %one = torsh.constant dense<1.0> : tensor<4xf32> -> tensor<4xf32>
  %0 = torsh.mul %x, %x : tensor<4x16xf32>
  %1 = torsh.reduce mean %0 axes = [1] keep_dims = false : (tensor<4x16xf32>) -> tensor<4xf32>
  %2 = torsh.add %eps, %1 : tensor<4xf32>
  %3 = torsh.sqrt %2 : tensor<4xf32>
  %4 = torsh.div %one, %3 : tensor<4xf32>
  %5 = torsh.broadcast %4 axes = [0] : (tensor<4xf32>) -> tensor<4x16xf32>
  %6 = torsh.mul %x, %5 : tensor<4x16xf32>
  %7 = torsh.broadcast %s axes = [1] : (tensor<16xf32>) -> tensor<4x16xf32>
  // CHECK: %[[Y:.*]] = torsh.rms_norm %[[X]] scale %[[S]] axis = 1 epsilon = 5.000000e-01
  %8 = torsh.mul %7, %6 : tensor<4x16xf32>
  // CHECK-NEXT: return %[[Y]]
  return %8 : tensor<4x16xf32>
}

// Variance over other axes than the mean is no layer norm, but the centred value has an RMS norm.
// CHECK-LABEL: func.func @other_axes
func.func @other_axes(%x: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %eps = torsh.constant dense<0.5> : tensor<4x1xf32> -> tensor<4x1xf32>
  %0 = torsh.reduce mean %x axes = [0] keep_dims = true : (tensor<4x16xf32>) -> tensor<1x16xf32>
  %1 = torsh.broadcast %0 axes = [0, 1] : (tensor<1x16xf32>) -> tensor<4x16xf32>
  // CHECK: %[[D:.*]] = torsh.sub
  %2 = torsh.sub %x, %1 : tensor<4x16xf32>
  %3 = torsh.mul %2, %2 : tensor<4x16xf32>
  %4 = torsh.reduce mean %3 axes = [1] keep_dims = true : (tensor<4x16xf32>) -> tensor<4x1xf32>
  %5 = torsh.add %4, %eps : tensor<4x1xf32>
  %6 = torsh.sqrt %5 : tensor<4x1xf32>
  %7 = torsh.broadcast %6 axes = [0, 1] : (tensor<4x1xf32>) -> tensor<4x16xf32>
  // CHECK: torsh.rms_norm %[[D]]
  %8 = torsh.div %2, %7 : tensor<4x16xf32>
  return %8 : tensor<4x16xf32>
}

// CHECK-LABEL: func.func @softmax
// CHECK-SAME: (%[[X:.*]]: tensor<4x16xf32>)
func.func @softmax(%x: tensor<4x16xf32>) -> (tensor<4x16xf32>, tensor<4x16xf32>) {
  %0 = torsh.reduce max %x axes = [1] keep_dims = true : (tensor<4x16xf32>) -> tensor<4x1xf32>
  %1 = torsh.broadcast %0 axes = [0, 1] : (tensor<4x1xf32>) -> tensor<4x16xf32>
  %2 = torsh.sub %x, %1 : tensor<4x16xf32>
  %3 = torsh.exp %2 : tensor<4x16xf32>
  %4 = torsh.reduce sum %3 axes = [1] keep_dims = true : (tensor<4x16xf32>) -> tensor<4x1xf32>
  %5 = torsh.broadcast %4 axes = [0, 1] : (tensor<4x1xf32>) -> tensor<4x16xf32>
  // CHECK-DAG: %[[S:.*]] = torsh.softmax %[[X]] axis = 1
  %6 = torsh.div %3, %5 : tensor<4x16xf32>
  %7 = torsh.log %4 : tensor<4x1xf32>
  %8 = torsh.broadcast %7 axes = [0, 1] : (tensor<4x1xf32>) -> tensor<4x16xf32>
  // CHECK-DAG: %[[L:.*]] = torsh.log_softmax %[[X]] axis = 1
  %9 = torsh.sub %2, %8 : tensor<4x16xf32>
  // CHECK: return %[[S]], %[[L]]
  return %6, %9 : tensor<4x16xf32>, tensor<4x16xf32>
}

// Without the maximum the pieces overflow where softmax does not.
// CHECK-LABEL: func.func @no_maximum
func.func @no_maximum(%x: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %0 = torsh.exp %x : tensor<4x16xf32>
  %1 = torsh.reduce sum %0 axes = [1] keep_dims = true : (tensor<4x16xf32>) -> tensor<4x1xf32>
  %2 = torsh.broadcast %1 axes = [0, 1] : (tensor<4x1xf32>) -> tensor<4x16xf32>
  // CHECK: torsh.div
  %3 = torsh.div %0, %2 : tensor<4x16xf32>
  return %3 : tensor<4x16xf32>
}

// 8 has an exact reciprocal, 3 has none, and integers divide in their own way.
// CHECK-LABEL: func.func @divide
func.func @divide(%x: tensor<4xf32>, %i: tensor<4xi32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xi32>) {
  %8 = torsh.constant dense<8.0> : tensor<4xf32> -> tensor<4xf32>
  %3 = torsh.constant dense<3.0> : tensor<4xf32> -> tensor<4xf32>
  %4 = torsh.constant dense<4> : tensor<4xi32> -> tensor<4xi32>
  // CHECK-DAG: %[[R:.*]] = torsh.constant dense<1.250000e-01>
  // CHECK-DAG: torsh.mul %{{.*}}, %[[R]] : tensor<4xf32>
  %a = torsh.div %x, %8 : tensor<4xf32>
  // CHECK-DAG: torsh.div %{{.*}} : tensor<4xf32>
  %b = torsh.div %x, %3 : tensor<4xf32>
  // CHECK-DAG: torsh.div %{{.*}} : tensor<4xi32>
  %c = torsh.div %i, %4 : tensor<4xi32>
  return %a, %b, %c : tensor<4xf32>, tensor<4xf32>, tensor<4xi32>
}
