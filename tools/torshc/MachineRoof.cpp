//===-- MachineRoof.cpp - What the machine can do at most ---------------------------------------------------===//
#include "tools/torshc/MachineRoof.h"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

namespace torsh {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point started) {
  return std::chrono::duration<double>(Clock::now() - started).count();
}

typedef float Vector8 __attribute__((vector_size(32)));
typedef float Vector16 __attribute__((vector_size(64)));

/// Twelve independent sums hide the latency of a multiply-add on all CPUs of levels v3 and v4.
template <typename Vector> inline __attribute__((always_inline)) float multiplyAdd(int64_t rounds) {
  Vector a[12], x = Vector() + 0.999f, y = Vector() + 1e-3f;
  for (int i = 0; i < 12; ++i)
    a[i] = Vector() + float(i);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma clang fp contract(fast)
    a[0] = a[0] * x + y, a[1] = a[1] * x + y, a[2] = a[2] * x + y, a[3] = a[3] * x + y;
    a[4] = a[4] * x + y, a[5] = a[5] * x + y, a[6] = a[6] * x + y, a[7] = a[7] * x + y;
    a[8] = a[8] * x + y, a[9] = a[9] * x + y, a[10] = a[10] * x + y, a[11] = a[11] * x + y;
  }
  Vector sum = a[0];
  for (int i = 1; i < 12; ++i)
    sum += a[i];
  // All lanes count.
  float total = 0;
  for (unsigned lane = 0; lane < sizeof(Vector) / sizeof(float); ++lane)
    total += sum[lane];
  return total;
}

__attribute__((noinline, target("avx2,fma"))) float multiplyAddV3(int64_t rounds) {
  return multiplyAdd<Vector8>(rounds);
}
__attribute__((noinline, target("avx512f"), min_vector_width(512))) float multiplyAddV4(int64_t rounds) {
  return multiplyAdd<Vector16>(rounds);
}

/// The value counts as used, so its computation stays, and stays before this place.
void use(float value) { asm volatile("" ::"x"(value) : "memory"); }

double peakOfThread() {
  bool wide = __builtin_cpu_supports("avx512f");
  double best = 0;
  volatile int64_t rounds = 400000; // read anew each time, so that no attempt is taken for another
  for (int attempt = 0; attempt < 12; ++attempt) {
    auto started = Clock::now();
    use(wide ? multiplyAddV4(rounds) : multiplyAddV3(rounds));
    best = std::max(best, double(rounds) * 12 * 2 * (wide ? 16 : 8) / secondsSince(started));
  }
  return best;
}

double bandwidthOfThread(const std::vector<uint64_t> &memory) {
  double best = 0;
  for (int attempt = 0; attempt < 4; ++attempt) {
    uint64_t sum[8] = {};
    auto started = Clock::now();
    asm volatile("" ::"r"(memory.data()) : "memory"); // its contents are not known
    for (size_t i = 0; i + 8 <= memory.size(); i += 8)
      for (int lane = 0; lane < 8; ++lane)
        sum[lane] += memory[i + lane];
    use(float(sum[0] + sum[1] + sum[2] + sum[3] + sum[4] + sum[5] + sum[6] + sum[7]));
    best = std::max(best, double(memory.size()) * sizeof(uint64_t) / secondsSince(started));
  }
  return best;
}

} // namespace

MachineRoof measureRoof(unsigned threads) {
  std::vector<double> peaks(threads), bandwidths(threads);
  std::atomic<unsigned> ready{0};
  auto together = [&](unsigned step) {
    ++ready;
    while (ready < step * threads)
      std::this_thread::yield();
  };
  auto measure = [&](unsigned index) {
    std::vector<uint64_t> memory((size_t(64) << 20) / sizeof(uint64_t), index);
    together(1);
    peaks[index] = peakOfThread();
    together(2);
    bandwidths[index] = bandwidthOfThread(memory);
  };
  std::vector<std::thread> others;
  for (unsigned index = 1; index < threads; ++index)
    others.emplace_back(measure, index);
  measure(0);
  for (std::thread &thread : others)
    thread.join();
  MachineRoof roof{0, 0};
  for (unsigned index = 0; index < threads; ++index) {
    roof.flopsPerSecond += peaks[index];
    roof.bytesPerSecond += bandwidths[index];
  }
  return roof;
}

} // namespace torsh
