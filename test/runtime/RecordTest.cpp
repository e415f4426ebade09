/// Recordings of a context. test/runtime/check_profile.py reads one as JSON, as a host without any code for it leaves it.
#include "Fixture.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

namespace {
size_t countOf(const std::string &text, const std::string &part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

struct Runner {
  explicit Runner(const ModuleHandle &module, int64_t batch = 5)
      : context(makeContext(module)), inputs(batch) {}
  void operator()(int times) {
    for (int i = 0; i < times; ++i)
      REQUIRE(api().run(context.get(), inputs.values, 2, outputs, 2, nullptr) == TORSH_OK);
  }
  ContextHandle context;
  AffineInputs inputs;
  torsh_value outputs[2] = {};
};

const std::string runs = "\"cat\":\"run\"", kernels = "\"cat\":\"kernel\"";
} // namespace

TEST_CASE("a recording holds the runs between its begin and its end", "[record]") {
  ModuleHandle module = load(fake("described.so"));
  Runner run(module);
  const std::string path = fake("recorded.json");
  run(2);
  REQUIRE(api().record(run.context.get(), path.c_str(), nullptr) == TORSH_OK);
  run(3);
  REQUIRE(api().record(run.context.get(), nullptr, nullptr) == TORSH_OK);
  run(4);
  std::string text = readFile(path);
  CHECK(countOf(text, runs) == 3);
  CHECK(countOf(text, kernels) == 9);
  CHECK(countOf(text, "\"flops\":40,\"bytes\":480") == 6);
  // Another one for the same path begins anew, and ends with the context.
  REQUIRE(api().record(run.context.get(), path.c_str(), nullptr) == TORSH_OK);
  run(1);
  run.context.reset();
  CHECK(countOf(readFile(path), runs) == 1);
}

TEST_CASE("the newest events of a long recording are kept", "[record]") {
  ModuleHandle module = load(fake("described.so"));
  Runner run(module);
  const std::string path = fake("long.json");
  REQUIRE(api().record(run.context.get(), path.c_str(), nullptr) == TORSH_OK);
  run(20000);
  REQUIRE(api().record(run.context.get(), nullptr, nullptr) == TORSH_OK);
  std::string text = readFile(path);
  CHECK(countOf(text, runs) + countOf(text, kernels) ==
        65536 - 1); // the oldest one might have been half replaced
  CHECK(text.find("\"events\":80000,\"events_left_out\":14464") != std::string::npos);
  CHECK(text.find("\"run 20000\"") != std::string::npos);
  CHECK(text.find("\"run 1\"") == std::string::npos);
}

TEST_CASE("threads that help are counted", "[record]") {
  ModuleHandle module = load(fake("probe.so"), 3);
  ContextHandle context = makeContext(module);
  std::vector<int64_t> shape{60};
  std::vector<int32_t> spin(60, 500);
  torsh_value input = makeValue(spin.data(), I32, shape), outputs[2] = {};
  const std::string path = fake("threads.json");
  REQUIRE(api().record(context.get(), path.c_str(), nullptr) == TORSH_OK);
  for (int i = 0; i < 5; ++i)
    REQUIRE(api().run(context.get(), &input, 1, outputs, 2, nullptr) == TORSH_OK);
  REQUIRE(api().record(context.get(), nullptr, nullptr) == TORSH_OK);
  std::string text = readFile(path);
  CHECK(countOf(text, "\"threads\":2") + countOf(text, "\"threads\":3") >= 1);
  // No metadata describes this kernel.
  CHECK(countOf(text, "\"name\":\"launch 0\"") == 5);
}

TEST_CASE("a recording that cannot be written is refused before the runs", "[record]") {
  ModuleHandle module = load(fake("described.so"));
  Runner run(module);
  torsh_error error;
  CHECK(api().record(run.context.get(), fake("nowhere/x.json").c_str(), &error) == TORSH_E_IO);
  CHECK(std::string(error.message).find("nowhere/x.json") != std::string::npos);
  CHECK(api().record(nullptr, nullptr, &error) == TORSH_E_INVALID_ARGUMENT);
  CHECK(api().record(run.context.get(), nullptr, &error) == TORSH_OK);
  run(1);
}

TEST_CASE("recorded contexts run at the same time", "[record]") {
  ModuleHandle module = load(fake("described.so"), 2);
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&, caller] {
      ContextHandle context = makeContext(module);
      AffineInputs inputs(50 + caller);
      torsh_value outputs[2] = {};
      const std::string path = fake("caller" + std::to_string(caller) + ".json");
      wrong += api().record(context.get(), path.c_str(), nullptr) != TORSH_OK;
      for (int i = 0; i < 100; ++i)
        wrong += api().run(context.get(), inputs.values, 2, outputs, 2, nullptr) != TORSH_OK;
      context.reset();
      wrong += countOf(readFile(path), runs) != 100;
    });
  for (std::thread &caller : callers)
    caller.join();
  CHECK(wrong == 0);
}
