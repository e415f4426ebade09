//===-- Tuner.cpp - The choices of a model's kernels, measured -----------------------------------------------===//
#include "compiler/tuner/Tuner.h"
#include "compiler/LaunchCost.h"
#include "compiler/Pipeline.h"
#include "compiler/TuningSource.h"
#include "compiler/tuner/GraphTrial.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "passes/cpu/Passes.h"
#include "passes/tuning/CpuIdentity.h"
#include "passes/tuning/KernelKey.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace torsh {
namespace {

/// The share of the time that is left which the choice between Winograd and direct sums, and then the one about epilogues,
/// may take.
constexpr double graphShare = 0.25;
/// No kernel gets less: compiling one batch takes about so long.
constexpr double leastSeconds = 0.4;

/// Something to tune, with the time that it takes in a run by the cost model.
template <typename OpTy> struct Subject {
  OpTy op;
  std::string key, summary;
  double seconds = 0; ///< of all its calls
  unsigned calls = 0;
};

class Tuner {
public:
  explicit Tuner(const TuneOptions &options) : options(options), log(*options.compile.log) {}
  CompileStatus run();

private:
  CompileStatus fail(const Twine &message) {
    log << "error: " << message << "\n";
    return CompileStatus::Failed;
  }
  bool runPasses(mlir::ModuleOp module, function_ref<void(mlir::OpPassManager &)> build);
  double left() const { return std::chrono::duration<double>(end - TuneClock::now()).count(); }
  static TuneClock::time_point after(double seconds) {
    return TuneClock::now() +
           std::chrono::duration_cast<TuneClock::duration>(std::chrono::duration<double>(seconds));
  }
  bool isKnown(StringRef key) const {
    return !options.again && tuning->database.find(tuning->cpu, tuning->level, key);
  }
  void record(StringRef key, StringRef summary, const TrialResult &result);
  /// The time that one kind of graph choices may take, and what the longest of them took.
  struct GraphShare {
    double limit, longest = 0;
  };
  GraphShare graphShareOfRest() const { return {left() * (1 - graphShare)}; }
  /// Tunes one subject when it is not known and the share has room for another like the longest.
  void tuneWithin(GraphShare &share, StringRef key, StringRef summary,
                  function_ref<Expected<TrialResult>()> tune);
  void tuneConvs(mlir::func::FuncOp main);
  std::vector<Subject<LaunchOp>> collectKernels(mlir::func::FuncOp main);
  void tuneEpilogues(mlir::func::FuncOp main);
  void tuneKernels(mlir::func::FuncOp main);
  void finish();

