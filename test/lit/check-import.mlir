// What the import contract refuses, one case a code, and a graph that fulfils it.
// RUN: torsh-opt %s -torsh-check-import -verify-diagnostics -split-input-file

!n = tensor<?x4xf32, #torsh.dims<[n, 4]>>
!twice = tensor<?x4xf32, #torsh.dims<[2*n, 4]>>
!found = tensor<2x?xi64, #torsh.dims<[2, found]>>

func.func @good(%x: !n) -> (!twice, !found) {
  %0 = torsh.concat %x, %x axis = 0 : (!n, !n) -> !twice
  %1 = torsh.non_zero %x : (!n) -> !found
  return %0, %1 : !twice, !found
}

// -----

func.func private @callee(tensor<4xf32>) -> tensor<4xf32>
func.func @foreign_op(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{TSH-0518: 'func.call' is no torsh op}}
  %0 = func.call @callee(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// expected-error@+1 {{TSH-0519: a value of type 'index' is no ranked tensor}}
func.func @not_a_tensor(%x: index) {
  return
}

// -----

func.func @no_expression(%x: tensor<4xf32>) {
  // expected-error@+1 {{TSH-0513: the type 'tensor<?xf32>' has a dim without an expression}}
  %0 = torsh.reshape %x : (tensor<4xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @unbound_type(%x: tensor<4xf32>) {
  // expected-error@+1 {{TSH-0514: the size 'k' in 'k + 1' has no value}}
  %0 = torsh.reshape %x : (tensor<4xf32>) -> tensor<?xf32, #torsh.dims<[k + 1]>>
  return
}

// -----

func.func @unbound_bound(%x: tensor<4xf32>) {
  // expected-error@+1 {{TSH-0514: the size 'k' in 'k' has no value}}
  %0 = torsh.slice %x starts = <[k]> sizes = <[2]> steps = [1] : (tensor<4xf32>) -> tensor<2xf32>
  return
}

// -----

// A size has no value before the op that finds it.
!found = tensor<1x?xi64, #torsh.dims<[1, found]>>
func.func @used_too_early(%x: tensor<4xf32>) {
  // expected-error@+1 {{TSH-0514: the size 'found' in 'found' has no value}}
  torsh.guard #torsh.dim<found> equals #torsh.dim<2>, "two are found"
  %0 = torsh.non_zero %x : (tensor<4xf32>) -> !found
  return
}

// -----

// expected-error@+1 {{TSH-0515: the attribute 'table' holds more than 1024 bytes of numbers}}
func.func @large_attribute() attributes {table = dense_resource<big> : tensor<1024xf32>} {
  return
}

// -----

func.func @no_source(%x: tensor<4xf32>) {
  // expected-error@unknown {{TSH-0516: 'torsh.exp' has no source position}}
  %0 = torsh.exp %x : tensor<4xf32> loc(unknown)
  return
}
