// Contractions get one contracting dim and one right free dim, on operands that kernels can address.
// RUN: torsh-opt %s --torsh-normalize-contractions | FileCheck %s

// Constant weights take the transpose as a step.
// CHECK-LABEL: func.func @weights
// CHECK: %[[W:.*]] = torsh.constant #torsh.weight<"k", tensor<5x4xf32>, [<"transpose", [1, 0], "", tensor<4x5xf32>>]>
// CHECK: torsh.dot_general %{{.*}}, %[[W]] batch = [] x [] contract = [1] x [0]
func.func @weights(%x: tensor<3x4xf32>) -> tensor<3x5xf32> {
  %w = torsh.constant #torsh.weight<"k", tensor<5x4xf32>> -> tensor<5x4xf32>
  %0 = torsh.dot_general %x, %w batch = [] x [] contract = [1] x [1] : (tensor<3x4xf32>, tensor<5x4xf32>) -> tensor<3x5xf32>
  return %0 : tensor<3x5xf32>
}

// Two contracting dims and two free dims on the right: merged, and the result gets its dims back.
// CHECK-LABEL: func.func @merge
// CHECK: torsh.reshape %{{.*}} : (tensor<3x4x5xf32>) -> tensor<3x20xf32>
// CHECK: torsh.reshape %{{.*}} : (tensor<4x5x6x7xf32>) -> tensor<20x42xf32>
// CHECK: torsh.dot_general {{.*}} contract = [1] x [0] : (tensor<3x20xf32>, tensor<20x42xf32>) -> tensor<3x42xf32>
// CHECK: torsh.reshape %{{.*}} : (tensor<3x42xf32>) -> tensor<3x6x7xf32>
func.func @merge(%x: tensor<3x4x5xf32>, %y: tensor<4x5x6x7xf32>) -> tensor<3x6x7xf32> {
  %0 = torsh.dot_general %x, %y batch = [] x [] contract = [1, 2] x [0, 1] : (tensor<3x4x5xf32>, tensor<4x5x6x7xf32>) -> tensor<3x6x7xf32>
  return %0 : tensor<3x6x7xf32>
}

