//===-- Harness.cpp - Compares gradients with central differences -------------------------------------------===//
#include "test/unit/gradients/Harness.h"
#include "dialects/torsh/Splat.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include <cmath>

using namespace llvm;
using namespace mlir;

namespace torsh::test {

MLIRContext &context() {
  static MLIRContext *context = [] {
    DialectRegistry registry;
    registry.insert<TorshDialect, func::FuncDialect>();
    registerGradientRules(registry);
    auto *result = new MLIRContext(registry, MLIRContext::Threading::DISABLED);
    result->loadAllAvailableDialects();
    return result;
  }();
  return *context;
}

func::FuncOp function(ModuleOp module, StringRef name) { return module.lookupSymbol<func::FuncOp>(name); }

OwningOpRef<ModuleOp> parse(const Case &test) {
  std::string text = "func.func @f(", results(test.results), body(test.op);
  for (auto [index, input] : enumerate(test.inputs))
    text += (index ? ", %" : "%") + std::string(1, char('a' + index)) + ": " + input.type;
  int depth = 0, count = 1;
  for (char c : results) {
    depth += (c == '<') - (c == '>');
    count += c == ',' && depth == 0;
  }
  if (body.find("%y:") == std::string::npos)
    body = "%y:" + std::to_string(count) + " = " + body;
  text += ") -> (" + results + ") {\n" + body + "\nreturn ";
  for (int i = 0; i < count; ++i)
    text += (i ? ", %y#" : "%y#") + std::to_string(i);
  text += " : " + results + "\n}\n";
  INFO(text);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context());
  REQUIRE(module);
  return module;
}

namespace {

/// Numbers that look random and are the same everywhere.
class Numbers {
public:
  explicit Numbers(uint64_t seed) : state(seed * 2862933555777941757u + 3037000493u) {}
  double next(double low, double high) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return low + (high - low) * (double(state >> 11) / 9007199254740992.0);
  }

private:
  uint64_t state;
};

Tensor drawTensor(Type type, double low, double high, Numbers &numbers) {
  auto tensorType = mlir::cast<RankedTensorType>(type);
  Tensor tensor = Tensor::zeros(tensorType.getElementType(), tensorType.getShape());
  for (double &value : tensor.floats)
    value = numbers.next(low, high);
  return tensor;
}

} // namespace

std::vector<Tensor> draw(const Case &test) {
  std::vector<Tensor> tensors;
  Numbers numbers(7);
  for (const Input &input : test.inputs) {
    tensors.push_back(drawTensor(parseType(input.type, &context()), input.low, input.high, numbers));
    Tensor &tensor = tensors.back();
    REQUIRE((tensor.isFloat() || int64_t(input.values.size()) == tensor.numElements()));
    if (input.values.empty())
      continue;
    if (tensor.isFloat())
      tensor.floats.assign(input.values.begin(), input.values.end());
    else
      tensor.ints = input.values;
  }
  return tensors;
}

std::vector<Tensor> drawLike(TypeRange types, unsigned seed) {
  std::vector<Tensor> tensors;
  Numbers numbers(seed);
  for (Type type : types)
    tensors.push_back(drawTensor(type, -1, 1, numbers));
  return tensors;
}

func::FuncOp addGradient(func::FuncOp source, StringRef name, const ContributionHook &hook) {
  func::FuncOp target = source.clone();
  target.setName(name);
  source->getParentOfType<ModuleOp>().push_back(target);
  Operation *terminator = target.getBody().front().getTerminator();
  OpBuilder builder(terminator);
  SmallVector<Value> inputs, outputs, seeds;
  for (BlockArgument argument : target.getArguments())
    if (carriesGradient(argument.getType()))
      inputs.push_back(argument);
  for (Value output : terminator->getOperands()) {
    if (!carriesGradient(output.getType()))
      continue;
    outputs.push_back(output);
    REQUIRE(
        succeeded(target.insertArgument(target.getNumArguments(), output.getType(), {}, target.getLoc())));
    seeds.push_back(target.getArguments().back());
  }
  auto gradients = buildGradients(builder, outputs, seeds, inputs, hook);
  if (failed(gradients)) {
    target.erase();
    return {};
  }
  SmallVector<Type> types;
  for (auto [input, gradient] : zip_equal(inputs, *gradients)) {
    if (!gradient)
      gradient = createSplat(builder, target.getLoc(), mlir::cast<RankedTensorType>(input.getType()), 0);
    types.push_back(input.getType());
  }
  terminator->setOperands(*gradients);
  target.setFunctionType(builder.getFunctionType(target.getBody().front().getArgumentTypes(), types));
  REQUIRE(succeeded(mlir::verify(target)));
  return target;
}

std::vector<Tensor> evaluate(func::FuncOp function, ArrayRef<Tensor> inputs) {
  auto results = evaluateFunction(function, inputs);
  if (!results)
    FAIL(toString(results.takeError()));
  return std::vector<Tensor>(results->begin(), results->end());
}

double errorOf(func::FuncOp source, func::FuncOp gradient, std::vector<Tensor> inputs) {
  SmallVector<Type> seedTypes;
  for (Type type : source.getResultTypes())
    if (carriesGradient(type))
      seedTypes.push_back(type);
  std::vector<Tensor> seeds = drawLike(seedTypes, 3), all(inputs);
  all.insert(all.end(), seeds.begin(), seeds.end());
  std::vector<Tensor> analytic = evaluate(gradient, all);

  auto weighted = [&] {
    std::vector<Tensor> results = evaluate(source, inputs);
    long double sum = 0;
    size_t seed = 0;
    for (const Tensor &result : results) {
      if (!result.isFloat())
        continue;
      for (auto [value, weight] : zip_equal(result.floats, seeds[seed].floats))
        sum += static_cast<long double>(value) * weight;
      ++seed;
    }
    return sum;
  };
  double worst = 0, largest = 1;
  size_t position = 0;
  for (Tensor &input : inputs) {
    if (!input.isFloat())
      continue;
    const Tensor &slopes = analytic[position++];
    REQUIRE(slopes.floats.size() == input.floats.size());
    for (size_t i = 0; i < input.floats.size(); ++i) {
      double x = input.floats[i], step = 6e-6 * std::max(1.0, std::fabs(x));
      input.floats[i] = x + step;
      long double above = weighted(), width = input.floats[i];
      input.floats[i] = x - step;
      long double below = weighted();
      width -= input.floats[i];
      input.floats[i] = x;
      double slope = double((above - below) / width);
      largest = std::max(largest, std::fabs(slope));
      double difference = std::fabs(slope - slopes.floats[i]);
      worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
    }
  }
  return worst / largest;
}

} // namespace torsh::test
