//===-- DeviceModel.cpp - A model through compiler, runtime, fake driver and emulator ------------------------===//
#include "DeviceModel.h"
#include "llvm/Support/MemoryBuffer.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <random>

namespace torsh::test {
namespace {

void *openDriver() {
  static void *library = dlopen(FAKE_DRIVER, RTLD_NOW | RTLD_LOCAL);
  REQUIRE(library);
  return library;
}

const torsh_api &api() { return *torsh_get_api(TORSH_API_VERSION); }

CompileOptions optionsFor(const std::string &model, const std::string &target) {
  CompileOptions options;
  options.modelPath = model;
  options.target = target;
  options.targetCpu = "x86-64-v3";
  options.tuningDatabase = "none";
  return options;
}

} // namespace

fake_cuda_control_block &driver() {
  return *static_cast<fake_cuda_control_block *>(dlsym(openDriver(), "fake_cuda_control"));
}

void resetDriver() {
  setenv("TORSH_CUDA_DRIVER", FAKE_DRIVER, 1);
  void *symbol = dlsym(openDriver(), "fake_cuda_reset_all");
  fake_cuda_reset reset;
  std::memcpy(&reset, &symbol, sizeof(reset));
  reset();
}

DeviceModel::DeviceModel(const std::string &onnx, const std::string &target)
    : model("onnx", onnx), artifact("so") {
  llvm::raw_string_ostream log(report);
  CompileOptions options = optionsFor(model.path, target);
  options.log = &log;
  options.report = true;
  options.outputPath = artifact.path;
  CompileStatus status = compileModel(options);
  INFO(report);
  REQUIRE(status == CompileStatus::Ok);
  // The same kernels as the emulator takes them.
  TemporaryFile text("ll");
  options.report = false;
  options.outputPath = text.path;
  options.emit = EmitLevel::Nvvm;
  REQUIRE(compileModel(options) == CompileStatus::Ok);
  auto buffer = llvm::MemoryBuffer::getFile(text.path);
  REQUIRE(buffer);
  llvm::StringRef rest = (*buffer)->getBuffer();
  while (!rest.empty()) {
    rest.consume_front("; kernel ");
    auto [one, following] = rest.split("\n; kernel ");
    auto [head, code] = one.split('\n');
    std::string name = head.split(':').first.str();
    ++kernels;
    if (code.contains("define")) {
      ++deviceKernels;
      if (llvm::Error error = store.add(name, code))
        FAIL(llvm::toString(std::move(error)));
    }
    rest = following;
  }
  options.emit = EmitLevel::Artifact;
  CompileStatus naive;
  reference = NaiveModel::load(options, std::nullopt, naive);
  REQUIRE(reference);
}

int DeviceModel::runKernel(void *user, const char *name, unsigned blocks, unsigned threads, void **parameters,
                           const fake_cuda_block *allocations, unsigned count) {
  auto *self = static_cast<DeviceModel *>(user);
  emulator::Launch launch;
  launch.function = self->store.find(name);
  if (!launch.function) {
    self->emulatorError = std::string("there is no kernel ") + name;
    return 500;
  }
  for (size_t i = 0; i < self->store.parameters(name); ++i)
    launch.parameters.push_back(*static_cast<uint64_t *>(parameters[i]));
  for (unsigned i = 0; i < count; ++i)
    launch.regions.push_back({allocations[i].data, allocations[i].bytes, true});
  launch.blocks = blocks;
  launch.threads = threads;
  launch.seed = self->seed++;
  emulator::Outcome outcome = emulator::run(launch);
  if (outcome.error.empty())
    return 0;
  self->emulatorError = std::string(name) + ": " + outcome.error;
  return 700;
}

void DeviceModel::load(Driver wanted) {
  unload();
  log.clear();
  api().set_log([](void *user, int32_t,
                   const char *message) { *static_cast<std::string *>(user) += std::string(message) + "\n"; },
                &log, TORSH_LOG_INFO);
  if (wanted == Driver::Real) {
    unsetenv("TORSH_CUDA_DRIVER");
  } else {
    driver().run = runKernel;
    driver().user = this;
  }
  torsh_error error;
  torsh_load_options options = {};
  options.size = sizeof(options);
  options.threads = 1;
  if (api().load_file(artifact.path.c_str(), &options, &module, &error))
    FAIL(error.message);
  if (api().context_create(module, &context, &error))
    FAIL(error.message);
}

void DeviceModel::unload() {
  if (context)
    api().context_destroy(context);
  if (module)
    api().module_destroy(module);
  context = nullptr;
  module = nullptr;
  api().set_log(nullptr, nullptr, 0);
}

void DeviceModel::trim() { REQUIRE(api().trim(context) == TORSH_OK); }

double DeviceModel::run(int64_t batch, std::string &message, torsh_status *status) {
  std::vector<NaiveTensor> inputs = reference->inputs();
  std::vector<torsh_value> values(inputs.size());
  std::mt19937 random(11);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (size_t i = 0; i < inputs.size(); ++i) {
    torsh_port_info port = {};
    port.size = sizeof(port);
    REQUIRE(api().input_info(module, uint32_t(i), &port) == TORSH_OK);
    size_t count = 1;
    for (uint32_t axis = 0; axis < port.rank; ++axis) {
      inputs[i].shape.push_back(port.dims[axis] < 0 ? batch : port.dims[axis]);
      count *= size_t(inputs[i].shape.back());
    }
    std::vector<float> drawn(count);
    for (float &value : drawn)
      value = uniform(random);
    const char *bytes = reinterpret_cast<const char *>(drawn.data());
    inputs[i].bytes.assign(bytes, bytes + count * sizeof(float));
    torsh_tensor &tensor = values[i].as.tensor;
    values[i].tag = TORSH_VALUE_TENSOR;
    tensor.data = inputs[i].bytes.data();
    tensor.device = {TORSH_DEVICE_CPU, 0};
    tensor.ndim = int32_t(port.rank);
    tensor.dtype = port.dtype;
    tensor.shape = inputs[i].shape.data();
  }
  torsh_value output = {};
  torsh_error error;
  emulatorError.clear();
  torsh_status result = api().run(context, values.data(), uint32_t(values.size()), &output, 1, &error);
  if (status)
    *status = result;
  message = result ? std::string(error.message) + emulatorError : "";
  if (result)
    return INFINITY;
  auto expected = reference->run(inputs);
  if (!expected)
    FAIL(llvm::toString(expected.takeError()));
  const auto &bytes = expected->front().bytes;
  const auto *wanted = reinterpret_cast<const float *>(bytes.data());
  const auto *actual = static_cast<const float *>(output.as.tensor.data);
  double largest = 0, difference = 0;
  for (size_t i = 0; i < bytes.size() / sizeof(float); ++i) {
    largest = std::max(largest, double(std::fabs(wanted[i])));
    double own = std::fabs(double(wanted[i]) - actual[i]);
    difference = own <= INFINITY ? std::max(difference, own) : INFINITY; // NaN is as far as can be
  }
  return difference / largest;
}

} // namespace torsh::test
