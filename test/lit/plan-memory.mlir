// Where every buffer of a plan lies.
// RUN: torsh-opt %s --torsh-outline-kernels --torsh-plan-memory --split-input-file | FileCheck %s

!s = tensor<3x4xf32>
!l = tensor<100xf32>

// 48 bytes take a slot of 64. The third value lies where the first one was, which is dead by then.
// CHECK-LABEL: func.func @reuse
// CHECK-SAME: torsh.arena_bytes = #torsh.dim<128>, torsh.arena_lower_bound = 128
// CHECK: torsh.launch {{.*}}places = [#torsh.place<"arena", <0>>]
// CHECK: torsh.launch {{.*}}places = [#torsh.place<"arena", <64>>]
// CHECK: torsh.launch {{.*}}places = [#torsh.place<"arena", <0>>]
// CHECK: torsh.launch {{.*}}places = [#torsh.place<"output", <0>>]
func.func @reuse(%x: !s) -> !s {
  %0 = torsh.group "scan"(%x) {
  ^bb0(%a: !s):
    %1 = torsh.exp %a : !s
    torsh.yield %1 : !s
  } : (!s) -> !s
  %2 = torsh.group "scan"(%0) {
  ^bb0(%a: !s):
    %3 = torsh.exp %a : !s
    torsh.yield %3 : !s
  } : (!s) -> !s
  %4 = torsh.group "scan"(%2) {
  ^bb0(%a: !s):
    %5 = torsh.exp %a : !s
    torsh.yield %5 : !s
  } : (!s) -> !s
  %6 = torsh.group "scan"(%4) {
  ^bb0(%a: !s):
    %7 = torsh.exp %a : !s
    torsh.yield %7 : !s
  } : (!s) -> !s
  return %6 : !s
}

// -----

!s = tensor<3x4xf32>

// The first value lives until the last launch, through its reshape, so nobody takes its place.
// CHECK-LABEL: func.func @alias
// CHECK-SAME: torsh.arena_bytes = #torsh.dim<128>
// CHECK: %[[A:.*]] = torsh.launch {{.*}}places = [#torsh.place<"arena", <0>>]
// CHECK: %[[R:.*]] = torsh.reshape %[[A]]
// CHECK: %[[B:.*]] = torsh.launch {{.*}}places = [#torsh.place<"arena", <64>>]
// CHECK: torsh.launch @{{.*}}(%[[B]], %[[R]]) {{.*}}places = [#torsh.place<"output", <0>>]
func.func @alias(%x: !s) -> tensor<12xf32> {
  %0 = torsh.group "scan"(%x) {
  ^bb0(%a: !s):
    %1 = torsh.exp %a : !s
    torsh.yield %1 : !s
  } : (!s) -> !s
  %r = torsh.reshape %0 : (!s) -> tensor<12xf32>
  %2 = torsh.group "reduce"(%x) {
  ^bb0(%a: !s):
    %3 = torsh.reduce sum %a axes = [0, 1] keep_dims = false : (!s) -> tensor<f32>
    torsh.yield %3 : tensor<f32>
  } : (!s) -> tensor<f32>
  %4 = torsh.group "scan"(%2, %r) {
  ^bb0(%a: tensor<f32>, %b: tensor<12xf32>):
    %5 = torsh.broadcast %a axes = [] : (tensor<f32>) -> tensor<12xf32>
    %6 = torsh.add %5, %b : tensor<12xf32>
    torsh.yield %6 : tensor<12xf32>
  } : (tensor<f32>, tensor<12xf32>) -> tensor<12xf32>
  return %4 : tensor<12xf32>
}

// -----

!n = tensor<?x4xf32, #torsh.dims<[n, 4]>>
!k = tensor<?x8xf32, #torsh.dims<[n, 8]>>

// Sizes that are known when the model runs are expressions: equal ones share a slot, a reused one costs nothing.
// CHECK-LABEL: func.func @symbolic
// CHECK-SAME: torsh.arena_bytes = #torsh.dim<[[ARENA:.*]]>, torsh.weight_bytes = 0
// CHECK: torsh.launch {{.*}}places = [#torsh.place<"arena", <0>>]
// CHECK: torsh.launch {{.*}}places = [#torsh.place<"arena", <[[SECOND:.*n.*]]>>]
// CHECK: torsh.launch {{.*}}places = [#torsh.place<"arena", <0>>]
// CHECK: torsh.launch {{.*}}places = [#torsh.place<"output", <0>>]
func.func @symbolic(%x: !n) -> !n {
  %0 = torsh.group "scan"(%x) {
  ^bb0(%a: !n):
    %1 = torsh.exp %a : !n
    torsh.yield %1 : !n
  } : (!n) -> !n
  %2 = torsh.group "scan"(%0) {
  ^bb0(%a: !n):
    %3 = torsh.exp %a : !n
    torsh.yield %3 : !n
  } : (!n) -> !n
  %4 = torsh.group "scan"(%2) {
  ^bb0(%a: !n):
    %5 = torsh.exp %a : !n
    torsh.yield %5 : !n
  } : (!n) -> !n
  %6 = torsh.group "scan"(%4) {
  ^bb0(%a: !n):
    %7 = torsh.exp %a : !n
    torsh.yield %7 : !n
  } : (!n) -> !n
  return %6 : !n
}

