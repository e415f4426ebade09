// Kernels become functions that every thread of a GPU runs. What has no code there is refused by the kernel's name.
// RUN: torsh-opt %s --torsh-emit-device-kernels --split-input-file --verify-diagnostics | FileCheck %s
// RUN: torsh-opt %s --torsh-emit-device-kernels=fast-f32 --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=FAST
// RUN: torsh-opt %s --torsh-emit-device-kernels --torsh-lower-vectors --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=LOWER

!x = tensor<?x64xf32, #torsh.dims<[s0, 64]>>
!y = tensor<?x20xf32, #torsh.dims<[s0, 20]>>

// Two buffers of tiles in shared memory take turns, and each half of an f32 is multiplied by itself.
// CHECK: llvm.mlir.global internal @dot_shared0() {addr_space = 3 : i32, alignment = 16 : i64{{.*}}} : !llvm.array<36864 x i8>
// CHECK-LABEL: func.func @dot(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: i64)
// CHECK-SAME: torsh.note = "tensor cores, tf32, three products, copied asynchronously"
// CHECK: llvm.call_intrinsic "llvm.nvvm.cp.async.cg.shared.global.16.s"
// CHECK: llvm.call_intrinsic "llvm.nvvm.cp.async.commit.group"
// CHECK: scf.for {{.*}} iter_args(
// CHECK: llvm.call_intrinsic "llvm.nvvm.cp.async.wait.group"
// CHECK-NEXT: llvm.call_intrinsic "llvm.nvvm.barrier.cta.sync.aligned.all"
// CHECK: llvm.call_intrinsic "llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3"
// CHECK-COUNT-3: llvm.call_intrinsic "llvm.nvvm.mma.m16n8k8.row.col.tf32"
// CHECK: llvm.call_intrinsic "llvm.nvvm.barrier.cta.sync.aligned.all"
// CHECK: scf.yield
// The epilogue works on one sum and stores it where the tile is inside the result.
// CHECK: llvm.call_intrinsic "llvm.nvvm.barrier.cta.sync.aligned.all"
// CHECK: scf.if
// CHECK: math.tanh
// CHECK: llvm.store
//
// FAST-LABEL: func.func @dot
// FAST-SAME: torsh.note = "tensor cores, tf32, copied asynchronously"
// FAST-COUNT-32: llvm.call_intrinsic "llvm.nvvm.mma.m16n8k8.row.col.tf32"
// FAST-NOT: llvm.nvvm.mma
// FAST: scf.yield
//
// LOWER-LABEL: llvm.func @dot(
// LOWER-NOT: math.
// LOWER: llvm.return
torsh.kernel @dot "dot" ["s0"] {
^bb0(%w: tensor<2x64x16xf32>, %x: !x, %b: tensor<20xf32>):
  %0 = torsh.unpack %w : (tensor<2x64x16xf32>) -> tensor<64x20xf32>
  %1 = torsh.dot_general %x, %0 batch = [] x [] contract = [1] x [0] : (!x, tensor<64x20xf32>) -> !y
  %2 = torsh.broadcast %b axes = [1] : (tensor<20xf32>) -> !y
  %3 = torsh.add %1, %2 : !y
  %4 = torsh.tanh %3 : !y
  torsh.yield %4 : !y
}

// -----

// A row of 200: four warps combine their lanes by shuffles and meet in shared memory.
// CHECK: llvm.mlir.global internal @softmax_shared
// CHECK-LABEL: func.func @softmax(
// CHECK-SAME: torsh.note = "a block a row"
// CHECK-COUNT-5: llvm.call_intrinsic "llvm.nvvm.shfl.sync.bfly.f32"
// CHECK: llvm.call_intrinsic "llvm.nvvm.barrier.cta.sync.aligned.all"
// CHECK: math.exp
// CHECK-COUNT-5: llvm.call_intrinsic "llvm.nvvm.shfl.sync.bfly.f32"
torsh.kernel @softmax "row_norm" [] {
^bb0(%x: tensor<3x200xf32>):
  %y = torsh.softmax %x axis = 1 : tensor<3x200xf32>
  torsh.yield %y : tensor<3x200xf32>
}

// -----

// A short row is a warp's.
// CHECK-LABEL: func.func @short(
// CHECK-SAME: torsh.note = "a warp a row"
// CHECK-NOT: barrier
// CHECK: return
torsh.kernel @short "row_norm" [] {
^bb0(%x: tensor<3x40xf32>):
  %y = torsh.softmax %x axis = 1 : tensor<3x40xf32>
  torsh.yield %y : tensor<3x40xf32>
}

// -----

// CHECK-LABEL: func.func @chain(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: i64)
// CHECK: llvm.call_intrinsic "llvm.nvvm.read.ptx.sreg.ctaid.x"
// CHECK: llvm.call_intrinsic "llvm.nvvm.read.ptx.sreg.tid.x"
// CHECK: scf.if
torsh.kernel @chain "elementwise" ["s0"] {
^bb0(%x: tensor<?xf32, #torsh.dims<[s0]>>):
  %y = torsh.exp %x : tensor<?xf32, #torsh.dims<[s0]>>
  torsh.yield %y : tensor<?xf32, #torsh.dims<[s0]>>
}

// -----

// expected-error @below {{TSH-0590: kernels anchored by 'scan' have no code for a GPU}}
torsh.kernel @scan "scan" [] {
^bb0(%x: tensor<3x40xf32>):
  %y = torsh.cumsum %x axis = 1 : tensor<3x40xf32>
  torsh.yield %y : tensor<3x40xf32>
}
