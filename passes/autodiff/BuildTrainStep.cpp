//===-- BuildTrainStep.cpp - A model becomes one step of its training ---------------------------------------===//
#include "dialects/torsh/Splat.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/autodiff/Differentiate.h"
#include "passes/autodiff/Losses.h"
#include "passes/autodiff/Optimizers.h"
#include "passes/autodiff/Passes.h"
#include "llvm/Support/GlobPattern.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_BUILDTRAINSTEPPASS
#include "passes/autodiff/Passes.h.inc"

namespace {

using gradients::RuleBuilder;

/// A parameter that is learned.
struct Learned {
  ParamOp param;
  BlockArgument value;
  SmallVector<BlockArgument> states;
};

/// The options of the pass.
struct Choices {
  std::string loss, optimizer;
  OptimizerOptions numbers;
  SmallVector<std::string> freeze;
};

class TrainStepBuilder {
public:
  TrainStepBuilder(ModuleOp module, const Choices &choices) : module(module), choices(choices) {}
  LogicalResult build();

private:
  LogicalResult readOptions();
  LogicalResult collectLearned(Value output);
  void freezeRest();
  BlockArgument addArgument(unsigned index, Type type, StringRef name, StringRef role, Attribute initial,
                            Location loc);
  void addOptimizerArguments();
  LogicalResult finish(Value value, ArrayRef<Value> updated);
  bool isFrozen(StringRef parameter) const {
    return llvm::any_of(frozen, [&](const llvm::GlobPattern &pattern) { return pattern.match(parameter); });
  }