// The left operand's contracting dim is not contiguous: a copy. The right one's free dim is: none.
// CHECK-LABEL: func.func @left
// CHECK: %[[C:.*]] = torsh.group "elementwise"(%{{.*}}) {
// CHECK: torsh.transpose %{{.*}} perm = [1, 0] : (tensor<4x3xf32>) -> tensor<3x4xf32>
// CHECK: torsh.dot_general %[[C]], %{{.*}} contract = [1] x [0]
func.func @left(%x: tensor<4x3xf32>, %y: tensor<4x5xf32>) -> tensor<3x5xf32> {
  %0 = torsh.dot_general %x, %y batch = [] x [] contract = [0] x [0] : (tensor<4x3xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  return %0 : tensor<3x5xf32>
}

// Heads of attention are addresses on both sides.
// CHECK-LABEL: func.func @heads
// CHECK-NOT: torsh.group
// CHECK: return
func.func @heads(%q: tensor<1x9x2x8xf32>, %k: tensor<1x9x2x8xf32>) -> tensor<1x2x9x9xf32> {
  %0 = torsh.transpose %q perm = [0, 2, 1, 3] : (tensor<1x9x2x8xf32>) -> tensor<1x2x9x8xf32>
  %1 = torsh.transpose %k perm = [0, 2, 3, 1] : (tensor<1x9x2x8xf32>) -> tensor<1x2x8x9xf32>
  %2 = torsh.dot_general %0, %1 batch = [0, 1] x [0, 1] contract = [3] x [2] : (tensor<1x2x9x8xf32>, tensor<1x2x8x9xf32>) -> tensor<1x2x9x9xf32>
  return %2 : tensor<1x2x9x9xf32>
}

// A right operand with a contiguous contracting dim of unknown length is copied.
// CHECK-LABEL: func.func @long
// CHECK: torsh.group "elementwise"
// CHECK: torsh.dot_general {{.*}} contract = [1] x [0]
!r = tensor<5x?xf32, #torsh.dims<[5, k]>>
!l = tensor<3x?xf32, #torsh.dims<[3, k]>>
func.func @long(%x: !l, %y: !r) -> tensor<3x5xf32> {
  %0 = torsh.dot_general %x, %y batch = [] x [] contract = [1] x [1] : (!l, !r) -> tensor<3x5xf32>
  return %0 : tensor<3x5xf32>
}

// Heads cut out of one projection: splitting a dim of a window changes strides only, no copy.
// CHECK-LABEL: func.func @cut
// CHECK-NOT: torsh.group
// CHECK: return
func.func @cut(%qkv: tensor<9x48xf32>, %k: tensor<2x8x5xf32>) -> tensor<2x9x5xf32> {
  %0 = torsh.slice %qkv starts = <[0, 16]> sizes = <[9, 16]> steps = [1, 1] : (tensor<9x48xf32>) -> tensor<9x16xf32>
  %1 = torsh.reshape %0 : (tensor<9x16xf32>) -> tensor<9x2x8xf32>
  %2 = torsh.transpose %1 perm = [1, 0, 2] : (tensor<9x2x8xf32>) -> tensor<2x9x8xf32>
  %3 = torsh.dot_general %2, %k batch = [0] x [0] contract = [2] x [1] : (tensor<2x9x8xf32>, tensor<2x8x5xf32>) -> tensor<2x9x5xf32>
  return %3 : tensor<2x9x5xf32>
}

// Merging dims of a window needs a copy of it, which fusion groups make, or avoid by storing it so at once.
// CHECK-LABEL: func.func @merged
// CHECK: %[[T:.*]] = torsh.transpose
// CHECK-NEXT: %[[R:.*]] = torsh.reshape %[[T]] : (tensor<9x2x8xf32>) -> tensor<9x16xf32>
// CHECK-NEXT: torsh.dot_general %[[R]]
func.func @merged(%x: tensor<2x9x8xf32>, %y: tensor<16x5xf32>) -> tensor<9x5xf32> {
  %0 = torsh.transpose %x perm = [1, 0, 2] : (tensor<2x9x8xf32>) -> tensor<9x2x8xf32>
  %1 = torsh.reshape %0 : (tensor<9x2x8xf32>) -> tensor<9x16xf32>
  %2 = torsh.dot_general %1, %y batch = [] x [] contract = [1] x [0] : (tensor<9x16xf32>, tensor<16x5xf32>) -> tensor<9x5xf32>
  return %2 : tensor<9x5xf32>
}

// A convolution reads three planes as they lie, and needs neighbours of eight.
// CHECK-LABEL: func.func @planes
// CHECK-NOT: torsh.group
// CHECK: return
func.func @planes(%x: tensor<1x3x6x6xf32>, %w: tensor<2x2x3x4xf32>) -> tensor<1x3x3x4xf32> {
  %0 = torsh.transpose %x perm = [0, 2, 3, 1] : (tensor<1x3x6x6xf32>) -> tensor<1x6x6x3xf32>
  %1 = torsh.conv %0, %w strides = [2, 2] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x6x6x3xf32>, tensor<2x2x3x4xf32>) -> tensor<1x3x3x4xf32>
  return %1 : tensor<1x3x3x4xf32>
}

// CHECK-LABEL: func.func @channels
// CHECK: torsh.group
// CHECK: torsh.conv
func.func @channels(%x: tensor<1x8x6x6xf32>, %w: tensor<2x2x8x4xf32>) -> tensor<1x3x3x4xf32> {
  %0 = torsh.transpose %x perm = [0, 2, 3, 1] : (tensor<1x8x6x6xf32>) -> tensor<1x6x6x8xf32>
  %1 = torsh.conv %0, %w strides = [2, 2] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x6x6x8xf32>, tensor<2x2x8x4xf32>) -> tensor<1x3x3x4xf32>
  return %1 : tensor<1x3x3x4xf32>
}
