//===-- WeightQueue.h - Weights computed ahead of the writer ------------------------------------------------===//
#ifndef TORSH_COMPILER_WEIGHTQUEUE_H
#define TORSH_COMPILER_WEIGHTQUEUE_H

#include "compiler/WeightRecipe.h"
#include <condition_variable>
#include <thread>

namespace torsh {

/// Runs recipes on threads of its own, in order and a bounded amount of bytes ahead of who takes them: packing and
/// hashing hundreds of megabytes take about as long as each other.
class WeightQueue {
public:
  /// With one thread nothing runs ahead.
  WeightQueue(llvm::SmallVector<WeightAttr> weights, const WeightStore &store, unsigned threads);
  ~WeightQueue();

  /// The bytes of the next weight. To be called once for each.
  llvm::Expected<std::vector<char>> take();

private:
  void work();

  struct Result {
    std::optional<llvm::Expected<std::vector<char>>> bytes;
  };
  llvm::SmallVector<WeightAttr> weights;
  const WeightStore &store;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Result> results;
  size_t started = 0, taken = 0, bytesAhead = 0;
  bool stop = false;
  std::vector<std::thread> workers;
};

} // namespace torsh

#endif // TORSH_COMPILER_WEIGHTQUEUE_H
