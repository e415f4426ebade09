//===-- DevicePlan.h - What the runtime launches and copies -------------------------------------------------===//
#ifndef TORSH_COMPILER_GPU_DEVICEPLAN_H
#define TORSH_COMPILER_GPU_DEVICEPLAN_H

#include "compiler/gpu/DeviceCompiler.h"
#include "llvm/ADT/StringMap.h"

namespace torsh {

/// The device part of a program. Values live where they are computed; `moves` say which the other side needs first.
struct DevicePlan {
  struct Kernel {
    std::string image;  ///< PTX; empty: the CPU body runs
    std::string reason; ///< why there is none
    unsigned threads = 0;
    unsigned inputs = 0, outputs = 0, dims = 0;
  };
  struct Launch {
    DimAttr blocks;                   ///< of a call
    llvm::SmallVector<DimAttr> bytes; ///< of each input
    llvm::SmallVector<uint8_t> moves; ///< for each input: 1 where it is copied to the side that runs the call
  };
  DeviceTarget target;
  llvm::StringMap<Kernel> kernels;
  std::vector<Launch> launches;           ///< in the order of the function
  llvm::SmallVector<uint8_t> outputMoves; ///< for each output: 1 where the device computes it
};

/// Refuses what the runtime's mirror of the memory does not follow: control flow, and arguments that are updated.
llvm::Error checkDevicePlan(mlir::func::FuncOp function);

/// Plans a placed function (torsh-plan-memory) with the device code of its kernels.
DevicePlan planDevice(mlir::func::FuncOp function, const DeviceTarget &target,
                      llvm::ArrayRef<CompiledDeviceKernel> kernels);

} // namespace torsh

#endif // TORSH_COMPILER_GPU_DEVICEPLAN_H
