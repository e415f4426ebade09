//===-- DeviceHarness.cpp - Compares device kernels in the emulator with the reference evaluator -------------===//
#include "DeviceHarness.h"
#include "compiler/gpu/DeviceCompiler.h"
#include "test/gpu/emulator/Translate.h"
#include "test/unit/kernels/CaseEvaluation.h"

using namespace llvm;

namespace torsh::test {
namespace {

/// Device memory is aligned to 256 bytes.
class DeviceBuffer {
public:
  explicit DeviceBuffer(ArrayRef<char> bytes) : size(bytes.size()), storage(new char[bytes.size() + 256]) {
    data = reinterpret_cast<char *>((reinterpret_cast<uintptr_t>(storage.get()) + 255) / 256 * 256);
    std::copy(bytes.begin(), bytes.end(), data);
  }
  std::vector<char> bytes() const { return std::vector<char>(data, data + size); }

  char *data;
  size_t size;

private:
  std::unique_ptr<char[]> storage;
};

CompiledDeviceKernel compileOne(mlir::ModuleOp module, const DeviceTarget &target, DeviceStage stage) {
  auto compiled = compileDeviceKernels(module, target, 3, 1, stage);
  if (!compiled)
    FAIL(toString(compiled.takeError()));
  REQUIRE(compiled->size() == 1);
  return compiled->front();
}

DeviceResult runOnce(const Evaluation &evaluated, const Case &one, emulator::KernelFunction function,
                     uint64_t seed) {
  emulator::Launch launch;
  launch.function = function;
  launch.seed = seed;
  std::vector<DeviceBuffer> buffers;
  for (const Tensor &input : evaluated.inputs)
    buffers.emplace_back(input.toBytes());
  size_t inputs = buffers.size();
  for (const Tensor &result : evaluated.expected)
    buffers.emplace_back(std::vector<char>(result.toBytes().size(), char(0xFF)));
  for (auto [index, buffer] : enumerate(buffers)) {
    launch.parameters.push_back(reinterpret_cast<uintptr_t>(buffer.data));
    launch.regions.push_back({buffer.data, buffer.size, index >= inputs});
  }
  auto kernel = evaluated.kernel;
  for (auto name : kernel.getSymbols().getAsValueRange<mlir::StringAttr>())
    launch.parameters.push_back(evaluated.symbols.lookup(name));
  std::optional<DeviceLaunch> shape = getDeviceLaunch(kernel);
  REQUIRE(shape);
  std::optional<int64_t> blocks = dim::evaluate(shape->blocks, evaluated.symbols);
  REQUIRE(blocks);
  launch.blocks = *blocks;
  launch.threads = shape->threads;
  DeviceResult result;
  result.outcome = emulator::run(launch);
  result.wrong = result.outcome.error;
  for (auto [index, expected] : enumerate(evaluated.expected)) {
    if (!result.wrong.empty())
      break;
    Expected<Tensor> actual =
        Tensor::fromBytes(expected.elementType, expected.shape, buffers[inputs + index].bytes());
    REQUIRE(bool(actual));
    result.wrong = compare(*actual, expected, one.tolerance);
  }
  return result;
}

} // namespace

/// Null where a GPU has no code, with the reason.
static std::optional<DeviceResult> compileAndRun(const Case &one, const DeviceOptions &options,
                                                 std::string &reason) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parse({one});
  CompiledDeviceKernel compiled = compileOne(*module, options.target, DeviceStage::Llvm);
  reason = compiled.reason;
  if (compiled.output.empty())
    return std::nullopt;
  emulator::KernelStore store;
  if (Error error = store.add(compiled.name, compiled.output, options.change))
    FAIL(toString(std::move(error)));
  Evaluation evaluated = evaluate(*module, one, 0);
  DeviceResult result;
  for (uint64_t seed : options.seeds) {
    result = runOnce(evaluated, one, store.find(compiled.name), seed);
    result.note = compiled.note;
    if (!result.wrong.empty())
      break;
  }
  return result;
}

std::optional<DeviceResult> tryOnDevice(const Case &one, const DeviceOptions &options) {
  std::string reason;
  return compileAndRun(one, options, reason);
}

DeviceResult runOnDevice(const Case &one, const DeviceOptions &options) {
  std::string reason;
  std::optional<DeviceResult> result = compileAndRun(one, options, reason);
  INFO(reason);
  REQUIRE(result);
  return *result;
}

void checkOnDevice(const std::vector<Case> &cases, const DeviceOptions &options) {
  for (const Case &one : cases) {
    INFO(textOf(one, 0));
    CHECK(runOnDevice(one, options).wrong == "");
  }
}

void expectRefusedOnDevice(const Case &refused, const std::string &text) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parse({refused});
  CompiledDeviceKernel compiled = compileOne(*module, {}, DeviceStage::Ptx);
  CHECK(compiled.output.empty());
  CHECK_THAT(compiled.reason, Catch::Contains(text));
}

std::string compileToPtx(const Case &one, const DeviceTarget &target) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parse({one});
  CompiledDeviceKernel compiled = compileOne(*module, target, DeviceStage::Ptx);
  INFO(compiled.reason);
  REQUIRE(!compiled.output.empty());
  return compiled.output;
}

} // namespace torsh::test
