/// oneDNN's side of a contraction: every implementation of every primitive that computes it, on operands of its own
/// layouts, with the weights in memory many times.
#ifndef TORSH_BENCHMARK_RIVAL_H
#define TORSH_BENCHMARK_RIVAL_H

#include "job.h"
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

/// Plain numbers of the operands, for filling oneDNN's memory. Each points to the buffer of the job.
struct Operands {
  std::vector<const float *> buffers; ///< by the job's number
  const float *weights;               ///< unpacked; null: any numbers will do
};

class Rival {
public:
  virtual ~Rival() = default;
  /// Lays the weights out in so many copies that they take `coldBytes`, two at least.
  virtual void spread(size_t coldBytes) = 0;
  /// One run on the next copy of the weights.
  virtual void run() = 0;
  /// The result of a first run in the order of the job's result; the buffer is as large as that view needs.
  virtual void copyResult(float *to) = 0;
  /// Fills the result's memory with what the sum of the post-ops adds to.
  virtual void reset() = 0;
  std::string name; ///< of the primitive and its implementation
  bool hasPosts = true;
};

/// All that oneDNN offers, at least one, each with two copies of the weights. The operands must stay.
std::vector<std::unique_ptr<Rival>> makeRivals(const Job &job, const Operands &operands);

/// oneDNN's version, "3.2.0".
std::string rivalVersion();

#endif
