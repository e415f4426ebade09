// What waits for sizes that are born at run time is gathered behind the ops that give them.
// RUN: torsh-opt %s --pass-pipeline='builtin.module(func.func(torsh-form-stages))' --split-input-file | FileCheck %s

!x = tensor<8xf32>
!n = tensor<i64>
!y = tensor<?xf32, #torsh.dims<[n]>>

// What needs the size waits, by its type or by an operand; the rest does not. The guard comes before all that it guards.
// CHECK-LABEL: func.func @main
// CHECK: %[[Z:.*]] = torsh.neg
// CHECK: %[[S:.*]] = torsh.stage {
// CHECK-NEXT: torsh.bind_sizes %{{.*}} as ["n"]
// CHECK-NEXT: torsh.guard
// CHECK: torsh.slice
// CHECK: torsh.abs
// CHECK: torsh.yield
// CHECK: return %[[S]], %[[Z]]
func.func @main(%x: !x, %n: !n) -> (!y, !x) {
  torsh.bind_sizes %n as ["n"] : !n
  %s = torsh.slice %x starts = <[0]> sizes = <[n]> steps = [1] : (!x) -> !y
  %z = torsh.neg %x : !x
  %a = torsh.abs %s : !y
  torsh.guard <n> equals <8>, "the parts make up the dim"
  return %a, %z : !y, !x
}

// -----

!x = tensor<8xf32>
!n = tensor<i64>

// Sizes that nobody needs are not read.
// CHECK-LABEL: func.func @main
// CHECK-NOT: torsh.bind_sizes
// CHECK-NOT: torsh.stage
func.func @main(%x: !x, %n: !n) -> !x {
  torsh.bind_sizes %n as ["n"] : !n
  %z = torsh.neg %x : !x
  return %z : !x
}

// -----

!x = tensor<8xf32>
!n = tensor<1xi64>
!c = tensor<?xi64, #torsh.dims<[n]>>

// A size that is computed from what waits makes a stage in the stage; one that is an expression of known sizes does not.
// CHECK-LABEL: func.func @main
// CHECK: torsh.stage {
// CHECK-NEXT: torsh.bind_sizes %{{.*}} as ["n"]
// CHECK-NEXT: torsh.from_dims
// CHECK-NEXT: torsh.bind_sizes %{{.*}} as ["twice"]
// CHECK: torsh.iota
// CHECK: torsh.stage {
// CHECK-NEXT: torsh.bind_sizes %{{.*}} as ["m"]
// CHECK: torsh.iota
func.func @main(%n: !n) -> (tensor<?xi64, #torsh.dims<[twice]>>, tensor<?xi64, #torsh.dims<[m]>>) {
  torsh.bind_sizes %n as ["n"] : !n
  %e = torsh.from_dims <[2*n]> : !n
  torsh.bind_sizes %e as ["twice"] : !n
  %i = torsh.iota axis = 0 : !c
  %sum = torsh.reduce sum %i axes = [0] keep_dims = true : (!c) -> !n
  torsh.bind_sizes %sum as ["m"] : !n
  %a = torsh.iota axis = 0 : tensor<?xi64, #torsh.dims<[twice]>>
  %b = torsh.iota axis = 0 : tensor<?xi64, #torsh.dims<[m]>>
  return %a, %b : tensor<?xi64, #torsh.dims<[twice]>>, tensor<?xi64, #torsh.dims<[m]>>
}
