// Identities disappear, small constants move at once, weights take the move as a step of their recipe.
// RUN: torsh-opt %s -canonicalize | FileCheck %s

!n = tensor<?x4xf32, #torsh.dims<[n, 4]>>

// CHECK-LABEL: func.func @identities
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32
func.func @identities(%x: !n) -> (!n, !n, !n, !n, !n) {
  %0 = torsh.broadcast %x axes = [0, 1] : (!n) -> !n
  %1 = torsh.reshape %x : (!n) -> !n
  %2 = torsh.transpose %x perm = [0, 1] : (!n) -> !n
  %3 = torsh.slice %x starts = <[0, 0]> sizes = <[n, 4]> steps = [1, 1] : (!n) -> !n
  %4 = torsh.concat %x axis = 0 : (!n) -> !n
  // CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]]
  return %0, %1, %2, %3, %4 : !n, !n, !n, !n, !n
}

// A change of names is no identity: the types differ. Nor is a reversal or a transpose of a square.
// CHECK-LABEL: func.func @no_identity
func.func @no_identity(%x: !n, %y: tensor<4x4xf32>) -> (tensor<?x4xf32, #torsh.dims<[m, 4]>>, tensor<4x4xf32>, tensor<4x4xf32>) {
  // CHECK: torsh.broadcast
  %0 = torsh.broadcast %x axes = [0, 1] : (!n) -> tensor<?x4xf32, #torsh.dims<[m, 4]>>
  // CHECK: torsh.slice
  %1 = torsh.slice %y starts = <[3, 0]> sizes = <[4, 4]> steps = [-1, 1] : (tensor<4x4xf32>) -> tensor<4x4xf32>
  // CHECK: torsh.transpose
  %2 = torsh.transpose %y perm = [1, 0] : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return %0, %1, %2 : tensor<?x4xf32, #torsh.dims<[m, 4]>>, tensor<4x4xf32>, tensor<4x4xf32>
}

// CHECK-LABEL: func.func @merge
// CHECK-SAME: (%[[X:.*]]: tensor<2x3x4xf32>)
func.func @merge(%x: tensor<2x3x4xf32>) -> (tensor<4x6xf32>, tensor<4x3x2xf32>, tensor<2x3x4xf32>) {
  // CHECK-NEXT: %[[R:.*]] = torsh.reshape %[[X]] : (tensor<2x3x4xf32>) -> tensor<4x6xf32>
  %0 = torsh.reshape %x : (tensor<2x3x4xf32>) -> tensor<24xf32>
  %1 = torsh.reshape %0 : (tensor<24xf32>) -> tensor<4x6xf32>
  // CHECK-NEXT: %[[T:.*]] = torsh.transpose %[[X]] perm = [2, 1, 0]
  %2 = torsh.transpose %x perm = [1, 2, 0] : (tensor<2x3x4xf32>) -> tensor<3x4x2xf32>
  %3 = torsh.transpose %2 perm = [1, 0, 2] : (tensor<3x4x2xf32>) -> tensor<4x3x2xf32>
  %4 = torsh.transpose %2 perm = [2, 0, 1] : (tensor<3x4x2xf32>) -> tensor<2x3x4xf32>
  // CHECK-NEXT: return %[[R]], %[[T]], %[[X]]
  return %1, %3, %4 : tensor<4x6xf32>, tensor<4x3x2xf32>, tensor<2x3x4xf32>
}

// CHECK-LABEL: func.func @dense
func.func @dense() -> (tensor<3x2xi32>, tensor<3x2xi32>, tensor<2x2x1xi32>) {
  %c = torsh.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi32> -> tensor<2x3xi32>
  %d = torsh.constant dense<[[[1], [2]], [[3], [4]]]> : tensor<2x2x1xi32> -> tensor<2x2x1xi32>
  // CHECK-DAG: %[[R:.*]] = torsh.constant dense<{{\[}}[1, 2], [3, 4], [5, 6]]>
  // CHECK-DAG: %[[T:.*]] = torsh.constant dense<{{\[}}[1, 4], [2, 5], [3, 6]]>
  // CHECK-DAG: %[[S:.*]] = torsh.constant dense<{{\[}}{{\[}}[1], [3]], {{\[}}[2], [4]]]>
  %0 = torsh.reshape %c : (tensor<2x3xi32>) -> tensor<3x2xi32>
  %1 = torsh.transpose %c perm = [1, 0] : (tensor<2x3xi32>) -> tensor<3x2xi32>
  %2 = torsh.transpose %d perm = [1, 0, 2] : (tensor<2x2x1xi32>) -> tensor<2x2x1xi32>
  // CHECK: return %[[R]], %[[T]], %[[S]]
  return %0, %1, %2 : tensor<3x2xi32>, tensor<3x2xi32>, tensor<2x2x1xi32>
}

// A splat stays a splat at any size.
// CHECK-LABEL: func.func @splat
func.func @splat() -> tensor<1000x300xf32> {
  // CHECK-NEXT: %[[C:.*]] = torsh.constant dense<2.000000e+00> : tensor<1000x300xf32>
  %0 = torsh.constant dense<2.0> : tensor<10xf32> -> tensor<10xf32>
  %1 = torsh.broadcast %0 axes = [0] : (tensor<10xf32>) -> tensor<10x30000xf32>
  %2 = torsh.transpose %1 perm = [1, 0] : (tensor<10x30000xf32>) -> tensor<30000x10xf32>
  %3 = torsh.reshape %2 : (tensor<30000x10xf32>) -> tensor<1000x300xf32>
  // CHECK-NEXT: return %[[C]]
  return %3 : tensor<1000x300xf32>
}

// CHECK-LABEL: func.func @recipe
func.func @recipe() -> tensor<6x1xf16> {
  // CHECK-NEXT: torsh.constant #torsh.weight<"key", tensor<2x3xf32>, [<"transpose", [1, 0], "", tensor<3x2xf32>>, <"cast", [], "", tensor<3x2xf16>>, <"reshape", [6, 1], "", tensor<6x1xf16>>]> -> tensor<6x1xf16>
  %0 = torsh.constant #torsh.weight<"key", tensor<2x3xf32>> -> tensor<2x3xf32>
  %1 = torsh.transpose %0 perm = [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %2 = torsh.cast %1 : (tensor<3x2xf32>) -> tensor<3x2xf16>
  %3 = torsh.reshape %2 : (tensor<3x2xf16>) -> tensor<6x1xf16>
  // CHECK-NEXT: return
  return %3 : tensor<6x1xf16>
}

// CHECK-LABEL: func.func @from_dims
func.func @from_dims() -> (tensor<2xi64>, tensor<i32>, tensor<1xi64>) {
  // CHECK-DAG: %[[A:.*]] = torsh.constant dense<[2, -3]> : tensor<2xi64>
  // CHECK-DAG: %[[B:.*]] = torsh.constant dense<7> : tensor<i32>
  %0 = torsh.from_dims <[2, -3]> : tensor<2xi64>
  %1 = torsh.from_dims <[3 + 4]> : tensor<i32>
  // CHECK-DAG: %[[C:.*]] = torsh.from_dims <[n]>
  %2 = torsh.from_dims <[n]> : tensor<1xi64>
  // CHECK: return %[[A]], %[[B]], %[[C]]
  return %0, %1, %2 : tensor<2xi64>, tensor<i32>, tensor<1xi64>
}
