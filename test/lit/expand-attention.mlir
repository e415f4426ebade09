// Attention as two products and a softmax.
// RUN: torsh-opt %s --torsh-expand-attention --split-input-file | FileCheck %s

!q = tensor<1x2x6x4xf32>
!k = tensor<1x2x9x4xf32>

// CHECK-LABEL: func.func @plain
// CHECK: %[[S:.*]] = torsh.dot_general %arg0, %arg1 batch = [0, 1] x [0, 1] contract = [3] x [3]
// CHECK: %[[F:.*]] = torsh.constant dense<5.000000e-01>
// CHECK: %[[M:.*]] = torsh.mul %[[S]], %[[F]]
// CHECK: %[[P:.*]] = torsh.softmax %[[M]] axis = 3
// CHECK: %[[Y:.*]] = torsh.dot_general %[[P]], %arg2 batch = [0, 1] x [0, 1] contract = [3] x [2]
// CHECK-NEXT: return %[[Y]]
func.func @plain(%q: !q, %k: !k, %v: !k) -> !q {
  %0 = torsh.attention %q, %k, %v scale = 5.000000e-01 : (!q, !k, !k) -> !q
  return %0 : !q
}

// -----

!q = tensor<1x2x6x4xf32>
!k = tensor<1x2x9x4xf32>

// Query i sees the keys up to i + 9 - 6; each sees one, so no row has to become 0.
// CHECK-LABEL: func.func @causal
// CHECK-DAG: %[[K:.*]] = torsh.iota axis = 3 : tensor<1x2x6x9xi64>
// CHECK-DAG: %[[Q:.*]] = torsh.iota axis = 2 : tensor<1x2x6x9xi64>
// CHECK-DAG: %[[O:.*]] = torsh.constant dense<3> : tensor<1x2x6x9xi64>
// CHECK: %[[L:.*]] = torsh.add %[[Q]], %[[O]]
// CHECK: %[[V:.*]] = torsh.compare le %[[K]], %[[L]]
// CHECK: torsh.select %[[V]]
// CHECK: torsh.softmax
// CHECK: %[[Y:.*]] = torsh.dot_general
// CHECK-NEXT: return %[[Y]]
func.func @causal(%q: !q, %k: !k, %v: !k) -> !q {
  %0 = torsh.attention %q, %k, %v scale = 5.000000e-01 {causal = true} : (!q, !k, !k) -> !q
  return %0 : !q
}

// -----

!q = tensor<?x2x?x4xf32, #torsh.dims<[b, 2, s, 4]>>
!k = tensor<?x2x?x4xf32, #torsh.dims<[b, 2, t, 4]>>
!m = tensor<?x1x1x?xf32, #torsh.dims<[b, 1, 1, t]>>

// A mask may hide all keys of a row, and so may more queries than keys: such rows become 0, softmax alone makes them NaN.
// CHECK-LABEL: func.func @blind
// CHECK: torsh.broadcast %arg3 axes = [0, 1, 2, 3]
// CHECK: torsh.from_dims <[-s + t]>
// CHECK: torsh.softmax
// CHECK: %[[Y:.*]] = torsh.dot_general
// CHECK: %[[B:.*]] = torsh.reduce max
// CHECK: %[[E:.*]] = torsh.compare eq %[[B]]
// CHECK: %[[W:.*]] = torsh.broadcast %[[E]] axes = [0, 1, 2, 3]
// CHECK: %[[R:.*]] = torsh.select %[[W]], %{{.*}}, %[[Y]]
// CHECK: return %[[R]]
func.func @blind(%q: !q, %k: !k, %v: !k, %m: !m) -> !q {
  %0 = torsh.attention %q, %k, %v mask %m scale = 5.000000e-01 {causal = true} : (!q, !k, !k, !m) -> !q
  return %0 : !q
}
