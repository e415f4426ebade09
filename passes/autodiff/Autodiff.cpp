//===-- Autodiff.cpp - Functions that compute gradients -----------------------------------------------------===//
#include "dialects/torsh/Splat.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/autodiff/Differentiate.h"
#include "passes/autodiff/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_AUTODIFFPASS
#include "passes/autodiff/Passes.h.inc"

namespace {

struct Autodiff : impl::AutodiffPassBase<Autodiff> {
  using AutodiffPassBase::AutodiffPassBase;
  void runOnOperation() override {
    if (failed(addGradient()))
      signalPassFailure();
  }

private:
  LogicalResult addGradient();
  FailureOr<SmallVector<unsigned>> choose(ArrayRef<int64_t> given, TypeRange types, StringRef what);
};

/// The positions that the option names, or all that carry gradients.
FailureOr<SmallVector<unsigned>> Autodiff::choose(ArrayRef<int64_t> given, TypeRange types, StringRef what) {
  SmallVector<unsigned> chosen;
  if (given.empty()) {
    for (auto [index, type] : llvm::enumerate(types))
      if (carriesGradient(type))
        chosen.push_back(index);
    return chosen;
  }
  for (int64_t index : given) {
    if (index < 0 || index >= int64_t(types.size()) || !carriesGradient(types[index]))
      return emitError(getOperation().getLoc())
             << "TSH-0533: " << what << " " << index << " of '" << function
             << "' does not exist or is no tensor of floats; torsh-autodiff needs others";
    chosen.push_back(index);
  }
  return chosen;
}

/// The names of a function's ports with more at the end, when it has such names.
void extendNames(func::FuncOp function, StringRef attribute, ArrayRef<unsigned> like, StringRef likeAttribute,
                 func::FuncOp names) {
  auto old = function->getAttrOfType<ArrayAttr>(attribute),
       source = names->getAttrOfType<ArrayAttr>(likeAttribute);
  if (!old)
    return;
  SmallVector<Attribute> all(old.begin(), old.end());
  Builder builder(function.getContext());
  for (unsigned index : like) {
    auto name = source && index < source.size() ? dyn_cast<StringAttr>(source[index]) : StringAttr();
    all.push_back(builder.getStringAttr("grad_" + (name ? name.str() : std::to_string(index))));
  }
  function->setAttr(attribute, builder.getArrayAttr(all));
}

LogicalResult Autodiff::addGradient() {
  ModuleOp module = getOperation();
  bool seeded = mode == "value-and-grad";
  if (!seeded && mode != "vjp")
    return module.emitError() << "TSH-0533: '" << mode
                              << "' is no mode of torsh-autodiff; use vjp or value-and-grad";
  auto source = module.lookupSymbol<func::FuncOp>(function);
  if (!source || source.isExternal() || !source.getBody().hasOneBlock())
    return module.emitError() << "TSH-0533: there is no function '" << function
                              << "' with a body of one block to differentiate";
  std::string newName = name.empty() ? function + (seeded ? "_grad" : "_vjp") : std::string(name);
  if (module.lookupSymbol(newName))
    return module.emitError() << "TSH-0533: the module has a '" << newName
                              << "' already; choose another name";
  auto inputs = choose(wrt, source.getArgumentTypes(), "argument");
  auto results = choose(outputs, source.getResultTypes(), "result");
  if (failed(inputs) || failed(results))
    return failure();
  if (seeded && (results->size() != 1 ||
                 cast<RankedTensorType>(source.getResultTypes()[results->front()]).getRank() != 0))
    return source.emitError()
           << "TSH-0533: value-and-grad needs one result of rank 0; choose it with outputs, or use vjp";

  func::FuncOp target = source.clone();
  target.setName(newName);
  module.insert(std::next(source->getIterator()), target);
  Block &body = target.getBody().front();
  Operation *terminator = body.getTerminator();
  OpBuilder builder(terminator);
  SmallVector<Value> from, seeds, to;
  for (unsigned index : *results) {
    Value output = terminator->getOperand(index);
    from.push_back(output);
    if (seeded) {
      seeds.push_back(
          createSplat(builder, terminator->getLoc(), cast<RankedTensorType>(output.getType()), 1));
      continue;
    }
    if (failed(target.insertArgument(target.getNumArguments(), output.getType(), {}, terminator->getLoc())))
      return failure();
    seeds.push_back(target.getArguments().back());
  }
  for (unsigned index : *inputs)
    to.push_back(target.getArgument(index));
  auto gradients = buildGradients(builder, from, seeds, to);
  if (failed(gradients))
    return failure();
  SmallVector<Value> returned(terminator->getOperands());
  for (auto [value, gradient] : llvm::zip_equal(to, *gradients)) {
    if (!gradient) {
      mlir::emitRemark(value.getLoc())
          << "nothing depends on argument " << cast<BlockArgument>(value).getArgNumber()
          << ", so its gradient is zero";
      gradient = createSplat(builder, terminator->getLoc(), cast<RankedTensorType>(value.getType()), 0);
    }
    returned.push_back(gradient);
    if (failed(target.insertResult(target.getNumResults(), gradient.getType(), {})))
      return failure();
  }
  terminator->setOperands(returned);
  if (!seeded)
    extendNames(target, "torsh.input_names", *results, "torsh.output_names", source);
  extendNames(target, "torsh.output_names", *inputs, "torsh.input_names", source);
  return success();
}

} // namespace
} // namespace torsh
