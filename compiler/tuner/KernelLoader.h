//===-- KernelLoader.h - Compiled kernels as functions of this process ---------------------------------------===//
#ifndef TORSH_COMPILER_TUNER_KERNELLOADER_H
#define TORSH_COMPILER_TUNER_KERNELLOADER_H

#include "compiler/KernelCompiler.h"
#include "torsh/artifact.h"
#include <memory>

namespace torsh {

/// Object files of kernels in executable memory, for as long as the object lives.
class LoadedKernels {
public:
  static llvm::Expected<std::unique_ptr<LoadedKernels>> load(llvm::ArrayRef<CompiledKernel> kernels);
  ~LoadedKernels();
  /// The function of a kernel on a level.
  llvm::Expected<torsh_kernel_fn> find(llvm::StringRef kernel, llvm::StringRef level) const;

private:
  LoadedKernels();
  struct Memory;
  std::unique_ptr<Memory> memory;
};

} // namespace torsh

#endif // TORSH_COMPILER_TUNER_KERNELLOADER_H
