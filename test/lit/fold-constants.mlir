// Ops on constants become constants; broadcasts and long iotas stay, but others compute through them.
// RUN: torsh-opt %s -torsh-fold-constants -canonicalize | FileCheck %s
// A second run finds nothing to do.
// RUN: torsh-opt %s -torsh-fold-constants -canonicalize -o %t.once
// RUN: torsh-opt %t.once -torsh-fold-constants -canonicalize -o %t.twice
// RUN: diff %t.once %t.twice

// CHECK-LABEL: func.func @elementwise
func.func @elementwise() -> tensor<3xf32> {
  %a = torsh.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32> -> tensor<3xf32>
  %b = torsh.constant dense<[4.0, 5.0, 0.5]> : tensor<3xf32> -> tensor<3xf32>
  %0 = torsh.mul %a, %b : tensor<3xf32>
  // CHECK-NEXT: %[[Y:.*]] = torsh.constant dense<[5.000000e+00, 1.200000e+01, 4.500000e+00]>
  %1 = torsh.add %0, %a : tensor<3xf32>
  // CHECK-NEXT: return %[[Y]]
  return %1 : tensor<3xf32>
}

// CHECK-LABEL: func.func @through_views
func.func @through_views() -> (tensor<2x2xi64>, tensor<300xi64>) {
  %c = torsh.constant dense<[10, 20]> : tensor<2xi64> -> tensor<2xi64>
  %i = torsh.iota axis = 0 : tensor<2xi64>
  %0 = torsh.broadcast %c axes = [0] : (tensor<2xi64>) -> tensor<2x2xi64>
  %1 = torsh.broadcast %i axes = [1] : (tensor<2xi64>) -> tensor<2x2xi64>
  // CHECK-DAG: %[[S:.*]] = torsh.constant dense<{{\[}}[10, 11], [20, 21]]>
  %2 = torsh.add %0, %1 : tensor<2x2xi64>
  // CHECK-DAG: %[[I:.*]] = torsh.iota axis = 0 : tensor<300xi64>
  %3 = torsh.iota axis = 0 : tensor<300xi64>
  // CHECK: return %[[S]], %[[I]]
  return %2, %3 : tensor<2x2xi64>, tensor<300xi64>
}

// A result above 1 KiB goes to the weight store.
// CHECK-LABEL: func.func @large_result
func.func @large_result() -> tensor<300xi64> {
  %i = torsh.iota axis = 0 : tensor<300xi64>
  // CHECK-NEXT: torsh.constant #torsh.weight<"{{.+}}", tensor<300xi64>> -> tensor<300xi64>
  %0 = torsh.mul %i, %i : tensor<300xi64>
  // CHECK-NEXT: return
  return %0 : tensor<300xi64>
}

// CHECK-LABEL: func.func @slice_of_weight
func.func @slice_of_weight() -> tensor<512x1000xf32> {
  %w = torsh.constant #torsh.weight<"key", tensor<1000x1000xf32>> -> tensor<1000x1000xf32>
  // CHECK-NEXT: %[[W:.*]] = torsh.constant #torsh.weight<"key", tensor<1000x1000xf32>, [<"slice", [8, 0, 512, 1000], "", tensor<512x1000xf32>>]>
  %0 = torsh.slice %w starts = <[8, 0]> sizes = <[512, 1000]> steps = [1, 1] : (tensor<1000x1000xf32>) -> tensor<512x1000xf32>
  // CHECK-NEXT: return %[[W]]
  return %0 : tensor<512x1000xf32>
}

!n = tensor<?x4xf32, #torsh.dims<[n, 4]>>

// Splats fold at symbolic shapes too; an op with an input stays.
// CHECK-LABEL: func.func @splats
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32
func.func @splats(%x: !n) -> !n {
  %a = torsh.constant dense<2.0> : tensor<f32> -> tensor<f32>
  %b = torsh.constant dense<3.0> : tensor<f32> -> tensor<f32>
  %0 = torsh.broadcast %a axes = [] : (tensor<f32>) -> !n
  %1 = torsh.broadcast %b axes = [] : (tensor<f32>) -> !n
  // CHECK-NEXT: %[[C:.*]] = torsh.constant dense<6.000000e+00> : tensor<f32>
  %2 = torsh.mul %0, %1 : !n
  // CHECK-NEXT: %[[B:.*]] = torsh.broadcast %[[C]] axes = []
  // CHECK-NEXT: %[[Y:.*]] = torsh.mul %[[X]], %[[B]]
  %3 = torsh.mul %x, %2 : !n
  // CHECK-NEXT: return %[[Y]]
  return %3 : !n
}

// An index out of range is clamped, as when the op runs.
// CHECK-LABEL: func.func @gather
func.func @gather() -> tensor<2xi32> {
  %x = torsh.constant dense<[5, 6, 7]> : tensor<3xi32> -> tensor<3xi32>
  %i = torsh.constant dense<[-1, 9]> : tensor<2xi64> -> tensor<2xi64>
  // CHECK-NEXT: torsh.constant dense<7> : tensor<2xi32>
  %0 = torsh.gather %x, %i axis = 0 : (tensor<3xi32>, tensor<2xi64>) -> tensor<2xi32>
  return %0 : tensor<2xi32>
}
