//===-- Metadata.h - What an artifact says about itself -----------------------------------------------------===//
#ifndef TORSH_COMPILER_METADATA_H
#define TORSH_COMPILER_METADATA_H

#include "compiler/KernelCompiler.h"
#include "compiler/gpu/DeviceCompiler.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace torsh {

/// Which file a model came from.
struct ModelIdentity {
  int64_t bytes = -1; ///< -1: it cannot be read
  std::string sha256;
};
ModelIdentity identifyModel(llvm::StringRef path);

/// The metadata as JSON: versions, model digest, signature, CPU levels, kernels with their source nodes, memory. `target` is
/// "cpu" or names a GPU, which has code for the device kernels without a reason.
std::string buildMetadata(mlir::func::FuncOp function, llvm::ArrayRef<CpuLevel> levels,
                          llvm::ArrayRef<CompiledKernel> kernels, llvm::StringRef modelPath,
                          const ModelIdentity &model, unsigned optLevel, llvm::StringRef precision,
                          llvm::StringRef sidecar, llvm::StringRef target = "cpu",
                          llvm::ArrayRef<CompiledDeviceKernel> deviceKernels = {});

} // namespace torsh

#endif // TORSH_COMPILER_METADATA_H
