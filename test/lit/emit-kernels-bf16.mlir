// Sums of products of pairs of bf16: one instruction on CPUs that have it, shifts and two multiply-adds as its emulation,
// and a refusal elsewhere.
// RUN: torsh-opt %s --torsh-emit-kernels="lanes=16 registers=32 bf16-dot" | FileCheck %s
// RUN: torsh-opt %s --torsh-emit-kernels="emulate-bf16-dot" | FileCheck %s --check-prefix=EMULATED
// RUN: torsh-opt %s --torsh-emit-kernels="lanes=16 registers=32 bf16-dot" --torsh-lower-vectors=native-bf16 | FileCheck %s --check-prefix=NATIVE
// RUN: not torsh-opt %s --torsh-emit-kernels 2>&1 | FileCheck %s --check-prefix=REFUSED
// REFUSED: TSH-0501: no code for kernel 'dot' (dot): the weights are pairs of bf16, of which this CPU level has no products

// A step reads 16 pairs a vector and broadcasts one pair a row; the sums are f32.
// CHECK-LABEL: func.func @dot
// CHECK-SAME: torsh.note = "tile 6x64, 16 lanes, packed weights, bf16 pairs"
// CHECK: scf.for {{.*}} iter_args({{.*}} -> (vector<16xf32>,
// CHECK: %[[L:.*]] = llvm.load {{.*}} : !llvm.ptr -> vector<16xi32>
// CHECK: %[[B:.*]] = llvm.bitcast %[[L]] : vector<16xi32> to vector<32xbf16>
// CHECK: %[[R:.*]] = llvm.load {{.*}} {alignment = 2 : i64} : !llvm.ptr -> i32
// CHECK: %[[S:.*]] = vector.broadcast %[[R]] : i32 to vector<16xi32>
// CHECK: %[[A:.*]] = llvm.bitcast %[[S]] : vector<16xi32> to vector<32xbf16>
// CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"(%{{.*}}, %[[A]], %[[B]]) : (vector<16xf32>, vector<32xbf16>, vector<32xbf16>) -> vector<16xf32>
// The product of the odd k is added first, as the instruction does.
// EMULATED-LABEL: func.func @dot
// EMULATED-SAME: torsh.note = "tile 6x16, 8 lanes, packed weights, bf16 pairs"
// EMULATED: scf.for
// EMULATED: %[[L:.*]] = llvm.load {{.*}} : !llvm.ptr -> vector<8xi32>
// EMULATED: %[[SHIFTED:.*]] = arith.shli %[[L]]
// EMULATED: %[[MASKED:.*]] = arith.andi %[[L]]
// EMULATED: %[[EVEN:.*]] = arith.bitcast %[[SHIFTED]] : vector<8xi32> to vector<8xf32>
// EMULATED: %[[ODD:.*]] = arith.bitcast %[[MASKED]] : vector<8xi32> to vector<8xf32>
// EMULATED: %[[FIRST:.*]] = math.fma %{{.*}}, %[[ODD]], %{{.*}} : vector<8xf32>
// EMULATED: math.fma %{{.*}}, %[[EVEN]], %[[FIRST]] : vector<8xf32>
// The CPU rounds the result.
// NATIVE-LABEL: llvm.func @dot
// NATIVE: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
// NATIVE: llvm.fptrunc %{{.*}} : vector<16xf32> to vector<16xbf16>
torsh.kernel @dot "dot" [] {
^bb0(%x: tensor<30x64xbf16>, %p: tensor<4x32x16x2xbf16>):
  %w = torsh.unpack %p : (tensor<4x32x16x2xbf16>) -> tensor<64x64xbf16>
  %y = torsh.dot_general %x, %w batch = [] x [] contract = [1] x [0] : (tensor<30x64xbf16>, tensor<64x64xbf16>) -> tensor<30x64xf32>
  %n = torsh.cast %y : (tensor<30x64xf32>) -> tensor<30x64xbf16>
  torsh.yield %n : tensor<30x64xbf16>
}
