// Winograd's transforms round-trip through text and bytecode, and their verifiers refuse other shapes.
// RUN: torsh-opt %s -split-input-file -verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @round_trip
// CHECK: torsh.winograd_input %{{.*}} tile = 4 low = [1, 1] high = [1, 1] : (tensor<?x14x14x8xf32, #torsh.dims<[n, 14, 14, 8]>>) -> tensor<36x?x8xf32, #torsh.dims<[36, 16*n, 8]>>
// CHECK: torsh.winograd_output %{{.*}} tile = 4
func.func @round_trip(%x: tensor<?x14x14x8xf32, #torsh.dims<[n, 14, 14, 8]>>) -> tensor<?x14x14x8xf32, #torsh.dims<[n, 14, 14, 8]>> {
  %0 = torsh.winograd_input %x tile = 4 low = [1, 1] high = [1, 1] : (tensor<?x14x14x8xf32, #torsh.dims<[n, 14, 14, 8]>>) -> tensor<36x?x8xf32, #torsh.dims<[36, 16*n, 8]>>
  %1 = torsh.winograd_output %0 tile = 4 : (tensor<36x?x8xf32, #torsh.dims<[36, 16*n, 8]>>) -> tensor<?x14x14x8xf32, #torsh.dims<[n, 14, 14, 8]>>
  return %1 : tensor<?x14x14x8xf32, #torsh.dims<[n, 14, 14, 8]>>
}

// -----

func.func @winograd_input_c1(%x: tensor<1x8x8x8xf32>) {
  // expected-error@+1 {{winograd_input_c1: the result must be the transformed tiles}}
  %0 = torsh.winograd_input %x tile = 4 low = [1, 1] high = [1, 1] : (tensor<1x8x8x8xf32>) -> tensor<16x4x8xf32>
  return
}

// -----

func.func @winograd_input_c1_tile(%x: tensor<1x8x8x8xf32>) {
  // expected-error@+1 {{winograd_input_c1}}
  %0 = torsh.winograd_input %x tile = 3 low = [1, 1] high = [1, 1] : (tensor<1x8x8x8xf32>) -> tensor<25x9x8xf32>
  return
}

// -----

func.func @winograd_output_c1(%m: tensor<16x4x8xf32>) {
  // expected-error@+1 {{winograd_output_c1: the operand must be the products}}
  %0 = torsh.winograd_output %m tile = 2 : (tensor<16x4x8xf32>) -> tensor<1x8x4x8xf32>
  return
}
