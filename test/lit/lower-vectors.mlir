// After this pass only the LLVM dialect is left, or an error tells what was not lowered.
// RUN: torsh-opt %s --torsh-emit-kernels --torsh-lower-vectors --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-NOT: {{(scf|vector|math|arith|func|cf|ub|builtin)\.[a-z]}}
// CHECK-LABEL: llvm.func @softmax_row
// CHECK-NOT: {{(scf|vector|math|arith|func|cf|ub|builtin)\.[a-z]}}
// The exponential is a polynomial: multiply-adds on vectors, and no call of libm.
// CHECK-NOT: llvm.call
// CHECK: llvm.intr.fma
// CHECK-NOT: {{(scf|vector|math|arith|func|cf|ub|builtin)\.[a-z]}}
// CHECK: llvm.return
torsh.kernel @softmax_row "row_norm" [] {
^bb0(%x: tensor<3x64xf32>):
  %0 = torsh.softmax %x axis = 1 : tensor<3x64xf32>
  torsh.yield %0 : tensor<3x64xf32>
}

// -----

// Adds and multiplies may be contracted; nothing assumes that NaN and infinities do not occur.
// CHECK-LABEL: llvm.func @flags
// CHECK-NOT: {{nnan|ninf|arcp|fast>}}
// CHECK: llvm.fadd %{{.*}} {fastmathFlags = #llvm.fastmath<contract>}
// CHECK-NOT: {{nnan|ninf|arcp|fast>}}
// CHECK: llvm.return
torsh.kernel @flags "elementwise" [] {
^bb0(%x: tensor<64xf32>, %y: tensor<64xf32>):
  %0 = torsh.add %x, %y : tensor<64xf32>
  torsh.yield %0 : tensor<64xf32>
}

// -----

func.func @left(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{TSH-0503: an operation has no machine-level form: torsh.exp}}
  %0 = torsh.exp %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
