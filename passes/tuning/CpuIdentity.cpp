//===-- CpuIdentity.cpp - Which CPU a measurement belongs to -------------------------------------------------===//
#include "passes/tuning/CpuIdentity.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/TargetParser/Host.h"
#include <cpuid.h>
#include <cstring>
#include <unistd.h>

using namespace llvm;

namespace torsh {
namespace {

std::string vendorName() {
  unsigned eax, ebx, ecx, edx;
  if (!__get_cpuid(0, &eax, &ebx, &ecx, &edx))
    return "unknown";
  char text[13] = {};
  std::memcpy(text, &ebx, 4);
  std::memcpy(text + 4, &edx, 4);
  std::memcpy(text + 8, &ecx, 4);
  std::string clean;
  for (char c : StringRef(text))
    clean += isAlnum(c) ? c : '_';
  return clean;
}

bool hasAll(const StringMap<bool> &features, ArrayRef<StringRef> names) {
  return all_of(names, [&](StringRef name) { return features.lookup(name); });
}

/// 3 or 4, as x86-64-v3 and v4; 0 for less.
unsigned widestLevel() {
  static const unsigned level = [] {
    StringMap<bool> features = sys::getHostCPUFeatures();
    if (!hasAll(features, {"avx2", "fma", "bmi2", "f16c"}))
      return 0u;
    return hasAll(features, {"avx512f", "avx512vl", "avx512bw", "avx512dq", "avx512cd"}) ? 4u : 3u;
  }();
  return level;
}

} // namespace

CacheSizes getCacheSizes() {
  auto size = [](int name) { return uint64_t(std::max(0L, sysconf(name))); };
  return {size(_SC_LEVEL1_DCACHE_SIZE), size(_SC_LEVEL2_CACHE_SIZE), size(_SC_LEVEL3_CACHE_SIZE)};
}

std::string describeCpu() {
  CacheSizes caches = getCacheSizes();
  return formatv("{0}/{1} {2} {3}K/{4}K/{5}K", vendorName(), sys::getHostCPUName(),
                 widestLevel() >= 4   ? "avx512"
                 : widestLevel() == 3 ? "avx2"
                                      : "none",
                 caches.first >> 10, caches.second >> 10, caches.third >> 10);
}

StringRef getCpuClass(StringRef cpu) { return cpu.rsplit(' ').first; }

StringRef getLevelRunHere(ArrayRef<StringRef> levels) {
  StringRef best;
  for (StringRef level : levels) {
    unsigned number;
    if (level.drop_front().getAsInteger(10, number) || number > widestLevel())
      continue;
    if (best.empty() || best < level)
      best = level;
  }
  return best;
}

} // namespace torsh
