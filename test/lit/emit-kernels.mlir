// Kernels become loops. What a strategy has no code for is refused by the kernel's name.
// RUN: torsh-opt %s --torsh-emit-kernels --split-input-file --verify-diagnostics | FileCheck %s
// RUN: torsh-opt %s --torsh-emit-kernels="lanes=16 registers=32" --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=WIDE

!x = tensor<?x64xf32, #torsh.dims<[s0, 64]>>
!y = tensor<?x20xf32, #torsh.dims<[s0, 20]>>

// The 6 x 16 tile of sums stays in registers through the loop over K: 12 vectors of 8 are its iteration arguments.
// CHECK-LABEL: func.func @dot(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: i64, %{{.*}}: i64)
// CHECK-SAME: torsh.note = "tile 6x16, 8 lanes, packed weights"
// The sums begin with the bias.
// CHECK: %[[BIAS:[^ ]*]] = llvm.load {{.*}} -> vector<8xf32>
// CHECK: %[[SUMS:.*]]:12 = scf.for {{.*}} iter_args(%[[ACC:[^ ]*]] = %[[BIAS]], {{.*}}) -> (vector<8xf32>,
// CHECK: %[[PANEL:[^ ]*]] = llvm.load {{.*}} -> vector<8xf32>
// CHECK: %[[A:.*]] = vector.broadcast %{{.*}} : f32 to vector<8xf32>
// Four steps of K a round of the loop: the second adds to the sums of the first.
// CHECK: %[[FIRST:.*]] = math.fma %[[A]], %[[PANEL]], %[[ACC]] : vector<8xf32>
// CHECK-COUNT-3: math.fma %{{.*}}, %{{.*}}, %{{.*}} : vector<8xf32>
// CHECK: math.fma %{{.*}}, %{{.*}}, %[[FIRST]] : vector<8xf32>
// CHECK: scf.yield
// The epilogue works on the sums and stores them once.
// CHECK: %[[T:.*]] = math.tanh %[[SUMS]]#0
// CHECK: llvm.store %[[T]],
// Columns 16 to 20 are less than a panel: the last stores are masked.
// CHECK: llvm.intr.masked.store
//
// WIDE-LABEL: func.func @dot
// WIDE: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>,
// WIDE: math.fma {{.*}} : vector<16xf32>
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

// A long sum is cut: a piece of a panel (256 of the 1024 products) serves all rows, the next piece is fetched
// meanwhile, and the sums of all but the last piece go through the stack.
// CHECK-LABEL: func.func @long_sum
// CHECK: %[[STACK:.*]] = llvm.alloca
// CHECK: scf.for
// CHECK: llvm.store %{{.*}}, %{{.*}} : vector<8xf32>, !llvm.ptr
// CHECK: scf.for %[[PIECE:[^ ]*]] =
// CHECK: %[[LAST:.*]] = arith.cmpi eq, %[[PIECE]],
// CHECK: "llvm.intr.prefetch"
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<8xf32>,
// CHECK: scf.if %[[LAST]]
// CHECK: math.tanh
// CHECK: } else {
// CHECK: llvm.store
torsh.kernel @long_sum "dot" [] {
^bb0(%w: tensor<1x1024x16xf32>, %x: tensor<48x1024xf32>):
  %0 = torsh.unpack %w : (tensor<1x1024x16xf32>) -> tensor<1024x16xf32>
  %1 = torsh.dot_general %x, %0 batch = [] x [] contract = [1] x [0] : (tensor<48x1024xf32>, tensor<1024x16xf32>) -> tensor<48x16xf32>
  %2 = torsh.tanh %1 : tensor<48x16xf32>
  torsh.yield %2 : tensor<48x16xf32>
}

// -----

// A chain of elementwise ops: one load, one store, nothing in between.
// CHECK-LABEL: func.func @elementwise
// CHECK: %[[V:.*]] = llvm.load {{.*}} -> vector<8xf32>
// CHECK: %[[E:.*]] = math.exp %[[V]] : vector<8xf32>
// CHECK-NOT: llvm.store
// CHECK: %[[N:.*]] = arith.negf %[[E]] : vector<8xf32>
// CHECK: llvm.store %[[N]],
torsh.kernel @elementwise "elementwise" [] {
^bb0(%x: tensor<64xf32>):
  %0 = torsh.exp %x : tensor<64xf32>
  %1 = torsh.neg %0 : tensor<64xf32>
  torsh.yield %1 : tensor<64xf32>
}

// -----

// A window on an input is an address: the row of a transpose is read with the stride of its source.
// CHECK-LABEL: func.func @window
// CHECK: scf.for %[[I:[^ ]*]] =
// CHECK: scf.for %[[J:[^ ]*]] =
// CHECK: %[[ROW:.*]] = arith.muli %[[J]], %c7_i64
// CHECK: %[[FROM:.*]] = arith.addi %[[I]], %[[ROW]]
// CHECK: llvm.getelementptr inbounds %{{.*}}[%[[FROM]]]
// CHECK: llvm.load
// CHECK: llvm.store
torsh.kernel @window "elementwise" [] {
^bb0(%x: tensor<5x7xf32>):
  %0 = torsh.transpose %x perm = [1, 0] : (tensor<5x7xf32>) -> tensor<7x5xf32>
  torsh.yield %0 : tensor<7x5xf32>
}

// -----

// Functions beside the kernels are left alone.
// CHECK-LABEL: func.func @plan
// CHECK: torsh.launch @copy
// CHECK: func.func @copy
func.func @plan(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = torsh.launch @copy(%x) dims = <[]> : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
torsh.kernel @copy "elementwise" [] {
^bb0(%x: tensor<4xf32>):
  torsh.yield %x : tensor<4xf32>
}

// -----

// expected-error @+1 {{TSH-0502: no strategy builds kernels anchored by 'teapot'}}
torsh.kernel @unknown "teapot" [] {
^bb0(%x: tensor<4xf32>):
  torsh.yield %x : tensor<4xf32>
}

// -----

// expected-error @+1 {{TSH-0501: no code for kernel 'mixed' (dot)}}
torsh.kernel @mixed "dot" [] {
^bb0(%x: tensor<4xf32>):
  %0 = torsh.exp %x : tensor<4xf32>
  torsh.yield %0 : tensor<4xf32>
}

// -----

// expected-error @+1 {{TSH-0506: the choices for kernel 'greedy' are wrong: kernels anchored by 'elementwise' have no choice 'pixels'}}
torsh.kernel @greedy "elementwise" [] {
^bb0(%x: tensor<4xf32>):
  torsh.yield %x : tensor<4xf32>
} {torsh.choices = {v3 = {pixels = 4 : i64}, v4 = {pixels = 4 : i64}}}
