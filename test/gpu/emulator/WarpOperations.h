//===-- WarpOperations.h - What the 32 lanes of a warp do together ------------------------------------------===//
#ifndef TORSH_TEST_GPU_EMULATOR_WARPOPERATIONS_H
#define TORSH_TEST_GPU_EMULATOR_WARPOPERATIONS_H

#include "Machine.h"
#include <array>

namespace torsh::emulator {

/// Where a lane's arguments are (8 bytes each), and where its result goes.
struct LaneValues {
  const uint64_t *arguments;
  void *result;
};
using Lanes = std::array<LaneValues, 32>;

/// The nearest f32 with 10 bits of mantissa, halves away from zero; NaN and infinity stay.
uint32_t roundToTf32(uint32_t bits);

/// Arguments: mask of lanes, value, mask of the lane number, clamp.
void shuffleXor(const Lanes &lanes);
/// Argument: the address of the own row.
void loadMatrixRows(const Lanes &lanes, bool isTransposed);
/// Fragments as the PTX ISA lays them out (mma.m16n8k16 and mma.m16n8k8).
void multiply(Operation operation, const Lanes &lanes);

} // namespace torsh::emulator

#endif // TORSH_TEST_GPU_EMULATOR_WARPOPERATIONS_H
