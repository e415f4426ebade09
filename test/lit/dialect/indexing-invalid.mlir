// What the verifiers of ops with computed indices, resize and random numbers refuse; one case a constraint.
// RUN: torsh-opt %s -verify-diagnostics -split-input-file

func.func @gather_c1(%x: tensor<4x5xf32>, %i: tensor<2xi64>) {
  // expected-error@+2 {{gather_c1: axis 2 is out of range for rank 2}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = torsh.gather %x, %i axis = 2 : (tensor<4x5xf32>, tensor<2xi64>) -> tensor<4x2xf32>
  return
}

// -----

func.func @gather_elements_c1(%x: tensor<4x5xf32>, %i: tensor<2xi64>) {
  // expected-error@+2 {{gather_elements_c1: x has rank 2, indices have rank 1}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = torsh.gather_elements %x, %i axis = 1 : (tensor<4x5xf32>, tensor<2xi64>) -> tensor<2xf32>
  return
}

// -----

func.func @gather_elements_c1_axis(%x: tensor<4x5xf32>, %i: tensor<4x5xi64>) {
  // expected-error@+1 {{gather_elements_c1: axis -1 is out of range for rank 2}}
  %0 = torsh.gather_elements %x, %i axis = -1 : (tensor<4x5xf32>, tensor<4x5xi64>) -> tensor<4x5xf32>
  return
}

// -----

func.func @gather_nd_c1(%x: tensor<4x5xf32>, %i: tensor<7x3xi64>) {
  // expected-error@+2 {{gather_nd_c1: tuples of 3 after 0 batch dims do not fit rank 2}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = torsh.gather_nd %x, %i batch_dims = 0 : (tensor<4x5xf32>, tensor<7x3xi64>) -> tensor<7xf32>
  return
}

// -----

func.func @gather_nd_c1_symbolic(%x: tensor<4x5xf32>, %i: tensor<7x?xi64, #torsh.dims<[7, k]>>) {
  // expected-error@+2 {{gather_nd_c1: the last dim of indices is not a constant}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = torsh.gather_nd %x, %i batch_dims = 0 : (tensor<4x5xf32>, tensor<7x?xi64, #torsh.dims<[7, k]>>) -> tensor<7xf32>
  return
}

// -----

func.func @gather_nd_c1_scalar(%x: tensor<4x5xf32>, %i: tensor<i64>) {
  // expected-error@+2 {{gather_nd_c1: indices have rank 0}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = torsh.gather_nd %x, %i batch_dims = 0 : (tensor<4x5xf32>, tensor<i64>) -> tensor<7xf32>
  return
}

// -----

func.func @gather_nd_c2(%x: tensor<4x5xf32>, %i: tensor<3x1xi64>) {
  // expected-error@+1 {{gather_nd_c2: batch dim 0 is 4 in x and 3 in indices}}
  %0 = torsh.gather_nd %x, %i batch_dims = 1 : (tensor<4x5xf32>, tensor<3x1xi64>) -> tensor<3xf32>
  return
}

// -----

