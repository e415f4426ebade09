//===-- Workload.h - Kernel calls on buffers of their own, checked and timed ---------------------------------===//
//
// A few launches of a model (one kernel, or all that a convolution became) with inputs from a generator, the model's own
// weights, and buffers for everything between. Weights stand in memory many times and every run reads the next copy, so
// no cache holds them: a model's run reads every weight once and comes back when all others have passed.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_COMPILER_TUNER_WORKLOAD_H
#define TORSH_COMPILER_TUNER_WORKLOAD_H

#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"
#include "torsh/artifact.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>
#include <vector>

namespace torsh {

/// One way to do the work: a function and a number of tiles for each launch.
struct Candidate {
  std::vector<torsh_kernel_fn> functions;
  std::vector<int64_t> tiles;
};

class Workload {
public:
  /// Buffers for the launches, which are in order. `sizes` are the model's symbols. Fails when a size is unknown, or when
  /// there would be more than `mostBytes` bytes.
  static llvm::Expected<std::unique_ptr<Workload>> create(llvm::ArrayRef<LaunchOp> launches,
                                                          const dim::Bindings &sizes,
                                                          uint64_t mostBytes = uint64_t(1) << 30);

  /// The dims that launch `step` passes, by the kernel's names of them.
  const dim::Bindings &getSymbols(size_t step) const { return steps[step].symbols; }
  KernelOp getKernel(size_t step) const { return steps[step].kernel; }
  size_t size() const { return steps.size(); }

  /// Runs once and returns the bytes of the last launch's results, which are filled with ones before. In parts: each
  /// launch is cut into single tiles that run last to first, as threads may do.
  std::vector<std::vector<char>> run(const Candidate &candidate, bool inParts = false);
  /// Seconds of one run, the mean of `runs` in a row on cold weights (CPU time of this thread).
  double time(const Candidate &candidate, unsigned runs);
  /// How the results of one run differ from others; empty when they agree. Floats may differ by `tolerance` of the
  /// largest, everything else must be equal.
  std::string compare(const std::vector<std::vector<char>> &actual,
                      const std::vector<std::vector<char>> &expected, double tolerance) const;

private:
  struct Buffer {
    mlir::Type element;
    size_t bytes = 0, offset = 0; ///< the offset in a copy of the weights, or in the activations
    bool isWeight = false;
  };
  struct Step {
    KernelOp kernel;
    std::vector<unsigned> inputs, outputs;
    std::vector<int64_t> dims;
    dim::Bindings symbols;
  };
  struct FreeAligned {
    void operator()(char *memory) const { std::free(memory); }
  };
  using Memory = std::unique_ptr<char, FreeAligned>;

  void runOnce(const Candidate &candidate, bool inParts);
  char *addressOf(unsigned buffer) const;

  std::vector<Buffer> buffers;
  std::vector<Step> steps;
  Memory activations, weights;
  size_t weightStride = 0, copies = 1, nextCopy = 0;
};

} // namespace torsh

#endif // TORSH_COMPILER_TUNER_WORKLOAD_H
