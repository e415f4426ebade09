// What the verifiers of window reductions refuse.
// RUN: torsh-opt %s -verify-diagnostics -split-input-file

func.func @max_pool_c1(%x: tensor<1x3x6xf32>) {
  // expected-error@+2 {{max_pool_c1: a list has 2 entries for 1 spatial dims}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = torsh.max_pool %x window = [3, 3] strides = [1] dilations = [1] low = [0] high = [0] : (tensor<1x3x6xf32>) -> tensor<1x3x4xf32>
  return
}

// -----

func.func @max_pool_c1_rank(%x: tensor<1xf32>) {
  // expected-error@+2 {{max_pool_c1: x has rank 1, at least 3 is needed}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = torsh.max_pool %x window = [] strides = [] dilations = [] low = [] high = [] : (tensor<1xf32>) -> tensor<1xf32>
  return
}

// -----

func.func @max_pool_c1_positive(%x: tensor<1x3x6xf32>) {
  // expected-error@+2 {{max_pool_c1: window, strides and dilations are positive}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = torsh.max_pool %x window = [3] strides = [0] dilations = [1] low = [0] high = [0] : (tensor<1x3x6xf32>) -> tensor<1x3x4xf32>
  return
}

// -----

func.func @avg_pool_c1(%x: tensor<1x3x6xf32>) {
  // expected-error@+1 {{avg_pool_c1: padding is not negative}}
  %0 = torsh.avg_pool %x window = [3] strides = [1] dilations = [1] low = [-1] high = [0] : (tensor<1x3x6xf32>) -> tensor<1x3x3xf32>
  return
}

// -----

func.func @max_pool_grad_c1(%x: tensor<1x3x6xf32>, %dy: tensor<1x3x3xf32>) {
  // expected-error@+1 {{max_pool_grad_c1: a list has 2 entries for 1 spatial dims}}
  %0 = torsh.max_pool_grad %x, %dy window = [2, 2] strides = [2] dilations = [1] low = [0] high = [0] : (tensor<1x3x6xf32>, tensor<1x3x3xf32>) -> tensor<1x3x6xf32>
  return
}

// -----

func.func @max_pool_grad_c2(%x: tensor<1x3x6xf32>, %dy: tensor<1x3x4xf32>) {
  // expected-error@+1 {{max_pool_grad_c2: dy should be 'tensor<1x3x3xf32>'}}
  %0 = torsh.max_pool_grad %x, %dy window = [2] strides = [2] dilations = [1] low = [0] high = [0] : (tensor<1x3x6xf32>, tensor<1x3x4xf32>) -> tensor<1x3x6xf32>
  return
}

// -----

func.func @avg_pool_grad_c1(%dy: tensor<1x3x3xf32>) {
  // expected-error@+1 {{avg_pool_grad_c1: padding is not negative}}
  %0 = torsh.avg_pool_grad %dy window = [3] strides = [2] dilations = [1] low = [-1] high = [2] : (tensor<1x3x3xf32>) -> tensor<1x3x6xf32>
  return
}

// -----

func.func @avg_pool_grad_c2(%dy: tensor<1x3x3xf64>) {
  // expected-error@+1 {{avg_pool_grad_c2: dy should be 'tensor<1x3x3xf32>'}}
  %0 = torsh.avg_pool_grad %dy window = [2] strides = [2] dilations = [1] low = [0] high = [0] : (tensor<1x3x3xf64>) -> tensor<1x3x6xf32>
  return
}