func.func @scatter_elements_c1(%x: tensor<4x5xf32>, %i: tensor<3xi64>, %u: tensor<3xf32>) {
  // expected-error@+1 {{scatter_elements_c1: x has rank 2, indices 1, updates 1}}
  %0 = torsh.scatter_elements %x, %i, %u axis = 0 : (tensor<4x5xf32>, tensor<3xi64>, tensor<3xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @scatter_elements_c2(%x: tensor<4xf32>, %i: tensor<3xi64>, %u: tensor<2xf32>) {
  // expected-error@+1 {{scatter_elements_c2: indices and updates differ in shape}}
  %0 = torsh.scatter_elements %x, %i, %u axis = 0 : (tensor<4xf32>, tensor<3xi64>, tensor<2xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @scatter_elements_c3(%x: tensor<4xf32>, %i: tensor<3xi64>, %u: tensor<3xf16>) {
  // expected-error@+1 {{scatter_elements_c3: x and updates differ in element type}}
  %0 = torsh.scatter_elements %x, %i, %u axis = 0 : (tensor<4xf32>, tensor<3xi64>, tensor<3xf16>) -> tensor<4xf32>
  return
}

// -----

func.func @scatter_nd_c1(%x: tensor<4x5xf32>, %i: tensor<3x1xi64>, %u: tensor<3x4xf32>) {
  // expected-error@+1 {{scatter_nd_c1: updates are 'tensor<3x4xf32>', not 'tensor<3x5xf32>'}}
  %0 = torsh.scatter_nd %x, %i, %u : (tensor<4x5xf32>, tensor<3x1xi64>, tensor<3x4xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @scatter_nd_c1_tuple(%x: tensor<4x5xf32>, %i: tensor<3x3xi64>, %u: tensor<3xf32>) {
  // expected-error@+1 {{scatter_nd_c1: the last dim of indices is not a constant of at most 2}}
  %0 = torsh.scatter_nd %x, %i, %u : (tensor<4x5xf32>, tensor<3x3xi64>, tensor<3xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @topk_c1(%x: tensor<4xf32>) {
  // expected-error@+1 {{topk_c1: k is 5, the axis has 4 elements}}
  %0:2 = torsh.topk %x k = <5> axis = 0 : (tensor<4xf32>) -> (tensor<5xf32>, tensor<5xi64>)
  return
}

// -----

func.func @topk_c1_axis(%x: tensor<4xf32>) {
  // expected-error@+2 {{topk_c1: axis -1 is out of range for rank 1}}
  // expected-error@+1 {{failed to infer returned types}}
  %0:2 = torsh.topk %x k = <2> axis = -1 : (tensor<4xf32>) -> (tensor<2xf32>, tensor<2xi64>)
  return
}

// -----

func.func @non_zero_c1(%x: tensor<4x5xf32>) {
  // expected-error@+1 {{non_zero_c1: y is [2, n] with a symbol n}}
  %0 = torsh.non_zero %x : (tensor<4x5xf32>) -> tensor<2x20xi64>
  return
}

// -----

func.func @non_max_suppression_c1(%b: tensor<1x9x5xf32>, %s: tensor<1x2x9xf32>) {
  // expected-error@+1 {{non_max_suppression_c1: boxes are [B, n, 4] and scores are [B, C, n]}}
  %0 = torsh.non_max_suppression %b, %s {iou_threshold = 0.5, max_boxes_per_class = 10 : i64} : (tensor<1x9x5xf32>, tensor<1x2x9xf32>) -> tensor<?x3xi64, #torsh.dims<[m, 3]>>
  return
}

// -----

func.func @non_max_suppression_c1_result(%b: tensor<1x9x4xf32>, %s: tensor<1x2x9xf32>) {
  // expected-error@+1 {{non_max_suppression_c1: y is [m, 3] with a symbol m}}
  %0 = torsh.non_max_suppression %b, %s {iou_threshold = 0.5, max_boxes_per_class = 10 : i64} : (tensor<1x9x4xf32>, tensor<1x2x9xf32>) -> tensor<9x3xi64>
  return
}

// -----

func.func @resize_c1(%x: tensor<1x4xf32>) {
  // expected-error@+1 {{resize_c1: x has rank 2, y has rank 2, there are 1 scales}}
  %0 = torsh.resize nearest %x scales = [2.0] coordinates = asymmetric : (tensor<1x4xf32>) -> tensor<1x8xf32>
  return
}

// -----

func.func @resize_c2(%x: tensor<4xf32>) {
  // expected-error@+1 {{resize_c2: x and y have one element type}}
  %0 = torsh.resize nearest %x scales = [2.0] coordinates = asymmetric : (tensor<4xf32>) -> tensor<8xf16>
  return
}

// -----

func.func @resize_c3(%x: tensor<4xf32>) {
  // expected-error@+1 {{resize_c3: scales are not negative}}
  %0 = torsh.resize nearest %x scales = [-1.0] coordinates = asymmetric : (tensor<4xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @random_uniform_c1(%state: tensor<3xi64>) {
  // expected-error@+1 {{random_uniform_c1: state has the shape [2], not 'tensor<3xi64>'}}
  %0 = torsh.random_uniform %state : (tensor<3xi64>) -> tensor<4xf32>
  return
}

// -----

func.func @random_normal_c1(%state: tensor<i64>) {
  // expected-error@+1 {{random_normal_c1: state has the shape [2], not 'tensor<i64>'}}
  %0 = torsh.random_normal %state : (tensor<i64>) -> tensor<4xf32>
  return
}

// -----

func.func @suppress_boxes_c1(%b: tensor<1x5x4xf32>, %s: tensor<1x2x6xf32>, %m: tensor<i64>, %i: tensor<f32>) {
  // expected-error@+1 {{suppress_boxes_c1: boxes 'tensor<1x5x4xf32>' do not belong to scores 'tensor<1x2x6xf32>'}}
  %0 = torsh.suppress_boxes %b, %s most %m iou %i : (tensor<1x5x4xf32>, tensor<1x2x6xf32>, tensor<i64>, tensor<f32>) -> tensor<1x2x6xi64>
  return
}

// -----

func.func @suppress_boxes_c2(%b: tensor<1x5x4xf32>, %s: tensor<1x2x5xf32>, %m: tensor<1xi64>, %i: tensor<f32>) {
  // expected-error@+1 {{suppress_boxes_c2: 'tensor<1xi64>' has not rank 0}}
  %0 = torsh.suppress_boxes %b, %s most %m iou %i : (tensor<1x5x4xf32>, tensor<1x2x5xf32>, tensor<1xi64>, tensor<f32>) -> tensor<1x2x5xi64>
  return
}
