// What the verifiers of contractions refuse; one case a constraint.
// RUN: torsh-opt %s -verify-diagnostics -split-input-file

func.func @dot_general_c1_length(%a: tensor<3x4xf32>, %b: tensor<4x5xf32>) {
  // expected-error@+1 {{dot_general_c1: the contracting lists differ in length}}
  %0 = torsh.dot_general %a, %b batch = [] x [] contract = [1] x [] : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  return
}

// -----

func.func @dot_general_c1_size(%a: tensor<3x4xf32>, %b: tensor<5x4xf32>) {
  // expected-error@+1 {{dot_general_c1: contracting dim 1 of lhs is 4, dim 0 of rhs is 5}}
  %0 = torsh.dot_general %a, %b batch = [] x [] contract = [1] x [0] : (tensor<3x4xf32>, tensor<5x4xf32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @dot_general_c2(%a: tensor<3x4xf32>, %b: tensor<4x5xf32>) {
  // expected-error@+1 {{dot_general_c2: dim 1 of lhs appears twice}}
  %0 = torsh.dot_general %a, %b batch = [1] x [0] contract = [1] x [1] : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  return
}

// -----

func.func @dot_general_c2_range(%a: tensor<3x4xf32>, %b: tensor<4x5xf32>) {
  // expected-error@+1 {{dot_general_c2: rhs has no dim 2}}
  %0 = torsh.dot_general %a, %b batch = [] x [] contract = [1] x [2] : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  return
}

// -----

func.func @dot_general_c3(%a: tensor<3x4xf32>, %b: tensor<4x5xf16>) {
  // expected-error@+1 {{dot_general_c3}}
  %0 = torsh.dot_general %a, %b batch = [] x [] contract = [1] x [0] : (tensor<3x4xf32>, tensor<4x5xf16>) -> tensor<3x5xf32>
  return
}

// -----

func.func @dot_general_c4(%a: tensor<3x4xf32>, %b: tensor<4x5xf32>) {
  // expected-error@+1 {{dot_general_c4: the result type should be 'tensor<3x5xf32>'}}
  %0 = torsh.dot_general %a, %b batch = [] x [] contract = [1] x [0] : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<5x3xf32>
  return
}

// -----

func.func @conv_c1(%x: tensor<1x4x8x8xf32>, %w: tensor<4x4x3x3xf32>) {
  // expected-error@+1 {{conv_c1: a list has 1 entries for 2 spatial dims}}
  %0 = torsh.conv %x, %w strides = [1] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 1 : (tensor<1x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x6x6xf32>
  return
}

// -----

func.func @conv_c1_rank(%x: tensor<1x4xf32>, %w: tensor<4x4xf32>) {
  // expected-error@+1 {{conv_c1: x and w have one rank of at least 3}}
  %0 = torsh.conv %x, %w strides = [] dilations = [] low = [] high = [] groups = 1 : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  return
}

// -----

func.func @conv_c1_stride(%x: tensor<1x4x8xf32>, %w: tensor<4x4x3xf32>) {
  // expected-error@+1 {{conv_c1: strides and dilations are positive}}
  %0 = torsh.conv %x, %w strides = [0] dilations = [1] low = [0] high = [0] groups = 1 : (tensor<1x4x8xf32>, tensor<4x4x3xf32>) -> tensor<1x4x6xf32>
  return
}

// -----

func.func @conv_c1_window(%x: tensor<1x4x2xf32>, %w: tensor<4x4x5xf32>) {
  // expected-error@+2 {{conv_c1: dim 2 of the result would be -2}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = torsh.conv %x, %w strides = [1] dilations = [1] low = [0] high = [0] groups = 1 : (tensor<1x4x2xf32>, tensor<4x4x5xf32>) -> tensor<1x4x0xf32>
  return
}

// -----

func.func @conv_c2_channels(%x: tensor<1x3x8xf32>, %w: tensor<4x4x3xf32>) {
  // expected-error@+1 {{conv_c2: x has 3 channels, w takes 4 in each of 1 groups}}
  %0 = torsh.conv %x, %w strides = [1] dilations = [1] low = [0] high = [0] groups = 1 : (tensor<1x3x8xf32>, tensor<4x4x3xf32>) -> tensor<1x4x6xf32>
  return
}

// -----

func.func @conv_c2_groups(%x: tensor<1x4x8xf32>, %w: tensor<3x2x3xf32>) {
  // expected-error@+1 {{conv_c2: 3 output channels are not divisible by 2 groups}}
  %0 = torsh.conv %x, %w strides = [1] dilations = [1] low = [0] high = [0] groups = 2 : (tensor<1x4x8xf32>, tensor<3x2x3xf32>) -> tensor<1x3x6xf32>
  return
}

// -----

func.func @conv_c2_no_groups(%x: tensor<1x4x8xf32>, %w: tensor<3x2x3xf32>) {
  // expected-error@+1 {{conv_c2: groups is 0, not positive}}
  %0 = torsh.conv %x, %w strides = [1] dilations = [1] low = [0] high = [0] groups = 0 : (tensor<1x4x8xf32>, tensor<3x2x3xf32>) -> tensor<1x3x6xf32>
  return
}

// -----

func.func @conv_c3(%x: tensor<1x4x8xf32>, %w: tensor<3x4x3xf32>, %b: tensor<4xf32>) {
  // expected-error@+1 {{conv_c3: bias is not [3]}}
  %0 = torsh.conv %x, %w bias %b strides = [1] dilations = [1] low = [0] high = [0] groups = 1 : (tensor<1x4x8xf32>, tensor<3x4x3xf32>, tensor<4xf32>) -> tensor<1x3x6xf32>
  return
}

// -----

func.func @conv_c3_type(%x: tensor<1x4x8xf32>, %w: tensor<3x4x3xf16>) {
  // expected-error@+1 {{conv_c3: x, w and bias have one element type}}
  %0 = torsh.conv %x, %w strides = [1] dilations = [1] low = [0] high = [0] groups = 1 : (tensor<1x4x8xf32>, tensor<3x4x3xf16>) -> tensor<1x3x6xf32>
  return
}

// -----

func.func @conv_transpose_c1(%x: tensor<1x4x8xf32>, %w: tensor<4x4x3xf32>) {
  // expected-error@+1 {{conv_transpose_c1: a list has 2 entries for 1 spatial dims}}
  %0 = torsh.conv_transpose %x, %w strides = [1] dilations = [1] low = [0] high = [0] output_padding = [0, 0] groups = 1 : (tensor<1x4x8xf32>, tensor<4x4x3xf32>) -> tensor<1x4x10xf32>
  return
}

// -----

func.func @conv_transpose_c2(%x: tensor<1x4x8xf32>, %w: tensor<3x4x3xf32>) {
  // expected-error@+1 {{conv_transpose_c2: x has 4 channels, w takes 3}}
  %0 = torsh.conv_transpose %x, %w strides = [1] dilations = [1] low = [0] high = [0] output_padding = [0] groups = 1 : (tensor<1x4x8xf32>, tensor<3x4x3xf32>) -> tensor<1x4x10xf32>
  return
}

// -----

func.func @conv_transpose_c3(%x: tensor<1x4x8xf32>, %w: tensor<4x2x3xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{conv_transpose_c3: bias is not [4]}}
  %0 = torsh.conv_transpose %x, %w bias %b strides = [1] dilations = [1] low = [0] high = [0] output_padding = [0] groups = 2 : (tensor<1x4x8xf32>, tensor<4x2x3xf32>, tensor<2xf32>) -> tensor<1x4x10xf32>
  return
}

// -----

func.func @conv_weight_grad_c1(%x: tensor<1x4x8xf32>, %dy: tensor<1x6x6xf32>) {
  // expected-error@+2 {{conv_weight_grad_c1: a list has 2 entries for 1 spatial dims}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = torsh.conv_weight_grad %x, %dy kernel = [3, 3] strides = [1] dilations = [1] low = [0] high = [0] groups = 1 : (tensor<1x4x8xf32>, tensor<1x6x6xf32>) -> tensor<6x4x3xf32>
  return
}

// -----

func.func @conv_weight_grad_c2(%x: tensor<1x4x8xf32>, %dy: tensor<1x5x6xf32>) {
  // expected-error@+1 {{conv_weight_grad_c2: the 5 channels of dy are not divisible by 2 groups}}
  %0 = torsh.conv_weight_grad %x, %dy kernel = [3] strides = [1] dilations = [1] low = [0] high = [0] groups = 2 : (tensor<1x4x8xf32>, tensor<1x5x6xf32>) -> tensor<5x2x3xf32>
  return
}

// -----

func.func @conv_weight_grad_c3(%x: tensor<1x4x8xf32>, %dy: tensor<1x6x6xf64>) {
  // expected-error@+1 {{conv_weight_grad_c3: x, dy and dw have one element type}}
  %0 = torsh.conv_weight_grad %x, %dy kernel = [3] strides = [1] dilations = [1] low = [0] high = [0] groups = 1 : (tensor<1x4x8xf32>, tensor<1x6x6xf64>) -> tensor<6x4x3xf32>
  return
}

// -----

func.func @conv_weight_grad_c4(%x: tensor<1x4x8xf32>, %dy: tensor<1x6x5xf32>) {
  // expected-error@+1 {{conv_weight_grad_c4: spatial dim 0 of dy is 5, the convolution gives 6}}
  %0 = torsh.conv_weight_grad %x, %dy kernel = [3] strides = [1] dilations = [1] low = [0] high = [0] groups = 1 : (tensor<1x4x8xf32>, tensor<1x6x5xf32>) -> tensor<6x4x3xf32>
  return
}
