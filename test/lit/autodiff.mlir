// Functions that compute gradients.
// RUN: torsh-opt %s --torsh-autodiff="function=f" --canonicalize --cse --split-input-file --verify-diagnostics | FileCheck %s
// RUN: torsh-opt %s --torsh-autodiff="function=f" --split-input-file --mlir-print-debuginfo --verify-diagnostics | FileCheck %s --check-prefix=LOC

// The result comes first, then a gradient for each argument of floats; the place says which node it is the gradient of.
// CHECK-LABEL: func.func @f_vjp
// CHECK-SAME: (%[[X:.*]]: tensor<2x3xf64>, %[[G:.*]]: tensor<2x3xf64>) -> (tensor<2x3xf64>, tensor<2x3xf64>)
// CHECK: %[[Y:.*]] = torsh.tanh %[[X]]
// CHECK: %[[S:.*]] = torsh.mul %[[Y]], %[[Y]]
// CHECK: %[[D:.*]] = torsh.sub %{{.*}}, %[[S]]
// CHECK: %[[R:.*]] = torsh.mul %{{.*}}
// CHECK: return %[[Y]], %[[R]]
// LOC-DAG: #[[NODE:.*]] = loc("grad of hidden"
func.func @f(%x: tensor<2x3xf64>) -> tensor<2x3xf64> {
  %y = torsh.tanh %x : tensor<2x3xf64> loc("hidden")
  return %y : tensor<2x3xf64>
}

// -----

// A value that is read twice gets one sum; a broadcast of a symbolic size gives a sum over it, with no zeros on the way.
!x = tensor<?x3xf32, #torsh.dims<[n, 3]>>
// CHECK-LABEL: func.func @f_vjp
// CHECK-NOT: dense<0.0
// CHECK: torsh.reduce sum %{{.*}} axes = [0]
// CHECK: torsh.add
// CHECK: return
func.func @f(%x: !x, %b: tensor<3xf32>) -> !x {
  %0 = torsh.broadcast %b axes = [1] : (tensor<3xf32>) -> !x
  %1 = torsh.mul %x, %0 : !x
  %2 = torsh.add %1, %x : !x
  return %2 : !x
}

// -----

// Integers carry no gradient, and what the results do not depend on is not differentiated, rule or not.
// CHECK-LABEL: func.func @f_vjp
// CHECK-SAME: -> (tensor<2xf32>, tensor<2xi64>, tensor<2xf32>)
func.func @f(%x: tensor<2xf32>, %i: tensor<2xi64>) -> (tensor<2xf32>, tensor<2xi64>) {
  %0 = torsh.floor %x : tensor<2xf32>
  %1 = torsh.resize linear %x scales = [2.0] coordinates = half_pixel : (tensor<2xf32>) -> tensor<4xf32>
  %2 = torsh.mul %x, %0 : tensor<2xf32>
  %3 = torsh.add %i, %i : tensor<2xi64>
  return %2, %3 : tensor<2xf32>, tensor<2xi64>
}

// -----

// An op on the way without a rule is named.
func.func @f(%x: tensor<2xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{TSH-0530: node 'upsample' (torsh.resize) has no gradient rule}}
  %0 = torsh.resize linear %x scales = [2.0] coordinates = half_pixel : (tensor<2xf32>) -> tensor<4xf32> loc("upsample")
  return %0 : tensor<4xf32>
}

// -----

// A rule says why it cannot.
func.func @f(%x: tensor<?xf32, #torsh.dims<[n]>>) -> tensor<?xf32, #torsh.dims<[m]>> {
  // expected-error @+1 {{TSH-0531: the gradient of node 'torsh.broadcast' (torsh.broadcast) cannot be built: whether operand dim 0 of size n is repeated}}
  %0 = torsh.broadcast %x axes = [0] : (tensor<?xf32, #torsh.dims<[n]>>) -> tensor<?xf32, #torsh.dims<[m]>>
  return %0 : tensor<?xf32, #torsh.dims<[m]>>
}

// -----

// expected-error @+1 {{TSH-0533: there is no function 'f' with a body of one block}}
module {
  func.func private @f(tensor<2xf32>) -> tensor<2xf32>
}
