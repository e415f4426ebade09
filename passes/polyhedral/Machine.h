//===-- Machine.h - What schedules assume of a CPU ----------------------------------------------------------===//
#ifndef TORSH_PASSES_POLYHEDRAL_MACHINE_H
#define TORSH_PASSES_POLYHEDRAL_MACHINE_H

#include <cstdint>

namespace torsh::poly {

struct Machine {
  unsigned vectorBits = 256;
  int64_t l1Bytes = 32 << 10, l2Bytes = 512 << 10;
};

} // namespace torsh::poly

#endif // TORSH_PASSES_POLYHEDRAL_MACHINE_H
