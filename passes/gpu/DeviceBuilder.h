//===-- DeviceBuilder.h - What a device strategy builds with ------------------------------------------------===//
//
// A device kernel is one function that every thread of every block runs. What a GPU has beyond a CPU is called by LLVM's
// NVVM intrinsics: they reach PTX unchanged, and a test can give each of them another meaning.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_PASSES_GPU_DEVICEBUILDER_H
#define TORSH_PASSES_GPU_DEVICEBUILDER_H

#include "passes/gpu/DeviceKernels.h"
#include "passes/lowering/KernelBuilder.h"

namespace torsh {

/// Threads of a warp.
constexpr unsigned warpSize = 32;

class DeviceBuilder : public KernelBuilder {
public:
  DeviceBuilder(KernelOp kernel, const DeviceTarget &target, const DeviceLaunch &launch,
                mlir::OpBuilder &builder);

  const DeviceTarget device;
  const DeviceLaunch launch;
  /// Number of the block and of the thread in it, and the same thread as lane of a warp; all i64.
  mlir::Value block, thread, lane, warp;

  /// A call of an intrinsic of LLVM; a null type for none.
  mlir::Value call(llvm::StringRef intrinsic, mlir::Type type, mlir::ValueRange arguments);
  mlir::Value constant32(int64_t value);

  /// Waits for all threads of the block. Every thread must come here equally often.
  void barrier();
  /// Memory of the block, uninitialised and aligned for any access. The block's whole demand is at most 48 KiB.
  mlir::Value sharedMemory(int64_t bytes);
  /// `pointer` plus bytes.
  mlir::Value offsetBytes(mlir::Value pointer, mlir::Value bytes);
  /// The value of the lane whose number differs from the own one by the bits of `mask`; f32 or any 32-bit type.
  mlir::Value shuffle(mlir::Value value, int64_t mask);

  /// Starts to copy 16 bytes to shared memory. Where `on` is false zeros are written and nothing is read.
  void copyAsync(mlir::Value shared, mlir::Value global, mlir::Value on);
  /// Ends a group of copies.
  void commitCopies();
  /// Waits until at most `pending` groups of this thread's copies are under way.
  void waitCopies(unsigned pending);

  /// Four 8 x 8 matrices of 16 bits (or 8 x 4 of 32 bits): each lane gives the address of a row of 16 bytes and gets four
  /// i32. `transposed` exchanges rows and columns of 16-bit elements.
  llvm::SmallVector<mlir::Value> loadMatrices(mlir::Value rowAddress, bool transposed);
  /// sums[0..3] += left x right on the tensor cores; operands are fragments of i32 (left four, right two).
  llvm::SmallVector<mlir::Value> multiplyAdd(MatrixType type, llvm::ArrayRef<mlir::Value> left,
                                             llvm::ArrayRef<mlir::Value> right,
                                             llvm::ArrayRef<mlir::Value> sums);
  /// An f32 rounded to tf32, as the i32 that tensor cores read.
  mlir::Value roundToTf32(mlir::Value value);
  mlir::Value asFloat(mlir::Value bits);

private:
  mlir::Value readRegister(llvm::StringRef name);
  unsigned buffers = 0;
};

/// Builds the code of one strategy; fails with a diagnostic at the kernel when the body is not of its shape.
llvm::LogicalResult emitDeviceElementwise(DeviceBuilder &db);
llvm::LogicalResult emitDeviceRowNorm(DeviceBuilder &db);
llvm::LogicalResult emitDeviceDot(DeviceBuilder &db);

DeviceLaunch getDeviceElementwiseLaunch(KernelOp kernel);
DeviceLaunch getDeviceRowNormLaunch(KernelOp kernel);
DeviceLaunch getDeviceDotLaunch(KernelOp kernel);

} // namespace torsh

#endif // TORSH_PASSES_GPU_DEVICEBUILDER_H
