//===-- GraphTrial.cpp - Choices of graph passes, measured ---------------------------------------------------===//
#include "compiler/tuner/GraphTrial.h"
#include "compiler/Pipeline.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/PassManager.h"
#include "passes/cpu/Passes.h"
#include "passes/graph/Passes.h"

using namespace llvm;

namespace torsh {
namespace {

/// Winograd's rounding is a few times that of a direct sum; what is wrong is off by far more.
constexpr double tolerance = 2e-3;
/// More kernels are more memory and more threads that wait for each other, which nobody measures here.
constexpr double worthwhile = 0.07;

/// One form of the ops as a small model, ready to run.
struct Form {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::unique_ptr<LoadedKernels> code;
  std::unique_ptr<Workload> work;
  Candidate candidate;
  int64_t value = 0; ///< of the knob
};

/// A graph choice about ops that stand alone in a function `main`.
struct GraphChoice {
  Knob knob;
  std::function<mlir::OwningOpRef<mlir::ModuleOp>()> isolate;
  std::function<void(mlir::OpPassManager &)> buildPipeline; ///< up to the groups
  std::function<int64_t(mlir::ModuleOp)> readValue; ///< of the knob, as the graph has it after the pipeline
};

/// A function `main` with the convolution alone: its input is an argument, its constants are copied.
mlir::OwningOpRef<mlir::ModuleOp> isolate(ConvOp conv) {
  mlir::OpBuilder builder(conv.getContext());
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(conv.getLoc());
  SmallVector<mlir::Value> arguments;
  SmallVector<mlir::Type> types;
  for (mlir::Value operand : conv->getOperands())
    if (!operand.getDefiningOp<ConstantOp>() && !is_contained(arguments, operand)) {
      arguments.push_back(operand);
      types.push_back(operand.getType());
    }
  builder.setInsertionPointToStart(module->getBody());
  auto function = mlir::func::FuncOp::create(builder, conv.getLoc(), "main",
                                             builder.getFunctionType(types, conv->getResultTypes()));
  mlir::Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);
  mlir::IRMapping mapping;
  for (auto [value, argument] : zip_equal(arguments, body->getArguments()))
    mapping.map(value, argument);
  for (mlir::Value operand : conv->getOperands())
    if (auto constant = operand.getDefiningOp<ConstantOp>(); constant && !mapping.contains(operand))
      builder.clone(*constant, mapping);
  mlir::Operation *clone = builder.clone(*conv, mapping);
  mlir::func::ReturnOp::create(builder, conv.getLoc(), clone->getResults());
  return module;
}

/// A function `main` with the body of a launch's kernel; its constants are copied.
mlir::OwningOpRef<mlir::ModuleOp> isolate(LaunchOp launch, KernelOp kernel) {
  mlir::OpBuilder builder(launch.getContext());
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(launch.getLoc());
  mlir::Block &inner = kernel.getBody().front();
  auto constantOf = [&](mlir::BlockArgument argument) {
    return launch.getInputs()[argument.getArgNumber()].getDefiningOp<ConstantOp>();
  };
  SmallVector<mlir::Type> types;
  for (mlir::BlockArgument argument : inner.getArguments())
    if (!constantOf(argument))
      types.push_back(argument.getType());
  builder.setInsertionPointToStart(module->getBody());
  auto function =
      mlir::func::FuncOp::create(builder, launch.getLoc(), "main",
                                 builder.getFunctionType(types, inner.getTerminator()->getOperandTypes()));
  mlir::Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);
  mlir::IRMapping mapping;
  unsigned next = 0;
  for (mlir::BlockArgument argument : inner.getArguments()) {
    if (ConstantOp constant = constantOf(argument))
      mapping.map(argument, builder.clone(*constant)->getResult(0));
    else
      mapping.map(argument, body->getArgument(next++));
  }
  for (mlir::Operation &op : inner.without_terminator())
    builder.clone(op, mapping);
  SmallVector<mlir::Value> results;
  for (mlir::Value value : inner.getTerminator()->getOperands())
    results.push_back(mapping.lookup(value));
  mlir::func::ReturnOp::create(builder, launch.getLoc(), results);
  return module;
}

