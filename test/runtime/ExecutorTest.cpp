#include "Fixture.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <dirent.h>
#include <immintrin.h>
#include <set>
#include <thread>

namespace {
/// Runs the probe on n tiles of `us` microseconds each.
struct Probe {
  Probe(const ModuleHandle &module, int64_t n, int32_t us)
      : context(makeContext(module)), shape{n}, spin(size_t(n), us),
        input(makeValue(spin.data(), I32, shape)) {}
  torsh_status run(torsh_error *error = nullptr) {
    return api().run(context.get(), &input, 1, outputs, 2, error);
  }
  std::set<int64_t> threads() const {
    const int64_t *ids = static_cast<int64_t *>(outputs[1].as.tensor.data);
    return std::set<int64_t>(ids, ids + shape[0]);
  }
  torsh_stats stats() const {
    torsh_stats result{};
    result.size = sizeof(result);
    api().get_stats(context.get(), &result);
    return result;
  }
  ContextHandle context;
  std::vector<int64_t> shape;
  std::vector<int32_t> spin;
  torsh_value input;
  torsh_value outputs[2] = {};
};

size_t countThreads() {
  DIR *folder = opendir("/proc/self/task");
  size_t count = 0;
  while (dirent *entry = readdir(folder))
    count += entry->d_name[0] != '.';
  closedir(folder);
  return count;
}

using Clock = std::chrono::steady_clock;
double milliseconds(Clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }
} // namespace

TEST_CASE("any number of threads gives the same bits", "[executor]") {
  for (uint32_t threads : {1u, 2u, 3u, 8u}) {
    ModuleHandle module = load(fake("affine.so"), threads);
    ContextHandle context = makeContext(module);
    for (int64_t batch : {1, 5, 37, 5000}) {
      AffineInputs inputs(batch);
      torsh_value outputs[2] = {};
      for (int round = 0; round < 20; ++round) {
        REQUIRE(api().run(context.get(), inputs.values, 2, outputs, 2, nullptr) == TORSH_OK);
        REQUIRE(inputs.matches(static_cast<float *>(outputs[0].as.tensor.data)));
        memset(outputs[0].as.tensor.data, 0, size_t(batch) * 32);
      }
    }
  }
}

TEST_CASE("the threads of a pool share the work, and start only when a run needs them", "[executor]") {
  const size_t before = countThreads();
  ModuleHandle module = load(fake("probe.so"), 4);
  Probe probe(module, 64, 500);
  CHECK(countThreads() == before);
  REQUIRE(probe.run() == TORSH_OK);
  CHECK(countThreads() == before + 3);
  CHECK(probe.threads().size() >= 2);
  CHECK(probe.stats().shared_kernels == 1);
  probe.context.reset();
  module.reset();
  CHECK(countThreads() == before);
}

TEST_CASE("width 1 stays in the caller", "[executor]") {
  const size_t before = countThreads();
  ModuleHandle module = load(fake("probe.so"), 1);
  Probe probe(module, 64, 10);
  REQUIRE(probe.run() == TORSH_OK);
  CHECK(countThreads() == before);
  CHECK(probe.threads() == std::set<int64_t>{int64_t(intptr_t(&errno))});
}

TEST_CASE("many contexts run at once on one module and one executor", "[executor]") {
  torsh_executor_options options{sizeof(options), 3, 0, 0};
  torsh_executor *executor;
  REQUIRE(api().executor_create(&options, &executor, nullptr) == TORSH_OK);
  CHECK(api().executor_width(executor) == 3);
  ModuleHandle module = load(fake("affine.so"), 0, nullptr, executor);
  ModuleHandle other = load(fake("weightless.so"), 0, nullptr, executor);
  api().executor_destroy(executor); // the modules hold it
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 24; ++caller) // more than the pool has slots
    callers.emplace_back([&, caller] {
      ContextHandle context = makeContext(caller % 3 ? module : other);
      AffineInputs inputs(20 + caller);
      torsh_value outputs[2] = {};
      for (int round = 0; round < 300; ++round) {
        if (api().run(context.get(), inputs.values, 2, outputs, 2, nullptr) != TORSH_OK)
          ++wrong;
        else if (caller % 3)
          wrong += !inputs.matches(static_cast<float *>(outputs[0].as.tensor.data));
        else
          wrong += static_cast<float *>(outputs[0].as.tensor.data)[9] != 9 * 3 + 100;
      }
    });
  for (std::thread &caller : callers)
    caller.join();
  CHECK(wrong == 0);
}

