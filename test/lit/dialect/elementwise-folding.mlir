// Identities of elementwise ops, and what is no identity.
// RUN: torsh-opt %s -canonicalize | FileCheck %s

!t = tensor<4xf32>
!n = tensor<?xf32, #torsh.dims<[n]>>

// CHECK-LABEL: func.func @neutral
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>)
func.func @neutral(%x: !t) -> (!t, !t, !t, !t, !t, !t) {
  %zero = torsh.constant dense<0.0> : !t -> !t
  %one = torsh.constant dense<1.0> : !t -> !t
  %0 = torsh.add %x, %zero : !t
  %1 = torsh.add %zero, %x : !t
  %2 = torsh.sub %x, %zero : !t
  %3 = torsh.mul %x, %one : !t
  %4 = torsh.mul %one, %x : !t
  %5 = torsh.div %x, %one : !t
  // CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]]
  return %0, %1, %2, %3, %4, %5 : !t, !t, !t, !t, !t, !t
}

// A constant of a symbolic shape is a broadcast.
// CHECK-LABEL: func.func @neutral_symbolic
// CHECK-SAME: (%[[X:.*]]: tensor<?xf32
func.func @neutral_symbolic(%x: !n) -> !n {
  %one = torsh.constant dense<1.0> : tensor<f32> -> tensor<f32>
  %ones = torsh.broadcast %one axes = [] : (tensor<f32>) -> !n
  %0 = torsh.mul %x, %ones : !n
  // CHECK-NEXT: return %[[X]]
  return %0 : !n
}

// 0 - x is no identity, and x * 0 is NaN where x is NaN or infinite.
// CHECK-LABEL: func.func @no_identity
func.func @no_identity(%x: !t) -> (!t, !t, !t) {
  %zero = torsh.constant dense<0.0> : !t -> !t
  %one = torsh.constant dense<1.0> : !t -> !t
  // CHECK-DAG: torsh.sub
  %0 = torsh.sub %zero, %x : !t
  // CHECK-DAG: torsh.mul
  %1 = torsh.mul %x, %zero : !t
  // CHECK-DAG: torsh.div
  %2 = torsh.div %one, %x : !t
  return %0, %1, %2 : !t, !t, !t
}

// CHECK-LABEL: func.func @neg_neg
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>)
func.func @neg_neg(%x: !t) -> !t {
  %0 = torsh.neg %x : !t
  %1 = torsh.neg %0 : !t
  // CHECK-NEXT: return %[[X]]
  return %1 : !t
}

// CHECK-LABEL: func.func @select
// CHECK-SAME: (%[[C:.*]]: tensor<4xi1>, %[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf32>)
func.func @select(%c: tensor<4xi1>, %x: !t, %y: !t) -> (!t, !t, !t) {
  %true = torsh.constant dense<true> : tensor<4xi1> -> tensor<4xi1>
  %false = torsh.constant dense<false> : tensor<4xi1> -> tensor<4xi1>
  %0 = torsh.select %true, %x, %y : (tensor<4xi1>, !t, !t) -> !t
  %1 = torsh.select %false, %x, %y : (tensor<4xi1>, !t, !t) -> !t
  %2 = torsh.select %c, %x, %x : (tensor<4xi1>, !t, !t) -> !t
  // CHECK-NEXT: return %[[X]], %[[Y]], %[[X]]
  return %0, %1, %2 : !t, !t, !t
}

// CHECK-LABEL: func.func @powers
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>)
func.func @powers(%x: !t) -> (!t, !t, !t, !t, !t, !t, !t, !t) {
  %e0 = torsh.constant dense<0.0> : !t -> !t
  %e1 = torsh.constant dense<1.0> : !t -> !t
  %e2 = torsh.constant dense<2.0> : !t -> !t
  %e3 = torsh.constant dense<3.0> : !t -> !t
  %half = torsh.constant dense<0.5> : !t -> !t
  %minus_half = torsh.constant dense<-0.5> : !t -> !t
  %minus_one = torsh.constant dense<-1.0> : !t -> !t
  %other = torsh.constant dense<0.3> : !t -> !t
  // CHECK-DAG: %[[ONE:.*]] = torsh.constant dense<1.0
  // CHECK-DAG: %[[OTHER:.*]] = torsh.constant dense<3.0
  %0 = torsh.pow %x, %e0 : !t
  %1 = torsh.pow %x, %e1 : !t
  // CHECK: %[[SQUARE:.*]] = torsh.mul %[[X]], %[[X]]
  %2 = torsh.pow %x, %e2 : !t
  // CHECK: %[[SQUARE2:.*]] = torsh.mul %[[X]], %[[X]]
  // CHECK: %[[CUBE:.*]] = torsh.mul %[[SQUARE2]], %[[X]]
  %3 = torsh.pow %x, %e3 : !t
  // CHECK: %[[ROOT:.*]] = torsh.sqrt %[[X]]
  %4 = torsh.pow %x, %half : !t
  // CHECK: %[[RSQRT:.*]] = torsh.rsqrt %[[X]]
  %5 = torsh.pow %x, %minus_half : !t
  // CHECK: %[[INVERSE:.*]] = torsh.div %[[ONE]], %[[X]]
  %6 = torsh.pow %x, %minus_one : !t
  // CHECK: %[[POW:.*]] = torsh.pow %[[X]], %[[OTHER]]
  %7 = torsh.pow %x, %other : !t
  // CHECK: return %[[ONE]], %[[X]], %[[SQUARE]], %[[CUBE]], %[[ROOT]], %[[RSQRT]], %[[INVERSE]], %[[POW]]
  return %0, %1, %2, %3, %4, %5, %6, %7 : !t, !t, !t, !t, !t, !t, !t, !t
}

