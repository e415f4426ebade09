// A transposed convolution becomes one with the phases of its result as channels, or one for each phase. The second run lets the
// constant folder evaluate what was built; the numbers are worked out by hand.
// RUN: torsh-opt %s --torsh-expand-conv-transpose --split-input-file --verify-diagnostics | FileCheck %s
// RUN: torsh-opt %s --torsh-expand-conv-transpose --torsh-fold-constants --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=VALUES

!w4 = tensor<4x4x1x2xf32>

// Window 4, stride 2: two taps a phase; with a border of 1 the phases start at 0 or 1.
// CHECK-LABEL: func.func @stride2
// CHECK: %[[P:.*]] = torsh.pad %{{.*}} low = <[0, 1, 1, 0]> high = <[0, 1, 1, 0]>
// CHECK: torsh.slice %[[P]] starts = <[0, 0, 0, 0]> sizes = <[1, 6, 6, 1]>
// CHECK: torsh.conv {{.*}} strides = [1, 1] {{.*}} : (tensor<1x6x6x1xf32>, tensor<2x2x1x2xf32>) -> tensor<1x5x5x2xf32>
// CHECK: torsh.slice %[[P]] starts = <[0, 0, 1, 0]>
// CHECK: torsh.slice %[[P]] starts = <[0, 1, 0, 0]>
// CHECK: torsh.slice %[[P]] starts = <[0, 1, 1, 0]>
// CHECK: torsh.concat {{.*}} axis = 3
// CHECK: torsh.reshape %{{.*}} -> tensor<1x5x5x2x2x2xf32>
// CHECK: torsh.transpose %{{.*}} perm = [0, 1, 3, 2, 4, 5]
// CHECK: torsh.reshape %{{.*}} -> tensor<1x10x10x2xf32>
// CHECK-NOT: torsh.slice
// CHECK: torsh.add
func.func @stride2(%x: tensor<1x5x5x1xf32>, %b: tensor<2xf32>) -> tensor<1x10x10x2xf32> {
  %w = torsh.constant dense<1.0> : !w4 -> !w4
  %0 = torsh.conv_transpose %x, %w bias %b strides = [2, 2] dilations = [1, 1] low = [1, 1] high = [1, 1] output_padding = [0, 0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x5x5x1xf32>, !w4, tensor<2xf32>) -> tensor<1x10x10x2xf32>
  return %0 : tensor<1x10x10x2xf32>
}

// -----

!w1 = tensor<2x1x1xf32>

// y = x0 w0, x0 w1 + x1 w0, x1 w1: with one phase the window is reversed.
// CHECK-LABEL: func.func @reversed
// CHECK: torsh.pad %{{.*}} low = <[0, 1, 0]> high = <[0, 1, 0]>
// CHECK: torsh.conv {{.*}} -> tensor<1x4x1xf32>
// CHECK-NEXT: return
func.func @reversed(%x: tensor<1x3x1xf32>) -> tensor<1x4x1xf32> {
  %w = torsh.constant dense<[[[1.0]], [[2.0]]]> : !w1 -> !w1
  %0 = torsh.conv_transpose %x, %w strides = [1] dilations = [1] low = [0] high = [0] output_padding = [0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x3x1xf32>, !w1) -> tensor<1x4x1xf32>
  return %0 : tensor<1x4x1xf32>
}

// -----

// 1 2 3 of x0, twice that from place 2 on, three times that from place 4 on, a 0 of output_padding; the first is cut.
// VALUES-LABEL: func.func @values
// VALUES: torsh.constant dense<{{\[\[}}[2.000000e+00], [5.000000e+00], [4.000000e+00], [9.000000e+00], [6.000000e+00], [9.000000e+00], [0.000000e+00]]]>
func.func @values() -> tensor<1x7x1xf32> {
  %x = torsh.constant dense<[[[1.0], [2.0], [3.0]]]> : tensor<1x3x1xf32> -> tensor<1x3x1xf32>
  %w = torsh.constant dense<[[[1.0]], [[2.0]], [[3.0]]]> : tensor<3x1x1xf32> -> tensor<3x1x1xf32>
  %0 = torsh.conv_transpose %x, %w strides = [2] dilations = [1] low = [1] high = [0] output_padding = [1] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x3x1xf32>, tensor<3x1x1xf32>) -> tensor<1x7x1xf32>
  return %0 : tensor<1x7x1xf32>
}

// -----

// On a large image the border is a small part: one convolution for all phases, then cut. On a small one each phase is a
// convolution on its own window, and nothing is cut.
!w2 = tensor<4x4x1x2xf32>

// CHECK-LABEL: func.func @large
// CHECK: torsh.conv {{.*}} -> tensor<1x33x33x8xf32>
// CHECK-NOT: torsh.conv
// CHECK: torsh.slice
func.func @large(%x: tensor<1x32x32x1xf32>) -> tensor<1x64x64x2xf32> {
  %w = torsh.constant dense<1.0> : !w2 -> !w2
  %0 = torsh.conv_transpose %x, %w strides = [2, 2] dilations = [1, 1] low = [1, 1] high = [1, 1] output_padding = [0, 0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x32x32x1xf32>, !w2) -> tensor<1x64x64x2xf32>
  return %0 : tensor<1x64x64x2xf32>
}

// -----

