//===-- DeviceCompiler.h - Kernels -> PTX, in parallel ------------------------------------------------------===//
#ifndef TORSH_COMPILER_GPU_DEVICECOMPILER_H
#define TORSH_COMPILER_GPU_DEVICECOMPILER_H

#include "mlir/IR/BuiltinOps.h"
#include "passes/gpu/DeviceKernels.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace torsh {

/// How far a device kernel is taken.
enum class DeviceStage {
  Llvm, ///< LLVM IR with NVVM intrinsics, as the code generator gets it before any optimisation
  Ptx,
};

/// The device code of one kernel.
struct CompiledDeviceKernel {
  std::string name;   ///< of the torsh.kernel
  std::string output; ///< text; empty when there is none
  std::string reason; ///< why there is none
  std::string note;   ///< what the strategy chose
};

/// "cuda:sm_80", "cuda:sm_90" or "cuda:sm_100".
llvm::Expected<DeviceTarget> parseDeviceTarget(llvm::StringRef text);
/// The name that parseDeviceTarget reads.
std::string getDeviceTargetName(const DeviceTarget &target);

/// Compiles every torsh.kernel of the module on `threads` workers. A kernel that a GPU cannot run gets a reason, which is no
/// error: its CPU code runs instead. The result is in module order.
llvm::Expected<std::vector<CompiledDeviceKernel>> compileDeviceKernels(mlir::ModuleOp module,
                                                                       const DeviceTarget &target,
                                                                       unsigned optLevel, unsigned threads,
                                                                       DeviceStage stage);

} // namespace torsh

#endif // TORSH_COMPILER_GPU_DEVICECOMPILER_H
