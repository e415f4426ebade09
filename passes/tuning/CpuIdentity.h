//===-- CpuIdentity.h - Which CPU a measurement belongs to ---------------------------------------------------===//
#ifndef TORSH_PASSES_TUNING_CPUIDENTITY_H
#define TORSH_PASSES_TUNING_CPUIDENTITY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <string>

namespace torsh {

/// Bytes of the data caches of a core; 0 where the CPU does not tell.
struct CacheSizes {
  uint64_t first = 0, second = 0, third = 0;
};

/// This machine's data caches.
CacheSizes getCacheSizes();

/// Vendor and model, the widest vectors that kernels use, and the caches of this machine:
/// "AuthenticAMD/znver3 avx2 32K/512K/32768K".
std::string describeCpu();

/// The CPU without its caches, whose last level differs from one machine of a model to the next.
llvm::StringRef getCpuClass(llvm::StringRef cpu);

/// The CPU level ("v3", "v4") that this machine runs of an artifact that has the levels; empty when it runs none.
llvm::StringRef getLevelRunHere(llvm::ArrayRef<llvm::StringRef> levels);

} // namespace torsh

#endif // TORSH_PASSES_TUNING_CPUIDENTITY_H