// -----

!s = tensor<3x4xf32>

// Weights lie one behind the other, each at a multiple of 64 bytes.
// CHECK-LABEL: func.func @weights
// CHECK-SAME: torsh.arena_bytes = #torsh.dim<0>, torsh.arena_lower_bound = 0 : i64, torsh.weight_bytes = 192
// CHECK: torsh.constant #torsh.weight<"a", {{.*}}place = #torsh.place<"weights", <0>>
// CHECK: torsh.constant #torsh.weight<"b", {{.*}}place = #torsh.place<"weights", <128>>
func.func @weights() -> (tensor<20xf32>, !s) {
  %0 = torsh.constant #torsh.weight<"a", tensor<20xf32>> -> tensor<20xf32>
  %1 = torsh.constant #torsh.weight<"b", tensor<3x4xf32>> -> !s
  return %0, %1 : tensor<20xf32>, !s
}

// -----

// The largest first, 320, 256, 192 and 128 bytes, would need 576: the second value would fit neither below nor between.
// Another order reaches the bound.
// CHECK-LABEL: func.func @order
// CHECK-SAME: torsh.arena_bytes = #torsh.dim<448>, torsh.arena_lower_bound = 448
func.func @order(%x: tensor<16xf32>) -> tensor<16xf32> {
  %0 = torsh.group "scan"(%x) {
  ^bb0(%a: tensor<16xf32>):
    %y = torsh.slice %a starts = <[0]> sizes = <[1]> steps = [1] : (tensor<16xf32>) -> tensor<1xf32>
    %r = torsh.reshape %y : (tensor<1xf32>) -> tensor<f32>
    %b = torsh.broadcast %r axes = [] : (tensor<f32>) -> tensor<80xf32>
    torsh.yield %b : tensor<80xf32>
  } : (tensor<16xf32>) -> tensor<80xf32>
  %1 = torsh.group "scan"(%0) {
  ^bb0(%a: tensor<80xf32>):
    %y = torsh.slice %a starts = <[0]> sizes = <[1]> steps = [1] : (tensor<80xf32>) -> tensor<1xf32>
    %r = torsh.reshape %y : (tensor<1xf32>) -> tensor<f32>
    %b = torsh.broadcast %r axes = [] : (tensor<f32>) -> tensor<32xf32>
    torsh.yield %b : tensor<32xf32>
  } : (tensor<80xf32>) -> tensor<32xf32>
  %2 = torsh.group "scan"(%1) {
  ^bb0(%a: tensor<32xf32>):
    %y = torsh.slice %a starts = <[0]> sizes = <[1]> steps = [1] : (tensor<32xf32>) -> tensor<1xf32>
    %r = torsh.reshape %y : (tensor<1xf32>) -> tensor<f32>
    %b = torsh.broadcast %r axes = [] : (tensor<f32>) -> tensor<48xf32>
    torsh.yield %b : tensor<48xf32>
  } : (tensor<32xf32>) -> tensor<48xf32>
  %3 = torsh.group "scan"(%2) {
  ^bb0(%a: tensor<48xf32>):
    %y = torsh.slice %a starts = <[0]> sizes = <[1]> steps = [1] : (tensor<48xf32>) -> tensor<1xf32>
    %r = torsh.reshape %y : (tensor<1xf32>) -> tensor<f32>
    %b = torsh.broadcast %r axes = [] : (tensor<f32>) -> tensor<64xf32>
    torsh.yield %b : tensor<64xf32>
  } : (tensor<48xf32>) -> tensor<64xf32>
  %4 = torsh.group "scan"(%3) {
  ^bb0(%a: tensor<64xf32>):
    %y = torsh.slice %a starts = <[0]> sizes = <[1]> steps = [1] : (tensor<64xf32>) -> tensor<1xf32>
    %r = torsh.reshape %y : (tensor<1xf32>) -> tensor<f32>
    %b = torsh.broadcast %r axes = [] : (tensor<f32>) -> tensor<16xf32>
    torsh.yield %b : tensor<16xf32>
  } : (tensor<64xf32>) -> tensor<16xf32>
  return %4 : tensor<16xf32>
}

// -----

!s = tensor<16xf32>

