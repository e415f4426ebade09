// What the verifiers of ops that move elements refuse; one case a constraint.
// RUN: torsh-opt %s -verify-diagnostics -split-input-file

func.func @broadcast_c1_count(%x: tensor<4xf32>) {
  // expected-error@+1 {{broadcast_c1: there are 2 axes for an operand of rank 1}}
  %0 = torsh.broadcast %x axes = [0, 1] : (tensor<4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @broadcast_c1_order(%x: tensor<4x4xf32>) {
  // expected-error@+1 {{broadcast_c1: axes are increasing and less than the result's rank 2}}
  %0 = torsh.broadcast %x axes = [1, 0] : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @broadcast_c2(%x: tensor<4xf32>) {
  // expected-error@+1 {{broadcast_c2: operand dim 0 is 4, result dim 1 is 5}}
  %0 = torsh.broadcast %x axes = [1] : (tensor<4xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @broadcast_c2_symbolic(%x: tensor<?xf32, #torsh.dims<[n]>>) {
  // expected-error@+1 {{broadcast_c2: operand dim 0 is n, result dim 0 is n + 1}}
  %0 = torsh.broadcast %x axes = [0] : (tensor<?xf32, #torsh.dims<[n]>>) -> tensor<?xf32, #torsh.dims<[n + 1]>>
  return
}

// -----

func.func @broadcast_c3(%x: tensor<4xf32>) {
  // expected-error@+1 {{broadcast_c3}}
  %0 = torsh.broadcast %x axes = [0] : (tensor<4xf32>) -> tensor<4xi32>
  return
}

// -----

func.func @reshape_c1(%x: tensor<4xf32>) {
  // expected-error@+1 {{reshape_c1: the operand has 4 elements, the result 6}}
  %0 = torsh.reshape %x : (tensor<4xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @reshape_c2(%x: tensor<4xf32>) {
  // expected-error@+1 {{reshape_c2}}
  %0 = torsh.reshape %x : (tensor<4xf32>) -> tensor<4xi32>
  return
}

// -----

func.func @transpose_c1(%x: tensor<4x5xf32>) {
  // expected-error@+2 {{transpose_c1: [0, 0] is not a permutation of the dims of rank 2}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = torsh.transpose %x perm = [0, 0] : (tensor<4x5xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @transpose_result(%x: tensor<4x5xf32>) {
  // expected-error@+2 {{inferred type(s) 'tensor<5x4xf32>' are incompatible with return type(s) of operation 'tensor<4x5xf32>'}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = torsh.transpose %x perm = [1, 0] : (tensor<4x5xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @slice_c1(%x: tensor<4x5xf32>) {
  // expected-error@+1 {{slice_c1: starts, sizes and steps have 2 entries}}
  %0 = torsh.slice %x starts = <[0]> sizes = <[4, 5]> steps = [1, 1] : (tensor<4x5xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @slice_c2(%x: tensor<4xf32>) {
  // expected-error@+1 {{slice_c2: step 0 is 0}}
  %0 = torsh.slice %x starts = <[0]> sizes = <[4]> steps = [0] : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @slice_c3(%x: tensor<4xf32>) {
  // expected-error@+1 {{slice_c3: elements 1 to 4 leave dim 0 of size 4}}
  %0 = torsh.slice %x starts = <[1]> sizes = <[4]> steps = [1] : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @slice_c3_backwards(%x: tensor<4xf32>) {
  // expected-error@+1 {{slice_c3: elements 1 to -1 leave dim 0 of size 4}}
  %0 = torsh.slice %x starts = <[1]> sizes = <[3]> steps = [-1] : (tensor<4xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @slice_c3_symbolic(%x: tensor<?xf32, #torsh.dims<[n]>>) {
  // expected-error@+1 {{slice_c3: elements n to n leave dim 0 of size n}}
  %0 = torsh.slice %x starts = <[n]> sizes = <[1]> steps = [1] : (tensor<?xf32, #torsh.dims<[n]>>) -> tensor<1xf32>
  return
}

// -----

func.func @slice_c3_size(%x: tensor<4xf32>) {
  // expected-error@+2 {{slice_c3: dim 0 of the result would be -1}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = torsh.slice %x starts = <[0]> sizes = <[-1]> steps = [1] : (tensor<4xf32>) -> tensor<0xf32>
  return
}

// -----

func.func @pad_c1(%x: tensor<4xf32>, %v: tensor<f32>) {
  // expected-error@+1 {{pad_c1: an amount is -1}}
  %0 = torsh.pad %x value %v low = <[-1]> high = <[0]> : (tensor<4xf32>, tensor<f32>) -> tensor<3xf32>
  return
}

// -----

func.func @pad_c1_count(%x: tensor<4xf32>, %v: tensor<f32>) {
  // expected-error@+2 {{pad_c1: low and high have 1 entries}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = torsh.pad %x value %v low = <[1, 1]> high = <[0]> : (tensor<4xf32>, tensor<f32>) -> tensor<5xf32>
  return
}

// -----

func.func @pad_c2(%x: tensor<4xf32>) {
  // expected-error@+1 {{pad_c2: value is present exactly for the mode constant}}
  %0 = torsh.pad %x low = <[1]> high = <[0]> : (tensor<4xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @pad_c2_type(%x: tensor<4xf32>, %v: tensor<1xf32>) {
  // expected-error@+1 {{pad_c2: value is 'tensor<1xf32>', not a rank-0 tensor}}
  %0 = torsh.pad %x value %v low = <[1]> high = <[0]> : (tensor<4xf32>, tensor<1xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @concat_c1_dims(%x: tensor<4x2xf32>, %y: tensor<4x3xf32>) {
  // expected-error@+2 {{concat_c1: dim 1 is 2 and 3}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = torsh.concat %x, %y axis = 0 : (tensor<4x2xf32>, tensor<4x3xf32>) -> tensor<8x2xf32>
  return
}

// -----

func.func @concat_c1_axis(%x: tensor<4xf32>) {
  // expected-error@+2 {{concat_c1: axis -1 is out of range for rank 1}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = torsh.concat %x, %x axis = -1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @concat_c1_empty() {
  // expected-error@+2 {{concat_c1: there are no operands}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = "torsh.concat"() {axis = 0 : i64} : () -> tensor<8xf32>
  return
}

// -----

func.func @iota_c1() {
  // expected-error@+1 {{iota_c1: axis 1 is out of range for rank 1}}
  %0 = torsh.iota axis = 1 : tensor<4xi32>
  return
}

// -----

func.func @from_dims_c1() {
  // expected-error@+1 {{from_dims_c1: 2 dims do not make a 'tensor<3xi64>'}}
  %0 = torsh.from_dims <[n, 4]> : tensor<3xi64>
  return
}
