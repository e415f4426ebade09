// What the verifiers of elementwise ops refuse.
// RUN: torsh-opt %s -verify-diagnostics -split-input-file

func.func @element_type(%x: tensor<4xi32>) {
  // expected-error@+1 {{operand #0 must be ranked tensor of}}
  %0 = torsh.exp %x : tensor<4xi32>
  return
}

// -----

// Two symbols are two types here: an explicit broadcast says that they are one size.
func.func @symbols(%x: tensor<?xf32, #torsh.dims<[n]>>, %y: tensor<?xf32, #torsh.dims<[m]>>) {
  // expected-error@+1 {{requires the same encoding for all operands and results}}
  %0 = "torsh.add"(%x, %y) : (tensor<?xf32, #torsh.dims<[n]>>, tensor<?xf32, #torsh.dims<[m]>>) -> tensor<?xf32, #torsh.dims<[n]>>
  return
}

// -----

func.func @compare_result(%x: tensor<4xf32>) {
  // expected-error@+1 {{op result #0 must be ranked tensor of 1-bit signless integer values}}
  %0 = torsh.compare eq %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @compare_shape(%x: tensor<4xf32>) {
  // expected-error@+1 {{requires the same shape for all operands and results}}
  %0 = torsh.compare eq %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<5xi1>
  return
}

// -----

func.func @select_types(%c: tensor<4xi1>, %x: tensor<4xf32>, %y: tensor<4xi32>) {
  // expected-error@+1 {{all of {on_true, on_false, y} have same type}}
  %0 = torsh.select %c, %x, %y : (tensor<4xi1>, tensor<4xf32>, tensor<4xi32>) -> tensor<4xf32>
  return
}

// -----

func.func @cast_shape(%x: tensor<4xf32>) {
  // expected-error@+1 {{requires the same shape for all operands and results}}
  %0 = torsh.cast %x : (tensor<4xf32>) -> tensor<2xi32>
  return
}

// -----

func.func @bitcast_c1(%x: tensor<4xf32>) {
  // expected-error@+1 {{bitcast_c1: 'f32' and 'i16' differ in width}}
  %0 = torsh.bitcast %x : (tensor<4xf32>) -> tensor<4xi16>
  return
}