// The inverse of an integer power is no division.
// CHECK-LABEL: func.func @integer_power
func.func @integer_power(%x: tensor<4xi32>) -> tensor<4xi32> {
  %e = torsh.constant dense<-1> : tensor<4xi32> -> tensor<4xi32>
  // CHECK: torsh.pow
  %0 = torsh.pow %x, %e : tensor<4xi32>
  return %0 : tensor<4xi32>
}

// CHECK-LABEL: func.func @symbolic_power
// CHECK-SAME: (%[[X:.*]]: tensor<?xf32
func.func @symbolic_power(%x: !n) -> !n {
  %e = torsh.constant dense<-1.0> : tensor<f32> -> tensor<f32>
  %exponent = torsh.broadcast %e axes = [] : (tensor<f32>) -> !n
  // CHECK: %[[ONE:.*]] = torsh.constant dense<1.0
  // CHECK: %[[ONES:.*]] = torsh.broadcast %[[ONE]]
  // CHECK: torsh.div %[[ONES]], %[[X]]
  %0 = torsh.pow %x, %exponent : !n
  return %0 : !n
}

// Casts of constants follow the op: truncation, saturation, NaN to 0, wrap of integers, x != 0 for i1.
// CHECK-LABEL: func.func @casts
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>)
func.func @casts(%x: !t) -> (!t, tensor<4xi8>, tensor<2xui8>, tensor<3xi1>, tensor<2xf32>, tensor<2xf32>, tensor<2xf16>) {
  %f = torsh.constant dense<[1.9, -1.9, 3.0e9, 0x7FC00000]> : !t -> !t
  %i = torsh.constant dense<[300, -1]> : tensor<2xi32> -> tensor<2xi32>
  %b = torsh.constant dense<[0.5, 0.0, 0x7FC00000]> : tensor<3xf32> -> tensor<3xf32>
  %u = torsh.constant dense<[255, 1]> : tensor<2xui8> -> tensor<2xui8>
  %w = torsh.constant #torsh.weight<"key", tensor<2xf32>> -> tensor<2xf32>
  // CHECK-DAG: %[[INT:.*]] = torsh.constant dense<[1, -1, 127, 0]> : tensor<4xi8>
  // CHECK-DAG: %[[WRAP:.*]] = torsh.constant dense<[44, 255]> : tensor<2xui8>
  // CHECK-DAG: %[[BOOL:.*]] = torsh.constant dense<[true, false, true]> : tensor<3xi1>
  // CHECK-DAG: %[[SIGNED:.*]] = torsh.constant dense<[3.000000e+02, -1.000000e+00]> : tensor<2xf32>
  // CHECK-DAG: %[[UNSIGNED:.*]] = torsh.constant dense<[2.550000e+02, 1.000000e+00]> : tensor<2xf32>
  // CHECK-DAG: %[[RECIPE:.*]] = torsh.constant #torsh.weight<"key", tensor<2xf32>, [<"cast", [], "", tensor<2xf16>>]>
  %0 = torsh.cast %x : (!t) -> !t
  %1 = torsh.cast %f : (!t) -> tensor<4xi8>
  %2 = torsh.cast %i : (tensor<2xi32>) -> tensor<2xui8>
  %3 = torsh.cast %b : (tensor<3xf32>) -> tensor<3xi1>
  %4 = torsh.cast %i : (tensor<2xi32>) -> tensor<2xf32>
  %5 = torsh.cast %u : (tensor<2xui8>) -> tensor<2xf32>
  %6 = torsh.cast %w : (tensor<2xf32>) -> tensor<2xf16>
  // CHECK: return %[[X]], %[[INT]], %[[WRAP]], %[[BOOL]], %[[SIGNED]], %[[UNSIGNED]], %[[RECIPE]]
  return %0, %1, %2, %3, %4, %5, %6 : !t, tensor<4xi8>, tensor<2xui8>, tensor<3xi1>, tensor<2xf32>, tensor<2xf32>, tensor<2xf16>
}
