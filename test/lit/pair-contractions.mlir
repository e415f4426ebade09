// Contractions of packed weights read pairs of bf16; the cast of the left operand stands where a kernel can store it.
// RUN: torsh-opt %s --torsh-pair-contractions --split-input-file | FileCheck %s

// The cast stands below the reshape, behind the activation, and the recipe ends with pairs.
// CHECK-LABEL: func.func @dot
// CHECK: %[[R:.*]] = torsh.exp %{{.*}} : tensor<1x3x4xf32>
// CHECK-NEXT: %[[N:.*]] = torsh.cast %[[R]] : (tensor<1x3x4xf32>) -> tensor<1x3x4xbf16>
// CHECK: %[[V:.*]] = torsh.reshape %[[N]] : (tensor<1x3x4xbf16>) -> tensor<3x4xbf16>
// CHECK: %[[P:.*]] = torsh.constant #torsh.weight<"k", tensor<4x20xf32>, [<"pack", [16], "", tensor<2x4x16xf32>>, <"reshape", [2, 2, 2, 16], "", tensor<2x2x2x16xf32>>, <"transpose", [0, 1, 3, 2], "", tensor<2x2x16x2xf32>>, <"cast", [], "", tensor<2x2x16x2xbf16>>]>
// CHECK: %[[W:.*]] = torsh.unpack %[[P]] : (tensor<2x2x16x2xbf16>) -> tensor<4x20xbf16>
// CHECK: torsh.dot_general %[[V]], %[[W]] {{.*}} : (tensor<3x4xbf16>, tensor<4x20xbf16>) -> tensor<3x20xf32>
func.func @dot(%x: tensor<1x3x4xf32>) -> tensor<3x20xf32> {
  %r = torsh.exp %x : tensor<1x3x4xf32>
  %v = torsh.reshape %r : (tensor<1x3x4xf32>) -> tensor<3x4xf32>
  %p = torsh.constant #torsh.weight<"k", tensor<4x20xf32>, [<"pack", [16], "", tensor<2x4x16xf32>>]> -> tensor<2x4x16xf32>
  %w = torsh.unpack %p : (tensor<2x4x16xf32>) -> tensor<4x20xf32>
  %0 = torsh.dot_general %v, %w batch = [] x [] contract = [1] x [0] : (tensor<3x4xf32>, tensor<4x20xf32>) -> tensor<3x20xf32>
  return %0 : tensor<3x20xf32>
}

// -----

// Padding and pooling commute with rounding, so the rounded value is padded and pooled. Zeros as a bias say that the sums
// are f32.
// CHECK-LABEL: func.func @conv
// CHECK: %[[S:.*]] = torsh.sigmoid
// CHECK-NEXT: %[[N:.*]] = torsh.cast %[[S]] : (tensor<1x8x8x6xf32>) -> tensor<1x8x8x6xbf16>
// CHECK: %[[M:.*]] = torsh.max_pool %[[N]] {{.*}} -> tensor<1x4x4x6xbf16>
// CHECK: %[[D:.*]] = torsh.pad %[[M]] value %{{.*}} -> tensor<1x6x6x6xbf16>
// CHECK: %[[Z:.*]] = torsh.constant dense<0.000000e+00> : tensor<8xf32>
// CHECK: torsh.conv %[[D]], %{{.*}} bias %[[Z]] {{.*}} : (tensor<1x6x6x6xbf16>, tensor<3x3x6x8xbf16>, tensor<8xf32>) -> tensor<1x4x4x8xf32>
// CHECK-NOT: torsh.cast
// CHECK: return
func.func @conv(%x: tensor<1x8x8x6xf32>) -> tensor<1x4x4x8xf32> {
  %s = torsh.sigmoid %x : tensor<1x8x8x6xf32>
  %m = torsh.max_pool %s window = [2, 2] strides = [2, 2] dilations = [1, 1] low = [0, 0] high = [0, 0] {layout = #torsh<layout channels_last>} : (tensor<1x8x8x6xf32>) -> tensor<1x4x4x6xf32>
  %z = torsh.constant dense<0.0> : tensor<f32> -> tensor<f32>
  %d = torsh.pad %m value %z low = <[0, 1, 1, 0]> high = <[0, 1, 1, 0]> : (tensor<1x4x4x6xf32>, tensor<f32>) -> tensor<1x6x6x6xf32>
  %p = torsh.constant #torsh.weight<"k", tensor<54x8xf32>, [<"pack", [16], "", tensor<1x54x16xf32>>]> -> tensor<1x54x16xf32>
  %u = torsh.unpack %p : (tensor<1x54x16xf32>) -> tensor<54x8xf32>
  %w = torsh.reshape %u : (tensor<54x8xf32>) -> tensor<3x3x6x8xf32>
  %0 = torsh.conv %d, %w strides = [1, 1] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x6x6x6xf32>, tensor<3x3x6x8xf32>) -> tensor<1x4x4x8xf32>
  return %0 : tensor<1x4x4x8xf32>
}

