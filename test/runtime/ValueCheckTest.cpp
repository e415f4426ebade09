#include "Fixture.h"

#include <catch2/catch.hpp>
#include <functional>

namespace {
/// Runs the affine fake after `spoil` and expects this status; returns the error.
torsh_error refuse(torsh_status expected,
                   const std::function<void(torsh_value *in, torsh_value *out)> &spoil) {
  static ModuleHandle module = load(fake("affine.so"));
  ContextHandle context = makeContext(module);
  AffineInputs inputs(4);
  torsh_value outputs[2] = {};
  torsh_error error;
  spoil(inputs.values, outputs);
  torsh_status status = api().run(context.get(), inputs.values, 2, outputs, 2, &error);
  INFO(error.message);
  CHECK(status == expected);
  CHECK(error.status == expected);
  // The context can be used again.
  AffineInputs good(4);
  torsh_value fresh[2] = {};
  CHECK(api().run(context.get(), good.values, 2, fresh, 2, nullptr) == TORSH_OK);
  return error;
}

bool says(const torsh_error &error, const char *text) {
  INFO(error.message);
  return std::string(error.message).find(text) != std::string::npos;
}
} // namespace

TEST_CASE("inputs of the wrong dtype, rank and dims are refused by name", "[values]") {
  torsh_error error =
      refuse(TORSH_E_DTYPE, [](torsh_value *in, torsh_value *) { in[1].as.tensor.dtype = I32; });
  CHECK(says(error, "input 1 (\"y\"): expected dtype float32, got int32"));
  CHECK(error.port == 1);

  error = refuse(TORSH_E_RANK, [](torsh_value *in, torsh_value *) { in[0].as.tensor.ndim = 1; });
  CHECK(says(error, "input 0 (\"x\"): expected rank 2, got 1"));

  static std::vector<int64_t> shape{4, 9};
  error = refuse(TORSH_E_SHAPE, [](torsh_value *in, torsh_value *) { in[0].as.tensor.shape = shape.data(); });
  CHECK(says(error, "axis 1 must have size 8, got 9"));
  CHECK(error.axis == 1);

  shape = {-4, 8};
  error = refuse(TORSH_E_SHAPE, [](torsh_value *in, torsh_value *) { in[0].as.tensor.shape = shape.data(); });
  CHECK(says(error, "negative size -4"));

  shape = {3, 8};
  error = refuse(TORSH_E_SHAPE, [](torsh_value *in, torsh_value *) { in[1].as.tensor.shape = shape.data(); });
  CHECK(says(error, "input 1 (\"y\"): axis 0 (batch) must have size 4, got 3"));

  shape = {1000001, 8};
  error = refuse(TORSH_E_SHAPE, [](torsh_value *in, torsh_value *) {
    in[0].as.tensor.shape = in[1].as.tensor.shape = shape.data();
  });
  CHECK(says(error, "batch <= 1000000"));

  shape = {int64_t(1) << 60, 8};
  refuse(TORSH_E_SHAPE, [](torsh_value *in, torsh_value *) {
    in[0].as.tensor.shape = in[1].as.tensor.shape = shape.data();
  });
}

TEST_CASE("layouts that the kernels do not serve are refused", "[values]") {
  static int64_t strides[2] = {1, 4};
  torsh_error error =
      refuse(TORSH_E_LAYOUT, [](torsh_value *in, torsh_value *) { in[0].as.tensor.strides = strides; });
  CHECK(says(error, "axis 1 has stride 4, expected 1"));

  refuse(TORSH_E_LAYOUT, [](torsh_value *in, torsh_value *) { in[0].as.tensor.device.type = 2; });
  refuse(TORSH_E_LAYOUT, [](torsh_value *in, torsh_value *) { in[0].as.tensor.byte_offset = 2; });
  error = refuse(TORSH_E_LAYOUT, [](torsh_value *in, torsh_value *out) { out[0] = in[0]; });
  CHECK(says(error, "overlap"));
  refuse(TORSH_E_INVALID_ARGUMENT, [](torsh_value *in, torsh_value *) { in[0].as.tensor.data = nullptr; });
}

TEST_CASE("contiguous strides, spelled out, are served", "[values]") {
  refuse(TORSH_OK, [](torsh_value *in, torsh_value *) {
    static int64_t strides[2] = {8, 1};
    in[0].as.tensor.strides = strides;
  });
}

TEST_CASE("the context's own output cannot be its input", "[values]") {
  ModuleHandle module = load(fake("affine.so"));
  ContextHandle context = makeContext(module), other = makeContext(module);
  AffineInputs inputs(4);
  torsh_value outputs[2] = {}, again[2] = {};
  REQUIRE(api().run(context.get(), inputs.values, 2, outputs, 2, nullptr) == TORSH_OK);
  inputs.values[0] = outputs[0];
  torsh_error error;
  CHECK(api().run(context.get(), inputs.values, 2, again, 2, &error) == TORSH_E_LAYOUT);
  CHECK(says(error, "this context owns"));
  CHECK(api().run(other.get(), inputs.values, 2, again, 2, &error) == TORSH_OK);
}

TEST_CASE("output buffers are checked", "[values]") {
  static std::vector<float> z(64);
  static std::vector<int64_t> shape;
  shape = {5, 8};
  torsh_error error = refuse(
      TORSH_E_SHAPE, [](torsh_value *, torsh_value *out) { out[0] = makeValue(z.data(), F32, shape); });
  CHECK(says(error, "output 0 (\"z\"): axis 0 of the buffer has size 5, but this run computes 4"));
  shape = {4, 8};
  refuse(TORSH_E_DTYPE, [](torsh_value *, torsh_value *out) { out[0] = makeValue(z.data(), I32, shape); });
  error = refuse(TORSH_E_SHAPE, [](torsh_value *, torsh_value *out) {
    out[0].as.tensor.data = z.data();
    out[0].capacity = 127;
  });
  CHECK(says(error, "needs 128 bytes; the buffer has 127"));
  CHECK(error.needed == 128);
}

TEST_CASE("kinds of values that are only declared get a status", "[values]") {
  for (uint32_t tag :
       {TORSH_VALUE_STRING_TENSOR, TORSH_VALUE_SEQUENCE, TORSH_VALUE_OPTIONAL, TORSH_VALUE_MAP}) {
    refuse(TORSH_E_UNSUPPORTED, [tag](torsh_value *in, torsh_value *) { in[0].tag = tag; });
    refuse(TORSH_E_UNSUPPORTED, [tag](torsh_value *, torsh_value *out) { out[1].tag = tag; });
  }
  refuse(TORSH_E_INVALID_ARGUMENT, [](torsh_value *in, torsh_value *) { in[0].tag = 77; });
}

TEST_CASE("the wrong number of values is refused", "[values]") {
  ModuleHandle module = load(fake("affine.so"));
  ContextHandle context = makeContext(module);
  AffineInputs inputs(4);
  torsh_value outputs[2] = {};
  torsh_error error;
  CHECK(api().run(context.get(), inputs.values, 1, outputs, 2, &error) == TORSH_E_INVALID_ARGUMENT);
  CHECK(says(error, "2 inputs, but 1"));
  CHECK(api().run(context.get(), inputs.values, 2, outputs, 3, &error) == TORSH_E_INVALID_ARGUMENT);
  CHECK(api().run(nullptr, inputs.values, 2, outputs, 2, &error) == TORSH_E_INVALID_ARGUMENT);
}
