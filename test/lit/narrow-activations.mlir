// A result that lies in memory as f32 and as bf16 keeps the bf16 alone when all readers can widen it.
// RUN: torsh-opt %s --torsh-narrow-activations --split-input-file | FileCheck %s

// The norm's result feeds a product (as bf16) and the next sum, through a reshape.
// CHECK-LABEL: func.func @residual
// CHECK: %[[N:.*]] = torsh.group "row_norm"(%{{.*}}) {
// CHECK: %[[S:.*]] = torsh.softmax
// CHECK: %[[C:.*]] = torsh.cast %[[S]]
// CHECK: torsh.yield %[[C]] : tensor<3x4xbf16>
// CHECK: (tensor<3x4xf32>) -> tensor<3x4xbf16>
// CHECK: %[[R:.*]] = torsh.reshape %[[N]] : (tensor<3x4xbf16>) -> tensor<1x3x4xbf16>
// CHECK: torsh.group "elementwise"(%[[R]]) {
// CHECK-NEXT: ^bb0(%[[A:.*]]: tensor<1x3x4xbf16>):
// CHECK-NEXT: %[[W:.*]] = torsh.cast %[[A]] : (tensor<1x3x4xbf16>) -> tensor<1x3x4xf32>
// CHECK-NEXT: torsh.exp %[[W]]
// CHECK: torsh.group "elementwise"(%[[N]])
func.func @residual(%x: tensor<3x4xf32>) -> (tensor<1x3x4xf32>, tensor<3x4xbf16>) {
  %0:2 = torsh.group "row_norm"(%x) {
  ^bb0(%a: tensor<3x4xf32>):
    %s = torsh.softmax %a axis = 1 : tensor<3x4xf32>
    %c = torsh.cast %s : (tensor<3x4xf32>) -> tensor<3x4xbf16>
    torsh.yield %s, %c : tensor<3x4xf32>, tensor<3x4xbf16>
  } : (tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xbf16>)
  %r = torsh.reshape %0#0 : (tensor<3x4xf32>) -> tensor<1x3x4xf32>
  %1 = torsh.group "elementwise"(%r) {
  ^bb0(%a: tensor<1x3x4xf32>):
    %e = torsh.exp %a : tensor<1x3x4xf32>
    torsh.yield %e : tensor<1x3x4xf32>
  } : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %2 = torsh.group "elementwise"(%0#1) {
  ^bb0(%a: tensor<3x4xbf16>):
    %e = torsh.neg %a : tensor<3x4xbf16>
    torsh.yield %e : tensor<3x4xbf16>
  } : (tensor<3x4xbf16>) -> tensor<3x4xbf16>
  return %1, %2 : tensor<1x3x4xf32>, tensor<3x4xbf16>
}

// -----

// An output of the model keeps its type, and so does what a strategy copies without computing.
// CHECK-LABEL: func.func @kept
// CHECK: %[[N:.*]]:2 = torsh.group "elementwise"
// CHECK: %[[M:.*]]:2 = torsh.group "elementwise"
// CHECK: torsh.group "concat"(%[[M]]#0
// CHECK: return %[[N]]#0
func.func @kept(%x: tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<6x4xf32>, tensor<3x4xbf16>, tensor<3x4xbf16>) {
  %0:2 = torsh.group "elementwise"(%x) {
  ^bb0(%a: tensor<3x4xf32>):
    %s = torsh.exp %a : tensor<3x4xf32>
    %c = torsh.cast %s : (tensor<3x4xf32>) -> tensor<3x4xbf16>
    torsh.yield %s, %c : tensor<3x4xf32>, tensor<3x4xbf16>
  } : (tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xbf16>)
  %1:2 = torsh.group "elementwise"(%x) {
  ^bb0(%a: tensor<3x4xf32>):
    %s = torsh.neg %a : tensor<3x4xf32>
    %c = torsh.cast %s : (tensor<3x4xf32>) -> tensor<3x4xbf16>
    torsh.yield %s, %c : tensor<3x4xf32>, tensor<3x4xbf16>
  } : (tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xbf16>)
  %2 = torsh.group "concat"(%1#0) {
  ^bb0(%a: tensor<3x4xf32>):
    %s = torsh.concat %a, %a axis = 0 : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<6x4xf32>
    torsh.yield %s : tensor<6x4xf32>
  } : (tensor<3x4xf32>) -> tensor<6x4xf32>
  return %0#0, %2, %0#1, %1#1 : tensor<3x4xf32>, tensor<6x4xf32>, tensor<3x4xbf16>, tensor<3x4xbf16>
}
