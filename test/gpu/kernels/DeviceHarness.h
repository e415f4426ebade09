//===-- DeviceHarness.h - Compares device kernels in the emulator with the reference evaluator ---------------===//
#ifndef TORSH_TEST_GPU_KERNELS_DEVICEHARNESS_H
#define TORSH_TEST_GPU_KERNELS_DEVICEHARNESS_H

#include "passes/gpu/DeviceKernels.h"
#include "test/gpu/emulator/Machine.h"
#include "test/unit/kernels/KernelHarness.h"
#include "llvm/IR/Module.h"
#include <functional>
#include <optional>

namespace torsh::test {

/// How a case is run.
struct DeviceOptions {
  DeviceTarget target = {};
  std::vector<uint64_t> seeds = {1, 2};
  /// Damages the kernel before it is compiled for the emulator.
  std::function<void(llvm::Module &)> change = {};
};

/// What became of a run: the emulator's complaint or the first difference; empty when all is well.
struct DeviceResult {
  std::string wrong;
  std::string note; ///< what the strategy chose
  emulator::Outcome outcome;
};

/// Compiles one case and runs it once for each seed. Fails the test when it cannot be compiled.
DeviceResult runOnDevice(const Case &one, const DeviceOptions &options = {});
/// As runOnDevice, but none where a GPU has no code for the case.
std::optional<DeviceResult> tryOnDevice(const Case &one, const DeviceOptions &options = {});
/// Requires that all cases give what the evaluator gives.
void checkOnDevice(const std::vector<Case> &cases, const DeviceOptions &options = {});
/// Requires that a GPU has no code for the case, for a reason that holds `text`.
void expectRefusedOnDevice(const Case &refused, const std::string &text);
/// The PTX of a case.
std::string compileToPtx(const Case &one, const DeviceTarget &target);

} // namespace torsh::test

#endif // TORSH_TEST_GPU_KERNELS_DEVICEHARNESS_H