  ModuleOp module;
  const Choices &choices;
  func::FuncOp main;
  Operation *terminator = nullptr;
  std::optional<Loss> chosenLoss;
  std::unique_ptr<Optimizer> chosenOptimizer;
  SmallVector<llvm::GlobPattern> frozen;
  SmallVector<Learned> learned;
  SmallVector<Attribute> inputNames;
};

LogicalResult TrainStepBuilder::readOptions() {
  auto refuse = [&] { return module.emitError(); };
  chosenLoss = parseLoss(choices.loss);
  if (!chosenLoss)
    return refuse() << "TSH-0534: '" << choices.loss << "' is no loss; use cross-entropy or mse";
  chosenOptimizer = Optimizer::create(choices.optimizer, choices.numbers);
  if (!chosenOptimizer)
    return refuse() << "TSH-0534: '" << choices.optimizer << "' is no optimizer; use sgd, adam or adamw";
  for (const std::string &text : choices.freeze) {
    auto pattern = llvm::GlobPattern::create(text);
    if (!pattern)
      return refuse() << "TSH-0534: '" << text
                      << "' is no pattern for names: " << llvm::toString(pattern.takeError());
    frozen.push_back(std::move(*pattern));
  }
  return success();
}

/// Values that `output` depends on, through regions too.
void collectDependencies(Value output, llvm::DenseSet<Value> &seen) {
  SmallVector<Value> open{output};
  while (!open.empty()) {
    Value value = open.pop_back_val();
    if (!seen.insert(value).second)
      continue;
    if (Operation *op = value.getDefiningOp())
      op->walk([&](Operation *inner) { open.append(inner->operand_begin(), inner->operand_end()); });
  }
}

bool isStatistic(GetParamOp read) {
  return llvm::any_of(read->getUses(), [](OpOperand &use) {
    auto norm = dyn_cast<BatchNormOp>(use.getOwner());
    return norm && (use.get() == norm.getMean() || use.get() == norm.getVariance());
  });
}

/// Parameters that the output depends on become leading arguments.
LogicalResult TrainStepBuilder::collectLearned(Value output) {
  llvm::DenseSet<Value> needed;
  collectDependencies(output, needed);
  llvm::MapVector<ParamOp, SmallVector<GetParamOp>> reads;
  SymbolTable symbols(module);
  main.walk([&](GetParamOp read) {
    auto param = symbols.lookup<ParamOp>(read.getParam());
    reads[param].push_back(read);
  });
  for (auto &[param, all] : reads) {
    bool reached = llvm::any_of(all, [&](GetParamOp read) { return needed.contains(read.getY()); });
    if (!reached || !param.getTrainable() || !carriesGradient(param.getType()) ||
        isFrozen(param.getSymName()) || llvm::any_of(all, isStatistic))
      continue;
    BlockArgument value = addArgument(learned.size(), param.getType(), param.getSymName(), "parameter",
                                      param.getValue(), all.front().getLoc());
    for (GetParamOp read : all) {
      read.getY().replaceAllUsesWith(value);
      read.erase();
    }
    learned.push_back({param, value, {}});
  }
  if (!learned.empty())
    return success();
  return main.emitError()
         << "TSH-0535: there is nothing to learn: the output depends on no parameter of floats that is "
            "not frozen";
}

/// What is not learned stays as it is.
void TrainStepBuilder::freezeRest() {
  SymbolTable symbols(module);
  SmallVector<GetParamOp> reads;
  main.walk([&](GetParamOp read) { reads.push_back(read); });
  for (GetParamOp read : reads) {
    auto param = symbols.lookup<ParamOp>(read.getParam());
    OpBuilder builder(read);
    read.getY().replaceAllUsesWith(
        ConstantOp::create(builder, read.getLoc(), read.getY().getType(), param.getValue()));
    read.erase();
  }
  for (ParamOp param : llvm::make_early_inc_range(module.getOps<ParamOp>()))
    param.erase();
}

BlockArgument TrainStepBuilder::addArgument(unsigned index, Type type, StringRef name, StringRef role,
                                            Attribute initial, Location loc) {
  Builder builder(module.getContext());
  SmallVector<NamedAttribute> attributes{builder.getNamedAttr("torsh.role", builder.getStringAttr(role))};
  if (initial)
    attributes.push_back(builder.getNamedAttr("torsh.initial", initial));
  // Only a function without a body refuses arguments.
  (void)main.insertArgument(index, type, builder.getDictionaryAttr(attributes), loc);
  inputNames.insert(inputNames.begin() + index, builder.getStringAttr(name));
  return main.getArgument(index);
}

/// State, step and learning rate stand between the parameters and the model's inputs.
void TrainStepBuilder::addOptimizerArguments() {
  unsigned index = learned.size();
  for (Learned &entry : learned)
    for (StringRef name : chosenOptimizer->stateNames()) {
      auto type = cast<RankedTensorType>(entry.value.getType());
      entry.states.push_back(addArgument(index++, type, (entry.param.getSymName() + "." + name).str(),
                                         "state", getSplatAttr(type, 0), entry.value.getLoc()));
    }
  Builder builder(module.getContext());
  addArgument(index++, RankedTensorType::get({}, builder.getI64Type()), "step", "step", {}, main.getLoc());
  addArgument(index, RankedTensorType::get({}, builder.getF64Type()), "lr", "lr", {}, main.getLoc());
}

/// The results: the loss, then what replaces arguments.
LogicalResult TrainStepBuilder::finish(Value value, ArrayRef<Value> updated) {
  Builder builder(module.getContext());
  while (main.getNumResults() != 0)
    if (failed(main.eraseResult(0)))
      return failure();
  SmallVector<Value> returned{value};
  SmallVector<Attribute> outputNames{builder.getStringAttr("loss")};
  SmallVector<DictionaryAttr> attributes{builder.getDictionaryAttr({})};
  for (auto [index, result] : llvm::enumerate(updated)) {
    returned.push_back(result);
    outputNames.push_back(inputNames[index]);
    attributes.push_back(builder.getDictionaryAttr(
        builder.getNamedAttr("torsh.updates", builder.getI64IntegerAttr(int64_t(index)))));
  }
  for (auto [index, result] : llvm::enumerate(returned))
    if (failed(main.insertResult(index, result.getType(), attributes[index])))
      return failure();
  terminator->setOperands(returned);
  main->setAttr("torsh.input_names", builder.getArrayAttr(inputNames));
  main->setAttr("torsh.output_names", builder.getArrayAttr(outputNames));
  main->setAttr("torsh.train_step",
                builder.getDictionaryAttr(
                    {builder.getNamedAttr("loss", builder.getStringAttr(choices.loss)),
                     builder.getNamedAttr("optimizer", builder.getStringAttr(choices.optimizer))}));
  return success();
}

LogicalResult TrainStepBuilder::build() {
  if (failed(readOptions()))
    return failure();
  main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal() || !main.getBody().hasOneBlock() || main.getNumResults() == 0)
    return module.emitError()
           << "TSH-0535: the module has no function 'main' with a body of one block and a result";
  Builder builder(module.getContext());
  terminator = main.getBody().front().getTerminator();
  Value output = terminator->getOperand(0);
  auto outputType = dyn_cast<RankedTensorType>(output.getType());
  RankedTensorType labelsType = outputType ? labelType(*chosenLoss, outputType) : RankedTensorType();
  if (!labelsType)
    return main.emitError() << "TSH-0535: the first output is " << output.getType() << ", which has no loss '"
                            << choices.loss
                            << "'; it must be of floats, with classes along the last dim for cross-entropy";
  auto names = main->getAttrOfType<ArrayAttr>("torsh.input_names");
  for (unsigned index = 0; index < main.getNumArguments(); ++index) {
    auto name = names && index < names.size() ? dyn_cast<StringAttr>(names[index]) : StringAttr();
    inputNames.push_back(name ? name : builder.getStringAttr("input" + Twine(index)));
    main.setArgAttr(index, "torsh.role", builder.getStringAttr("input"));
  }
  if (failed(collectLearned(output)))
    return failure();
  addOptimizerArguments();
  unsigned step = learned.size() * (1 + chosenOptimizer->stateNames().size());
  Value labels = addArgument(main.getNumArguments(), labelsType, "labels", "label", {}, main.getLoc());