// -----

// What another reader needs in f32 is rounded beside it, behind the pool.
// CHECK-LABEL: func.func @other_reader
// CHECK: %[[M:.*]] = torsh.max_pool {{.*}} -> tensor<1x2x2x4xf32>
// CHECK: torsh.cast %[[M]]
// CHECK: return %{{.*}}, %[[M]]
func.func @other_reader(%x: tensor<1x4x4x4xf32>) -> (tensor<1x2x2x8xf32>, tensor<1x2x2x4xf32>) {
  %m = torsh.max_pool %x window = [2, 2] strides = [2, 2] dilations = [1, 1] low = [0, 0] high = [0, 0] {layout = #torsh<layout channels_last>} : (tensor<1x4x4x4xf32>) -> tensor<1x2x2x4xf32>
  %p = torsh.constant #torsh.weight<"k", tensor<4x8xf32>, [<"pack", [16], "", tensor<1x4x16xf32>>]> -> tensor<1x4x16xf32>
  %u = torsh.unpack %p : (tensor<1x4x16xf32>) -> tensor<4x8xf32>
  %0 = torsh.dot_general %m, %u batch = [] x [] contract = [3] x [0] : (tensor<1x2x2x4xf32>, tensor<4x8xf32>) -> tensor<1x2x2x8xf32>
  return %0, %m : tensor<1x2x2x8xf32>, tensor<1x2x2x4xf32>
}

// -----

// Three channels have no pairs.
// CHECK-LABEL: func.func @odd
// CHECK-NOT: bf16
// CHECK: return
func.func @odd(%x: tensor<1x6x6x3xf32>) -> tensor<1x5x5x8xf32> {
  %p = torsh.constant #torsh.weight<"k", tensor<12x8xf32>, [<"pack", [16], "", tensor<1x12x16xf32>>]> -> tensor<1x12x16xf32>
  %u = torsh.unpack %p : (tensor<1x12x16xf32>) -> tensor<12x8xf32>
  %w = torsh.reshape %u : (tensor<12x8xf32>) -> tensor<2x2x3x8xf32>
  %0 = torsh.conv %x, %w strides = [1, 1] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x6x6x3xf32>, tensor<2x2x3x8xf32>) -> tensor<1x5x5x8xf32>
  return %0 : tensor<1x5x5x8xf32>
}

// -----

// Weights that Winograd's transform made keep their type, and so do those that something else reads.
// CHECK-LABEL: func.func @kept
// CHECK-NOT: bf16
// CHECK: return
func.func @kept(%x: tensor<36x3x8xf32>, %y: tensor<3x4xf32>) -> (tensor<36x3x16xf32>, tensor<3x16xf32>, tensor<4x16xf32>) {
  %p = torsh.constant #torsh.weight<"k", tensor<3x3x8x16xf32>, [<"winograd", [4], "", tensor<36x8x16xf32>>, <"pack", [16], "", tensor<36x1x8x16xf32>>]> -> tensor<36x1x8x16xf32>
  %w = torsh.unpack %p : (tensor<36x1x8x16xf32>) -> tensor<36x8x16xf32>
  %0 = torsh.dot_general %x, %w batch = [0] x [0] contract = [2] x [1] : (tensor<36x3x8xf32>, tensor<36x8x16xf32>) -> tensor<36x3x16xf32>
  %q = torsh.constant #torsh.weight<"l", tensor<4x16xf32>, [<"pack", [16], "", tensor<1x4x16xf32>>]> -> tensor<1x4x16xf32>
  %v = torsh.unpack %q : (tensor<1x4x16xf32>) -> tensor<4x16xf32>
  %1 = torsh.dot_general %y, %v batch = [] x [] contract = [1] x [0] : (tensor<3x4xf32>, tensor<4x16xf32>) -> tensor<3x16xf32>
  %2 = torsh.neg %v : tensor<4x16xf32>
  return %0, %1, %2 : tensor<36x3x16xf32>, tensor<3x16xf32>, tensor<4x16xf32>
}
