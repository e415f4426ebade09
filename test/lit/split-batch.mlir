// Runs of groups that take one image of a batch after the other.
// RUN: torsh-opt %s --torsh-split-batch --split-input-file | FileCheck %s
// RUN: torsh-opt %s --torsh-split-batch=always --split-input-file | FileCheck %s --check-prefix=ALWAYS

!x = tensor<8x128x128x32xf32>
!c = tensor<32xf32>

// What leaves the run keeps all images, what stays in it has one. The weights belong to every image.
// CHECK-LABEL: func.func @run
// CHECK: %[[A:.*]] = torsh.group "elementwise"(%arg0)
// CHECK: torsh.tanh %{{.*}} : tensor<1x128x128x32xf32>
// CHECK: images = {{.*}}8{{.*}}segment = 0
// CHECK-SAME: : (tensor<8x128x128x32xf32>) -> tensor<1x128x128x32xf32>
// CHECK: %[[B:.*]] = torsh.group "elementwise"(%[[A]], %arg1)
// CHECK: segment = 0
// CHECK-SAME: : (tensor<1x128x128x32xf32>, tensor<32xf32>) -> tensor<8x128x128x32xf32>
// CHECK: return %[[B]]
func.func @run(%x: !x, %c: !c) -> !x {
  %0 = torsh.group "elementwise"(%x) {
  ^bb0(%a: !x):
    %1 = torsh.tanh %a : !x
    torsh.yield %1 : !x
  } : (!x) -> !x
  %2 = torsh.group "elementwise"(%0, %c) {
  ^bb0(%a: !x, %b: !c):
    %1 = torsh.broadcast %b axes = [3] : (!c) -> !x
    %3 = torsh.add %a, %1 : !x
    torsh.yield %3 : !x
  } : (!x, !c) -> !x
  return %2 : !x
}

// -----

!x = tensor<?x128x128x32xf32, #torsh.dims<[batch, 128, 128, 32]>>
!y = tensor<?x16384x32xf32, #torsh.dims<[batch, 16384, 32]>>

// A batch whose size is not known, and a reshape within the run.
// CHECK-LABEL: func.func @symbolic
// CHECK: torsh.group "elementwise"(%arg0)
// CHECK: images = {{.*}}batch{{.*}}segment = 0
// CHECK: torsh.reshape %{{.*}} : (tensor<1x128x128x32xf32>) -> tensor<1x16384x32xf32>
// CHECK: segment = 0
func.func @symbolic(%x: !x) -> !y {
  %0 = torsh.group "elementwise"(%x) {
  ^bb0(%a: !x):
    %1 = torsh.tanh %a : !x
    torsh.yield %1 : !x
  } : (!x) -> !x
  %1 = torsh.reshape %0 : (!x) -> !y
  %2 = torsh.group "elementwise"(%1) {
  ^bb0(%a: !y):
    %3 = torsh.exp %a : !y
    torsh.yield %3 : !y
  } : (!y) -> !y
  return %2 : !y
}

// -----

!x = tensor<8x128x128x32xf32>
!m = tensor<128x128x32xf32>

// A mean over the images needs all of them: it ends the run, and what reads it is no part of one.
// CHECK-LABEL: func.func @mixed
// CHECK-NOT: segment
// ALWAYS-LABEL: func.func @mixed
// ALWAYS: torsh.group "elementwise"
// ALWAYS: segment = 0
// ALWAYS: torsh.group "reduce"
// ALWAYS-NOT: segment
// ALWAYS: torsh.group "elementwise"
// ALWAYS: segment = 1
func.func @mixed(%x: !x) -> !x {
  %0 = torsh.group "elementwise"(%x) {
  ^bb0(%a: !x):
    %1 = torsh.tanh %a : !x
    torsh.yield %1 : !x
  } : (!x) -> !x
  %2 = torsh.group "reduce"(%0) {
  ^bb0(%a: !x):
    %1 = torsh.reduce mean %a axes = [0] keep_dims = false : (!x) -> !m
    torsh.yield %1 : !m
  } : (!x) -> !m
  %3 = torsh.group "elementwise"(%0, %2) {
  ^bb0(%a: !x, %b: !m):
    %1 = torsh.broadcast %b axes = [1, 2, 3] : (!m) -> !x
    %4 = torsh.sub %a, %1 : !x
    torsh.yield %4 : !x
  } : (!x, !m) -> !x
  return %3 : !x
}

