// Zero padding of channels-last convolutions becomes a pad; depthwise ones keep it. Planes of an image stay planes.
// RUN: torsh-opt %s --torsh-materialize-padding | FileCheck %s

!x = tensor<1x6x6x8xf32>
!y = tensor<1x6x6x4xf32>
!w = tensor<3x3x8x4xf32>

// CHECK-LABEL: func.func @padded
// CHECK: %[[P:.*]] = torsh.pad %{{.*}} value %{{.*}} low = <[0, 1, 1, 0]> high = <[0, 1, 1, 0]> : {{.*}} -> tensor<1x8x8x8xf32>
// CHECK: torsh.conv %[[P]], {{.*}} low = [0, 0] high = [0, 0]
func.func @padded(%x: !x, %w: !w) -> !y {
  %0 = torsh.conv %x, %w strides = [1, 1] dilations = [1, 1] low = [1, 1] high = [1, 1] groups = 1 {layout = #torsh<layout channels_last>} : (!x, !w) -> !y
  return %0 : !y
}

// CHECK-LABEL: func.func @depthwise
// CHECK-NOT: torsh.pad
// CHECK: low = [1, 1] high = [1, 1] groups = 8
func.func @depthwise(%x: !x, %w: tensor<3x3x1x8xf32>) -> !x {
  %0 = torsh.conv %x, %w strides = [1, 1] dilations = [1, 1] low = [1, 1] high = [1, 1] groups = 8 {layout = #torsh<layout channels_last>} : (!x, tensor<3x3x1x8xf32>) -> !x
  return %0 : !x
}

// The kernel reads few channels as planes: the pad copies rows, and no elements are shuffled.
// CHECK-LABEL: func.func @planes
// CHECK: %[[P:.*]] = torsh.pad %arg0 {{.*}} low = <[0, 0, 1, 1]> high = <[0, 0, 2, 1]> : {{.*}} -> tensor<1x3x9x8xf32>
// CHECK: %[[L:.*]] = torsh.transpose %[[P]] perm = [0, 2, 3, 1]
// CHECK: torsh.conv %[[L]], {{.*}} low = [0, 0] high = [0, 0]
func.func @planes(%x: tensor<1x3x6x6xf32>, %w: tensor<3x3x3x4xf32>) -> tensor<1x4x3x4xf32> {
  %0 = torsh.transpose %x perm = [0, 2, 3, 1] : (tensor<1x3x6x6xf32>) -> tensor<1x6x6x3xf32>
  %1 = torsh.conv %0, %w strides = [2, 2] dilations = [1, 1] low = [1, 1] high = [2, 1] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x6x6x3xf32>, tensor<3x3x3x4xf32>) -> tensor<1x4x3x4xf32>
  return %1 : tensor<1x4x3x4xf32>
}

// Many channels are copied to neighbours.
// CHECK-LABEL: func.func @many
// CHECK: torsh.transpose
// CHECK-NEXT: torsh.constant
// CHECK-NEXT: torsh.pad {{.*}} low = <[0, 1, 1, 0]>
func.func @many(%x: tensor<1x8x6x6xf32>, %w: !w) -> !y {
  %0 = torsh.transpose %x perm = [0, 2, 3, 1] : (tensor<1x8x6x6xf32>) -> !x
  %1 = torsh.conv %0, %w strides = [1, 1] dilations = [1, 1] low = [1, 1] high = [1, 1] groups = 1 {layout = #torsh<layout channels_last>} : (!x, !w) -> !y
  return %1 : !y
}

// One plane is channels-last and channels-first at once.
// CHECK-LABEL: func.func @single
// CHECK: torsh.pad %{{.*}} low = <[0, 0, 1, 1]> high = <[0, 0, 1, 1]> : {{.*}} -> tensor<1x1x8x8xf32>
// CHECK: torsh.reshape %{{.*}} : (tensor<1x1x8x8xf32>) -> tensor<1x8x8x1xf32>
func.func @single(%x: tensor<1x6x6x1xf32>, %w: tensor<3x3x1x4xf32>) -> !y {
  %0 = torsh.conv %x, %w strides = [1, 1] dilations = [1, 1] low = [1, 1] high = [1, 1] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x6x6x1xf32>, tensor<3x3x1x4xf32>) -> !y
  return %0 : !y
}