  const TuneOptions &options;
  raw_ostream &log;
  TuneClock::time_point end;
  std::shared_ptr<TuningContext> tuning; ///< grows by what is found
  TuningDatabase found;
  TrialOptions trial;
  dim::Bindings sizes;
  unsigned tuned = 0, kept = 0, known = 0, skipped = 0, rejected = 0;
  double saved = 0, total = 0;
};

bool Tuner::runPasses(mlir::ModuleOp module, function_ref<void(mlir::OpPassManager &)> build) {
  mlir::ScopedDiagnosticHandler handler(module.getContext(), [&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
      log << "error: " << options.compile.modelPath << ": " << diagnostic << "\n";
  });
  mlir::PassManager passes(module.getContext());
  build(passes);
  return succeeded(passes.run(module));
}

void Tuner::record(StringRef key, StringRef summary, const TrialResult &result) {
  bool won = !result.choices.isDefault();
  rejected += result.rejected;
  log << formatv("{0,9:F1} us {1,9:F1} us  {2}: {3} ({4} tried{5})\n", result.defaultSeconds * 1e6,
                 result.seconds * 1e6, summary, result.choices.toString(), result.measured,
                 result.rejected ? ", " + std::to_string(result.rejected) + " refused: " + result.rejection
                                 : "");
  won ? ++tuned : ++kept;
  // A search that was cut short says nothing about the defaults.
  if (!won && (options.winnersOnly || !result.complete))
    return;
  TuningEntry entry{summary.str(), result.choices, result.defaultSeconds * 1e6, result.seconds * 1e6};
  tuning->database.set(tuning->cpu, tuning->level, key, entry);
  found.set(tuning->cpu, tuning->level, key, entry);
}

void Tuner::tuneWithin(GraphShare &share, StringRef key, StringRef summary,
                       function_ref<Expected<TrialResult>()> tune) {
  if (isKnown(key)) {
    ++known;
    return;
  }
  if (left() - share.longest < share.limit) {
    ++skipped;
    return;
  }
  double before = left();
  Expected<TrialResult> result = tune();
  share.longest = std::max(share.longest, before - left());
  if (result)
    record(key, summary, *result);
  else
    log << "skipped " << summary << ": " << toString(result.takeError()) << "\n";
}

void Tuner::tuneConvs(mlir::func::FuncOp main) {
  SmallVector<Subject<ConvOp>> subjects;
  StringMap<size_t> byKey;
  main.walk([&](ConvOp conv) {
    if (!mayBeWinograd(conv))
      return;
    std::string key = makeKey(getCanonicalText(conv.getOperation()));
    auto [it, isNew] = byKey.try_emplace(key, subjects.size());
    if (isNew)
      subjects.push_back({conv, key, summarise(conv.getOperation())});
    double count = 1;
    for (DimAttr dim : getDims(conv.getY()))
      count *= double(dim::evaluate(dim, sizes).value_or(1));
    SmallVector<DimAttr> weights = getDims(conv.getW());
    for (DimAttr dim : ArrayRef(weights).drop_back())
      count *= double(dim::evaluate(dim, sizes).value_or(1));
    subjects[it->second].seconds += count;
  });
  llvm::sort(subjects, [](auto &a, auto &b) { return a.seconds > b.seconds; });
  GraphShare share = graphShareOfRest();
  for (const auto &subject : subjects)
    tuneWithin(share, subject.key, subject.summary, [&] { return tuneConv(subject.op, sizes, trial); });
}

std::vector<Subject<LaunchOp>> Tuner::collectKernels(mlir::func::FuncOp main) {
  mlir::SymbolTable symbols(main->getParentOfType<mlir::ModuleOp>());
  std::vector<Subject<LaunchOp>> subjects;
  StringMap<size_t> byName;
  main.walk([&](LaunchOp launch) {
    auto kernel = symbols.lookup<KernelOp>(launch.getKernel());
    if (getKnobs(kernel).empty())
      return;
    auto [it, isNew] = byName.try_emplace(launch.getKernel(), subjects.size());
    if (isNew)
      subjects.push_back({launch, makeKey(getCanonicalText(kernel)), summarise(kernel)});
    // What one core does in a second, roughly: only the ratios matter.
    constexpr double flopsPerSecond = 8e10, bytesPerSecond = 1.5e10;
    LaunchCost cost = getLaunchCost(launch, kernel);
    subjects[it->second].seconds += double(dim::evaluate(cost.flops, sizes).value_or(0)) / flopsPerSecond +
                                    double(dim::evaluate(cost.bytes, sizes).value_or(0)) / bytesPerSecond;
    ++subjects[it->second].calls;
  });
  llvm::sort(subjects, [](auto &a, auto &b) { return a.seconds > b.seconds; });
  return subjects;
}

/// Whether the elementwise code behind a contraction stays in its kernel.
void Tuner::tuneEpilogues(mlir::func::FuncOp main) {
  auto module = main->getParentOfType<mlir::ModuleOp>();
  GraphShare share = graphShareOfRest();
  for (auto &subject : collectKernels(main))
    if (mlir::Operation *root = findSeparableRoot(module.lookupSymbol<KernelOp>(subject.op.getKernel())))
      tuneWithin(share, makeKey(getEpilogueText(root)), "behind " + summarise(root),
                 [&] { return tuneEpilogue(subject.op, sizes, trial); });
}

void Tuner::tuneKernels(mlir::func::FuncOp main) {
  std::vector<Subject<LaunchOp>> subjects = collectKernels(main);
  double remaining = 0;
  for (auto &subject : subjects)
    if (!isKnown(subject.key))
      remaining += subject.seconds;
  for (auto &subject : subjects) {
    if (isKnown(subject.key)) {
      ++known;
      continue;
    }
    // The second measurement needs a part of what is left for this kernel.
    double seconds = std::max(leastSeconds, left() * subject.seconds / std::max(remaining, 1e-12)) * 0.8;
    remaining -= subject.seconds;
    if (left() < leastSeconds) {
      ++skipped;
      continue;
    }
    auto result = tuneKernel(subject.op, sizes, trial, std::min(end, after(seconds)));
    if (!result) {
      log << "skipped " << subject.summary << ": " << toString(result.takeError()) << "\n";
      continue;
    }
    record(subject.key, subject.summary, *result);
    saved += (result->defaultSeconds - result->seconds) * subject.calls;
    total += result->defaultSeconds * subject.calls;
  }
}

CompileStatus Tuner::run() {
  end = after(options.seconds);
  auto levels = selectLevels(options.compile.targetCpu, getProducts(options.compile));
  if (!levels)
    return fail(toString(levels.takeError()));
  SmallVector<StringRef> names;
  for (const CpuLevel &level : *levels)
    names.push_back(level.name);
  StringRef levelHere = getLevelRunHere(names);
  // A level's name says nothing about instructions for bf16.
  if (levelHere.empty() || (levels->size() == 1 && !runsHere(levels->front())))
    return fail("TSH-0663: this machine runs no code for --target-cpu=" + options.compile.targetCpu +
                ", so nothing can be measured; tune on a machine that does");
  for (const CpuLevel &level : *levels)
    if (level.name == levelHere)
      trial.level = level;
  trial.threads = options.compile.threads ? options.compile.threads : allowedProcessors();
  trial.optLevel = options.compile.optLevel;
  std::string path = getTuningPath(options.compile);
  if (path.empty() || path == "none")
    return fail("TSH-0664: there is no place for the database; name a file with --tuning-db");
  auto database = TuningDatabase::read(path);
  if (!database)
    return fail(toString(database.takeError()));
  tuning = std::make_shared<TuningContext>();
  tuning->database = std::move(*database);
  tuning->cpu = describeCpu();
  tuning->level = levelHere.str();
  // What others measured is no reason not to measure.
  tuning->useShipped = false;
  log << "tuning for " << tuning->cpu << ", level " << tuning->level << ", database " << path << "\n";

  ImportReport report;
  CompileStatus status;
  ImportedModel model = importFile(options.compile.modelPath, options.compile.import, report, status);
  if (!model.module) {
    printReport(report, options.compile.modelPath, log);
    return status;
  }
  auto main = model.module->lookupSymbol<mlir::func::FuncOp>("main");
  if (!main)
    return fail("TSH-0641: the module has no function 'main'");
  // Symbols of the inputs are 1 unless they were given.
  for (mlir::Type type : main.getArgumentTypes())
    if (auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type))
      for (DimAttr dim : getDims(tensor)) {
        SmallVector<StringRef> symbols;
        dim::collectSymbols(dim, symbols);
        for (StringRef symbol : symbols)
          sizes.try_emplace(symbol, 1);
      }
  for (const auto &entry : options.sizes) {
    if (!sizes.count(entry.getKey()))
      return fail("TSH-0731: no input has a dim '" + entry.getKey() + "'; torshc inspect shows their names");
    sizes[entry.getKey()] = entry.getValue();
  }
  GraphOptions graph;
  graph.optLevel = trial.optLevel;
  graph.exactConv = options.compile.exactConv;
  graph.batchOrder = options.compile.batchOrder;
  graph.narrowWeights = options.compile.precision == Precision::BF16;
  graph.pairs = levels->front().kernels.pairs != PairDot::None;
  if (!runPasses(*model.module, [&](mlir::OpPassManager &pm) { buildAlgebraPipeline(pm, graph); }))
    return CompileStatus::Failed;
  log << "  default         tuned  kernel\n";
  if (trial.optLevel > 1 && !options.compile.exactConv)
    tuneConvs(main);
  graph.tuning = tuning;
  auto outline = [&](mlir::OpPassManager &pm) {
    buildGroupingPipeline(pm, graph);
    pm.addPass(createOutlineKernelsPass());
  };
  {
    mlir::OwningOpRef<mlir::ModuleOp> fused = model.module->clone();
    if (!runPasses(*fused, outline))
      return CompileStatus::Failed;
    tuneEpilogues(fused->lookupSymbol<mlir::func::FuncOp>("main"));
  }
  // From here on kernels are what a compilation with these choices has.
  if (!runPasses(*model.module, outline))
    return CompileStatus::Failed;
  tuneKernels(main);
  if (Error error = found.mergeInto(path))
    return fail(toString(std::move(error)));
  finish();
  return CompileStatus::Ok;
}

void Tuner::finish() {
  log << formatv(
      "{0} tuned, {1} best as they are, {2} known before, {3} without time, {4} candidates refused\n", tuned,
      kept, known, skipped, rejected);
  if (total > 0)
    log << formatv("the measured kernels take {0:F3} ms a run instead of {1:F3} ms\n", (total - saved) * 1e3,
                   total * 1e3);
}

} // namespace

CompileStatus tuneModel(const TuneOptions &options) { return Tuner(options).run(); }

} // namespace torsh
