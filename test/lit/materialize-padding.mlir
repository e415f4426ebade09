// Zero padding of channels-last convolutions becomes a pad; depthwise ones keep it.
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
