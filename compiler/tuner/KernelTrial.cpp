//===-- KernelTrial.cpp - Candidates of one kernel, built, checked and timed ---------------------------------===//
#include "compiler/tuner/KernelTrial.h"
#include "compiler/tuner/CostPrior.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace torsh {
namespace {

/// How far results may differ: the order of a sum is the candidate's own.
constexpr double tolerance = 1e-4;
/// Candidates that are compiled together.
constexpr size_t batchSize = 8;

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

double secondsUntil(TuneClock::time_point time) {
  return std::chrono::duration<double>(time - TuneClock::now()).count();
}

/// Builds candidates of one kernel.
class CandidateBuilder {
public:
  CandidateBuilder(KernelOp kernel, const dim::Bindings &symbols, const TrialOptions &options)
      : kernel(kernel), symbols(symbols), options(options) {}

  /// Code for each of the choices; null functions for those that could not be built.
  struct Batch {
    std::unique_ptr<LoadedKernels> code;
    std::vector<Candidate> candidates;
    std::string failure; ///< of the last that could not be built
  };
  Batch build(ArrayRef<KernelChoices> choices);

private:
  bool compile(ArrayRef<KernelChoices> choices, Batch &batch);

  KernelOp kernel;
  const dim::Bindings &symbols;
  const TrialOptions &options;
};

bool CandidateBuilder::compile(ArrayRef<KernelChoices> choices, Batch &batch) {
  batch = {};
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(kernel.getLoc());
  for (auto [index, chosen] : enumerate(choices)) {
    KernelOp clone = kernel.clone();
    module->push_back(clone);
    clone.setSymName("candidate" + std::to_string(index));
    clone->removeAttr(choicesAttrName);
    if (!chosen.isDefault())
      clone->setAttr(choicesAttrName, chosen.toAttribute(clone.getContext(), options.level.name));
    if (options.beforeCompile)
      options.beforeCompile(clone);
  }
  auto compiled =
      compileKernels(*module, options.level, options.optLevel, options.threads, KernelStage::Object);
  auto loaded = compiled ? LoadedKernels::load(*compiled)
                         : Expected<std::unique_ptr<LoadedKernels>>(compiled.takeError());
  if (!loaded) {
    batch.failure = toString(loaded.takeError());
    return false;
  }
  batch.code = std::move(*loaded);
  for (KernelOp candidate : module->getOps<KernelOp>()) {
    auto function = batch.code->find(candidate.getSymName(), options.level.name);
    std::optional<int64_t> tiles = dim::evaluate(getTileSpace(candidate).tiles, symbols);
    if (!function || !tiles) {
      batch.failure = function ? "the number of tiles is not known" : toString(function.takeError());
      return false;
    }
    batch.candidates.push_back({{*function}, {*tiles}});
  }
  return true;
}

CandidateBuilder::Batch CandidateBuilder::build(ArrayRef<KernelChoices> choices) {
  Batch batch;
  if (compile(choices, batch) || choices.size() == 1)
    return batch;
  // One that cannot be built fails the module: find out which ones can.
  std::vector<KernelChoices> good;
  std::vector<size_t> places;
  std::string failure = batch.failure;
  for (auto [index, chosen] : enumerate(choices)) {
    Batch alone;
    if (compile(chosen, alone)) {
      good.push_back(chosen);
      places.push_back(index);
    } else {
      failure = alone.failure;
    }
  }
  batch = {};
  if (!good.empty())
    compile(good, batch);
  std::vector<Candidate> all(choices.size(), Candidate{{nullptr}, {0}});
  for (auto [place, candidate] : zip(places, batch.candidates))
    all[place] = candidate;
  batch.candidates = std::move(all);
  batch.failure = failure;
  return batch;
}

} // namespace

unsigned chooseRounds(double seconds, unsigned most) {
  return seconds > 1e-2 ? std::min(most, 5u) : seconds > 2e-3 ? std::min(most, 9u) : most;
}

std::vector<std::vector<double>>
timeInterleaved(ArrayRef<std::pair<Workload *, const Candidate *>> candidates, unsigned rounds) {
  std::vector<std::vector<double>> times(candidates.size());
  auto [firstWork, first] = candidates[0];
  // Short calls are repeated until the clock's own time does not count.
  double once = firstWork->time(*first, 1);
  unsigned runs = unsigned(std::clamp(2e-4 / std::max(once, 1e-7), 1.0, 64.0));
  for (unsigned round = 0; round < rounds; ++round)
    for (auto [index, entry] : enumerate(candidates)) {
      if (round == 2 && median(times[index]) > 1.5 * median(times[0]))
        continue;
      if (times[index].size() < round)
        continue;
      times[index].push_back(entry.first->time(*entry.second, runs));
    }
  return times;
}

