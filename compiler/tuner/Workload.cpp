//===-- Workload.cpp - Kernel calls on buffers of their own, checked and timed -------------------------------===//
#include "compiler/tuner/Workload.h"
#include "compiler/ConstantBytes.h"
#include "compiler/LaunchCost.h"
#include "passes/tuning/CpuIdentity.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <cstring>
#include <ctime>

using namespace llvm;

namespace torsh {
namespace {

constexpr size_t alignment = 64;

Error unknown(const Twine &what) { return createStringError("TSH-0660: nothing to measure: " + what); }

/// The value whose buffer a value shares.
mlir::Value bufferOf(mlir::Value value) {
  while (auto reshape = value.getDefiningOp<ReshapeOp>())
    value = reshape.getX();
  return value;
}

size_t widthOf(mlir::Type element) { return std::max(8u, element.getIntOrFloatBitWidth()) / 8; }

/// Floats in [-1, 1), always the same ones; integers and booleans are 1.
void fill(char *data, size_t bytes, mlir::Type element, uint64_t state) {
  size_t width = widthOf(element);
  auto floating = mlir::dyn_cast<mlir::FloatType>(element);
  for (size_t at = 0; at + width <= bytes; at += width) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    APInt bits(width * 8, 1);
    double number = double(state >> 40) / double(1 << 23) - 1;
    if (element.isF32()) {
      float value = float(number);
      std::memcpy(data + at, &value, sizeof(value));
      continue;
    }
    if (floating) {
      APFloat value(number);
      bool inexact;
      value.convert(floating.getFloatSemantics(), APFloat::rmNearestTiesToEven, &inexact);
      bits = value.bitcastToAPInt();
    }
    uint64_t raw = bits.getZExtValue();
    std::memcpy(data + at, &raw, width);
  }
}

double readFloat(const char *data, mlir::FloatType type) {
  if (type.isF32()) {
    float value;
    std::memcpy(&value, data, sizeof(value));
    return value;
  }
  uint64_t raw = 0;
  std::memcpy(&raw, data, widthOf(type));
  APFloat value(type.getFloatSemantics(), APInt(type.getWidth(), raw));
  bool inexact;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &inexact);
  return value.convertToDouble();
}

double secondsOfThread() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) + double(now.tv_nsec) * 1e-9;
}

} // namespace

Expected<std::unique_ptr<Workload>> Workload::create(ArrayRef<LaunchOp> launches, const dim::Bindings &sizes,
                                                     uint64_t mostBytes) {
  auto work = std::make_unique<Workload>();
  if (launches.empty())
    return unknown("there is no kernel call");
  mlir::SymbolTable kernels(launches.front()->getParentOfType<mlir::ModuleOp>());
  const WeightStore &store =
      launches.front()->getContext()->getOrLoadDialect<TorshDialect>()->getWeightStore();
  DenseMap<mlir::Value, unsigned> ids;
  std::vector<mlir::Attribute> constants;
  std::vector<uint64_t> seeds;
  size_t activationBytes = 0, weightBytes = 0;
  auto bufferId = [&](mlir::Value value) -> Expected<unsigned> {
    value = bufferOf(value);
    auto [it, isNew] = ids.try_emplace(value, work->buffers.size());
    if (!isNew)
      return it->second;
    auto type = mlir::dyn_cast<mlir::RankedTensorType>(value.getType());
    if (!type || !type.getElementType().isIntOrFloat())
      return unknown("an operand is no plain tensor");
    std::optional<int64_t> count = dim::evaluate(getNumElements(type), sizes);
    if (!count || *count < 0)
      return unknown("the size of an operand is not known; give --dim");
    if (uint64_t(*count) > mostBytes / widthOf(type.getElementType()))
      return unknown("an operand is too large");
    Buffer buffer;
    buffer.element = type.getElementType();
    buffer.bytes = *count * widthOf(buffer.element);
    auto constant = value.getDefiningOp<ConstantOp>();
    buffer.isWeight = bool(constant);
    constants.push_back(constant ? constant.getValue() : mlir::Attribute());
    // An argument has the same numbers in every form of the same ops.
    auto argument = mlir::dyn_cast<mlir::BlockArgument>(value);
    seeds.push_back(argument ? argument.getArgNumber() + 1 : 1000 + work->buffers.size());
    size_t &total = buffer.isWeight ? weightBytes : activationBytes;
    buffer.offset = total;
    total += alignTo(std::max<size_t>(buffer.bytes, 1), alignment);
    work->buffers.push_back(buffer);
    return it->second;
  };
  for (LaunchOp launch : launches) {
    Step step;
    step.kernel = kernels.lookup<KernelOp>(launch.getKernel());
    auto collect = [&](mlir::ValueRange values, std::vector<unsigned> &to) -> Error {
      for (mlir::Value value : values) {
        auto id = bufferId(value);
        if (!id)
          return id.takeError();
        to.push_back(*id);
      }
      return Error::success();
    };
    if (Error error = collect(launch.getInputs(), step.inputs))
      return error;
    if (Error error = collect(launch.getResults(), step.outputs))
      return error;
    for (auto [name, attr] : zip_equal(step.kernel.getSymbols(), launch.getDims().getDims())) {
      std::optional<int64_t> size = dim::evaluate(attr, sizes);
      if (!size)
        return unknown("a size is not known; give --dim");
      step.dims.push_back(*size);
      step.symbols[mlir::cast<mlir::StringAttr>(name).getValue()] = *size;
    }
    work->steps.push_back(std::move(step));
  }
  if (activationBytes + weightBytes > mostBytes)
    return unknown("the operands are too large");

  // Copies start at different lines of the caches' sets.
  work->weightStride = weightBytes + alignment;
  uint64_t outermost = std::clamp<uint64_t>(getCacheSizes().third, uint64_t(8) << 20, uint64_t(64) << 20);
  if (weightBytes)
    work->copies = std::max<size_t>(1, 2 * outermost / work->weightStride);
  auto allocate = [](size_t bytes) {
    return Memory(static_cast<char *>(std::aligned_alloc(4096, alignTo(std::max<size_t>(bytes, 1), 4096))));
  };
  work->activations = allocate(activationBytes);
  work->weights = allocate(work->weightStride * work->copies);
  if (!work->activations || !work->weights)
    return unknown("there is not enough memory");
  for (auto [buffer, constant, seed] : zip_equal(work->buffers, constants, seeds)) {
    if (!buffer.isWeight) {
      fill(work->activations.get() + buffer.offset, buffer.bytes, buffer.element, seed);
      continue;
    }
    auto bytes = getConstantBytes(constant, store);
    if (!bytes)
      return bytes.takeError();
    if (bytes->size() != buffer.bytes)
      return unknown("a weight has another size than its type");
    std::copy(bytes->begin(), bytes->end(), work->weights.get() + buffer.offset);
  }
  for (size_t copy = 1; copy < work->copies; ++copy)
    std::memcpy(work->weights.get() + copy * work->weightStride, work->weights.get(), weightBytes);
  return work;
}

