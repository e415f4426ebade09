#include "Fixture.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <cstring>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace {
/// A sanitizer keeps memory of its own for every allocation, so resident sizes say nothing.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool Sanitized = true;
#else
constexpr bool Sanitized = false;
#endif

long residentKiB() {
  std::ifstream statm("/proc/self/statm");
  long total, resident;
  statm >> total >> resident;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

size_t countMappings(const char *name) {
  std::ifstream maps("/proc/self/maps");
  size_t count = 0;
  for (std::string line; std::getline(maps, line);)
    count += line.find(name) != std::string::npos;
  return count;
}

bool runOnce(const ModuleHandle &module, int64_t batch = 50) {
  ContextHandle context = makeContext(module);
  AffineInputs inputs(batch);
  torsh_value outputs[2] = {};
  return api().run(context.get(), inputs.values, 2, outputs, 2, nullptr) == TORSH_OK &&
         inputs.matches(static_cast<float *>(outputs[0].as.tensor.data));
}
} // namespace

TEST_CASE("loading and unloading a thousand times leaves memory flat", "[lifetime]") {
  auto round = [](int i) { REQUIRE(runOnce(load(fake("affine.so"), i % 10 ? 1 : 2))); };
  for (int i = 0; i < 50; ++i)
    round(i);
  const long before = residentKiB();
  for (int i = 0; i < 1000; ++i)
    round(i);
  const long growth = residentKiB() - before;
  INFO("growth " << growth << " KiB");
  CHECK((Sanitized || growth < 512));
  CHECK(countMappings("affine.so") == 0);
}

TEST_CASE("requests of random shapes hold no more memory than the largest one needs", "[lifetime]") {
  ModuleHandle module = load(fake("affine.so"), 2);
  ContextHandle context = makeContext(module);
  auto held = [&] {
    torsh_stats stats{};
    stats.size = sizeof(stats);
    api().get_stats(context.get(), &stats);
    return stats.arena_bytes + stats.output_bytes;
  };
  AffineInputs inputs(3000);
  auto request = [&](int64_t batch) {
    inputs.shape[0] = batch;
    torsh_value outputs[2] = {};
    return api().run(context.get(), inputs.values, 2, outputs, 2, nullptr);
  };
  REQUIRE(request(3000) == TORSH_OK);
  const uint64_t largest = held();
  const long resident = residentKiB();
  uint32_t random = 1;
  torsh_status worst = TORSH_OK;
  for (int i = 0; i < 20000; ++i) {
    random = random * 1664525u + 1013904223u;
    worst |= request(int64_t(random >> 8) % 3001);
  }
  CHECK(worst == TORSH_OK);
  CHECK(held() == largest);
  CHECK((Sanitized || residentKiB() - resident < 256));
}

TEST_CASE("a context keeps its module alive", "[lifetime]") {
  ModuleHandle module = load(fake("affine.so"));
  ContextHandle context = makeContext(module);
  module.reset();
  AffineInputs inputs(3);
  torsh_value outputs[2] = {};
  REQUIRE(api().run(context.get(), inputs.values, 2, outputs, 2, nullptr) == TORSH_OK);
  CHECK(inputs.matches(static_cast<float *>(outputs[0].as.tensor.data)));
  CHECK(countMappings("affine.so") > 0);
  context.reset();
  CHECK(countMappings("affine.so") == 0);
}

TEST_CASE("different artifacts opened in turn are not mixed up", "[lifetime]") {
  // The descriptor numbers, and with them the loader's names for the files, are used again and again.
  for (int round = 0; round < 5; ++round) {
    CHECK(runOnce(load(fake("affine.so"))));
    ModuleHandle weightless = load(fake("weightless.so"));
    CHECK_FALSE(runOnce(weightless)); // its weights are 3, not 1 to 8
    ModuleHandle affine = load(fake("affine.so"));
    CHECK(runOnce(affine));
    weightless.reset();
    CHECK(runOnce(load(fake("affine.so"))));
  }
}

TEST_CASE("a file swapped after loading does not matter", "[lifetime]") {
  const std::string path = fake("swapped_" + std::to_string(getpid()) + ".so");
  writeFile(path, readFile(fake("affine.so")));
  ModuleHandle first = load(path);
  unlink(path.c_str());
  writeFile(path, readFile(fake("weightless.so")));
  ModuleHandle second = load(path);
  unlink(path.c_str());
  CHECK(runOnce(first));
  CHECK(second);
  CHECK_FALSE(runOnce(second));
}

#if !__has_feature(thread_sanitizer) // which does not follow threads started after a fork
TEST_CASE("after a fork the child's runs have threads of their own", "[lifetime]") {
  ModuleHandle module = load(fake("affine.so"), 3);
  ContextHandle context = makeContext(module);
  AffineInputs inputs(500);
  torsh_value outputs[2] = {};
  auto good = [&] {
    return api().run(context.get(), inputs.values, 2, outputs, 2, nullptr) == TORSH_OK &&
           inputs.matches(static_cast<float *>(outputs[0].as.tensor.data));
  };
  REQUIRE(good());
  for (int round = 0; round < 20; ++round) {
    // Another thread is in the middle of a run when the process forks.
    std::atomic<bool> stop{false};
    std::thread other([&] {
      while (!stop)
        runOnce(module, 200);
    });
    pid_t child = fork();
    if (child == 0) {
      alarm(20); // a hang ends the child with a signal
      bool fine = true;
      for (int i = 0; i < 20; ++i)
        fine = good() && runOnce(module) && fine;
      context.reset();
      module.reset();
      _exit(fine ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    stop = true;
    other.join();
    REQUIRE(WIFEXITED(status));
    REQUIRE(WEXITSTATUS(status) == 0);
    REQUIRE(good());
  }
}
#endif
