/// Counts every allocation of the process by replacing malloc's entry points.
#include "Fixture.h"

#include <atomic>
#include <catch2/catch.hpp>

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
#include <cerrno>
#include <malloc.h>

extern "C" {
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
}

static std::atomic<size_t> allocations;

extern "C" {
void *malloc(size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void *realloc(void *old, size_t size) {
  ++allocations;
  return __libc_realloc(old, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void **result, size_t alignment, size_t size) {
  ++allocations;
  *result = __libc_memalign(alignment, size);
  return *result ? 0 : ENOMEM;
}
}

TEST_CASE("the interposer sees the runtime's allocations", "[allocation]") {
  const size_t before = allocations;
  ModuleHandle module = load(fake("affine.so"));
  CHECK(allocations > before);
}

TEST_CASE("a run after the first with the same shapes allocates nothing, recorded or not", "[allocation]") {
  for (uint32_t threads : {1u, 3u}) {
    ModuleHandle module = load(fake("affine.so"), threads);
    ContextHandle context = makeContext(module);
    if (threads == 3)
      REQUIRE(api().record(context.get(), fake("allocations.json").c_str(), nullptr) == TORSH_OK);
    AffineInputs inputs(4000), smaller(100);
    torsh_value outputs[2] = {};
    torsh_status first = api().run(context.get(), inputs.values, 2, outputs, 2, nullptr);
    torsh_stats stats{};
    stats.size = sizeof(stats);
    api().get_stats(context.get(), &stats);
    const uint64_t asked = stats.allocations;
    const size_t before = allocations;
    torsh_status worst = first;
    for (int round = 0; round < 200; ++round) {
      worst |= api().run(context.get(), inputs.values, 2, outputs, 2, nullptr);
      worst |= api().run(context.get(), smaller.values, 2, outputs, 2, nullptr); // within the high-water mark
    }
    const size_t after = allocations;
    CHECK(worst == TORSH_OK);
    CHECK(after == before);
    api().get_stats(context.get(), &stats);
    CHECK(asked == 2);
    CHECK(stats.allocations == asked);
    CHECK(stats.runs == 401);
  }
}
#else
TEST_CASE("the arenas do not grow when shapes repeat", "[allocation]") {
  ModuleHandle module = load(fake("affine.so"), 3);
  ContextHandle context = makeContext(module);
  AffineInputs inputs(4000);
  torsh_value outputs[2] = {};
  for (int round = 0; round < 20; ++round)
    REQUIRE(api().run(context.get(), inputs.values, 2, outputs, 2, nullptr) == TORSH_OK);
  torsh_stats stats{};
  stats.size = sizeof(stats);
  api().get_stats(context.get(), &stats);
  CHECK(stats.allocations == 2);
}
#endif
