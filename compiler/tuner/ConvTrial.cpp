//===-- ConvTrial.cpp - Winograd or not, measured ------------------------------------------------------------===//
#include "compiler/tuner/ConvTrial.h"
#include "compiler/Pipeline.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/PassManager.h"
#include "passes/cpu/Passes.h"

using namespace llvm;

namespace torsh {
namespace {

/// Winograd's rounding is a few times that of a direct sum; what is wrong is off by far more.
constexpr double tolerance = 2e-3;

/// One form of the convolution as a small model, ready to run.
struct Form {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::unique_ptr<LoadedKernels> code;
  std::unique_ptr<Workload> work;
  Candidate candidate;
  int64_t tile = 1; ///< as Knob::Winograd has it
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

/// Builds a form; a tile of 0 leaves the decision to the cost model.
Expected<std::unique_ptr<Form>> buildForm(ConvOp conv, int64_t tile, const dim::Bindings &sizes,
                                          const TrialOptions &options) {
  auto form = std::make_unique<Form>();
  form->module = isolate(conv);
  KernelChoices choices;
  choices.set(Knob::Winograd, tile);
  form->module->walk([&](ConvOp op) {
    op->removeAttr(choicesAttrName);
    if (tile)
      op->setAttr(choicesAttrName, choices.toAttribute(op.getContext(), options.level.name));
  });
  mlir::PassManager passes(conv.getContext());
  buildGroupingPipeline(passes, options.optLevel);
  passes.addPass(createOutlineKernelsPass());
  if (failed(passes.run(*form->module)))
    return createStringError("TSH-0661: the convolution alone cannot be compiled");
  form->module->walk([&](WinogradInputOp op) { form->tile = op.getTile(); });
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

} // namespace

bool mayBeWinograd(ConvOp conv) {
  auto weights = mlir::cast<mlir::RankedTensorType>(conv.getW().getType());
  auto one = [](int64_t value) { return value == 1; };
  return conv.getLayout() == Layout::channels_last && weights.getRank() == 4 && conv.getGroups() == 1 &&
         weights.getDimSize(0) == 3 && weights.getDimSize(1) == 3 && all_of(conv.getStrides(), one) &&
         all_of(conv.getDilations(), one) && conv.getW().getDefiningOp<ConstantOp>();
}

Expected<TrialResult> tuneConv(ConvOp conv, const dim::Bindings &sizes, const TrialOptions &options) {
  TrialResult result;
  auto expected = buildForm(conv, 0, sizes, options);
  if (!expected)
    return expected.takeError();
  std::vector<std::unique_ptr<Form>> forms;
  forms.push_back(std::move(*expected));
  std::vector<std::vector<char>> wanted = forms[0]->work->run(forms[0]->candidate);
  for (int64_t tile : getKnobInfo(Knob::Winograd).values) {
    if (tile == forms[0]->tile)
      continue;
    auto form = buildForm(conv, tile, sizes, options);
    if (!form)
      return form.takeError();
    // The convolution may have no Winograd form.
    if ((*form)->tile != tile)
      continue;
    std::string difference =
        (*form)->work->compare((*form)->work->run((*form)->candidate), wanted, tolerance);
    if (!difference.empty()) {
      ++result.rejected;
      result.rejection = "winograd=" + std::to_string(tile) + ": " + difference;
      continue;
    }
    forms.push_back(std::move(*form));
  }
  result.complete = true;
  result.measured = forms.size() - 1;
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
  times = timeInterleaved({timed[0], timed[best]}, chooseRounds(result.defaultSeconds, 15));
  RatioStatistics ratio = compareTimes(times[1], times[0]);
  if (isClearlyFaster(ratio)) {
    result.choices.set(Knob::Winograd, forms[best]->tile);
    result.seconds = result.defaultSeconds * ratio.median;
  }
  return result;
}

} // namespace torsh
