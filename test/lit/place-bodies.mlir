// Bodies of control flow lie in main's arena and weights.
// RUN: torsh-opt %s --torsh-outline-kernels --torsh-plan-memory --torsh-place-bodies | FileCheck %s

!v = tensor<100xf32>
!b = tensor<i1>

// The frame lies behind the arena of the function: 64 bytes each for condition and counter, a second buffer of 448, and
// the arena of the body. The body's constant is main's own where they are equal.
// CHECK-LABEL: func.func @main
// CHECK-SAME: torsh.arena_bytes = #torsh.dim<1472>
// CHECK-SAME: torsh.weight_bytes = 896
// CHECK: torsh.constant dense<2.0{{.*}}place = #torsh.place<"weights", <0>>
// CHECK: torsh.group "control"
// CHECK: frame = #torsh.dim<448>
// CHECK: torsh.constant dense<3.0{{.*}}place = #torsh.place<"weights", <448>>
// CHECK-LABEL: func.func private @body
// CHECK-SAME: torsh.arena_bytes = #torsh.dim<448>
// CHECK: torsh.constant dense<2.0{{.*}}place = #torsh.place<"weights", <0>>
// CHECK: torsh.constant dense<3.0{{.*}}place = #torsh.place<"weights", <448>>
func.func @main(%x: !v, %c: !b) -> !v {
  %two = torsh.constant dense<2.0> : !v -> !v
  %1 = torsh.group "elementwise"(%x, %two) {
  ^bb0(%a: !v, %d: !v):
    %2 = torsh.mul %a, %d : !v
    torsh.yield %2 : !v
  } : (!v, !v) -> !v
  %3 = torsh.group "control"(%c, %1) {
  ^bb0(%d: !b, %a: !v):
    %4 = torsh.while %d init(%a) {
    ^bb0(%e: !v):
      %5:2 = func.call @body(%e) : (!v) -> (!b, !v)
      torsh.yield %5#0, %5#1 : !b, !v
    } : (!b, !v) -> !v
    torsh.yield %4 : !v
  } : (!b, !v) -> !v
  return %3 : !v
}

func.func private @body(%x: !v) -> (!b, !v) {
  %two = torsh.constant dense<2.0> : !v -> !v
  %three = torsh.constant dense<3.0> : !v -> !v
  %0 = torsh.group "scan"(%x, %two) {
  ^bb0(%a: !v, %b: !v):
    %1 = torsh.add %a, %b : !v
    torsh.yield %1 : !v
  } : (!v, !v) -> !v
  %2 = torsh.group "scan"(%0, %three) {
  ^bb0(%a: !v, %b: !v):
    %1 = torsh.mul %a, %b : !v
    torsh.yield %1 : !v
  } : (!v, !v) -> !v
  %3 = torsh.group "reduce"(%0) {
  ^bb0(%a: !v):
    %1 = torsh.constant dense<true> : !b -> !b
    torsh.yield %1 : !b
  } : (!v) -> !b
  return %3, %2 : !b, !v
}
