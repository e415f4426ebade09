//===-- KernelTrial.h - Candidates of one kernel, built, checked and timed -----------------------------------===//
#ifndef TORSH_COMPILER_TUNER_KERNELTRIAL_H
#define TORSH_COMPILER_TUNER_KERNELTRIAL_H

#include "compiler/Target.h"
#include "compiler/tuner/KernelLoader.h"
#include "compiler/tuner/Search.h"
#include "compiler/tuner/Workload.h"
#include <chrono>

namespace torsh {

using TuneClock = std::chrono::steady_clock;

/// What all trials of a tuning have in common.
struct TrialOptions {
  CpuLevel level;
  unsigned threads = 1; ///< that compile
  unsigned optLevel = 3;
  /// Called with each candidate's kernel before it is compiled; tests break one here.
  std::function<void(KernelOp)> beforeCompile;
};

/// What became of a kernel.
struct TrialResult {
  KernelChoices choices;                  ///< what was confirmed; the defaults when nothing better was
  double defaultSeconds = 0, seconds = 0; ///< of one call
  unsigned measured = 0, rejected = 0;    ///< candidates
  bool complete = false;                  ///< the search came to its end before its time was over
  std::string rejection;                  ///< why the last of the rejected ones was
};

/// Interleaved times: entry [candidate][round], with candidate 0 as the reference. Candidates that are hopelessly slow
/// in the first round are measured no further.
std::vector<std::vector<double>>
timeInterleaved(llvm::ArrayRef<std::pair<Workload *, const Candidate *>> candidates, unsigned rounds);
/// Rounds and their length are chosen for a call that takes so long.
unsigned chooseRounds(double seconds, unsigned most);

/// The ratio of a candidate's times to the reference's, round by round.
struct RatioStatistics {
  double median, upperQuartile;
};
RatioStatistics compareTimes(llvm::ArrayRef<double> candidate, llvm::ArrayRef<double> reference);

/// Whether a candidate is faster by more than noise than a reference that takes `seconds`, and saves at least `share` of it.
bool isClearlyFaster(const RatioStatistics &ratio, double seconds, double share = 0.03);

/// Searches the choices of the launch's kernel until `deadline`, then measures the best one again with new buffers and
/// new code. A failure means that not even the default could be measured.
llvm::Expected<TrialResult> tuneKernel(LaunchOp launch, const dim::Bindings &sizes,
                                       const TrialOptions &options, TuneClock::time_point deadline);

} // namespace torsh

#endif // TORSH_COMPILER_TUNER_KERNELTRIAL_H
