// Packed f32 weights are stored as bf16; what is not read by contractions alone, or was transformed, keeps its type.
// RUN: torsh-opt %s --torsh-narrow-weights --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @dot
// CHECK: %[[P:.*]] = torsh.constant #torsh.weight<"k", tensor<4x20xf32>, [<"pack", [16], "", tensor<2x4x16xf32>>, <"cast", [], "", tensor<2x4x16xbf16>>]>
// CHECK: torsh.unpack %[[P]] : (tensor<2x4x16xbf16>) -> tensor<4x20xf32>
func.func @dot(%x: tensor<3x4xf32>) -> tensor<3x20xf32> {
  %p = torsh.constant #torsh.weight<"k", tensor<4x20xf32>, [<"pack", [16], "", tensor<2x4x16xf32>>]> -> tensor<2x4x16xf32>
  %w = torsh.unpack %p : (tensor<2x4x16xf32>) -> tensor<4x20xf32>
  %0 = torsh.dot_general %x, %w batch = [] x [] contract = [1] x [0] : (tensor<3x4xf32>, tensor<4x20xf32>) -> tensor<3x20xf32>
  return %0 : tensor<3x20xf32>
}

// -----

// A reader that is no contraction would see the rounding.
// CHECK-LABEL: func.func @other_reader
// CHECK-NOT: bf16
// CHECK: return
func.func @other_reader(%x: tensor<3x4xf32>) -> (tensor<3x20xf32>, tensor<4x20xf32>) {
  %p = torsh.constant #torsh.weight<"k", tensor<4x20xf32>, [<"pack", [16], "", tensor<2x4x16xf32>>]> -> tensor<2x4x16xf32>
  %w = torsh.unpack %p : (tensor<2x4x16xf32>) -> tensor<4x20xf32>
  %0 = torsh.dot_general %x, %w batch = [] x [] contract = [1] x [0] : (tensor<3x4xf32>, tensor<4x20xf32>) -> tensor<3x20xf32>
  %1 = torsh.neg %w : tensor<4x20xf32>
  return %0, %1 : tensor<3x20xf32>, tensor<4x20xf32>
}

// -----

// CHECK-LABEL: func.func @transformed
// CHECK-NOT: bf16
// CHECK: return
func.func @transformed(%x: tensor<36x3x8xf32>) -> tensor<36x3x16xf32> {
  %p = torsh.constant #torsh.weight<"k", tensor<3x3x8x16xf32>, [<"winograd", [4], "", tensor<36x8x16xf32>>, <"pack", [16], "", tensor<36x1x8x16xf32>>]> -> tensor<36x1x8x16xf32>
  %w = torsh.unpack %p : (tensor<36x1x8x16xf32>) -> tensor<36x8x16xf32>
  %0 = torsh.dot_general %x, %w batch = [0] x [0] contract = [2] x [1] : (tensor<36x3x8xf32>, tensor<36x8x16xf32>) -> tensor<36x3x16xf32>
  return %0 : tensor<36x3x16xf32>
}
