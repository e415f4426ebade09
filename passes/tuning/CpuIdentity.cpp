//===-- CpuIdentity.cpp - Which CPU a measurement belongs to -------------------------------------------------===//
#include "passes/tuning/CpuIdentity.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
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
  // The kernel knows the share of the last level that this core can use; cpuid tells of the whole package.
  static const CacheSizes sizes = [] {
    CacheSizes result;
    for (unsigned index = 0; index < 8; ++index) {
      auto read = [&](StringRef name) {
        // Files of sysfs tell a size that they do not have.
        auto file = MemoryBuffer::getFileAsStream(
            formatv("/sys/devices/system/cpu/cpu0/cache/index{0}/{1}", index, name).str());
        return file ? (*file)->getBuffer().trim().str() : std::string();
      };
      std::string level = read("level"), size = read("size");
      uint64_t kilobytes;
      StringRef number(size);
      if (read("type") == "Instruction" || !number.consume_back("K") || number.getAsInteger(10, kilobytes))
        continue;
      (level == "1" ? result.first : level == "2" ? result.second : result.third) = kilobytes << 10;
    }
    auto fallback = [](uint64_t &size, int name) {
      if (size == 0)
        size = uint64_t(std::max(0L, sysconf(name)));
    };
    fallback(result.first, _SC_LEVEL1_DCACHE_SIZE);
    fallback(result.second, _SC_LEVEL2_CACHE_SIZE);
    fallback(result.third, _SC_LEVEL3_CACHE_SIZE);
    return result;
  }();
  return sizes;
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
