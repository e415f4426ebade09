/// A typed C++17 layer over torsh.h: header-only, owns its handles, adds no state.
///
/// Errors: every call that can fail throws torsh::Error (status, message, port, axis). Nothing below this
/// header throws, so a host built with -fno-exceptions uses torsh.h itself.
///
///   torsh::Module module = torsh::Module::load("model.so");
///   torsh::Context context(module);
///   std::vector<float> x(2 * 8);
///   torsh::Outputs out = context.run({torsh::tensor(x.data(), {2, 8})});
///   const float *y = out[0].data<float>();   // valid until the context's next call
#ifndef TORSH_TORSH_HPP
#define TORSH_TORSH_HPP

#include "torsh/torsh.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace torsh {

/// What a failed call throws.
class Error : public std::runtime_error {
public:
  explicit Error(const torsh_error &error) : std::runtime_error(error.message), details(error) {}
  torsh_status status() const { return details.status; }
  /// Index of the input or output meant, and its axis; -1 when there is none.
  int port() const { return details.port; }
  int axis() const { return details.axis; }
  /// For a memory cap: the bytes the run needs.
  uint64_t needed() const { return details.needed; }

private:
  torsh_error details;
};

namespace detail {
inline const torsh_api &api() {
  static const torsh_api *const table = torsh_get_api(TORSH_API_VERSION);
  if (!table)
    throw std::runtime_error("the ToRSh runtime does not serve this version of torsh.h");
  return *table;
}

inline void check(torsh_status status, const torsh_error &error) {
  if (status != TORSH_OK)
    throw Error(error);
}

/// For the entries without a message of their own.
inline void check(torsh_status status, const char *what) {
  if (status == TORSH_OK)
    return;
  torsh_error error{};
  error.status = status;
  error.port = error.axis = -1;
  std::strncpy(error.message, what, sizeof(error.message) - 1);
  throw Error(error);
}
} // namespace detail

/// The dtype of a C++ element type. Specialise it for a 16-bit or 8-bit float type of your own.
template <typename T, typename = void> struct DType;
template <typename T> struct DType<T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>>> {
  static constexpr torsh_dtype value{
      std::is_signed_v<T> ? uint8_t(TORSH_DTYPE_INT) : uint8_t(TORSH_DTYPE_UINT), uint8_t(sizeof(T) * 8), 1};
};
template <typename T> struct DType<T, std::enable_if_t<std::is_floating_point_v<T>>> {
  static constexpr torsh_dtype value{TORSH_DTYPE_FLOAT, uint8_t(sizeof(T) * 8), 1};
};
template <> struct DType<bool> {
  static constexpr torsh_dtype value{TORSH_DTYPE_BOOL, 8, 1};
};

inline bool operator==(const torsh_dtype &a, const torsh_dtype &b) {
  return a.code == b.code && a.bits == b.bits && a.lanes == b.lanes;
}

/// A contiguous tensor of someone else's memory. Ranks up to MaxRank fit without an allocation.
class Tensor {
public:
  static constexpr int MaxRank = 16;

  Tensor() = default;
  Tensor(void *data, torsh_dtype dtype, const int64_t *shape, size_t rank) : pointer(data), type(dtype) {
    if (rank > MaxRank)
      detail::check(TORSH_E_RANK, "torsh::Tensor serves ranks up to 16");
    numAxes = int32_t(rank);
    for (size_t i = 0; i < rank; ++i)
      sizes[i] = shape[i];
  }

  void *raw() const { return pointer; }
  torsh_dtype dtype() const { return type; }
  int rank() const { return numAxes; }
  int64_t dim(int axis) const { return sizes[axis]; }
  std::vector<int64_t> shape() const { return std::vector<int64_t>(sizes, sizes + numAxes); }
  int64_t size() const {
    int64_t elements = 1;
    for (int i = 0; i < numAxes; ++i)
      elements *= sizes[i];
    return elements;
  }