TEST_CASE("a context serves one call at a time", "[executor]") {
  ModuleHandle module = load(fake("probe.so"), 1);
  Probe probe(module, 100, 1000);
  std::atomic<bool> done{false};
  std::thread runner([&] {
    while (probe.run() != TORSH_OK) // the calls below may be in
      ;
    done = true;
  });
  torsh_status seen = TORSH_OK;
  torsh_value outputs[2] = {};
  std::vector<int64_t> shape{0};
  torsh_value nothing = makeValue(nullptr, I32, shape);
  torsh_error error;
  while (!done && seen == TORSH_OK)
    seen = api().run(probe.context.get(), &nothing, 1, outputs, 2, &error);
  runner.join();
  CHECK(seen == TORSH_E_INVALID_ARGUMENT);
  CHECK(std::string(error.message).find("in use") != std::string::npos);
}

TEST_CASE("cancel ends a run between ranges and leaves the context usable", "[executor]") {
  for (uint32_t threads : {1u, 2u}) {
    ModuleHandle module = load(fake("probe.so"), threads);
    Probe probe(module, 10000, 1000); // ten seconds of work
    torsh_status status = TORSH_OK;
    std::atomic<int> state{0};
    std::thread runner([&] {
      torsh_error error;
      state = 1;
      status = probe.run(&error);
    });
    while (!state)
      std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    const auto start = Clock::now();
    api().cancel(probe.context.get());
    runner.join();
    const double waited = milliseconds(Clock::now() - start);
    CHECK(status == TORSH_E_CANCELLED);
    CHECK(waited < 1000); // about a millisecond, and time for a busy machine
    // The cancellation is spent.
    probe.spin.assign(probe.spin.size(), 0);
    CHECK(probe.run() == TORSH_OK);
    CHECK(probe.stats().failed_runs == 1);
  }
}

TEST_CASE("a host's own parallel_for does the work", "[executor]") {
  static std::atomic<int> calls;
  static std::atomic<int64_t> covered;
  calls = 0;
  covered = 0;
  torsh_executor_callbacks callbacks{sizeof(callbacks), 4, nullptr,
                                     [](void *, torsh_range_fn fn, void *job, int64_t tiles, int64_t grain) {
                                       std::vector<std::thread> threads;
                                       for (int64_t begin = 0; begin < tiles; begin += grain)
                                         threads.emplace_back([=] {
                                           const int64_t end = std::min(begin + grain, tiles);
                                           ++calls;
                                           covered += end - begin;
                                           fn(job, begin, end);
                                         });
                                       for (std::thread &thread : threads)
                                         thread.join();
                                     }};
  torsh_executor *executor;
  REQUIRE(api().executor_create_custom(&callbacks, &executor, nullptr) == TORSH_OK);
  ModuleHandle module = load(fake("affine.so"), 0, nullptr, executor);
  api().executor_destroy(executor);
  ContextHandle context = makeContext(module);
  AffineInputs inputs(30);
  torsh_value outputs[2] = {};
  REQUIRE(api().run(context.get(), inputs.values, 2, outputs, 2, nullptr) == TORSH_OK);
  CHECK(inputs.matches(static_cast<float *>(outputs[0].as.tensor.data)));
  CHECK(covered == 3 * 30);
  CHECK(calls == 8 + 8 + 2);
}

TEST_CASE("bad executor options are refused", "[executor]") {
  torsh_executor *executor;
  torsh_error error;
  torsh_executor_options options{sizeof(options), 100000, 0, 0};
  CHECK(api().executor_create(&options, &executor, &error) == TORSH_E_INVALID_ARGUMENT);
  options = {4, 1, 0, 0};
  CHECK(api().executor_create(&options, &executor, &error) == TORSH_E_INVALID_ARGUMENT);
  torsh_executor_callbacks callbacks{sizeof(callbacks), 0, nullptr, nullptr};
  CHECK(api().executor_create_custom(&callbacks, &executor, &error) == TORSH_E_INVALID_ARGUMENT);
}

TEST_CASE("workers compute under the caller's floating-point state", "[executor]") {
  ModuleHandle module = load(fake("probe.so"), 3);
  Probe probe(module, 64, 300);
  const unsigned before = _mm_getcsr();
  for (unsigned mode :
       {before, before | 0x8040u /* flush to zero, denormals are zero */, before | 0x2000u, before}) {
    _mm_setcsr(mode);
    torsh_status status = probe.run();
    _mm_setcsr(before);
    REQUIRE(status == TORSH_OK);
    const int32_t *state = static_cast<int32_t *>(probe.outputs[0].as.tensor.data);
    for (int i = 0; i < 64; ++i)
      REQUIRE(unsigned(state[i]) == (mode & ~0x3fu));
  }
}

TEST_CASE("idle workers sleep", "[executor]") {
  ModuleHandle module = load(fake("probe.so"), 4);
  Probe probe(module, 64, 100);
  REQUIRE(probe.run() == TORSH_OK);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  timespec before, after;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
  const double used =
      double(after.tv_sec - before.tv_sec) * 1e3 + double(after.tv_nsec - before.tv_nsec) * 1e-6;
  CHECK(used < 5.0);
}
