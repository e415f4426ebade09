// Bodies of conditions and loops become functions that the host plan calls.
// RUN: torsh-opt %s --torsh-outline-regions --split-input-file --verify-diagnostics | FileCheck %s

!v = tensor<4xf32>
!b = tensor<i1>
!i = tensor<i64>

// What an arm uses from outside is an argument; a constant is its own.
// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>, %[[C:.*]]: tensor<i1>)
// CHECK: %[[Y:.*]] = torsh.group "control"(%[[C]], %[[X]])
// CHECK: ^bb0(%[[D:.*]]: tensor<i1>, %[[W:.*]]: tensor<4xf32>)
// CHECK: torsh.if %[[D]]
// CHECK: call @main_if0_body0(%[[W]])
// CHECK: call @main_if0_body1(%[[W]])
// CHECK: return %[[Y]]
// CHECK-LABEL: func.func private @main_if0_body0(
// CHECK-SAME: %[[A:.*]]: tensor<4xf32>) -> tensor<4xf32>
// CHECK: %[[ONE:.*]] = torsh.constant dense<1.0
// CHECK: %[[S:.*]] = torsh.add %[[A]], %[[ONE]]
// CHECK: return %[[S]]
// CHECK-LABEL: func.func private @main_if0_body1(
// CHECK: torsh.neg
func.func @main(%x: !v, %c: !b) -> !v {
  %one = torsh.constant dense<1.0> : !v -> !v
  %y = torsh.if %c {
    %a = torsh.add %x, %one : !v
    torsh.yield %a : !v
  } else {
    %a = torsh.neg %x : !v
    torsh.yield %a : !v
  } : (!b) -> !v
  return %y : !v
}

// -----

!v = tensor<4xf32>
!b = tensor<i1>

// A loop in a loop is one of the body's function.
// CHECK-LABEL: func.func @main
// CHECK: torsh.group "control"
// CHECK: torsh.while
// CHECK: call @main_while0_body0
// CHECK-LABEL: func.func private @main_while0_body0
// CHECK-SAME: -> (tensor<i1>, tensor<4xf32>)
// CHECK: torsh.group "control"
// CHECK: torsh.for <3>
// CHECK: call @main_while0_body0_for0_body0
// CHECK-LABEL: func.func private @main_while0_body0_for0_body0
// CHECK-SAME: (%{{.*}}: tensor<i64>, %[[V:.*]]: tensor<4xf32>) -> tensor<4xf32>
// CHECK: torsh.exp %[[V]]
func.func @main(%x: !v, %c: !b) -> !v {
  %y = torsh.while %c init(%x) {
  ^bb0(%v: !v):
    %z = torsh.for <3> init(%v) {
    ^bb0(%i: tensor<i64>, %u: !v):
      %e = torsh.exp %u : !v
      torsh.yield %e : !v
    } : (!v) -> !v
    torsh.yield %c, %z : !b, !v
  } : (!b, !v) -> !v
  return %y : !v
}

// -----

!n = tensor<?xf32, #torsh.dims<[n]>>
!m = tensor<?xf32, #torsh.dims<[m]>>
!b = tensor<i1>

// The size of the result is only known when the condition is.
func.func @main(%x: !n, %z: !m, %c: !b) -> !m {
  // expected-error @below {{TSH-0523: the sizes of a value change in 'if' with the data}}
  %y = torsh.if %c {
    torsh.yield %x : !n
  } else {
    torsh.yield %z : !m
  } : (!b) -> !m
  return %y : !m
}
