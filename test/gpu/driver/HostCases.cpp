//===-- HostCases.cpp - Models on the fake driver, and what the runtime does when it fails -------------------===//
#include "DeviceModel.h"
#include <catch2/catch.hpp>

using namespace torsh::test;

static const double tolerance = 1e-5;

TEST_CASE("an MLP runs on the GPU whole") {
  resetDriver();
  DeviceModel model(mlpModel());
  CHECK(model.numDeviceKernels() == model.numKernels());
  model.load();
  CHECK_THAT(model.log, Catch::Contains("the program runs on the GPU Fake."));
  std::string message;
  for (int64_t batch : {1, 33, 5, 65}) {
    CHECK(model.run(batch, message) <= tolerance);
    CHECK(message == "");
  }
  CHECK(driver().launches >= 4 * model.numKernels());
  // A trimmed context has nothing on the device but the module's weights.
  CHECK(driver().live_allocations == 2);
  model.trim();
  CHECK(driver().live_allocations == 1);
  CHECK(driver().streams == 0);
  // A run copies its input and its output, and the weights were copied at the load.
  CHECK(driver().uploads == 1 + 4);
  CHECK(driver().downloads == 4);
  model.unload();
  CHECK(std::string(driver().misuse) == "");
  CHECK(driver().live_allocations == 0);
  CHECK(driver().live_modules == 0);
  CHECK(driver().streams == 0);
  CHECK(driver().retained == 0);
}

TEST_CASE("a layer of BERT runs on the GPU whole") {
  resetDriver();
  for (const char *target : {"cuda:sm_80", "cuda:sm_90"}) {
    DeviceModel model(bertLayerModel(), target);
    INFO(model.report);
    CHECK(model.numDeviceKernels() == model.numKernels());
    driver().capability = 90;
    model.load();
    std::string message;
    CHECK(model.run(1, message) <= tolerance);
    CHECK(message == "");
    CHECK(driver().launches >= model.numKernels());
  }
  CHECK(std::string(driver().misuse) == "");
}

TEST_CASE("what has no code for a GPU runs its CPU body in between") {
  resetDriver();
  DeviceModel model(mixedModel());
  CHECK(model.numDeviceKernels() < model.numKernels());
  CHECK_THAT(model.report, Catch::Contains("runs on the CPU: TSH-0590: kernels anchored by 'scan'"));
  model.load();
  CHECK_THAT(model.log, Catch::Contains("runs on the CPU: TSH-0590: kernels anchored by 'scan'"));
  std::string message;
  CHECK(model.run(33, message) <= tolerance);
  CHECK(message == "");
  // The input and the running sum go to the device, the product and the output come back.
  CHECK(driver().uploads == 1 + 2);
  CHECK(driver().downloads == 2);
  CHECK(driver().launches > 0);
  CHECK(std::string(driver().misuse) == "");
}

TEST_CASE("without a usable GPU the CPU runs it all, and the log says why") {
  DeviceModel model(mlpModel(), "cuda:sm_90");
  struct Lack {
    const char *function;
    int code, devices, capability;
    const char *reason;
  };
  const Lack lacks[] = {
      {"cuInit", 100, 1, 90, "the CUDA driver does not start: a fake error"},
      {nullptr, 0, 0, 90, "there is no GPU"},
      {nullptr, 0, 1, 80, "the GPU has compute capability 8.0; the code needs 9.0"},
      {"cuDevicePrimaryCtxRetain", 2, 1, 90, "the GPU's context cannot be had: out of memory"},
      {"cuModuleLoadDataEx", 218, 1, 90, "the driver refused kernel"},
      {"cuMemAlloc_v2", 2, 1, 90, "the GPU has no memory for the weights: out of memory"},
      {"cuMemcpyHtoDAsync_v2", 2, 1, 90, "the weights cannot be copied: out of memory"},
  };
  for (const Lack &lack : lacks) {
    resetDriver();
    driver().device_count = lack.devices;
    driver().capability = lack.capability;
    driver().fail_function = lack.function;
    driver().fail_at = 1;
    driver().fail_code = lack.code;
    model.load();
    CHECK_THAT(model.log, Catch::Contains(lack.reason) && Catch::Contains(" runs on the CPU: "));
    std::string message;
    CHECK(model.run(7, message) <= tolerance);
    CHECK(driver().launches == 0);
    CHECK(std::string(driver().misuse) == "");
    CHECK(driver().live_allocations == 0);
    CHECK(driver().retained == 0);
  }
  setenv("TORSH_CUDA_DRIVER", "/nonexistent/libcuda.so.1", 1);
  model.load();
  CHECK_THAT(model.log, Catch::Contains("the CUDA driver cannot be opened: "));
  std::string message;
  CHECK(model.run(7, message) <= tolerance);
  setenv("TORSH_CUDA_DRIVER", "libdl.so.2", 1);
  model.load();
  CHECK_THAT(model.log, Catch::Contains("has no cuInit"));
}

TEST_CASE("a failure before the first launch sends the run to the CPU") {
  DeviceModel model(mlpModel());
  // The run's memory is the second allocation, its input the second copy.
  const std::pair<const char *, int> failures[] = {
      {"cuStreamCreate", 1}, {"cuMemAlloc_v2", 2}, {"cuMemcpyHtoDAsync_v2", 2}, {"cuLaunchKernel", 1}};
  for (auto [function, at] : failures) {
    INFO(function);
    resetDriver();
    driver().fail_function = function;
    driver().fail_at = at;
    driver().fail_code = 2;
    model.load();
    std::string message;
    CHECK(model.run(5, message) <= tolerance);
    CHECK(message == "");
    CHECK_THAT(model.log, Catch::Contains("out of memory") && Catch::Contains("CPU"));
    CHECK(driver().launches == 0);
    model.unload();
    CHECK(std::string(driver().misuse) == "");
    CHECK(driver().live_allocations == 0);
  }
}

TEST_CASE("a failure after the first launch is a status, and later runs are on the CPU") {
  DeviceModel model(mlpModel());
  const std::pair<const char *, int> failures[] = {{"cuLaunchKernel", 2}, {"cuMemcpyDtoHAsync_v2", 1}};
  for (auto [function, at] : failures) {
    INFO(function);
    resetDriver();
    driver().fail_function = function;
    driver().fail_at = at;
    driver().fail_code = 700;
    driver().is_sticky = 1;
    model.load();
    std::string message;
    torsh_status status = TORSH_OK;
    model.run(5, message, &status);
    CHECK(status == TORSH_E_DEVICE);
    CHECK_THAT(message, Catch::Contains("TSH-8017") && Catch::Contains("an illegal memory access"));
    unsigned launches = driver().launches;
    CHECK(model.run(5, message) <= tolerance);
    CHECK(driver().launches == launches);
  }
  resetDriver();
}
