// RUN: torsh-opt %s -split-input-file -verify-diagnostics

func.func @unknown(%x: tensor<2xf32>) {
  // expected-error@+1 {{object_c1: there is no function 'crate'}}
  %h = torsh.object "crate"(%x) : (tensor<2xf32>) -> tensor<i64, ["tensor", f32, 1]>
  return
}

// -----

func.func @operands(%x: tensor<2xf32>) {
  // expected-error@+1 {{object_c1: 'box' has another number of operands or results}}
  %h = torsh.object "box"(%x, %x) : (tensor<2xf32>, tensor<2xf32>) -> tensor<i64, ["tensor", f32, 1]>
  return
}

// -----

func.func @number(%x: tensor<i64>) {
  // expected-error@+1 {{object_c2: operands or results do not have the types that 'unbox' takes}}
  %y = torsh.object "unbox"(%x) : (tensor<i64>) -> tensor<2xf32>
  return
}
