//===-- Machine.h - Runs the threads of a GPU kernel as fibers ----------------------------------------------===//
#ifndef TORSH_TEST_GPU_EMULATOR_MACHINE_H
#define TORSH_TEST_GPU_EMULATOR_MACHINE_H

#include <cstdint>
#include <string>
#include <vector>

namespace torsh::emulator {

/// What a translated kernel asks of the machine. Arguments are 8 bytes each.
enum class Operation : uint32_t {
  ThreadNumber,
  BlockNumber,
  Barrier,
  ShuffleXor,
  CopyAsync,
  CommitCopies,
  WaitCopies,
  LoadMatrices,
  LoadMatricesTransposed,
  MultiplyF16,
  MultiplyBF16,
  MultiplyTF32,
  RoundToTF32,
};

/// Device memory that kernels may touch.
struct Region {
  const void *data;
  uint64_t bytes;
  bool isWritable;
};

/// A translated kernel takes its parameters as 8 bytes each.
using KernelFunction = void (*)(const uint64_t *parameters);

struct Launch {
  KernelFunction function;
  std::vector<uint64_t> parameters;
  uint32_t blocks = 1, threads = 1;
  std::vector<Region> regions;
  uint64_t seed = 1; ///< of the order in which threads run
};

/// What a run did.
struct Outcome {
  std::string error; ///< the first thing that is wrong; empty when all went well
  uint64_t barriers = 0, products = 0, copies = 0, accesses = 0;
};

/// Runs all blocks, one after the other.
Outcome run(const Launch &launch);

} // namespace torsh::emulator

extern "C" {
/// What translated kernels call.
void torsh_emulator_call(uint32_t operation, const uint64_t *arguments, void *result);
void torsh_emulator_access(const void *address, uint32_t bytes, uint32_t isWrite);
void *torsh_emulator_shared(uint32_t index, uint64_t bytes);
}

#endif // TORSH_TEST_GPU_EMULATOR_MACHINE_H
