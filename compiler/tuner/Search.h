//===-- Search.h - Which choices are tried next --------------------------------------------------------------===//
#ifndef TORSH_COMPILER_TUNER_SEARCH_H
#define TORSH_COMPILER_TUNER_SEARCH_H

#include "passes/lowering/KernelChoices.h"
#include <functional>
#include <memory>
#include <vector>

namespace torsh {

/// What a search may choose from.
struct SearchSpace {
  /// A knob and the values that make sense for the kernel; the default is always one more.
  struct Axis {
    Knob knob;
    std::vector<int64_t> values;
  };
  /// Axes of one stage influence each other and are searched together; later stages start from the best of earlier ones.
  std::vector<std::vector<Axis>> stages;
  std::function<bool(const KernelChoices &)> isLegal;
  /// Expected time in any unit: candidates that promise more come first.
  std::function<double(const KernelChoices &)> prior;
};

/// Proposes candidates and learns their times. Times are ratios to the strategy's defaults.
class SearchStrategy {
public:
  virtual ~SearchStrategy() = default;
  /// At most `most` candidates that were not proposed before; none when the search has ended.
  virtual std::vector<KernelChoices> propose(size_t most) = 0;
  /// The time of a candidate; infinite when it could not be built or was wrong.
  virtual void report(const KernelChoices &candidate, double ratio) = 0;

  /// The best candidate so far: the defaults with a ratio of 1 in the beginning.
  const KernelChoices &getBest() const { return best; }
  double getBestRatio() const { return bestRatio; }

protected:
  void keepBest(const KernelChoices &candidate, double ratio) {
    if (ratio < bestRatio) {
      best = candidate;
      bestRatio = ratio;
    }
  }

private:
  KernelChoices best;
  double bestRatio = 1;
};

/// All legal combinations of all axes, the most promising first.
std::unique_ptr<SearchStrategy> createExhaustiveSearch(SearchSpace space);
/// Stage after stage, all combinations of a stage's axes with everything else at the best so far. Candidates that the
/// cost model expects to take more than `patience` times the best expectation of their stage are left out.
std::unique_ptr<SearchStrategy> createStagedSearch(SearchSpace space, double patience = 2);
/// Exhaustive for small spaces, staged for others.
std::unique_ptr<SearchStrategy> createSearch(SearchSpace space);

} // namespace torsh

#endif // TORSH_COMPILER_TUNER_SEARCH_H
