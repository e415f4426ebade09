// Constant right operands become panels of 16 columns; weights of convolutions are packed group by group.
// RUN: torsh-opt %s --torsh-pack-weights --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @dot
// CHECK: %[[P:.*]] = torsh.constant #torsh.weight<"k", tensor<4x20xf32>, [<"pack", [16], "", tensor<2x4x16xf32>>]>
// CHECK: %[[U:.*]] = torsh.unpack %[[P]] : (tensor<2x4x16xf32>) -> tensor<4x20xf32>
// CHECK: torsh.dot_general %{{.*}}, %[[U]]
func.func @dot(%x: tensor<3x4xf32>) -> tensor<3x20xf32> {
  %w = torsh.constant #torsh.weight<"k", tensor<4x20xf32>> -> tensor<4x20xf32>
  %0 = torsh.dot_general %x, %w batch = [] x [] contract = [1] x [0] : (tensor<3x4xf32>, tensor<4x20xf32>) -> tensor<3x20xf32>
  return %0 : tensor<3x20xf32>
}

// -----

// CHECK-LABEL: func.func @computed
// CHECK-NOT: torsh.unpack
// CHECK: return
func.func @computed(%x: tensor<3x4xf32>, %w: tensor<4x20xf32>) -> tensor<3x20xf32> {
  %0 = torsh.dot_general %x, %w batch = [] x [] contract = [1] x [0] : (tensor<3x4xf32>, tensor<4x20xf32>) -> tensor<3x20xf32>
  return %0 : tensor<3x20xf32>
}

// -----

// CHECK-LABEL: func.func @groups
// CHECK: <"reshape", [9, 2, 2], "", tensor<9x2x2xf32>>, <"transpose", [1, 0, 2], "", tensor<2x9x2xf32>>, <"pack", [16], "", tensor<2x1x9x16xf32>>
// CHECK: %[[U:.*]] = torsh.unpack %{{.*}} : (tensor<2x1x9x16xf32>) -> tensor<2x9x2xf32>
// CHECK: torsh.transpose %[[U]] perm = [1, 0, 2]
// CHECK: torsh.reshape %{{.*}} -> tensor<3x3x1x4xf32>
func.func @groups(%x: tensor<1x8x8x2xf32>) -> tensor<1x6x6x4xf32> {
  %w = torsh.constant #torsh.weight<"k", tensor<3x3x1x4xf32>> -> tensor<3x3x1x4xf32>
  %0 = torsh.conv %x, %w strides = [1, 1] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 2 {layout = #torsh<layout channels_last>} : (tensor<1x8x8x2xf32>, tensor<3x3x1x4xf32>) -> tensor<1x6x6x4xf32>
  return %0 : tensor<1x6x6x4xf32>
}

// -----

// The depthwise kernel reads weights as they are.
// CHECK-LABEL: func.func @depthwise
// CHECK-NOT: torsh.unpack
// CHECK: return
func.func @depthwise(%x: tensor<1x8x8x2xf32>) -> tensor<1x6x6x2xf32> {
  %w = torsh.constant #torsh.weight<"k", tensor<3x3x1x2xf32>> -> tensor<3x3x1x2xf32>
  %0 = torsh.conv %x, %w strides = [1, 1] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 2 {layout = #torsh<layout channels_last>} : (tensor<1x8x8x2xf32>, tensor<3x3x1x2xf32>) -> tensor<1x6x6x2xf32>
  return %0 : tensor<1x6x6x2xf32>
}

// -----

// Computed weights are packed at run time.
// CHECK-LABEL: func.func @runtime
// CHECK: torsh.pad %{{.*}} high = <[0, 12]>
// CHECK: %[[P:.*]] = torsh.group "elementwise"
// CHECK: torsh.unpack %[[P]] : (tensor<1x18x16xf32>) -> tensor<18x4xf32>
func.func @runtime(%x: tensor<1x8x8x2xf32>, %w: tensor<3x3x2x4xf32>) -> tensor<1x6x6x4xf32> {
  %0 = torsh.conv %x, %w strides = [1, 1] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x8x8x2xf32>, tensor<3x3x2x4xf32>) -> tensor<1x6x6x4xf32>
  return %0 : tensor<1x6x6x4xf32>
}

// -----

!w = tensor<?x3x2x4xf32, #torsh.dims<[k, 3, 2, 4]>>
!y = tensor<1x?x6x4xf32, #torsh.dims<[1, -1*k + 9, 6, 4]>>
func.func @unknown(%x: tensor<1x8x8x2xf32>, %w: !w) -> !y {
  // expected-error@+1 {{TSH-0511: the weights of a convolution have a size that is not known}}
  %0 = torsh.conv %x, %w strides = [1, 1] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x8x8x2xf32>, !w) -> !y
  return %0 : !y
}

// -----

// Each direction of a recurrent layer is one matrix [K, gates * H].
// CHECK-LABEL: func.func @recurrent
// CHECK: <"transpose", [0, 2, 1], "", tensor<2x3x20xf32>>, <"pack", [16], "", tensor<2x2x3x16xf32>>
// CHECK: %[[W:.*]] = torsh.transpose %{{.*}} perm = [0, 2, 1]
// CHECK: <"pack", [16], "", tensor<2x2x5x16xf32>>
// CHECK: %[[R:.*]] = torsh.transpose %{{.*}} perm = [0, 2, 1]
// CHECK: torsh.lstm bidirectional %{{.*}}, %[[W]], %[[R]]
func.func @recurrent(%x: tensor<4x1x3xf32>) -> tensor<4x2x1x5xf32> {
  %w = torsh.constant #torsh.weight<"w", tensor<2x20x3xf32>> -> tensor<2x20x3xf32>
  %r = torsh.constant #torsh.weight<"r", tensor<2x20x5xf32>> -> tensor<2x20x5xf32>
  %y, %h, %c = torsh.lstm bidirectional %x, %w, %r : (tensor<4x1x3xf32>, tensor<2x20x3xf32>, tensor<2x20x5xf32>) -> (tensor<4x2x1x5xf32>, tensor<2x1x5xf32>, tensor<2x1x5xf32>)
  return %y : tensor<4x2x1x5xf32>
}