/// Builds a form; a value of 0 leaves the decision to the compiler.
Expected<std::unique_ptr<Form>> buildForm(const GraphChoice &choice, int64_t value,
                                          const dim::Bindings &sizes, const TrialOptions &options) {
  auto form = std::make_unique<Form>();
  form->module = choice.isolate();
  KernelChoices choices;
  choices.set(choice.knob, value);
  form->module->walk([&](mlir::Operation *op) {
    op->removeDiscardableAttr(choicesAttrName);
    if (value && isa<ConvOp, DotGeneralOp>(op))
      op->setAttr(choicesAttrName, choices.toAttribute(op->getContext(), options.level.name));
  });
  mlir::PassManager passes(form->module->getContext());
  choice.buildPipeline(passes);
  passes.addPass(createOutlineKernelsPass());
  if (failed(passes.run(*form->module)))
    return createStringError("TSH-0661: a part of the model cannot be compiled alone");
  form->value = choice.readValue(*form->module);
  auto main = form->module->lookupSymbol<mlir::func::FuncOp>("main");
  SmallVector<LaunchOp> launches(main.getOps<LaunchOp>());
  auto work = Workload::create(launches, sizes);
  if (!work)
    return work.takeError();
  form->work = std::move(*work);
  auto compiled =
      compileKernels(*form->module, options.level, options.optLevel, options.threads, KernelStage::Object);
  if (!compiled)
    return compiled.takeError();
  auto code = LoadedKernels::load(*compiled);
  if (!code)
    return code.takeError();
  form->code = std::move(*code);
  for (size_t step = 0; step < form->work->size(); ++step) {
    KernelOp kernel = form->work->getKernel(step);
    auto function = form->code->find(kernel.getSymName(), options.level.name);
    if (!function)
      return function.takeError();
    form->candidate.functions.push_back(*function);
    form->candidate.tiles.push_back(
        dim::evaluate(getTileSpace(kernel).tiles, form->work->getSymbols(step)).value_or(0));
  }
  return form;
}

/// Measures all forms; the choice is set when one is faster than the compiler's own.
Expected<TrialResult> tuneForms(const GraphChoice &choice, const dim::Bindings &sizes,
                                const TrialOptions &options) {
  TrialResult result;
  auto own = buildForm(choice, 0, sizes, options);
  if (!own)
    return own.takeError();
  std::vector<std::unique_ptr<Form>> forms;
  forms.push_back(std::move(*own));
  std::vector<std::vector<char>> wanted = forms[0]->work->run(forms[0]->candidate);
  for (int64_t value : getKnobInfo(choice.knob).values) {
    if (value == forms[0]->value)
      continue;
    auto form = buildForm(choice, value, sizes, options);
    if (!form)
      return form.takeError();
    // Not every op has every form.
    if ((*form)->value != value)
      continue;
    std::string difference =
        (*form)->work->compare((*form)->work->run((*form)->candidate), wanted, tolerance);
    if (!difference.empty()) {
      ++result.rejected;
      result.rejection = (getKnobInfo(choice.knob).name + "=" + Twine(value) + ": " + difference).str();
      continue;
    }
    forms.push_back(std::move(*form));
  }
  result.complete = true;
  result.measured = forms.size() - 1;
  forms[0]->work->time(forms[0]->candidate, 1);
  result.defaultSeconds = result.seconds = forms[0]->work->time(forms[0]->candidate, 2);
  if (forms.size() == 1)
    return result;
  std::vector<std::pair<Workload *, const Candidate *>> timed;
  for (const auto &form : forms)
    timed.emplace_back(form->work.get(), &form->candidate);
  auto times = timeInterleaved(timed, chooseRounds(result.defaultSeconds, 9));
  size_t best = 0;
  double bestRatio = 1;
  for (size_t i = 1; i < forms.size(); ++i)
    if (double ratio = compareTimes(times[i], times[0]).median; ratio < bestRatio) {
      best = i;
      bestRatio = ratio;
    }
  if (best == 0)
    return result;
  // Again, with other buffers and other code.
  int64_t value = forms[best]->value;
  forms.clear();
  for (int64_t again : {int64_t(0), value}) {
    auto form = buildForm(choice, again, sizes, options);
    if (!form)
      return form.takeError();
    forms.push_back(std::move(*form));
  }
  times = timeInterleaved(
      {{forms[0]->work.get(), &forms[0]->candidate}, {forms[1]->work.get(), &forms[1]->candidate}},
      chooseRounds(result.defaultSeconds, 21));
  RatioStatistics ratio = compareTimes(times[1], times[0]);
  if (isClearlyFaster(ratio, result.defaultSeconds, worthwhile)) {
    result.choices.set(choice.knob, value);
    result.seconds = result.defaultSeconds * ratio.median;
  }
  return result;
}

} // namespace

