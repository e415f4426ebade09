#include "Fixture.h"

#include <catch2/catch.hpp>
#include <cstring>

TEST_CASE("an artifact is loaded and described", "[run]") {
  torsh_error error;
  ModuleHandle module = load(fake("affine.so"), 1, &error);
  INFO(error.message);
  REQUIRE(module);
  torsh_module_info info{};
  info.size = sizeof(info);
  REQUIRE(api().module_info(module.get(), &info) == TORSH_OK);
  CHECK(info.num_inputs == 2);
  CHECK(info.num_outputs == 2);
  CHECK(info.weights_size == 32);
  CHECK(strlen(info.build_id) == 64);
  CHECK(info.width == 1);
  CHECK(std::string(info.metadata, info.metadata_size).find("\"compiler\"") != std::string::npos);
  torsh_port_info port{};
  port.size = sizeof(port);
  REQUIRE(api().input_info(module.get(), 0, &port) == TORSH_OK);
  CHECK(std::string(port.name) == "x");
  CHECK(port.rank == 2);
  CHECK(port.dims[0] == -1);
  CHECK(port.dims[1] == 8);
  CHECK(std::string(port.dim_names[0]) == "batch");
  CHECK(api().input_info(module.get(), 2, &port) == TORSH_E_INVALID_ARGUMENT);
  CHECK(torsh_get_api(TORSH_API_VERSION + 1) == nullptr);
}

TEST_CASE("outputs come in the context's memory or in the caller's", "[run]") {
  ModuleHandle module = load(fake("affine.so"));
  ContextHandle context = makeContext(module);
  AffineInputs inputs(5);
  torsh_error error;

  torsh_value owned[2] = {};
  for (int round = 0; round < 3; ++round) { // the filled-in values may be passed again
    REQUIRE(api().run(context.get(), inputs.values, 2, owned, 2, &error) == TORSH_OK);
    CHECK(owned[0].flags == TORSH_VALUE_CONTEXT_OWNED);
    REQUIRE(owned[0].as.tensor.ndim == 2);
    CHECK(owned[0].as.tensor.shape[0] == 5);
    CHECK(owned[0].as.tensor.shape[1] == 8);
    CHECK(reinterpret_cast<uintptr_t>(owned[0].as.tensor.data) % 64 == 0);
    CHECK(inputs.matches(static_cast<float *>(owned[0].as.tensor.data)));
  }

  std::vector<float> z(40);
  std::vector<int64_t> level(5), shape{5, 8}, levelShape{5};
  torsh_value given[2] = {makeValue(z.data(), F32, shape), makeValue(level.data(), I64, levelShape)};
  REQUIRE(api().run(context.get(), inputs.values, 2, given, 2, &error) == TORSH_OK);
  CHECK(inputs.matches(z.data()));
  CHECK(given[0].as.tensor.data == z.data());
  CHECK(given[0].as.tensor.shape == shape.data());

  // A buffer of known size: the dims are filled in.
  std::fill(z.begin(), z.end(), 0.0f);
  given[0].as.tensor.shape = nullptr;
  given[0].capacity = z.size() * sizeof(float);
  REQUIRE(api().run(context.get(), inputs.values, 2, given, 2, &error) == TORSH_OK);
  CHECK(inputs.matches(z.data()));
  REQUIRE(given[0].as.tensor.shape);
  CHECK(given[0].as.tensor.shape[0] == 5);
}

TEST_CASE("another batch and an empty one use the same context", "[run]") {
  ModuleHandle module = load(fake("affine.so"));
  ContextHandle context = makeContext(module);
  for (int64_t batch : {3, 300, 0, 1, 300}) {
    AffineInputs inputs(batch);
    torsh_value outputs[2] = {};
    torsh_error error;
    REQUIRE(api().run(context.get(), inputs.values, 2, outputs, 2, &error) == TORSH_OK);
    CHECK(outputs[0].as.tensor.shape[0] == batch);
    CHECK(outputs[0].as.tensor.data != nullptr);
    CHECK(inputs.matches(static_cast<float *>(outputs[0].as.tensor.data)));
  }
}

TEST_CASE("output dims and workspace are known before the run", "[run]") {
  ModuleHandle module = load(fake("affine.so"));
  ContextHandle context = makeContext(module);
  AffineInputs inputs(7);
  inputs.values[0].as.tensor.data = nullptr; // not read
  torsh_value outputs[2] = {};
  uint64_t bytes = 0;
  REQUIRE(api().output_dims(context.get(), inputs.values, 2, outputs, 2, &bytes, nullptr) == TORSH_OK);
  CHECK(bytes == 7 * 8 * sizeof(float));
  CHECK(outputs[0].as.tensor.shape[0] == 7);
  CHECK(outputs[1].as.tensor.ndim == 1);
  CHECK(outputs[1].as.tensor.dtype.bits == 64);
}

