//===-- Bench.cpp - torshc bench
//----------------------------------------------------------------------------===//
#include "tools/torshc/Commands.h"
#include "tools/torshc/Elements.h"
#include "tools/torshc/Profile.h"
#include "tools/torshc/Session.h"
#include "torsh/artifact.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include <chrono>

using namespace llvm;

namespace torsh {
namespace {

/// Floats in [-1, 1), always the same ones. Integers and booleans are 1: a token, a position and a mask that
/// lets everything through.
void fill(NpyArray &array, uint64_t &state) {
  if (!hasElements(array.dtype)) {
    std::fill(array.bytes.begin(), array.bytes.end(), 0x11);
    return;
  }
  torsh_dtype element = array.dtype;
  if (element.code == TORSH_DTYPE_COMPLEX)
    element = {TORSH_DTYPE_FLOAT, uint8_t(element.bits / 2), 1};
  bool integer =
      element.code == TORSH_DTYPE_INT || element.code == TORSH_DTYPE_UINT || element.code == TORSH_DTYPE_BOOL;
  for (size_t at = 0, step = element.bits / 8; at < array.bytes.size(); at += step) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    writeElement(element, integer ? 1.0 : double(state >> 40) / double(1 << 23) - 1, &array.bytes[at]);
  }
}

/// The inputs' arrays, with each symbolic dim at its size of `dims`, or 1.
Expected<std::vector<NpyArray>> generateInputs(ArrayRef<Port> ports, const StringMap<int64_t> &dims) {
  std::vector<NpyArray> arrays;
  StringMap<bool> used;
  uint64_t state = 42;
  for (const Port &port : ports) {
    NpyArray array;
    array.dtype = port.dtype;
    for (auto [size, name] : zip_equal(port.dims, port.dimNames)) {
      auto given = dims.find(name);
      array.shape.push_back(size >= 0 ? size : given == dims.end() ? 1 : given->second);
      used[name] = true;
    }
    std::optional<uint64_t> bytes = byteSize(array.dtype, array.shape);
    if (!bytes || *bytes > uint64_t(1) << 36)
      return createStringError("TSH-0730: the input '" + port.name +
                               "' would have more than 64 GiB; choose smaller dims");
    array.bytes.resize(*bytes);
    fill(array, state);
    arrays.push_back(std::move(array));
  }
  for (const auto &entry : dims)
    if (!used.count(entry.getKey()))
      return createStringError("TSH-0731: no input has a dim '" + entry.getKey() +
                               "'; torshc inspect shows their names");
  return arrays;
}

/// The values of the symbols that stand alone as an input's dim.
StringMap<int64_t> bindDims(ArrayRef<Port> ports, ArrayRef<NpyArray> arrays) {
  StringMap<int64_t> values;
  for (auto [port, array] : zip_equal(ports, arrays))
    for (auto [name, size] : zip_equal(port.dimNames, array.shape))
      values.try_emplace(name, size);
  return values;
}

} // namespace

int runBench(BenchOptions &options) {
  StringMap<int64_t> dims;
  if (!readDims(options.dims, dims))
    return 2;
  CompileOptions compile = options.compile;
  // A model is compiled for the given sizes, which is how a service with fixed sizes would use it.
  bool model = !isArtifact(options.path);
  if (model)
    compile.import.dims = dims;
  int exitCode;
  std::unique_ptr<Session> session = Session::open(options.path, compile, options.threads, exitCode);
  if (!session)
    return exitCode;
  auto arrays = generateInputs(session->inputs, model ? StringMap<int64_t>() : dims);
  if (!arrays) {
    errs() << "error: " << toString(arrays.takeError()) << "\n";
    return 2;
  }
  std::vector<torsh_value> inputs, outputs = session->makeOutputs();
  for (NpyArray &array : *arrays)
    inputs.push_back(valueOf(array));

  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  auto timedRun = [&] {
    auto started = Clock::now();
    bool ok = session->run(inputs, outputs);
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - started).count());
    return ok;
  };
  if (!timedRun())
    return 1;
  double firstRun = times[0];
  // Caches, page tables and clock frequency settle in a tenth of the time.
  auto until = [](double seconds) {
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  };
  for (auto end = until(options.seconds / 10); Clock::now() < end;)
    if (!timedRun())
      return 1;
  times.clear();
  torsh_module_info info = {};
  info.size = sizeof(info);
  session->api->module_info(session->module, &info);
  torsh_error error;
  auto traceFails = [&] {
    errs() << "error: TSH-0732: " << error.message << "\n";
    return 1;
  };
  if (!options.trace.empty() &&
      session->api->record(session->context, options.trace.c_str(), &error) != TORSH_OK)
    return traceFails();
  std::optional<Profile> profile;
  if (options.profile)
    profile.emplace(session->api, session->context, StringRef(info.metadata, info.metadata_size),
                    bindDims(session->inputs, *arrays));
  auto end = until(options.seconds);
  do
    if (!timedRun())
      return 1;
  while (Clock::now() < end || times.size() < 5);
  std::sort(times.begin(), times.end());
  double median = times.size() % 2 ? times[times.size() / 2]
                                   : (times[times.size() / 2 - 1] + times[times.size() / 2]) / 2;
  double p90 = times[std::min(times.size() - 1, times.size() * 9 / 10)];

  torsh_stats stats = {};
  stats.size = sizeof(stats);
  session->api->get_stats(session->context, &stats);
  if (!options.trace.empty() && session->api->record(session->context, nullptr, &error) != TORSH_OK)
    return traceFails();
  if (!options.json) {
    if (model)
      outs() << formatv("compile    {0:F1} ms\n", session->compileMs);
    outs() << formatv(
        "load       {0:F3} ms\nfirst run  {1:F3} ms\nmedian     {2:F3} ms ({3} runs)\nmin        {4:F3} ms\n"
        "p90        {5:F3} ms\narena      {6} bytes\nthreads    {7}\ncode       x86-64-v{8}{9}\n",
        session->loadMs, firstRun, median, times.size(), times[0], p90, stats.arena_bytes, info.width,
        std::min(info.cpu_level, TORSH_CPU_X86_64_V4),
        info.cpu_level == TORSH_CPU_X86_64_V4_BF16 ? " with AVX512-BF16" : "");
    if (options.profile)
      profile->print(outs(), info.width);
    return 0;
  }
  auto text = [](const std::string &value) { return json::isUTF8(value) ? value : json::fixUTF8(value); };
  json::Array shapes;
  for (auto [port, array] : zip_equal(session->inputs, *arrays))
    shapes.push_back(json::Object{
        {"name", text(port.name)}, {"dtype", dtypeName(port.dtype)}, {"shape", json::Array(array.shape)}});
  json::Object result{{"load_ms", session->loadMs},
                      {"first_run_ms", firstRun},
                      {"median_ms", median},
                      {"min_ms", times[0]},
                      {"p90_ms", p90},
                      {"runs", int64_t(times.size())},
                      {"arena_bytes", int64_t(stats.arena_bytes)},
                      {"weight_bytes", int64_t(info.weights_size)},
                      {"kernels", int64_t(info.num_kernels)},
                      {"threads", int64_t(info.width)},
                      {"cpu_level", int64_t(info.cpu_level)},
                      {"inputs", std::move(shapes)}};
  if (options.profile)
    result["launches"] = profile->toJson(info.width);
  if (model)
    result["compile_ms"] = session->compileMs;
  outs() << formatv("{0:2}", json::Value(std::move(result))) << "\n";
  return 0;
}

} // namespace torsh