  /// The elements as T; throws when the tensor holds another type.
  template <typename T> T *data() const {
    if (!(DType<std::remove_const_t<T>>::value == type))
      detail::check(TORSH_E_DTYPE, "torsh::Tensor::data: the tensor holds another element type");
    return static_cast<T *>(pointer);
  }

  torsh_value toValue() const {
    torsh_value value{};
    value.tag = TORSH_VALUE_TENSOR;
    value.as.tensor.data = pointer;
    value.as.tensor.device = {TORSH_DEVICE_CPU, 0};
    value.as.tensor.ndim = numAxes;
    value.as.tensor.dtype = type;
    value.as.tensor.shape = const_cast<int64_t *>(sizes);
    return value;
  }

private:
  void *pointer = nullptr;
  torsh_dtype type{};
  int32_t numAxes = 0;
  int64_t sizes[MaxRank] = {};
};

/// A tensor over `data`, for an input or an output buffer. Inputs are only read.
template <typename T> Tensor tensor(T *data, std::initializer_list<int64_t> shape) {
  return Tensor(const_cast<std::remove_const_t<T> *>(data), DType<std::remove_const_t<T>>::value,
                shape.begin(), shape.size());
}
template <typename T> Tensor tensor(T *data, const std::vector<int64_t> &shape) {
  return Tensor(const_cast<std::remove_const_t<T> *>(data), DType<std::remove_const_t<T>>::value,
                shape.data(), shape.size());
}

using Outputs = std::vector<Tensor>;

/// One input or output as the artifact declares it.
struct Port {
  std::string name;
  torsh_dtype dtype;
  std::vector<int64_t> dims; ///< -1 where symbolic
  std::vector<std::string> dimNames;
};

/// A thread pool that any number of modules share.
class Executor {
public:
  explicit Executor(uint32_t threads = 0) {
    torsh_executor_options options{sizeof(options), threads, 0, 0};
    torsh_error error;
    torsh_executor *made;
    detail::check(detail::api().executor_create(&options, &made, &error), error);
    handle.reset(made, detail::api().executor_destroy);
  }
  explicit Executor(const torsh_executor_callbacks &callbacks) {
    torsh_error error;
    torsh_executor *made;
    detail::check(detail::api().executor_create_custom(&callbacks, &made, &error), error);
    handle.reset(made, detail::api().executor_destroy);
  }
  uint32_t width() const { return detail::api().executor_width(handle.get()); }
  torsh_executor *get() const { return handle.get(); }

private:
  std::shared_ptr<torsh_executor> handle;
};

struct LoadOptions {
  uint32_t threads = 0;               ///< 0: the processors this process may use
  const Executor *executor = nullptr; ///< in place of a pool of the module's own
  std::string weightsPath;
  uint64_t memoryCap = 0;
};

/// A loaded artifact; copies share it. May be used from any thread.
class Module {
public:
  static Module load(const std::string &path, const LoadOptions &options = {}) {
    torsh_load_options raw{sizeof(raw), options.threads, options.executor ? options.executor->get() : nullptr,
                           options.weightsPath.empty() ? nullptr : options.weightsPath.c_str(),
                           options.memoryCap};
    torsh_error error;
    torsh_module *made;
    detail::check(detail::api().load_file(path.c_str(), &raw, &made, &error), error);
    return Module(made);
  }

  /// Checks all digests without running anything of the file.
  static void verify(const std::string &path) {
    torsh_error error;
    detail::check(detail::api().verify_file(path.c_str(), nullptr, &error), error);
  }

  torsh_module_info info() const {
    torsh_module_info result{};
    result.size = sizeof(result);
    detail::check(detail::api().module_info(handle.get(), &result), "module_info failed");
    return result;
  }
  std::vector<Port> inputs() const { return ports(info().num_inputs, detail::api().input_info); }
  std::vector<Port> outputs() const { return ports(info().num_outputs, detail::api().output_info); }
  std::string metadata() const {
    torsh_module_info all = info();
    return std::string(all.metadata, all.metadata_size);
  }
  torsh_module *get() const { return handle.get(); }

private:
  explicit Module(torsh_module *made) : handle(made, detail::api().module_destroy) {}

