// Normalisations and attention survive a round trip.
// RUN: torsh-opt %s | torsh-opt | FileCheck %s

!x = tensor<?x6x8xf32, #torsh.dims<[n, 6, 8]>>
!q = tensor<?x4x?x16xf32, #torsh.dims<[b, 4, s, 16]>>
!k = tensor<?x4x?x16xf32, #torsh.dims<[b, 4, p + s, 16]>>
!v = tensor<?x4x?x32xf32, #torsh.dims<[b, 4, p + s, 32]>>

// CHECK-LABEL: func.func @norms
func.func @norms(%x: !x, %a: tensor<8xf32>, %ab: tensor<6x8xf32>, %c: tensor<6xf32>) {
  // CHECK: torsh.layer_norm %{{.*}} scale %{{.*}} bias %{{.*}} axis = 2 epsilon = 1.000000e-05 :
  %0 = torsh.layer_norm %x scale %a bias %a axis = 2 epsilon = 1.0e-5 : (!x, tensor<8xf32>, tensor<8xf32>) -> !x
  // CHECK: torsh.layer_norm %{{.*}} scale %{{.*}} axis = 1 epsilon
  %1 = torsh.layer_norm %x scale %ab axis = 1 epsilon = 1.0e-5 : (!x, tensor<6x8xf32>) -> !x
  // CHECK: torsh.rms_norm %{{.*}} scale %{{.*}} axis = 2 epsilon
  %2 = torsh.rms_norm %x scale %a axis = 2 epsilon = 1.0e-5 : (!x, tensor<8xf32>) -> !x
  // CHECK: torsh.batch_norm %{{.*}} scale %{{.*}} bias %{{.*}} mean %{{.*}} variance %{{.*}} axis = 1 epsilon
  %3 = torsh.batch_norm %x scale %c bias %c mean %c variance %c axis = 1 epsilon = 1.0e-5 : (!x, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>) -> !x
  // CHECK: torsh.group_norm %{{.*}} scale %{{.*}} bias %{{.*}} groups = 3 epsilon
  %4 = torsh.group_norm %x scale %c bias %c groups = 3 epsilon = 1.0e-5 : (!x, tensor<6xf32>, tensor<6xf32>) -> !x
  // CHECK: torsh.group_norm {{.*}} groups = 4 {{.*}} {layout = #torsh<layout channels_last>}
  %5 = torsh.group_norm %x scale %a bias %a groups = 4 epsilon = 1.0e-5 {layout = #torsh<layout channels_last>} : (!x, tensor<8xf32>, tensor<8xf32>) -> !x
  return
}

// CHECK-LABEL: func.func @attention
func.func @attention(%q: !q, %k: !k, %v: !v, %m: tensor<1x1x?x?xf32, #torsh.dims<[1, 1, s, p + s]>>) {
  // CHECK: torsh.attention %{{.*}}, %{{.*}}, %{{.*}} scale = 2.500000e-01 {causal = true} : {{.*}} -> tensor<?x4x?x32xf32, #torsh.dims<[b, 4, s, 32]>>
  %0 = torsh.attention %q, %k, %v scale = 0.25 {causal = true} : (!q, !k, !v) -> tensor<?x4x?x32xf32, #torsh.dims<[b, 4, s, 32]>>
  // CHECK: torsh.attention %{{.*}}, %{{.*}}, %{{.*}} mask %{{.*}} scale = 2.500000e-01 : {{.*}} -> tensor<?x4x?x32xf32, #torsh.dims<[b, 4, s, 32]>>
  %1 = torsh.attention %q, %k, %v mask %m scale = 0.25 : (!q, !k, !v, tensor<1x1x?x?xf32, #torsh.dims<[1, 1, s, p + s]>>) -> tensor<?x4x?x32xf32, #torsh.dims<[b, 4, s, 32]>>
  return
}
