// What becomes one kernel.
// RUN: torsh-opt %s --torsh-form-groups --split-input-file | FileCheck %s
// RUN: torsh-opt %s --torsh-form-groups=level=conservative --split-input-file | FileCheck %s --check-prefix=CONSERVATIVE
// RUN: torsh-opt %s --torsh-form-groups=level=aggressive --split-input-file | FileCheck %s --check-prefix=AGGRESSIVE
// RUN: torsh-opt %s --torsh-form-groups=explain --split-input-file -o /dev/null 2>&1 | FileCheck %s --check-prefix=EXPLAIN
// RUN: not torsh-opt %s --torsh-form-groups=level=all --split-input-file -o /dev/null 2>&1 | FileCheck %s --check-prefix=LEVEL
// LEVEL: TSH-0507: 'all' is no fusion level; use conservative, default or aggressive

!x = tensor<?x4xf32, #torsh.dims<[n, 4]>>
!y = tensor<?x20xf32, #torsh.dims<[n, 20]>>

// The bias and the activation are the epilogue of the contraction; the broadcast and the panels are addresses.
// CHECK-LABEL: func.func @epilogue
// CHECK: %[[G:.*]] = torsh.group "dot"
// CHECK: torsh.unpack
// CHECK-NEXT: %[[D:.*]] = torsh.dot_general
// CHECK-NEXT: %[[B:.*]] = torsh.broadcast
// CHECK-NEXT: %[[S:.*]] = torsh.add %[[D]], %[[B]]
// CHECK-NEXT: %[[T:.*]] = torsh.tanh %[[S]]
// CHECK-NEXT: torsh.yield %[[T]] :
// CHECK-NOT: torsh.group
// CHECK: return %[[G]]
func.func @epilogue(%x: !x) -> !y {
  %w = torsh.constant #torsh.weight<"k", tensor<4x20xf32>, [<"pack", [16], "", tensor<2x4x16xf32>>]> -> tensor<2x4x16xf32>
  %u = torsh.unpack %w : (tensor<2x4x16xf32>) -> tensor<4x20xf32>
  %b = torsh.constant #torsh.weight<"b", tensor<20xf32>> -> tensor<20xf32>
  %0 = torsh.dot_general %x, %u batch = [] x [] contract = [1] x [0] : (!x, tensor<4x20xf32>) -> !y
  %1 = torsh.broadcast %b axes = [1] : (tensor<20xf32>) -> !y
  %2 = torsh.add %0, %1 : !y
  %3 = torsh.tanh %2 : !y
  return %3 : !y
}

// -----

// An elementwise op at another shape is another index space, so it is another kernel.
// CHECK-LABEL: func.func @other_shape
// CHECK: %[[R:.*]] = torsh.group "reduce"
// CHECK-NEXT: ^bb0
// CHECK-NEXT: torsh.exp
// CHECK-NEXT: torsh.reduce sum
// CHECK-NEXT: torsh.sqrt
// CHECK-NEXT: torsh.yield
// CHECK: torsh.group "elementwise"(%[[R]], 
// CHECK: torsh.broadcast
// CHECK-NEXT: torsh.mul
// CHECK-NEXT: torsh.yield
func.func @other_shape(%x: tensor<6x4xf32>) -> tensor<6x4xf32> {
  %0 = torsh.exp %x : tensor<6x4xf32>
  %1 = torsh.reduce sum %0 axes = [1] keep_dims = false : (tensor<6x4xf32>) -> tensor<6xf32>
  %2 = torsh.sqrt %1 : tensor<6xf32>
  %3 = torsh.broadcast %2 axes = [0] : (tensor<6xf32>) -> tensor<6x4xf32>
  %4 = torsh.mul %x, %3 : tensor<6x4xf32>
  return %4 : tensor<6x4xf32>
}

// -----

// A value that somebody else reads too is a second result of its group, not a second computation.
// CHECK-LABEL: func.func @two_yields
// CHECK: %[[G:.*]]:2 = torsh.group "dot"
// CHECK: %[[D:.*]] = torsh.dot_general
// CHECK-NEXT: %[[T:.*]] = torsh.tanh %[[D]]
// CHECK-NEXT: torsh.yield %[[D]], %[[T]] :
// CHECK: return %[[G]]#0, %[[G]]#1
func.func @two_yields(%x: tensor<3x4xf32>, %w: tensor<4x5xf32>) -> (tensor<3x5xf32>, tensor<3x5xf32>) {
  %0 = torsh.dot_general %x, %w batch = [] x [] contract = [1] x [0] : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  %1 = torsh.tanh %0 : tensor<3x5xf32>
  return %0, %1 : tensor<3x5xf32>, tensor<3x5xf32>
}

// -----