  std::vector<Port> ports(uint32_t count,
                          torsh_status (*describe)(const torsh_module *, uint32_t, torsh_port_info *)) const {
    std::vector<Port> result;
    for (uint32_t i = 0; i < count; ++i) {
      torsh_port_info raw{};
      raw.size = sizeof(raw);
      detail::check(describe(handle.get(), i, &raw), "port_info failed");
      result.push_back({raw.name, raw.dtype, std::vector<int64_t>(raw.dims, raw.dims + raw.rank),
                        std::vector<std::string>(raw.dim_names, raw.dim_names + raw.rank)});
    }
    return result;
  }

  std::shared_ptr<torsh_module> handle;
};

/// One caller's memory. Not to be used by two threads at once; cancel() and stats() may be called from any.
class Context {
public:
  explicit Context(const Module &module) : handle(nullptr, detail::api().context_destroy) {
    torsh_error error;
    torsh_context *made;
    detail::check(detail::api().context_create(module.get(), &made, &error), error);
    handle.reset(made);
    outputValues.resize(module.info().num_outputs);
  }

  /// Runs with outputs that the context owns; they are valid until its next call.
  Outputs run(std::initializer_list<Tensor> inputs) { return run(inputs.begin(), inputs.size()); }
  Outputs run(const std::vector<Tensor> &inputs) { return run(inputs.data(), inputs.size()); }

  /// Runs into the caller's buffers, whose shapes must be what the run computes.
  void run(std::initializer_list<Tensor> inputs, std::initializer_list<Tensor> outputs) {
    runInto(inputs.begin(), inputs.size(), outputs.begin(), outputs.size());
  }
  void run(const std::vector<Tensor> &inputs, const std::vector<Tensor> &outputs) {
    runInto(inputs.data(), inputs.size(), outputs.data(), outputs.size());
  }

  void setMemoryCap(uint64_t bytes) {
    detail::check(detail::api().set_memory_cap(handle.get(), bytes), "the context is in use by another call");
  }
  void trim() { detail::check(detail::api().trim(handle.get()), "the context is in use by another call"); }
  void cancel() { detail::api().cancel(handle.get()); }
  torsh_stats stats() const {
    torsh_stats result{};
    result.size = sizeof(result);
    detail::check(detail::api().get_stats(handle.get(), &result), "get_stats failed");
    return result;
  }
  torsh_context *get() const { return handle.get(); }

private:
  void takeInputs(const Tensor *inputs, size_t count) {
    inputValues.clear();
    for (size_t i = 0; i < count; ++i)
      inputValues.push_back(inputs[i].toValue());
  }

  Outputs run(const Tensor *inputs, size_t count) {
    takeInputs(inputs, count);
    std::fill(outputValues.begin(), outputValues.end(), torsh_value{});
    runValues(outputValues);
    Outputs outputs;
    outputs.reserve(outputValues.size());
    for (const torsh_value &value : outputValues)
      outputs.emplace_back(value.as.tensor.data, value.as.tensor.dtype, value.as.tensor.shape,
                           size_t(value.as.tensor.ndim));
    return outputs;
  }

  void runInto(const Tensor *inputs, size_t numInputs, const Tensor *outputs, size_t numOutputs) {
    takeInputs(inputs, numInputs);
    givenValues.clear();
    for (size_t i = 0; i < numOutputs; ++i)
      givenValues.push_back(outputs[i].toValue());
    runValues(givenValues);
  }

  void runValues(std::vector<torsh_value> &outputs) {
    torsh_error error;
    detail::check(detail::api().run(handle.get(), inputValues.data(), uint32_t(inputValues.size()),
                                    outputs.data(), uint32_t(outputs.size()), &error),
                  error);
  }

  std::unique_ptr<torsh_context, void (*)(torsh_context *)> handle;
  std::vector<torsh_value> inputValues, outputValues, givenValues;
};

} // namespace torsh
#endif
