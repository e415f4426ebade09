//===-- Random.h - The Philox 4x32-10 block function
//--------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_REFERENCE_RANDOM_H
#define TORSH_DIALECTS_TORSH_REFERENCE_RANDOM_H

#include <array>
#include <cstdint>

namespace torsh::reference {

/// A 128-bit counter, or the four words that it gives; word 0 is the lowest.
using PhiloxBlock = std::array<uint32_t, 4>;

/// Ten rounds of Philox 4x32.
PhiloxBlock philox(PhiloxBlock counter, uint32_t key0, uint32_t key1);

} // namespace torsh::reference

#endif // TORSH_DIALECTS_TORSH_REFERENCE_RANDOM_H
