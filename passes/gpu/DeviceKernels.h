//===-- DeviceKernels.h - Kernels of a GPU ------------------------------------------------------------------===//
#ifndef TORSH_PASSES_GPU_DEVICEKERNELS_H
#define TORSH_PASSES_GPU_DEVICEKERNELS_H

#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <optional>
#include <string>

namespace torsh {

/// What tensor cores multiply; sums are f32.
enum class MatrixType { F16, BF16, TF32 };

/// What device strategies know about the target.
struct DeviceTarget {
  unsigned capability = 80; ///< compute capability: 80, 90 or 100
  /// Products of f32 as one product of tf32 (11 bits of mantissa) instead of three, which keep what f32 has.
  bool fastF32 = false;
};

/// How many blocks a kernel call launches, and how many threads each block has.
struct DeviceLaunch {
  DimAttr blocks; ///< in the kernel's symbols
  unsigned threads = 0;
};

/// The launch of a kernel's device code, none for kernels whose anchor has no strategy.
std::optional<DeviceLaunch> getDeviceLaunch(KernelOp kernel);

/// Builds the device function of a kernel by its anchor: a parameter for each input, output and dim. Fails with a
/// diagnostic that says why there is none (TSH-0501, TSH-0590).
mlir::FailureOr<mlir::func::FuncOp> emitDeviceKernel(KernelOp kernel, const DeviceTarget &target,
                                                     mlir::OpBuilder &builder, std::string *note = nullptr);

} // namespace torsh

#endif // TORSH_PASSES_GPU_DEVICEKERNELS_H