  OpBuilder ops(terminator);
  RuleBuilder lossBuilder(ops, NameLoc::get(builder.getStringAttr("loss"), output.getLoc()));
  Value value = buildLoss(lossBuilder, *chosenLoss, output, labels);
  SmallVector<Value> parameters;
  for (const Learned &entry : learned)
    parameters.push_back(entry.value);
  auto gradients = buildGradients(ops, value, lossBuilder.splat(value, 1), parameters);
  if (failed(gradients))
    return failure();

  RuleBuilder shared(ops, NameLoc::get(builder.getStringAttr("optimizer"), main.getLoc()));
  chosenOptimizer->prepare(shared, main.getArgument(step + 1), main.getArgument(step));
  SmallVector<Value> updated, states;
  for (auto [entry, gradient] : llvm::zip_equal(learned, *gradients)) {
    auto name = builder.getStringAttr("update of " + entry.param.getSymName());
    RuleBuilder own(ops, NameLoc::get(name, entry.value.getLoc()));
    SmallVector<Value> kept(entry.states.begin(), entry.states.end());
    // What the loss uses without a derivative (a comparison, say) still decays.
    Value slope = gradient ? gradient : own.splat(entry.value, 0);
    updated.push_back(chosenOptimizer->update(own, entry.value, slope, kept));
    llvm::append_range(states, kept);
  }
  llvm::append_range(updated, states);
  if (failed(finish(value, updated)))
    return failure();
  freezeRest();
  return success();
}

struct BuildTrainStep : impl::BuildTrainStepPassBase<BuildTrainStep> {
  using BuildTrainStepPassBase::BuildTrainStepPassBase;
  void runOnOperation() override {
    Choices choices{loss,
                    optimizer,
                    {momentum, nesterov, weightDecay, beta1, beta2, epsilon},
                    SmallVector<std::string>(freeze.begin(), freeze.end())};
    if (failed(TrainStepBuilder(getOperation(), choices).build()))
      signalPassFailure();
  }
};

} // namespace
} // namespace torsh
