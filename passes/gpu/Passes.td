// GPU passes: kernels -> functions that every thread runs.
#ifndef TORSH_PASSES_GPU_PASSES_TD
#define TORSH_PASSES_GPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def EmitDeviceKernelsPass : Pass<"torsh-emit-device-kernels", "::mlir::ModuleOp"> {
  let summary = "Builds the code of every kernel for a GPU";
  let description = [{
    Each `torsh.kernel` is replaced by a function with a parameter for each input, output and dim, built by the device
    strategy of its anchor: a thread an element, a block or a warp a row, or a block a tile on tensor cores. What a GPU
    has beyond a CPU is a call of one of LLVM's NVVM intrinsics. torsh-lower-vectors takes the result to the LLVM dialect.

    Before: `torsh.kernel @k "elementwise" [] {...}`
    After:  `func.func @k(!llvm.ptr, !llvm.ptr) {...}` with `llvm.call_intrinsic "llvm.nvvm.read.ptx.sreg.tid.x"()`

    A kernel without a strategy, or with a body that its strategy has no code for, is an error that names it.
  }];
  let options = [
    Option<"capability", "capability", "unsigned", "80", "compute capability: 80, 90 or 100">,
    Option<"fastF32", "fast-f32", "bool", "false", "products of f32 are one product of tf32 instead of three">,
  ];
  let dependentDialects = ["::torsh::TorshDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect", "::mlir::arith::ArithDialect"];
}

#endif // TORSH_PASSES_GPU_PASSES_TD
