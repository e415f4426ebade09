// What the verifiers of reductions and scans refuse.
// RUN: torsh-opt %s -verify-diagnostics -split-input-file

func.func @reduce_c1(%x: tensor<2x3xf32>) {
  // expected-error@+2 {{reduce_c1: axes are sorted, distinct and less than the rank 2}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = torsh.reduce sum %x axes = [1, 1] keep_dims = false : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @reduce_c2_any(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{reduce_c2: any does not take 'f32'}}
  %0 = torsh.reduce any %x axes = [1] keep_dims = false : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @reduce_c2_sum(%x: tensor<2x3xi1>) {
  // expected-error@+1 {{reduce_c2: sum does not take 'i1'}}
  %0 = torsh.reduce sum %x axes = [1] keep_dims = false : (tensor<2x3xi1>) -> tensor<2xi1>
  return
}

// -----

func.func @arg_reduce_c1(%x: tensor<2x3xf32>) {
  // expected-error@+2 {{arg_reduce_c1: axis 2 is out of range for rank 2}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = torsh.arg_reduce max %x axis = 2 keep_dims = false : (tensor<2x3xf32>) -> tensor<2xi64>
  return
}

// -----

func.func @arg_reduce_c2(%x: tensor<2x0xf32>) {
  // expected-error@+1 {{arg_reduce_c2: axis 1 has no elements}}
  %0 = torsh.arg_reduce max %x axis = 1 keep_dims = false : (tensor<2x0xf32>) -> tensor<2xi64>
  return
}

// -----

func.func @arg_reduce_c3(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{arg_reduce_c3: kind is sum, not max or min}}
  %0 = torsh.arg_reduce sum %x axis = 1 keep_dims = false : (tensor<2x3xf32>) -> tensor<2xi64>
  return
}

// -----

func.func @cumprod_c1(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{cumprod_c1: axis 2 is out of range for rank 2}}
  %0 = torsh.cumprod %x axis = 2 : tensor<2x3xf32>
  return
}

// -----

func.func @cumsum_c1(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{cumsum_c1: axis -1 is out of range for rank 2}}
  %0 = torsh.cumsum %x axis = -1 : tensor<2x3xf32>
  return
}

// -----

func.func @softmax_c1(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{softmax_c1: axis 2 is out of range for rank 2}}
  %0 = torsh.softmax %x axis = 2 : tensor<2x3xf32>
  return
}

// -----

func.func @log_softmax_c1(%x: tensor<f32>) {
  // expected-error@+1 {{log_softmax_c1: axis 0 is out of range for rank 0}}
  %0 = torsh.log_softmax %x axis = 0 : tensor<f32>
  return
}
