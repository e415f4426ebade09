/// What the runtime tests share: handles that free themselves, and tensors over vectors.
#ifndef TORSH_TEST_RUNTIME_FIXTURE_H
#define TORSH_TEST_RUNTIME_FIXTURE_H

#include "torsh/torsh.h"

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

inline const torsh_api &api() { return *torsh_get_api(TORSH_API_VERSION); }

inline std::string fake(const std::string &name) { return std::string(FAKES) + "/" + name; }

using ModuleHandle = std::unique_ptr<torsh_module, void (*)(torsh_module *)>;
using ContextHandle = std::unique_ptr<torsh_context, void (*)(torsh_context *)>;

/// Returns an empty handle, with *status and *error set, on failure.
inline ModuleHandle load(const std::string &path, uint32_t threads = 1, torsh_error *error = nullptr,
                         torsh_executor *executor = nullptr) {
  torsh_load_options options{sizeof(options), threads, executor, nullptr, 0};
  torsh_module *module = nullptr;
  api().load_file(path.c_str(), &options, &module, error);
  return ModuleHandle(module, api().module_destroy);
}

inline ContextHandle makeContext(const ModuleHandle &module) {
  torsh_context *context = nullptr;
  api().context_create(module.get(), &context, nullptr);
  return ContextHandle(context, api().context_destroy);
}

inline torsh_value makeValue(void *data, torsh_dtype dtype, std::vector<int64_t> &shape) {
  torsh_value value{};
  value.as.tensor.data = data;
  value.as.tensor.device = {TORSH_DEVICE_CPU, 0};
  value.as.tensor.ndim = int32_t(shape.size());
  value.as.tensor.dtype = dtype;
  value.as.tensor.shape = shape.data();
  return value;
}

constexpr torsh_dtype F32{TORSH_DTYPE_FLOAT, 32, 1};
constexpr torsh_dtype I32{TORSH_DTYPE_INT, 32, 1};
constexpr torsh_dtype I64{TORSH_DTYPE_INT, 64, 1};

/// Inputs of the affine fake: x counts up, y is 100.
struct AffineInputs {
  explicit AffineInputs(int64_t batch) : shape{batch, 8}, x(size_t(batch) * 8), y(size_t(batch) * 8, 100.0f) {
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = float(i);
    values[0] = makeValue(x.data(), F32, shape);
    values[1] = makeValue(y.data(), F32, shape);
  }
  /// Whether `z` is x * (1..8) + 100.
  bool matches(const float *z) const {
    for (size_t i = 0; i < x.size(); ++i)
      if (z[i] != x[i] * float(i % 8 + 1) + 100.0f)
        return false;
    return true;
  }
  std::vector<int64_t> shape;
  std::vector<float> x, y;
  torsh_value values[2];
};

inline std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

inline void writeFile(const std::string &path, const std::string &bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

#endif
