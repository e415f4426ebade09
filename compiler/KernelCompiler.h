//===-- KernelCompiler.h - Kernels -> object files, in parallel ---------------------------------------------===//
#ifndef TORSH_COMPILER_KERNELCOMPILER_H
#define TORSH_COMPILER_KERNELCOMPILER_H

#include "compiler/Target.h"
#include "mlir/IR/BuiltinOps.h"
#include <functional>

namespace torsh {

/// How far a kernel is taken, for `--emit`.
enum class KernelStage { Loops, Llvm, Assembly, Object };

/// One kernel on one CPU level.
struct CompiledKernel {
  std::string name;   ///< of the torsh.kernel
  std::string level;  ///< CPU level
  std::string note;   ///< what the strategy chose
  std::string output; ///< text, or an object file
  double milliseconds = 0;
  /// Milliseconds of processor time: the loops, their lowering to LLVM IR, LLVM's passes and its code generator.
  double build = 0, lower = 0, optimize = 0, generate = 0;
};

/// The dialects and translations that a kernel's context needs.
void registerKernelDialects(mlir::DialectRegistry &registry);

/// Compiles every torsh.kernel of the module for every level on `threads` workers, each with contexts of its own.
/// `progress` is called after each with (done, total) from the calling thread's locks. The result is in module order,
/// level by level, whatever the workers did first. All failures are joined into one error.
llvm::Expected<std::vector<CompiledKernel>> compileKernels(mlir::ModuleOp module,
                                                           llvm::ArrayRef<CpuLevel> levels, unsigned optLevel,
                                                           unsigned threads, KernelStage stage,
                                                           std::function<void(size_t, size_t)> progress = {});

} // namespace torsh

#endif // TORSH_COMPILER_KERNELCOMPILER_H