RatioStatistics compareTimes(ArrayRef<double> candidate, ArrayRef<double> reference) {
  std::vector<double> ratios;
  for (auto [a, b] : zip(candidate, reference))
    ratios.push_back(a / std::max(b, 1e-9));
  llvm::sort(ratios);
  return {ratios[ratios.size() / 2], ratios[ratios.size() * 3 / 4]};
}

bool isClearlyFaster(const RatioStatistics &ratio, double seconds, double share) {
  // Below this the call itself is what is measured.
  constexpr double shortest = 2e-6;
  return seconds > shortest && ratio.median < 1 - share && ratio.upperQuartile < 1;
}

Expected<TrialResult> tuneKernel(LaunchOp launch, const dim::Bindings &sizes, const TrialOptions &options,
                                 TuneClock::time_point deadline) {
  TrialResult result;
  auto work = Workload::create({launch}, sizes);
  if (!work)
    return work.takeError();
  KernelOp kernel = (*work)->getKernel(0);
  const dim::Bindings symbols = (*work)->getSymbols(0);
  CandidateBuilder builder(kernel, symbols, options);
  auto buildStarted = TuneClock::now();
  auto base = builder.build(KernelChoices());
  double buildSeconds = -secondsUntil(buildStarted);
  if (!base.code)
    return createStringError(base.failure);
  const Candidate reference = base.candidates[0];
  std::vector<std::vector<char>> expected = (*work)->run(reference);
  result.defaultSeconds = result.seconds = (*work)->time(reference, 2);
  unsigned rounds = chooseRounds(result.defaultSeconds, 9);

  std::unique_ptr<SearchStrategy> search =
      createSearch(makeSearchSpace(kernel, options.level.kernels, symbols));
  auto check = [&](Workload &on, const Candidate &candidate, const std::vector<std::vector<char>> &wanted) {
    std::string difference = on.compare(on.run(candidate), wanted, tolerance);
    return difference.empty() ? on.compare(on.run(candidate, true), wanted, tolerance) : difference;
  };
  // The second measurement takes as long as one batch does.
  double batchSeconds = std::max(0.1, buildSeconds * batchSize);
  for (size_t batchNow = batchSize;;) {
    double left = secondsUntil(deadline);
    if (left < 2 * batchSeconds)
      break;
    std::vector<KernelChoices> proposed = search->propose(batchNow);
    if (proposed.empty()) {
      result.complete = true;
      break;
    }
    auto started = TuneClock::now();
    auto batch = builder.build(proposed);
    std::vector<std::pair<Workload *, const Candidate *>> timed{{work->get(), &reference}};
    std::vector<size_t> places;
    for (size_t i = 0; i < proposed.size(); ++i) {
      bool built = i < batch.candidates.size() && batch.candidates[i].functions[0];
      std::string difference = built ? check(**work, batch.candidates[i], expected) : batch.failure;
      if (!difference.empty()) {
        ++result.rejected;
        result.rejection = proposed[i].toString() + ": " + difference;
        search->report(proposed[i], std::numeric_limits<double>::infinity());
        continue;
      }
      timed.emplace_back(work->get(), &batch.candidates[i]);
      places.push_back(i);
    }
    auto times = timeInterleaved(timed, rounds);
    for (auto [index, place] : enumerate(places)) {
      ++result.measured;
      search->report(proposed[place], compareTimes(times[index + 1], times[0]).median);
    }
    batchSeconds = std::max(batchSeconds, -secondsUntil(started));
  }
  if (search->getBest().isDefault())
    return result;

  // Again, with other buffers and other code: what won by its place in memory or by chance loses here.
  work->reset();
  work = Workload::create({launch}, sizes);
  if (!work)
    return work.takeError();
  auto both = builder.build({KernelChoices(), search->getBest()});
  if (both.candidates.size() != 2 || !both.candidates[1].functions[0])
    return result;
  if (!check(**work, both.candidates[1], (*work)->run(both.candidates[0])).empty()) {
    ++result.rejected;
    return result;
  }
  auto times = timeInterleaved({{work->get(), &both.candidates[0]}, {work->get(), &both.candidates[1]}},
                               chooseRounds(result.defaultSeconds, 21));
  RatioStatistics ratio = compareTimes(times[1], times[0]);
  result.defaultSeconds = result.seconds = median(times[0]);
  if (isClearlyFaster(ratio, result.defaultSeconds)) {
    result.choices = search->getBest();
    result.seconds = result.defaultSeconds * ratio.median;
  }
  return result;
}

} // namespace torsh