// A result takes the place of an operand that ends there, when the kernel reads it where it stores and nowhere else: the sum
// lies on the residual, not on what the reversed read needs, nor on what is read later.
// CHECK-LABEL: func.func @in_place
// CHECK: %[[A:.*]] = torsh.launch @k0_scan(%arg0) {{.*}}place<"arena", <[[A_AT:[0-9]+]]>>
// CHECK: %[[B:.*]] = torsh.launch @k0_scan(%[[A]]) {{.*}}place<"arena", <[[B_AT:[0-9]+]]>>
// CHECK: %[[S:.*]] = torsh.launch @k1_elementwise(%[[A]], %[[B]]) {{.*}}place<"arena", <[[A_AT]]>>
// CHECK: %[[T:.*]] = torsh.launch @k2_elementwise(%[[S]], %[[B]])
// CHECK-NOT: place<"arena", <[[A_AT]]>>
// CHECK: return
func.func @in_place(%x: !s) -> (!s, !s) {
  %0 = torsh.group "scan"(%x) {
  ^bb0(%a: !s):
    %1 = torsh.tanh %a : !s
    torsh.yield %1 : !s
  } : (!s) -> !s
  %2 = torsh.group "scan"(%0) {
  ^bb0(%a: !s):
    %1 = torsh.tanh %a : !s
    torsh.yield %1 : !s
  } : (!s) -> !s
  %3 = torsh.group "elementwise"(%0, %2) {
  ^bb0(%a: !s, %b: !s):
    %1 = torsh.slice %b starts = <[15]> sizes = <[16]> steps = [-1] : (!s) -> !s
    %4 = torsh.add %a, %1 : !s
    torsh.yield %4 : !s
  } : (!s, !s) -> !s
  %5 = torsh.group "elementwise"(%3, %2) {
  ^bb0(%a: !s, %b: !s):
    %1 = torsh.slice %a starts = <[15]> sizes = <[16]> steps = [-1] : (!s) -> !s
    %4 = torsh.slice %b starts = <[15]> sizes = <[16]> steps = [-1] : (!s) -> !s
    %6 = torsh.sub %4, %1 : !s
    torsh.yield %6 : !s
  } : (!s, !s) -> !s
  %7 = torsh.group "scan"(%5) {
  ^bb0(%a: !s):
    %1 = torsh.tanh %a : !s
    torsh.yield %1 : !s
  } : (!s) -> !s
  %8 = torsh.group "scan"(%7) {
  ^bb0(%a: !s):
    %1 = torsh.tanh %a : !s
    torsh.yield %1 : !s
  } : (!s) -> !s
  return %8, %7 : !s, !s
}

// -----

!x = tensor<2x16xf32>
!p = tensor<1x16xf32>

// Groups that take turns for each image: what they read and write as a whole is alive through all of them, so the last
// result does not lie on the first operand, although that is read before.
// CHECK-LABEL: func.func @images
// CHECK: torsh.launch @k0_scan(%arg0) {{.*}}place<"arena", <[[IN:[0-9]+]]>>
// CHECK: torsh.launch {{.*}}images{{.*}}segment
// CHECK-NOT: place<"arena", <[[IN]]>>
// CHECK: torsh.launch {{.*}}images{{.*}}segment
// CHECK: return
func.func @images(%x: !x) -> !x {
  %0 = torsh.group "scan"(%x) {
  ^bb0(%a: !x):
    %1 = torsh.tanh %a : !x
    torsh.yield %1 : !x
  } : (!x) -> !x
  %2 = torsh.group "scan"(%0) {
  ^bb0(%a: !p):
    %1 = torsh.tanh %a : !p
    torsh.yield %1 : !p
  } {images = #torsh.dim<2>, segment = 0 : i64} : (!x) -> !p
  %3 = torsh.group "scan"(%2) {
  ^bb0(%a: !p):
    %1 = torsh.exp %a : !p
    torsh.yield %1 : !p
  } {images = #torsh.dim<2>, segment = 0 : i64} : (!p) -> !x
  %4 = torsh.group "scan"(%3) {
  ^bb0(%a: !x):
    %1 = torsh.tanh %a : !x
    torsh.yield %1 : !x
  } : (!x) -> !x
  return %4 : !x
}

// -----

!x = tensor<2x16xf32>
!p = tensor<1x16xf32>

// The first launch of the segment may read all images of the first value for each of them, so the sum of one image must not
// overwrite it, although it is read where the sum is stored and ends there.
// CHECK-LABEL: func.func @whole
// CHECK: torsh.launch @k0_scan(%arg0) {{.*}}place<"arena", <[[IN:[0-9]+]]>>
// CHECK: torsh.launch {{.*}}segment
// CHECK: torsh.launch @k2_elementwise
// CHECK-NOT: place<"arena", <[[IN]]>>
// CHECK-SAME: segment
// CHECK: return
func.func @whole(%x: !x) -> !x {
  %0 = torsh.group "scan"(%x) {
  ^bb0(%a: !x):
    %1 = torsh.tanh %a : !x
    torsh.yield %1 : !x
  } : (!x) -> !x
  %2 = torsh.group "reduce"(%0) {
  ^bb0(%a: !x):
    %1 = torsh.reduce mean %a axes = [0] keep_dims = true : (!x) -> !p
    torsh.yield %1 : !p
  } {images = #torsh.dim<2>, segment = 0 : i64} : (!x) -> !p
  %3 = torsh.group "elementwise"(%0, %2) {
  ^bb0(%a: !p, %b: !p):
    %1 = torsh.add %a, %b : !p
    torsh.yield %1 : !p
  } {images = #torsh.dim<2>, segment = 0 : i64} : (!x, !p) -> !x
  %4 = torsh.group "scan"(%3) {
  ^bb0(%a: !x):
    %1 = torsh.tanh %a : !x
    torsh.yield %1 : !x
  } : (!x) -> !x
  return %4 : !x
}