// -----

!x = tensor<8x4x4x512xf32>
!w = tensor<512x512xf32>

// Weights that are larger than an image's values are read once for all images.
// CHECK-LABEL: func.func @weights
// CHECK-NOT: segment
// ALWAYS-LABEL: func.func @weights
// ALWAYS: segment = 0
// ALWAYS: segment = 0
func.func @weights(%x: !x, %w: !w) -> !x {
  %0 = torsh.group "dot"(%x, %w) {
  ^bb0(%a: !x, %b: !w):
    %1 = torsh.dot_general %a, %b batch = [] x [] contract = [3] x [0] : (!x, !w) -> !x
    torsh.yield %1 : !x
  } : (!x, !w) -> !x
  %2 = torsh.group "dot"(%0, %w) {
  ^bb0(%a: !x, %b: !w):
    %1 = torsh.dot_general %a, %b batch = [] x [] contract = [3] x [0] : (!x, !w) -> !x
    torsh.yield %1 : !x
  } : (!x, !w) -> !x
  return %2 : !x
}

// -----

!x = tensor<8x64x64x64xf32>
!t = tensor<36x2048x64xf32>
!w = tensor<36x64x64xf32>

// The tiles of one image are a part of dim 1, which only Winograd's own kernels read.
// CHECK-LABEL: func.func @winograd
// CHECK: torsh.winograd_input {{.*}} -> tensor<36x256x64xf32>
// CHECK: torsh.dot_general {{.*}} -> tensor<36x256x64xf32>
// CHECK: torsh.winograd_output {{.*}} -> tensor<1x64x64x64xf32>
// CHECK: segment = 0
// CHECK-SAME: -> tensor<8x64x64x64xf32>
func.func @winograd(%x: !x, %w: !w) -> !x {
  %0 = torsh.group "winograd_input"(%x) {
  ^bb0(%a: !x):
    %1 = torsh.winograd_input %a tile = 4 low = [1, 1] high = [1, 1] : (!x) -> !t
    torsh.yield %1 : !t
  } : (!x) -> !t
  %2 = torsh.group "dot"(%0, %w) {
  ^bb0(%a: !t, %b: !w):
    %1 = torsh.dot_general %a, %b batch = [0] x [0] contract = [2] x [1] : (!t, !w) -> !t
    torsh.yield %1 : !t
  } : (!t, !w) -> !t
  %3 = torsh.group "winograd_output"(%2) {
  ^bb0(%a: !t):
    %1 = torsh.winograd_output %a tile = 4 : (!t) -> !x
    torsh.yield %1 : !x
  } : (!t) -> !x
  return %3 : !x
}

// -----

!x = tensor<8x64x64x64xf32>
!t = tensor<36x2048x64xf32>

// Tiles that somebody else reads stay whole.
// CHECK-LABEL: func.func @open_tiles
// CHECK-NOT: segment
func.func @open_tiles(%x: !x) -> (!x, !t) {
  %0 = torsh.group "winograd_input"(%x) {
  ^bb0(%a: !x):
    %1 = torsh.winograd_input %a tile = 4 low = [1, 1] high = [1, 1] : (!x) -> !t
    torsh.yield %1 : !t
  } : (!x) -> !t
  %3 = torsh.group "winograd_output"(%0) {
  ^bb0(%a: !t):
    %1 = torsh.winograd_output %a tile = 4 : (!t) -> !x
    torsh.yield %1 : !x
  } : (!t) -> !x
  return %3, %0 : !x, !t
}

// -----

// One image is no batch.
// ALWAYS-LABEL: func.func @single
// ALWAYS-NOT: segment
func.func @single(%x: tensor<1x8xf32>) -> tensor<1x8xf32> {
  %0 = torsh.group "elementwise"(%x) {
  ^bb0(%a: tensor<1x8xf32>):
    %1 = torsh.tanh %a : tensor<1x8xf32>
    torsh.yield %1 : tensor<1x8xf32>
  } : (tensor<1x8xf32>) -> tensor<1x8xf32>
  return %0 : tensor<1x8xf32>
}
