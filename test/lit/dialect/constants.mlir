// Constants, parameters, markers and attributes survive a round trip.
// RUN: torsh-opt %s | torsh-opt | FileCheck %s

// CHECK: torsh.param @w : tensor<2x3xf32> = #torsh.weight<"key", tensor<2x3xf32>> {trainable = true}
torsh.param @w : tensor<2x3xf32> = #torsh.weight<"key", tensor<2x3xf32>> {trainable = true}
// CHECK: torsh.param @b : tensor<3xf32> = dense<0.000000e+00> : tensor<3xf32>
torsh.param @b : tensor<3xf32> = dense<0.0> : tensor<3xf32>

// CHECK-LABEL: func.func @constants
func.func @constants(%x: tensor<4xf32>) {
  // CHECK: torsh.constant dense<[1, 2]> : tensor<2xi32> -> tensor<2xi32>
  %0 = torsh.constant dense<[1, 2]> : tensor<2xi32> -> tensor<2xi32>
  // CHECK: torsh.constant #torsh.weight<"k", tensor<6xf32>, [<"reshape", [2, 3], "", tensor<2x3xf32>>, <"scale", [1], "s", tensor<2x3xf32>>]> -> tensor<2x3xf32>
  %1 = torsh.constant #torsh.weight<"k", tensor<6xf32>, [<"reshape", [2, 3], "", tensor<2x3xf32>>, <"scale", [1], "s", tensor<2x3xf32>>]> -> tensor<2x3xf32>
  // CHECK: torsh.constant #torsh.weight<"k", tensor<1xf32>, [<"reshape", [], "", tensor<f32>>]> -> tensor<f32>
  %2 = torsh.constant #torsh.weight<"k", tensor<1xf32>, [<"reshape", [], "", tensor<f32>>]> -> tensor<f32>
  // CHECK: torsh.get_param @w : tensor<2x3xf32>
  %3 = torsh.get_param @w : tensor<2x3xf32>
  // CHECK: torsh.stop_gradient %{{.*}} : tensor<4xf32>
  %4 = torsh.stop_gradient %x : tensor<4xf32>
  // CHECK: torsh.guard <n> equals <2*m + 1>, "rows"
  torsh.guard <n> equals <2*m + 1>, "rows"
  return
}

// Dim expressions are printed in their normal form.
// CHECK-LABEL: func.func @dims
// CHECK-SAME: #torsh.dims<[2*n, n + 1, floordiv(n + 1, 2), min(k, n), 4]>
func.func @dims(%x: tensor<?x?x?x?x4xf32, #torsh.dims<[n + n, 1 + n, floordiv(1 + n, 2), min(n, k), 4]>>) {
  return
}
