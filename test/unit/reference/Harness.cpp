//===-- Harness.cpp - Evaluates graphs written as text
//------------------------------------------------------===//
#include "test/unit/reference/Harness.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include <cmath>

using namespace llvm;
using namespace mlir;

namespace torsh::test {

MLIRContext &context() {
  static MLIRContext *context = [] {
    auto *result = new MLIRContext(MLIRContext::Threading::DISABLED);
    result->loadDialect<TorshDialect, func::FuncDialect>();
    return result;
  }();
  return *context;
}

WeightStore &weights() { return context().getLoadedDialect<TorshDialect>()->getWeightStore(); }

Type type(StringRef text) { return parseType(text, &context()); }

template <typename T>
static Tensor tensor(Shape shape, std::vector<T> values, std::vector<T> Tensor::*storage, StringRef element) {
  Tensor result = Tensor::zeros(type(element), shape);
  REQUIRE(int64_t(values.size()) == result.numElements());
  result.*storage = std::move(values);
  return result;
}

Tensor floats(Shape shape, Floats values, StringRef element) {
  return tensor(shape, values, &Tensor::floats, element);
}
Tensor ints(Shape shape, Ints values, StringRef element) {
  return tensor(shape, values, &Tensor::ints, element);
}
Tensor bools(Shape shape, Ints values) { return ints(shape, values, "i1"); }

Tensor ramp(Shape shape, double start, double step) {
  Tensor result = Tensor::zeros(type("f32"), shape);
  for (size_t i = 0; i < result.floats.size(); ++i)
    result.floats[i] = float(start + step * double(i));
  return result;
}

Outcome runModule(StringRef text, const std::vector<Tensor> &inputs, const EvaluatorLimits &limits) {
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context());
  INFO(text.str());
  REQUIRE(module);
  auto function = module->lookupSymbol<func::FuncOp>("f");
  REQUIRE(function);
  Outcome outcome;
  Expected<SmallVector<Tensor>> results = evaluateFunction(function, inputs, limits);
  if (results)
    outcome.results.assign(results->begin(), results->end());
  else
    outcome.error = toString(results.takeError());
  return outcome;
}

static std::string typeText(const Tensor &tensor) {
  std::string text;
  raw_string_ostream(text) << RankedTensorType::get(tensor.shape, tensor.elementType);
  return text;
}

Outcome runOp(StringRef op, StringRef results, const std::vector<Tensor> &inputs,
              const EvaluatorLimits &limits) {
  std::string text = "func.func @f(", returned, separator;
  for (size_t i = 0; i < inputs.size(); ++i) {
    text += (i ? ", %" : "%") + std::string(1, char('a' + i)) + ": " + typeText(inputs[i]);
  }
  // Counts the results by the commas between their types, which are outside of <>.
  int depth = 0, count = 1;
  for (char c : results) {
    depth += (c == '<') - (c == '>');
    count += c == ',' && depth == 0;
  }
  for (int i = 0; i < count; ++i)
    returned += (i ? ", %y#" : "%y#") + std::to_string(i);
  text += ") -> (" + results.str() + ") {\n  %y:" + std::to_string(count) + " = " + op.str() + "\n  return " +
          returned + " : " + results.str() + "\n}\n";
  return runModule(text, inputs, limits);
}

Tensor eval(StringRef op, StringRef result, const std::vector<Tensor> &inputs) {
  Outcome outcome = runOp(op, result, inputs);
  INFO(op.str());
  REQUIRE(outcome.error == "");
  REQUIRE(outcome.results.size() == 1);
  return outcome.results[0];
}

void expectFloats(const Tensor &tensor, const Shape &shape, const Floats &values, double tolerance) {
  REQUIRE(Shape(tensor.shape.begin(), tensor.shape.end()) == shape);
  REQUIRE(tensor.floats.size() == values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    double actual = tensor.floats[i], expected = values[i];
    INFO("element " << i << " is " << actual << ", expected " << expected);
    if (std::isnan(expected) || std::isinf(expected) || tolerance == 0) {
      bool same = std::isnan(expected) ? std::isnan(actual)
                                       : actual == expected && std::signbit(actual) == std::signbit(expected);
      CHECK(same);
    } else {
      CHECK(std::fabs(actual - expected) <= tolerance);
    }
  }
}

void expectInts(const Tensor &tensor, const Shape &shape, const Ints &values) {
  REQUIRE(Shape(tensor.shape.begin(), tensor.shape.end()) == shape);
  CHECK(tensor.ints == values);
}

} // namespace torsh::test
