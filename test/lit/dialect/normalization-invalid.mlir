// What the verifiers of normalisations and attention refuse; one case a constraint.
// RUN: torsh-opt %s -verify-diagnostics -split-input-file

func.func @layer_norm_c1(%x: tensor<2x3xf32>, %a: tensor<2xf32>) {
  // expected-error@+1 {{layer_norm_c1: scale is 'tensor<2xf32>', not 'tensor<3xf32>'}}
  %0 = torsh.layer_norm %x scale %a axis = 1 epsilon = 1.0e-5 : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @layer_norm_c1_bias(%x: tensor<2x3xf32>, %a: tensor<3xf32>, %b: tensor<1xf32>) {
  // expected-error@+1 {{layer_norm_c1: bias is 'tensor<1xf32>', not 'tensor<3xf32>'}}
  %0 = torsh.layer_norm %x scale %a bias %b axis = 1 epsilon = 1.0e-5 : (tensor<2x3xf32>, tensor<3xf32>, tensor<1xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @layer_norm_c1_axis(%x: tensor<2x3xf32>, %a: tensor<2xf32>) {
  // expected-error@+1 {{layer_norm_c1: axis 2 is out of range for rank 2}}
  %0 = torsh.layer_norm %x scale %a axis = 2 epsilon = 1.0e-5 : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @rms_norm_c1(%x: tensor<2x3xf32>, %a: tensor<2x3xf32>) {
  // expected-error@+1 {{rms_norm_c1: scale is 'tensor<2x3xf32>', not 'tensor<3xf32>'}}
  %0 = torsh.rms_norm %x scale %a axis = 1 epsilon = 1.0e-5 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @batch_norm_c1(%x: tensor<2x3xf32>, %a: tensor<3xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{batch_norm_c1: variance is 'tensor<2xf32>', not 'tensor<3xf32>'}}
  %0 = torsh.batch_norm %x scale %a bias %a mean %a variance %b axis = 1 epsilon = 1.0e-5 : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @group_norm_c1(%x: tensor<2x6x3xf32>, %a: tensor<6xf32>) {
  // expected-error@+1 {{group_norm_c1: 6 channels are not divisible by 4 groups}}
  %0 = torsh.group_norm %x scale %a bias %a groups = 4 epsilon = 1.0e-5 : (tensor<2x6x3xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<2x6x3xf32>
  return
}

// -----

func.func @group_norm_c1_zero(%x: tensor<2x6x3xf32>, %a: tensor<6xf32>) {
  // expected-error@+1 {{group_norm_c1: 6 channels are not divisible by 0 groups}}
  %0 = torsh.group_norm %x scale %a bias %a groups = 0 epsilon = 1.0e-5 : (tensor<2x6x3xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<2x6x3xf32>
  return
}

// -----

func.func @group_norm_c2(%x: tensor<2x6x3xf32>, %a: tensor<3xf32>) {
  // expected-error@+1 {{group_norm_c2: scale is 'tensor<3xf32>', not 'tensor<6xf32>'}}
  %0 = torsh.group_norm %x scale %a bias %a groups = 3 epsilon = 1.0e-5 : (tensor<2x6x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x6x3xf32>
  return
}

// -----

func.func @attention_c1(%q: tensor<2x5x8xf32>, %k: tensor<3x7x8xf32>) {
  // expected-error@+1 {{attention_c1: the batch dims of q, k and v differ}}
  %0 = torsh.attention %q, %k, %k scale = 1.0 : (tensor<2x5x8xf32>, tensor<3x7x8xf32>, tensor<3x7x8xf32>) -> tensor<2x5x8xf32>
  return
}

// -----

func.func @attention_c1_rank(%q: tensor<5x8xf32>, %k: tensor<3x7x8xf32>) {
  // expected-error@+1 {{attention_c1: q, k and v have one rank of at least 2}}
  %0 = torsh.attention %q, %k, %k scale = 1.0 : (tensor<5x8xf32>, tensor<3x7x8xf32>, tensor<3x7x8xf32>) -> tensor<5x8xf32>
  return
}

// -----

func.func @attention_c2_depth(%q: tensor<5x8xf32>, %k: tensor<7x9xf32>) {
  // expected-error@+1 {{attention_c2: q has depth 8, k has 9}}
  %0 = torsh.attention %q, %k, %k scale = 1.0 : (tensor<5x8xf32>, tensor<7x9xf32>, tensor<7x9xf32>) -> tensor<5x9xf32>
  return
}

// -----

func.func @attention_c2_length(%q: tensor<5x8xf32>, %k: tensor<7x8xf32>, %v: tensor<6x8xf32>) {
  // expected-error@+1 {{attention_c2: k has length 7, v has 6}}
  %0 = torsh.attention %q, %k, %v scale = 1.0 : (tensor<5x8xf32>, tensor<7x8xf32>, tensor<6x8xf32>) -> tensor<5x8xf32>
  return
}

// -----

func.func @attention_c3(%q: tensor<5x8xf32>, %k: tensor<7x8xf32>, %m: tensor<5x6xf32>) {
  // expected-error@+1 {{attention_c3: mask dim 1 is 6, the scores have 7}}
  %0 = torsh.attention %q, %k, %k mask %m scale = 1.0 : (tensor<5x8xf32>, tensor<7x8xf32>, tensor<7x8xf32>, tensor<5x6xf32>) -> tensor<5x8xf32>
  return
}

// -----

func.func @attention_c3_rank(%q: tensor<5x8xf32>, %k: tensor<7x8xf32>, %m: tensor<7xf32>) {
  // expected-error@+1 {{attention_c3: the mask has rank 1, the scores have rank 2}}
  %0 = torsh.attention %q, %k, %k mask %m scale = 1.0 : (tensor<5x8xf32>, tensor<7x8xf32>, tensor<7x8xf32>, tensor<7xf32>) -> tensor<5x8xf32>
  return
}
