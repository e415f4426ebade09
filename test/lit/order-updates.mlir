// New parameters are written over the old ones when nobody reads these any more.
// RUN: torsh-opt %s --torsh-order-updates --split-input-file | FileCheck %s

// The product reads %p, so the update goes behind it; the loss is an output like any other.
// CHECK-LABEL: func.func @behind_the_last_reader
// CHECK: torsh.group "dot"
// CHECK: %[[NEW:.*]] = torsh.group "elementwise"
// CHECK-NOT: torsh.group
// CHECK: return %{{.*}}, %[[NEW]]
func.func @behind_the_last_reader(%p: tensor<4x4xf32>, %g: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32> {torsh.updates = 0 : i64}) {
  %new = torsh.group "elementwise"(%p, %g) {
  ^bb0(%a: tensor<4x4xf32>, %b: tensor<4x4xf32>):
    %0 = torsh.sub %a, %b : tensor<4x4xf32>
    torsh.yield %0 : tensor<4x4xf32>
  } : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %y = torsh.group "dot"(%g, %p) {
  ^bb0(%a: tensor<4x4xf32>, %b: tensor<4x4xf32>):
    %0 = torsh.dot_general %a, %b batch = [] x [] contract = [1] x [0] : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    torsh.yield %0 : tensor<4x4xf32>
  } : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %y, %new : tensor<4x4xf32>, tensor<4x4xf32>
}

// -----

// Somebody reads both the old and the new value later, so a copy at the end writes the new one.
// CHECK-LABEL: func.func @copied
// CHECK: %[[NEW:.*]] = torsh.group "elementwise"
// CHECK: %[[Y:.*]] = torsh.group "dot"
// CHECK: %[[COPY:.*]] = torsh.group "elementwise"(%[[NEW]])
// CHECK-NEXT: ^bb0(%[[X:.*]]: tensor<4x4xf32>):
// CHECK-NEXT: torsh.yield %[[X]]
// CHECK: return %[[Y]], %[[COPY]]
func.func @copied(%p: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32> {torsh.updates = 0 : i64}) {
  %new = torsh.group "elementwise"(%p) {
  ^bb0(%a: tensor<4x4xf32>):
    %0 = torsh.neg %a : tensor<4x4xf32>
    torsh.yield %0 : tensor<4x4xf32>
  } : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %y = torsh.group "dot"(%new, %p) {
  ^bb0(%a: tensor<4x4xf32>, %b: tensor<4x4xf32>):
    %0 = torsh.dot_general %a, %b batch = [] x [] contract = [1] x [0] : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    torsh.yield %0 : tensor<4x4xf32>
  } : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %y, %new : tensor<4x4xf32>, tensor<4x4xf32>
}

// -----

// A product does not read where it stores.
// CHECK-LABEL: func.func @reads_elsewhere
// CHECK: %[[NEW:.*]] = torsh.group "dot"
// CHECK: %[[COPY:.*]] = torsh.group "elementwise"(%[[NEW]])
// CHECK: return %[[COPY]]
func.func @reads_elsewhere(%p: tensor<4x4xf32>, %g: tensor<4x4xf32>) -> (tensor<4x4xf32> {torsh.updates = 0 : i64}) {
  %new = torsh.group "dot"(%g, %p) {
  ^bb0(%a: tensor<4x4xf32>, %b: tensor<4x4xf32>):
    %0 = torsh.dot_general %a, %b batch = [] x [] contract = [1] x [0] : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    torsh.yield %0 : tensor<4x4xf32>
  } : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %new : tensor<4x4xf32>
}

// -----

// Two arguments trade places: both are saved before either is written. One that stays is left alone.
// CHECK-LABEL: func.func @trade
// CHECK-SAME: %[[P:.*]]: tensor<4xf32>, %[[Q:.*]]: tensor<4xf32>, %[[R:.*]]: tensor<4xf32>
// CHECK-DAG: %[[SP:.*]] = torsh.group "elementwise"(%[[P]])
// CHECK-DAG: %[[SQ:.*]] = torsh.group "elementwise"(%[[Q]])
// CHECK: %[[CQ:.*]] = torsh.group "elementwise"(%[[SQ]])
// CHECK: %[[CP:.*]] = torsh.group "elementwise"(%[[SP]])
// CHECK: return %[[CQ]], %[[CP]], %[[R]]
func.func @trade(%p: tensor<4xf32>, %q: tensor<4xf32>, %r: tensor<4xf32>) -> (tensor<4xf32> {torsh.updates = 0 : i64}, tensor<4xf32> {torsh.updates = 1 : i64}, tensor<4xf32> {torsh.updates = 2 : i64}) {
  return %q, %p, %r : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