char *Workload::addressOf(unsigned buffer) const {
  const Buffer &place = buffers[buffer];
  return place.isWeight ? weights.get() + nextCopy * weightStride + place.offset
                        : activations.get() + place.offset;
}

void Workload::runOnce(const Candidate &candidate, bool inParts) {
  SmallVector<const void *> inputs;
  SmallVector<void *> outputs;
  for (auto [step, function, tiles] : zip_equal(steps, candidate.functions, candidate.tiles)) {
    inputs.clear();
    outputs.clear();
    for (unsigned id : step.inputs)
      inputs.push_back(addressOf(id));
    for (unsigned id : step.outputs)
      outputs.push_back(addressOf(id));
    if (!inParts)
      function(inputs.data(), outputs.data(), step.dims.data(), 0, tiles);
    else
      for (int64_t tile = tiles; tile-- > 0;)
        function(inputs.data(), outputs.data(), step.dims.data(), tile, tile + 1);
  }
  nextCopy = (nextCopy + 1) % copies;
}

std::vector<std::vector<char>> Workload::run(const Candidate &candidate, bool inParts) {
  // What nobody writes is a NaN in every float type.
  for (const Step &step : steps)
    for (unsigned id : step.outputs)
      std::memset(addressOf(id), 0xFF, buffers[id].bytes);
  runOnce(candidate, inParts);
  std::vector<std::vector<char>> results;
  for (unsigned id : steps.back().outputs)
    results.emplace_back(addressOf(id), addressOf(id) + buffers[id].bytes);
  return results;
}

double Workload::time(const Candidate &candidate, unsigned runs) {
  double started = secondsOfThread();
  for (unsigned i = 0; i < runs; ++i)
    runOnce(candidate, false);
  return (secondsOfThread() - started) / runs;
}

std::string Workload::compare(const std::vector<std::vector<char>> &actual,
                              const std::vector<std::vector<char>> &expected, double tolerance) const {
  if (actual.size() != expected.size())
    return "the number of results differs";
  for (auto [index, pair] : enumerate(zip_equal(actual, expected))) {
    auto &[a, e] = pair;
    if (a.size() != e.size())
      return "the sizes of the results differ";
    if (a == e)
      continue;
    mlir::Type element = buffers[steps.back().outputs[index]].element;
    auto type = mlir::dyn_cast<mlir::FloatType>(element);
    if (!type)
      return formatv("result {0} differs", index);
    size_t width = widthOf(type);
    // A result in a narrow type is rounded at the end.
    double allowed = std::max(tolerance, std::ldexp(1.0, 1 - int(type.getFPMantissaWidth())));
    double largest = 0;
    for (size_t at = 0; at < e.size(); at += width)
      if (double value = std::fabs(readFloat(&e[at], type)); std::isfinite(value))
        largest = std::max(largest, value);
    for (size_t at = 0; at < e.size(); at += width) {
      double x = readFloat(&a[at], type), y = readFloat(&e[at], type);
      bool agree = std::isfinite(y) ? std::fabs(x - y) <= allowed * largest : x == y || (x != x && y != y);
      if (!agree)
        return formatv("element {0} of result {1} is {2} instead of {3}", at / width, index, x, y);
    }
  }
  return "";
}

} // namespace torsh
