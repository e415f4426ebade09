//===-- DeviceModel.h - A model through compiler, runtime, fake driver and emulator --------------------------===//
#ifndef TORSH_TEST_GPU_DRIVER_DEVICEMODEL_H
#define TORSH_TEST_GPU_DRIVER_DEVICEMODEL_H

#include "FakeDriver.h"
#include "ModelText.h"
#include "compiler/Naive.h"
#include "test/gpu/emulator/Translate.h"
#include "torsh/torsh.h"
#include <memory>

namespace torsh::test {

/// What the fake driver counts and is told; the driver is opened by the first call, and stays.
fake_cuda_control_block &driver();
/// Forgets what an earlier test asked of the driver, and makes the runtime open it.
void resetDriver();

/// A model compiled for a GPU.
class DeviceModel {
public:
  explicit DeviceModel(const std::string &onnx, const std::string &target = "cuda:sm_80");

  /// Loads the artifact: a GPU that the driver has is taken now. The real driver is the system's.
  enum class Driver { Fake, Real };
  void load(Driver wanted = Driver::Fake);
  void unload();
  /// Gives back what the context holds.
  void trim();
  /// The largest difference of a run on drawn inputs from the reference evaluator, relative to the largest value; a message
  /// and infinity when the run fails.
  double run(int64_t batch, std::string &message, torsh_status *status = nullptr);

  const std::string &path() const { return artifact.path; }
  unsigned numKernels() const { return kernels; }
  unsigned numDeviceKernels() const { return deviceKernels; }
  /// What the runtime logged since the load.
  std::string log;
  std::string report; ///< of the compilation

  ~DeviceModel() { unload(); }

private:
  static int runKernel(void *user, const char *name, unsigned blocks, unsigned threads, void **parameters,
                       const fake_cuda_block *allocations, unsigned count);

  TemporaryFile model, artifact;
  emulator::KernelStore store;
  std::string emulatorError;
  unsigned kernels = 0, deviceKernels = 0;
  uint64_t seed = 1;
  std::unique_ptr<NaiveModel> reference;
  torsh_module *module = nullptr;
  torsh_context *context = nullptr;
};

} // namespace torsh::test

#endif // TORSH_TEST_GPU_DRIVER_DEVICEMODEL_H