TEST_CASE("the memory cap refuses with the size that is needed", "[run]") {
  ModuleHandle module = load(fake("affine.so"));
  ContextHandle context = makeContext(module);
  torsh_value outputs[2] = {};
  torsh_error error;
  REQUIRE(api().set_memory_cap(context.get(), 4096) == TORSH_OK);
  AffineInputs small(16), large(100);
  REQUIRE(api().run(context.get(), small.values, 2, outputs, 2, &error) == TORSH_OK);
  REQUIRE(api().run(context.get(), large.values, 2, outputs, 2, &error) == TORSH_E_MEMORY_CAP);
  // Workspace and z are 3200 bytes each, level is 800 and takes whole lines of 64.
  CHECK(error.needed == 3200 + 3200 + 832);
  INFO(error.message);
  CHECK(std::string(error.message).find("TSH-8012") == 0);
  CHECK(std::string(error.message).find("7232") != std::string::npos);
  REQUIRE(api().run(context.get(), small.values, 2, outputs, 2, &error) == TORSH_OK);
  CHECK(small.matches(static_cast<float *>(outputs[0].as.tensor.data)));
  // Exactly enough is enough, and no more than that is held.
  REQUIRE(api().set_memory_cap(context.get(), 7232) == TORSH_OK);
  REQUIRE(api().run(context.get(), large.values, 2, outputs, 2, &error) == TORSH_OK);
  torsh_stats stats{};
  stats.size = sizeof(stats);
  api().get_stats(context.get(), &stats);
  CHECK(stats.arena_bytes + stats.output_bytes == 7232);
  CHECK(stats.runs == 3);
  CHECK(stats.failed_runs == 1);
  REQUIRE(api().trim(context.get()) == TORSH_OK);
  api().get_stats(context.get(), &stats);
  CHECK(stats.arena_bytes + stats.output_bytes == 0);
}

TEST_CASE("weights come from a side file, or from where the caller says", "[run]") {
  torsh_error error;
  AffineInputs inputs(2);
  torsh_value outputs[2] = {};
  {
    ModuleHandle module = load(fake("sidecar.so"), 1, &error);
    INFO(error.message);
    REQUIRE(module);
    ContextHandle context = makeContext(module);
    REQUIRE(api().run(context.get(), inputs.values, 2, outputs, 2, &error) == TORSH_OK);
    CHECK(static_cast<float *>(outputs[0].as.tensor.data)[3] == 3 * 2 + 100);
  }
  const std::string other = fake("other.weights");
  const float weights[8] = {10, 10, 10, 10, 10, 10, 10, 10};
  writeFile(other, std::string(reinterpret_cast<const char *>(weights), sizeof(weights)));
  torsh_load_options options{sizeof(options), 1, nullptr, other.c_str(), 0};
  torsh_module *raw;
  REQUIRE(api().load_file(fake("affine.so").c_str(), &options, &raw, &error) == TORSH_OK);
  ModuleHandle module(raw, api().module_destroy);
  ContextHandle context = makeContext(module);
  REQUIRE(api().run(context.get(), inputs.values, 2, outputs, 2, &error) == TORSH_OK);
  CHECK(static_cast<float *>(outputs[0].as.tensor.data)[3] == 3 * 10 + 100);
  // The weights are not those of the digest, which verify says and load does not look at.
  CHECK(api().verify_file(fake("affine.so").c_str(), nullptr, &error) == TORSH_OK);
  CHECK(api().verify_file(fake("sidecar.so").c_str(), nullptr, &error) == TORSH_OK);
  CHECK(api().verify_file(fake("affine.so").c_str(), other.c_str(), &error) == TORSH_E_DIGEST);
  // A file of another size is refused at load.
  writeFile(other, "short");
  CHECK(api().load_file(fake("affine.so").c_str(), &options, &raw, &error) == TORSH_E_FORMAT);
}

TEST_CASE("an artifact without weights runs", "[run]") {
  ModuleHandle module = load(fake("weightless.so"));
  ContextHandle context = makeContext(module);
  AffineInputs inputs(2);
  torsh_value outputs[2] = {};
  REQUIRE(api().run(context.get(), inputs.values, 2, outputs, 2, nullptr) == TORSH_OK);
  CHECK(static_cast<float *>(outputs[0].as.tensor.data)[3] == 3 * 3 + 100);
}

TEST_CASE("the log sink hears of loads and failures", "[run]") {
  static std::vector<std::string> heard;
  heard.clear();
  api().set_log([](void *, int32_t, const char *message) { heard.push_back(message); }, nullptr,
                TORSH_LOG_INFO);
  load(fake("affine.so"));
  load(fake("missing.so"));
  api().set_log(nullptr, nullptr, 0);
  load(fake("affine.so"));
  REQUIRE(heard.size() == 2);
  CHECK(heard[0].find("loaded") == 0);
  CHECK(heard[1].find("TSH-8002") == 0);
}

TEST_CASE("a trace sees every kernel call", "[run]") {
  ModuleHandle module = load(fake("affine.so"));
  ContextHandle context = makeContext(module);
  AffineInputs inputs(5);
  torsh_error error;
  torsh_value outputs[2] = {};
  std::vector<torsh_kernel_event> events;
  auto remember = [](void *user, const torsh_kernel_event *event) {
    static_cast<std::vector<torsh_kernel_event> *>(user)->push_back(*event);
  };
  REQUIRE(api().set_trace(context.get(), remember, &events) == TORSH_OK);
  for (int round = 0; round < 2; ++round)
    REQUIRE(api().run(context.get(), inputs.values, 2, outputs, 2, &error) == TORSH_OK);
  torsh_stats stats{};
  stats.size = sizeof(stats);
  api().get_stats(context.get(), &stats);
  REQUIRE(events.size() == stats.kernels);
  uint64_t last = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    CHECK(events[i].size == sizeof(torsh_kernel_event));
    CHECK(events[i].launch == i % (events.size() / 2));
    CHECK(strlen(events[i].name) > 0);
    CHECK(events[i].start_ns >= last);
    CHECK(events[i].end_ns >= events[i].start_ns);
    last = events[i].end_ns;
  }
  REQUIRE(api().set_trace(context.get(), nullptr, nullptr) == TORSH_OK);
  REQUIRE(api().run(context.get(), inputs.values, 2, outputs, 2, &error) == TORSH_OK);
  CHECK(events.size() == stats.kernels);
  CHECK(api().set_trace(nullptr, remember, nullptr) == TORSH_E_INVALID_ARGUMENT);
}
