// Ops with regions survive a round trip.
// RUN: torsh-opt %s | torsh-opt | FileCheck %s

// CHECK-LABEL: func.func @regions
func.func @regions(%c: tensor<i1>, %x: tensor<4xf32>) {
  // CHECK: torsh.if %{{.*}} {
  // CHECK: torsh.yield %{{.*}} : tensor<4xf32>
  // CHECK: } else {
  // CHECK: } : (tensor<i1>) -> tensor<4xf32>
  %0 = torsh.if %c {
    %a = torsh.neg %x : tensor<4xf32>
    torsh.yield %a : tensor<4xf32>
  } else {
    torsh.yield %x : tensor<4xf32>
  } : (tensor<i1>) -> tensor<4xf32>
  // CHECK: torsh.for <n> init(%{{.*}}) {
  // CHECK: } : (tensor<4xf32>) -> (tensor<4xf32>, tensor<?x4xf32, #torsh.dims<[n, 4]>>)
  %1:2 = torsh.for <n> init(%x) {
  ^bb0(%i: tensor<i64>, %carried: tensor<4xf32>):
    %next = torsh.add %carried, %x : tensor<4xf32>
    torsh.yield %next, %carried : tensor<4xf32>, tensor<4xf32>
  } : (tensor<4xf32>) -> (tensor<4xf32>, tensor<?x4xf32, #torsh.dims<[n, 4]>>)
  // CHECK: torsh.while %{{.*}} init(%{{.*}}) {
  // CHECK: } : (tensor<i1>, tensor<4xf32>) -> tensor<4xf32>
  %2 = torsh.while %c init(%x) {
  ^bb0(%v: tensor<4xf32>):
    torsh.yield %c, %v : tensor<i1>, tensor<4xf32>
  } : (tensor<i1>, tensor<4xf32>) -> tensor<4xf32>
  // CHECK: torsh.group "elementwise"(%{{.*}}) {
  // CHECK: } : (tensor<4xf32>) -> tensor<4xf32>
  %3 = torsh.group "elementwise"(%x) {
  ^bb0(%v: tensor<4xf32>):
    %e = torsh.exp %v : tensor<4xf32>
    torsh.yield %e : tensor<4xf32>
  } : (tensor<4xf32>) -> tensor<4xf32>
  return
}