// The same numbers as above by two phases: those of places 2, 4, 6 and 3, 5, 7 of the uncut result.
// VALUES-LABEL: func.func @phases
// VALUES: torsh.constant dense<{{\[\[}}[2.000000e+00], [5.000000e+00], [4.000000e+00], [9.000000e+00], [6.000000e+00], [9.000000e+00]]]>
// CHECK-LABEL: func.func @phases
// CHECK: torsh.concat
func.func @phases() -> tensor<1x6x1xf32> {
  %x = torsh.constant dense<[[[1.0], [2.0], [3.0]]]> : tensor<1x3x1xf32> -> tensor<1x3x1xf32>
  %w = torsh.constant dense<[[[1.0]], [[2.0]], [[3.0]]]> : tensor<3x1x1xf32> -> tensor<3x1x1xf32>
  %0 = torsh.conv_transpose %x, %w strides = [2] dilations = [1] low = [1] high = [0] output_padding = [0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x3x1xf32>, tensor<3x1x1xf32>) -> tensor<1x6x1xf32>
  return %0 : tensor<1x6x1xf32>
}

// -----

// One position: its products with the whole window.
// CHECK-LABEL: func.func @point
// CHECK: torsh.conv {{.*}} : (tensor<2x1x1x3xf32>, tensor<1x1x3x8xf32>) -> tensor<2x1x1x8xf32>
// CHECK: torsh.reshape %{{.*}} -> tensor<2x2x2x2xf32>
func.func @point(%x: tensor<2x1x1x3xf32>) -> tensor<2x2x2x2xf32> {
  %w = torsh.constant #torsh.weight<"w", tensor<2x2x3x2xf32>> -> tensor<2x2x3x2xf32>
  %0 = torsh.conv_transpose %x, %w strides = [1, 1] dilations = [1, 1] low = [0, 0] high = [0, 0] output_padding = [0, 0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<2x1x1x3xf32>, tensor<2x2x3x2xf32>) -> tensor<2x2x2x2xf32>
  return %0 : tensor<2x2x2x2xf32>
}

// -----

// Each group has weights of its own, and its phases stand together among the channels.
// CHECK-LABEL: func.func @groups
// CHECK: torsh.conv {{.*}} groups = 2
// VALUES-LABEL: func.func @groups
// VALUES: torsh.constant dense<{{\[\[}}[1.000000e+00, 2.000000e+01], [3.000000e+00, 4.000000e+01], [2.000000e+00, 4.000000e+01], [6.000000e+00, 8.000000e+01]]]>
func.func @groups() -> tensor<1x4x2xf32> {
  %x = torsh.constant dense<[[[1.0, 10.0], [2.0, 20.0]]]> : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %w = torsh.constant dense<[[[1.0], [2.0]], [[3.0], [4.0]]]> : tensor<2x2x1xf32> -> tensor<2x2x1xf32>
  %0 = torsh.conv_transpose %x, %w strides = [2] dilations = [1] low = [0] high = [0] output_padding = [0] groups = 2 {layout = #torsh<layout channels_last>} : (tensor<1x2x2xf32>, tensor<2x2x1xf32>) -> tensor<1x4x2xf32>
  return %0 : tensor<1x4x2xf32>
}

// -----

// With stride 1 the convolution has the dilation.
// CHECK-LABEL: func.func @dilated
// CHECK: torsh.conv {{.*}} dilations = [2]
// VALUES-LABEL: func.func @dilated
// VALUES: torsh.constant dense<{{\[\[}}[1.000000e+00], [2.000000e+00], [5.000000e+00], [4.000000e+00], [6.000000e+00]]]>
func.func @dilated() -> tensor<1x5x1xf32> {
  %x = torsh.constant dense<[[[1.0], [2.0], [3.0]]]> : tensor<1x3x1xf32> -> tensor<1x3x1xf32>
  %w = torsh.constant dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  %0 = torsh.conv_transpose %x, %w strides = [1] dilations = [2] low = [0] high = [0] output_padding = [0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x3x1xf32>, tensor<2x1x1xf32>) -> tensor<1x5x1xf32>
  return %0 : tensor<1x5x1xf32>
}

// -----

// Else the window has zeros between its taps.
// VALUES-LABEL: func.func @spread
// VALUES: torsh.constant dense<{{\[\[}}[1.000000e+00], [0.000000e+00], [2.000000e+00], [2.000000e+00], [3.000000e+00], [4.000000e+00], [0.000000e+00], [6.000000e+00]]]>
func.func @spread() -> tensor<1x8x1xf32> {
  %x = torsh.constant dense<[[[1.0], [2.0], [3.0]]]> : tensor<1x3x1xf32> -> tensor<1x3x1xf32>
  %w = torsh.constant dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  %0 = torsh.conv_transpose %x, %w strides = [2] dilations = [3] low = [0] high = [0] output_padding = [0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x3x1xf32>, tensor<2x1x1xf32>) -> tensor<1x8x1xf32>
  return %0 : tensor<1x8x1xf32>
}

// -----

!v = tensor<?x2x1xf32, #torsh.dims<[k, 2, 1]>>
func.func @unknown(%x: tensor<1x3x2xf32>, %w: !v) -> tensor<1x?x1xf32, #torsh.dims<[1, k + 2, 1]>> {
  // expected-error@+1 {{TSH-0512: this transposed convolution has weights of a size that is not known, which has no code}}
  %0 = torsh.conv_transpose %x, %w strides = [1] dilations = [1] low = [0] high = [0] output_padding = [0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x3x2xf32>, !v) -> tensor<1x?x1xf32, #torsh.dims<[1, k + 2, 1]>>
  return %0 : tensor<1x?x1xf32, #torsh.dims<[1, k + 2, 1]>>
}
