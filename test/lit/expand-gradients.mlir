// Derivatives that a model asks for.
// RUN: torsh-opt %s --torsh-expand-gradients --canonicalize --cse --split-input-file --verify-diagnostics | FileCheck %s

// d(x * c) / dx = c + x where c = x + b; nothing is left of the op.
// CHECK-LABEL: func.func @f
// CHECK-SAME: (%[[X:.*]]: tensor<2xf32>, %[[B:.*]]: tensor<2xf32>)
// CHECK: %[[C:.*]] = torsh.add %[[X]], %[[B]]
// CHECK-NOT: torsh.gradient
// CHECK: torsh.add
// CHECK: return
func.func @f(%x: tensor<2xf32>, %b: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %c = torsh.add %x, %b : tensor<2xf32>
  %y = torsh.mul %x, %c : tensor<2xf32>
  %d:2 = torsh.gradient %y by (%x, %b) : (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>)
  return %d#0, %d#1 : tensor<2xf32>, tensor<2xf32>
}

// -----

// What y does not depend on has a derivative of zero.
// CHECK-LABEL: func.func @independent
// CHECK: %[[ZERO:.*]] = torsh.constant dense<0.0
// CHECK: return %[[ZERO]]
func.func @independent(%x: tensor<2xf32>, %b: tensor<2xf32>) -> tensor<2xf32> {
  %y = torsh.tanh %x : tensor<2xf32>
  %d = torsh.gradient %y by (%b) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %d : tensor<2xf32>
}

// -----

// A derivative is differentiated like anything else.
// CHECK-LABEL: func.func @second
// CHECK-NOT: torsh.gradient
// CHECK: return
func.func @second(%x: tensor<f32>) -> tensor<f32> {
  %y = torsh.exp %x : tensor<f32>
  %d = torsh.gradient %y by (%x) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %e = torsh.gradient %d by (%x) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  return %e : tensor<f32>
}

// -----

func.func @no_rule(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @+1 {{TSH-0530: node 'torsh.resize' (torsh.resize) has no gradient rule}}
  %y = torsh.resize linear %x scales = [2.0] coordinates = half_pixel : (tensor<2xf32>) -> tensor<4xf32>
  %d = torsh.gradient %y by (%x) : (tensor<4xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %d : tensor<2xf32>
}

// -----

func.func @gradient_c1(%x: tensor<2xf32>) -> tensor<3xf32> {
  // expected-error @+1 {{gradient_c1: the derivative by 'tensor<2xf32>' is 'tensor<3xf32>'}}
  %d = torsh.gradient %x by (%x) : (tensor<2xf32>, tensor<2xf32>) -> tensor<3xf32>
  return %d : tensor<3xf32>
}