bool mayBeWinograd(ConvOp conv) {
  auto weights = mlir::cast<mlir::RankedTensorType>(conv.getW().getType());
  auto one = [](int64_t value) { return value == 1; };
  return conv.getLayout() == Layout::channels_last && weights.getRank() == 4 && conv.getGroups() == 1 &&
         weights.getDimSize(0) == 3 && weights.getDimSize(1) == 3 && all_of(conv.getStrides(), one) &&
         all_of(conv.getDilations(), one) && conv.getW().getDefiningOp<ConstantOp>();
}

Expected<TrialResult> tuneConv(ConvOp conv, const dim::Bindings &sizes, const TrialOptions &options) {
  GraphChoice choice;
  choice.knob = Knob::Winograd;
  choice.isolate = [&] { return isolate(conv); };
  choice.buildPipeline = [&](mlir::OpPassManager &passes) {
    GraphOptions graph;
    graph.optLevel = options.optLevel;
    buildGroupingPipeline(passes, graph);
  };
  choice.readValue = [](mlir::ModuleOp module) {
    int64_t tile = 1;
    module.walk([&](WinogradInputOp op) { tile = op.getTile(); });
    return tile;
  };
  return tuneForms(choice, sizes, options);
}

mlir::Operation *findSeparableRoot(KernelOp kernel) {
  if (kernel.getAnchor() != "dot" && kernel.getAnchor() != "conv")
    return nullptr;
  mlir::Operation *root = findAnyOf<DotGeneralOp, ConvOp>(kernel);
  bool follows = root && kernel.getYielded().size() == 1 && kernel.getYielded()[0].getDefiningOp() != root;
  return follows ? root : nullptr;
}

Expected<TrialResult> tuneEpilogue(LaunchOp launch, const dim::Bindings &sizes, const TrialOptions &options) {
  auto kernel = launch->getParentOfType<mlir::ModuleOp>().lookupSymbol<KernelOp>(launch.getKernel());
  // The body has symbols of its own.
  dim::Bindings symbols;
  for (auto [name, attr] : zip_equal(kernel.getSymbols(), launch.getDims().getDims()))
    if (std::optional<int64_t> size = dim::evaluate(attr, sizes))
      symbols[mlir::cast<mlir::StringAttr>(name).getValue()] = *size;
  GraphChoice choice;
  choice.knob = Knob::Epilogue;
  choice.isolate = [&] { return isolate(launch, kernel); };
  choice.buildPipeline = [](mlir::OpPassManager &passes) {
    passes.addNestedPass<mlir::func::FuncOp>(createFormGroupsPass());
  };
  choice.readValue = [](mlir::ModuleOp module) { return int64_t(range_size(module.getOps<KernelOp>()) > 1); };
  return tuneForms(choice, symbols, options);
}

} // namespace torsh
