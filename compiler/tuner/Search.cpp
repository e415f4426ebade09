//===-- Search.cpp - Which choices are tried next ------------------------------------------------------------===//
#include "compiler/tuner/Search.h"
#include "llvm/ADT/STLExtras.h"
#include <deque>

namespace torsh {
namespace {

/// The largest space that is searched as a whole.
constexpr size_t smallSpace = 32;

/// All legal combinations of the axes with the other knobs as in `base`, without `base` itself, by their promise.
std::vector<KernelChoices> combine(const SearchSpace &space, llvm::ArrayRef<SearchSpace::Axis> axes,
                                   const KernelChoices &base) {
  std::vector<KernelChoices> result{base};
  for (const SearchSpace::Axis &axis : axes) {
    std::vector<KernelChoices> next;
    for (const KernelChoices &choices : result) {
      std::vector<int64_t> values{0};
      values.insert(values.end(), axis.values.begin(), axis.values.end());
      for (int64_t value : values) {
        next.push_back(choices);
        next.back().set(axis.knob, value);
      }
    }
    result = std::move(next);
  }
  llvm::erase_if(result,
                 [&](const KernelChoices &choices) { return choices == base || !space.isLegal(choices); });
  std::vector<std::pair<double, size_t>> order;
  for (size_t i = 0; i < result.size(); ++i)
    order.emplace_back(space.prior(result[i]), i);
  llvm::sort(order);
  std::vector<KernelChoices> sorted;
  for (auto [cost, index] : order)
    sorted.push_back(result[index]);
  return sorted;
}

class ExhaustiveSearch : public SearchStrategy {
public:
  explicit ExhaustiveSearch(const SearchSpace &space) {
    std::vector<SearchSpace::Axis> axes;
    for (const auto &stage : space.stages)
      axes.insert(axes.end(), stage.begin(), stage.end());
    for (KernelChoices &choices : combine(space, axes, {}))
      waiting.push_back(choices);
  }
  std::vector<KernelChoices> propose(size_t most) override {
    std::vector<KernelChoices> result;
    for (; !waiting.empty() && result.size() < most; waiting.pop_front())
      result.push_back(waiting.front());
    return result;
  }
  void report(const KernelChoices &candidate, double ratio) override { keepBest(candidate, ratio); }
  size_t size() const { return waiting.size(); }

private:
  std::deque<KernelChoices> waiting;
};

class StagedSearch : public SearchStrategy {
public:
  StagedSearch(SearchSpace space, double patience) : space(std::move(space)), patience(patience) {}

  std::vector<KernelChoices> propose(size_t most) override {
    // A stage starts from the best of all before, so it begins when their reports are in.
    while (waiting.empty() && stage < space.stages.size()) {
      std::vector<KernelChoices> all = combine(space, space.stages[stage++], getBest());
      double limit = all.empty() ? 0 : space.prior(all.front()) * patience;
      for (KernelChoices &choices : all)
        if (space.prior(choices) <= limit && !llvm::is_contained(proposed, choices))
          waiting.push_back(choices);
    }
    std::vector<KernelChoices> result;
    for (; !waiting.empty() && result.size() < most; waiting.pop_front())
      result.push_back(waiting.front());
    proposed.insert(proposed.end(), result.begin(), result.end());
    return result;
  }
  void report(const KernelChoices &candidate, double ratio) override { keepBest(candidate, ratio); }

private:
  SearchSpace space;
  double patience;
  size_t stage = 0;
  std::deque<KernelChoices> waiting;
  std::vector<KernelChoices> proposed;
};

} // namespace

std::unique_ptr<SearchStrategy> createExhaustiveSearch(SearchSpace space) {
  return std::make_unique<ExhaustiveSearch>(space);
}

std::unique_ptr<SearchStrategy> createStagedSearch(SearchSpace space, double patience) {
  return std::make_unique<StagedSearch>(std::move(space), patience);
}

std::unique_ptr<SearchStrategy> createSearch(SearchSpace space) {
  size_t points = 1;
  for (const auto &stage : space.stages)
    for (const SearchSpace::Axis &axis : stage)
      points = std::min<size_t>(points * (axis.values.size() + 1), 1 << 12);
  // The product counts illegal points too, so only the list itself tells how large the space is.
  if (points < 1 << 12) {
    auto exhaustive = std::make_unique<ExhaustiveSearch>(space);
    if (exhaustive->size() <= smallSpace)
      return exhaustive;
  }
  return createStagedSearch(std::move(space));
}

} // namespace torsh
