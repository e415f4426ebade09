// Contractions survive a round trip. A wrong static size would be refused, so each is computed by hand; symbolic sizes
// are tested where builders compute them (test/unit/dialect).
// RUN: torsh-opt %s | torsh-opt | FileCheck %s

!a = tensor<?x8x?x64xf32, #torsh.dims<[b, 8, s, 64]>>
!img = tensor<?x6x?x20xf32, #torsh.dims<[n, 6, h, 20]>>

// CHECK-LABEL: func.func @dot_general
func.func @dot_general(%x: !a, %a: tensor<3x4xui8>, %b: tensor<4x5xi8>) {
  // CHECK: torsh.dot_general %{{.*}}, %{{.*}} batch = [0, 1] x [0, 1] contract = [3] x [3] : {{.*}} -> tensor<?x8x?x?xf32, #torsh.dims<[b, 8, s, s]>>
  %0 = torsh.dot_general %x, %x batch = [0, 1] x [0, 1] contract = [3] x [3] : (!a, !a) -> tensor<?x8x?x?xf32, #torsh.dims<[b, 8, s, s]>>
  // CHECK: torsh.dot_general %{{.*}}, %{{.*}} batch = [] x [] contract = [1] x [0] : (tensor<3x4xui8>, tensor<4x5xi8>) -> tensor<3x5xi32>
  %1 = torsh.dot_general %a, %b batch = [] x [] contract = [1] x [0] : (tensor<3x4xui8>, tensor<4x5xi8>) -> tensor<3x5xi32>
  return
}

// CHECK-LABEL: func.func @conv
func.func @conv(%x: !img, %w: tensor<4x3x3x5xf32>, %bias: tensor<4xf32>, %y: tensor<1x10x4xf32>, %v: tensor<3x4x8xf32>) {
  // (h + 0 + 1 - 2*(3 - 1) - 1) / 2 + 1 = (h - 4) / 2 + 1, (20 + 2 + 2 - (5 - 1) - 1) / 3 + 1 = 19 / 3 + 1 = 7
  // CHECK: torsh.conv %{{.*}}, %{{.*}} bias %{{.*}} strides = [2, 3] dilations = [2, 1] low = [0, 2] high = [1, 2] groups = 2 : {{.*}} -> tensor<?x4x?x7xf32, #torsh.dims<[n, 4, {{.*}}, 7]>>
  %0 = torsh.conv %x, %w bias %bias strides = [2, 3] dilations = [2, 1] low = [0, 2] high = [1, 2] groups = 2 : (!img, tensor<4x3x3x5xf32>, tensor<4xf32>) -> tensor<?x4x?x7xf32, #torsh.dims<[n, 4, floordiv(h - 4, 2) + 1, 7]>>
  // CHECK: torsh.conv {{.*}} groups = 1 {layout = #torsh<layout channels_last>} : {{.*}} -> tensor<1x8x8xf32>
  %1 = torsh.conv %y, %v strides = [1] dilations = [1] low = [0] high = [0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x10x4xf32>, tensor<3x4x8xf32>) -> tensor<1x8x8xf32>
  return
}

// CHECK-LABEL: func.func @conv_transpose
func.func @conv_transpose(%x: !img, %w: tensor<6x2x3x4xf32>, %bias: tensor<4xf32>, %y: tensor<1x5x4xf32>, %v: tensor<3x4x8xf32>) {
  // 2*(h - 1) + (3 - 1) + 1 + 1 - 1 - 0 = 2*h + 1, 1*(20 - 1) + 2*(4 - 1) + 1 + 0 - 1 - 1 = 24
  // CHECK: torsh.conv_transpose %{{.*}}, %{{.*}} bias %{{.*}} strides = [2, 1] dilations = [1, 2] low = [1, 1] high = [0, 1] output_padding = [1, 0] groups = 2 : {{.*}} -> tensor<?x4x?x24xf32, #torsh.dims<[n, 4, 2*h + 1, 24]>>
  %0 = torsh.conv_transpose %x, %w bias %bias strides = [2, 1] dilations = [1, 2] low = [1, 1] high = [0, 1] output_padding = [1, 0] groups = 2 : (!img, tensor<6x2x3x4xf32>, tensor<4xf32>) -> tensor<?x4x?x24xf32, #torsh.dims<[n, 4, 2*h + 1, 24]>>
  // CHECK: torsh.conv_transpose {{.*}} {layout = #torsh<layout channels_last>} : {{.*}} -> tensor<1x11x8xf32>
  %1 = torsh.conv_transpose %y, %v strides = [2] dilations = [1] low = [0] high = [0] output_padding = [0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x5x4xf32>, tensor<3x4x8xf32>) -> tensor<1x11x8xf32>
  return
}

// CHECK-LABEL: func.func @conv_weight_grad
func.func @conv_weight_grad(%x: !img, %dy: tensor<1x5x4x6xf32>, %v: tensor<1x11x9x8xf32>) {
  // CHECK: torsh.conv_weight_grad {{.*}} kernel = [3, 2] strides = [2, 2] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 2 {layout = #torsh<layout channels_last>} : {{.*}} -> tensor<3x2x4x6xf32>
  %0 = torsh.conv_weight_grad %v, %dy kernel = [3, 2] strides = [2, 2] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 2 {layout = #torsh<layout channels_last>} : (tensor<1x11x9x8xf32>, tensor<1x5x4x6xf32>) -> tensor<3x2x4x6xf32>
  return
}
