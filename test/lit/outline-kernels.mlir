// Groups become kernels, each distinct one once; the function becomes a list of launches.
// RUN: torsh-opt %s --torsh-outline-kernels --split-input-file | FileCheck %s

!n = tensor<?x4xf32, #torsh.dims<[n, 4]>>
!m = tensor<?x4xf32, #torsh.dims<[m + 1, 4]>>
!s = tensor<3x4xf32>

// The same text up to the names of symbols: one kernel, and each launch passes its own sizes. Other ops: another one.
// CHECK-LABEL: func.func @shared
// CHECK: torsh.launch @[[K:k0_elementwise]](%{{.*}}) dims = <[n]>
// CHECK: torsh.launch @[[L:k1_elementwise]](%{{.*}}) dims = <[m]>
// CHECK: torsh.launch @[[K]](%{{.*}}) dims = <[q]>
// CHECK: torsh.kernel @[[K]] "elementwise" ["s0"] {
// CHECK-NEXT: ^bb0(%{{.*}}: tensor<?x4xf32, #torsh.dims<[s0, 4]>>)
// CHECK-NEXT: torsh.exp
// CHECK: torsh.kernel @[[L]] "elementwise" ["s0"] {
// CHECK-NEXT: ^bb0(%{{.*}}: tensor<?x4xf32, #torsh.dims<[s0 + 1, 4]>>)
// CHECK-NOT: torsh.kernel
!q = tensor<?x4xf32, #torsh.dims<[q, 4]>>
func.func @shared(%x: !n, %y: !m, %z: !q) -> (!n, !m, !q) {
  %0 = torsh.group "elementwise"(%x) {
  ^bb0(%a: !n):
    %1 = torsh.exp %a : !n
    torsh.yield %1 : !n
  } : (!n) -> !n
  %2 = torsh.group "elementwise"(%y) {
  ^bb0(%a: !m):
    %3 = torsh.exp %a : !m
    torsh.yield %3 : !m
  } : (!m) -> !m
  %4 = torsh.group "elementwise"(%z) {
  ^bb0(%a: !q):
    %5 = torsh.exp %a : !q
    torsh.yield %5 : !q
  } : (!q) -> !q
  return %0, %2, %4 : !n, !m, !q
}

// -----

!s = tensor<3x4xf32>

// An output has a buffer of its own: an input, a constant and a value that is returned twice are copied into it.
// CHECK-LABEL: func.func @returns
// CHECK-SAME: (%[[X:.*]]: tensor<3x4xf32>)
// CHECK: %[[C:.*]] = torsh.constant
// CHECK: %[[E:.*]] = torsh.launch @k0_elementwise(%[[X]])
// CHECK: %[[X2:.*]] = torsh.launch @[[COPY:.*]](%[[X]])
// CHECK: %[[C2:.*]] = torsh.launch @[[COPY]](%[[C]])
// CHECK: %[[E2:.*]] = torsh.launch @[[COPY]](%[[E]])
// CHECK: return %[[X2]], %[[C2]], %[[E]], %[[E2]]
// CHECK: torsh.kernel @[[COPY]] "elementwise" [] {
// CHECK-NEXT: ^bb0(%[[A:.*]]: tensor<3x4xf32>)
// CHECK-NEXT: torsh.yield %[[A]]
func.func @returns(%x: !s) -> (!s, !s, !s, !s) {
  %c = torsh.constant #torsh.weight<"c", tensor<3x4xf32>> -> !s
  %0 = torsh.group "elementwise"(%x) {
  ^bb0(%a: !s):
    %1 = torsh.exp %a : !s
    torsh.yield %1 : !s
  } : (!s) -> !s
  return %x, %c, %0, %0 : !s, !s, !s, !s
}

// -----

!s = tensor<3x4xf32>

// The name of a kernel shows its anchor and its source node, with what a linker takes.
// CHECK-LABEL: func.func @names
// CHECK: torsh.launch @k0_elementwise_layer_0_exp
// CHECK: torsh.kernel @k0_elementwise_layer_0_exp
func.func @names(%x: !s) -> !s {
  %0 = torsh.group "elementwise"(%x) {
  ^bb0(%a: !s):
    %1 = torsh.exp %a : !s
    torsh.yield %1 : !s
  } : (!s) -> !s loc("/layer.0/exp")
  return %0 : !s
}