// Adding the contraction's own result to something that waits for that result through another kernel would be a cycle.
// CHECK-LABEL: func.func @no_cycle
// CHECK: %[[D:.*]] = torsh.group "dot"
// CHECK: %[[R:.*]] = torsh.group "row_norm"(%[[D]])
// CHECK-NEXT: ^bb0
// CHECK-NEXT: torsh.softmax
// CHECK-NEXT: torsh.add
// CHECK-NEXT: torsh.yield
// CHECK: return %[[R]]
func.func @no_cycle(%x: tensor<3x4xf32>, %w: tensor<4x5xf32>) -> tensor<3x5xf32> {
  %0 = torsh.dot_general %x, %w batch = [] x [] contract = [1] x [0] : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  %1 = torsh.softmax %0 axis = 1 : tensor<3x5xf32>
  %2 = torsh.add %0, %1 : tensor<3x5xf32>
  return %2 : tensor<3x5xf32>
}

// -----

// Splat constants are registers: each group has its own, and no buffer remains.
// CHECK-LABEL: func.func @splat
// CHECK-NEXT: torsh.group "elementwise"(%{{[^,]*}}) {
// CHECK: torsh.constant dense<2.000000e+00>
// CHECK: torsh.mul
func.func @splat(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %c = torsh.constant dense<2.0> : tensor<3x4xf32> -> tensor<3x4xf32>
  %0 = torsh.mul %x, %c : tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// -----

// Nobody can address a returned transpose: it is a copy of its own.
// CHECK-LABEL: func.func @mover
// CHECK: %[[G:.*]] = torsh.group "elementwise"
// CHECK-NEXT: ^bb0
// CHECK-NEXT: torsh.transpose
// CHECK-NEXT: torsh.yield
// CHECK: return %[[G]]
func.func @mover(%x: tensor<3x4xf32>) -> tensor<4x3xf32> {
  %0 = torsh.transpose %x perm = [1, 0] : (tensor<3x4xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

// A reshape of a whole buffer is the same buffer, so it stays outside.
// CHECK-LABEL: func.func @alias
// CHECK: %[[A:.*]] = torsh.group "elementwise"
// CHECK: %[[R:.*]] = torsh.reshape %[[A]]
// CHECK: return %[[R]]
func.func @alias(%x: tensor<3x4xf32>) -> tensor<12xf32> {
  %0 = torsh.exp %x : tensor<3x4xf32>
  %1 = torsh.reshape %0 : (tensor<3x4xf32>) -> tensor<12xf32>
  return %1 : tensor<12xf32>
}

// -----

!h = tensor<1x2x16x8xf32>

// Two products with a softmax between them are one kernel, and so are the transposes and the mask around them.
// CHECK-LABEL: func.func @attention
// CHECK: %[[G:.*]] = torsh.group "attention"
// CHECK: torsh.transpose
// CHECK: torsh.dot_general
// CHECK: torsh.select
// CHECK-NEXT: torsh.softmax
// CHECK-NEXT: torsh.dot_general
// CHECK-NEXT: torsh.transpose
// CHECK-NEXT: torsh.yield
// CHECK-NOT: torsh.group
// CHECK: return %[[G]]
func.func @attention(%q: !h, %k: !h, %v: !h, %m: tensor<16x16xi1>) -> tensor<1x16x2x8xf32> {
  %kt = torsh.transpose %k perm = [0, 1, 3, 2] : (!h) -> tensor<1x2x8x16xf32>
  %s = torsh.dot_general %q, %kt batch = [0, 1] x [0, 1] contract = [3] x [2] : (!h, tensor<1x2x8x16xf32>) -> tensor<1x2x16x16xf32>
  %b = torsh.broadcast %m axes = [2, 3] : (tensor<16x16xi1>) -> tensor<1x2x16x16xi1>
  %low = torsh.constant dense<-9.0> : tensor<1x2x16x16xf32> -> tensor<1x2x16x16xf32>
  %t = torsh.select %b, %s, %low : (tensor<1x2x16x16xi1>, tensor<1x2x16x16xf32>, tensor<1x2x16x16xf32>) -> tensor<1x2x16x16xf32>
  %p = torsh.softmax %t axis = 3 : tensor<1x2x16x16xf32>
  %y = torsh.dot_general %p, %v batch = [0, 1] x [0, 1] contract = [3] x [2] : (tensor<1x2x16x16xf32>, !h) -> !h
  %z = torsh.transpose %y perm = [0, 2, 1, 3] : (!h) -> tensor<1x16x2x8xf32>
  return %z : tensor<1x16x2x8xf32>
}

// -----

!h = tensor<1x2x16x8xf32>
!p = tensor<1x2x16x16xf32>

// Weights that somebody else reads have to be written.
// CHECK-LABEL: func.func @weights_are_read
// CHECK: torsh.group "dot"
// CHECK: torsh.group "row_norm"
// CHECK: torsh.group "dot"
func.func @weights_are_read(%q: !h, %k: !h, %v: !h) -> (!h, !p) {
  %s = torsh.dot_general %q, %k batch = [0, 1] x [0, 1] contract = [3] x [3] : (!h, !h) -> !p
  %p = torsh.softmax %s axis = 3 : !p
  %y = torsh.dot_general %p, %v batch = [0, 1] x [0, 1] contract = [3] x [2] : (!p, !h) -> !h
  return %y, %p : !h, !p
}

// -----

!s = tensor<8x4xf32>

// A chain of single readers is fused at every level; a value with two readers ends a conservative chain.
// CONSERVATIVE-LABEL: func.func @levels
// CONSERVATIVE: torsh.group "dot"
// CONSERVATIVE: torsh.add
// CONSERVATIVE-NEXT: torsh.yield
// CONSERVATIVE: torsh.group "elementwise"
// CONSERVATIVE: torsh.group "elementwise"
// CONSERVATIVE-NOT: torsh.group
// CONSERVATIVE: return
// CHECK-LABEL: func.func @levels
// CHECK: torsh.group "dot"
// CHECK: torsh.add
// CHECK-NEXT: torsh.tanh
// CHECK-NEXT: torsh.yield
// CHECK: torsh.group "elementwise"
// CHECK: torsh.exp
// AGGRESSIVE-LABEL: func.func @levels
// AGGRESSIVE: torsh.group "dot"
// AGGRESSIVE: torsh.add
// AGGRESSIVE-NEXT: torsh.exp
// AGGRESSIVE-NEXT: torsh.tanh
// AGGRESSIVE-NEXT: torsh.yield
// EXPLAIN: 'first' is not fused with 'sum', which it reads: the kernel would have more than 2 results; --fusion=aggressive does it
func.func @levels(%x: !s, %w: tensor<4x4xf32>) -> (!s, !s, !s) {
  %0 = torsh.dot_general %x, %w batch = [] x [] contract = [1] x [0] : (!s, tensor<4x4xf32>) -> !s loc("product")
  %1 = torsh.add %0, %x : !s loc("sum")
  %2 = torsh.exp %1 : !s loc("first")
  %3 = torsh.tanh %1 : !s loc("last")
  return %1, %2, %3 : !s, !s, !s
}

// -----

!s = tensor<8x4xf32>

// A cheap op on a value in memory is computed again in each reader, an expensive one is not.
// CHECK-LABEL: func.func @again
// AGGRESSIVE-LABEL: func.func @again
// AGGRESSIVE: torsh.group "elementwise"(%arg0)
// AGGRESSIVE: torsh.abs
// AGGRESSIVE: torsh.yield
// AGGRESSIVE: torsh.group "dot"
// AGGRESSIVE: torsh.dot_general
// AGGRESSIVE-NEXT: torsh.abs
// AGGRESSIVE-NEXT: torsh.mul
// EXPLAIN: 'product' is not fused with 'cheap', which it reads: a 'dot' kernel reads its operands from memory
// EXPLAIN: 'both' is not fused with 'cheap', which it reads: the reader belongs to the 'dot' kernel that it follows or feeds; --fusion=aggressive does it
func.func @again(%x: !s, %w: tensor<4x4xf32>) -> !s {
  %0 = torsh.abs %x : !s loc("cheap")
  %1 = torsh.dot_general %0, %w batch = [] x [] contract = [1] x [0] : (!s, tensor<4x4xf32>) -> !s loc("product")
  %2 = torsh.mul %1, %0 : !s loc("both")
  return %2 : !s
}

// -----

!s = tensor<8x4xf32>

// The tuner's word: a kernel of its own for the elementwise code. The decision leaves no trace.
// EXPLAIN: 'behind' is not fused with 'before', which it reads: two kernels were measured to be quicker
// CHECK-LABEL: func.func @chosen
// CHECK: torsh.group "dot"
// CHECK-NOT: torsh.choices
// CHECK-NOT: torsh.exp
// CHECK: torsh.group "elementwise"
// CHECK: torsh.exp
func.func @chosen(%x: !s, %w: tensor<4x4xf32>) -> !s {
  %0 = torsh.dot_general %x, %w batch = [] x [] contract = [1] x [0] {torsh.choices = {separate_epilogue = 1 : i64}} : (!s, tensor<4x4xf32>) -> !s loc("before")
  %1 = torsh.exp %0 : !s loc("behind")
  return %1 : !s
}

// -----

// A wide image that would leave the cache is filtered by the kernel that makes it; a small one is not worth it.
// CHECK-LABEL: func.func @expand_depthwise
// CHECK: torsh.group "expand_depthwise"
// CHECK: torsh.conv
// CHECK: torsh.tanh
// CHECK: torsh.conv
// CHECK: torsh.exp
// CHECK-NOT: torsh.group
// CHECK: return
// CONSERVATIVE-LABEL: func.func @expand_depthwise
// CONSERVATIVE: torsh.group "conv"
// CONSERVATIVE: torsh.group "depthwise"
func.func @expand_depthwise(%x: tensor<1x112x112x16xf32>, %v: tensor<3x3x1x96xf32>) -> tensor<1x56x56x96xf32> {
  %p = torsh.constant #torsh.weight<"k", tensor<16x96xf32>, [<"pack", [16], "", tensor<6x16x16xf32>>]> -> tensor<6x16x16xf32>
  %u = torsh.unpack %p : (tensor<6x16x16xf32>) -> tensor<16x96xf32>
  %w = torsh.reshape %u : (tensor<16x96xf32>) -> tensor<1x1x16x96xf32>
  %0 = torsh.conv %x, %w strides = [1, 1] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x112x112x16xf32>, tensor<1x1x16x96xf32>) -> tensor<1x112x112x96xf32>
  %1 = torsh.tanh %0 : tensor<1x112x112x96xf32>
  %2 = torsh.conv %1, %v strides = [2, 2] dilations = [1, 1] low = [1, 1] high = [1, 1] groups = 96 {layout = #torsh<layout channels_last>} : (tensor<1x112x112x96xf32>, tensor<3x3x1x96xf32>) -> tensor<1x56x56x96xf32>
  %3 = torsh.exp %2 : tensor<1x56x56x96xf32>
  return %3 : tensor<1x56x56x96xf32>
}

// -----

// CHECK-LABEL: func.func @small_expand
// CHECK: torsh.group "conv"
// CHECK: torsh.group "depthwise"
func.func @small_expand(%x: tensor<1x14x14x16xf32>, %v: tensor<3x3x1x96xf32>) -> tensor<1x14x14x96xf32> {
  %p = torsh.constant #torsh.weight<"k", tensor<16x96xf32>, [<"pack", [16], "", tensor<6x16x16xf32>>]> -> tensor<6x16x16xf32>
  %u = torsh.unpack %p : (tensor<6x16x16xf32>) -> tensor<16x96xf32>
  %w = torsh.reshape %u : (tensor<16x96xf32>) -> tensor<1x1x16x96xf32>
  %0 = torsh.conv %x, %w strides = [1, 1] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x14x14x16xf32>, tensor<1x1x16x96xf32>) -> tensor<1x14x14x96xf32>
  %1 = torsh.conv %0, %v strides = [1, 1] dilations = [1, 1] low = [1, 1] high = [1, 1] groups = 96 {layout = #torsh<layout channels_last>} : (tensor<1x14x14x96xf32>, tensor<3x3x1x96xf32>) -> tensor<1x14x14x96xf32>
  return %1 : tensor<1x14x14x96xf32>
}

// -----

// A gather that feeds another one goes into its kernel.
// CHECK-LABEL: func.func @gather_of_gather
// CHECK: torsh.group "elementwise"
// CHECK-COUNT-2: torsh.gather
// CHECK-NOT: torsh.group
func.func @gather_of_gather(%x: tensor<6x1xf32>, %i: tensor<6xi64>, %j: tensor<6xi64>) -> tensor<6x1xf32> {
  %0 = torsh.gather %x, %i axis = 0 : (tensor<6x1xf32>, tensor<6xi64>) -> tensor<6x1xf32>
  %1 = torsh.gather %0, %j axis = 0 : (tensor<6x1xf32>, tensor<6xi64>) -> tensor<6x1xf32>
  return %1 : tensor<6x1xf32>
}

// -----

// A depthwise kernel reads vectors of channels: weights with another order are copied by a kernel before it.
// CHECK-LABEL: func.func @depthwise_weights_of_the_run
// CHECK: torsh.group "elementwise"
// CHECK: torsh.transpose
// CHECK: torsh.group "depthwise"
// CHECK-NOT: torsh.transpose
// CHECK: torsh.conv
func.func @depthwise_weights_of_the_run(%x: tensor<1x9x4xf32>, %w: tensor<4x1x3xf32>) -> tensor<1x7x4xf32> {
  %t = torsh.transpose %w perm = [2, 1, 0] : (tensor<4x1x3xf32>) -> tensor<3x1x4xf32>
  %0 = torsh.conv %x, %t strides = [1] dilations = [1] low = [0] high = [0] groups = 4 {layout = #torsh<layout channels_last>} : (tensor<1x9x4xf32>, tensor<3x1x4xf32>) -> tensor<1x7x4xf32>
  return %0 : tensor<1x7x4xf32>
}
