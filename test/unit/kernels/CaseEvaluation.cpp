//===-- CaseEvaluation.cpp - Kernels as text, their inputs and what they must give --------------------------===//
#include "CaseEvaluation.h"
#include "compiler/KernelCompiler.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include <cmath>
#include <random>

using namespace llvm;

namespace torsh::test {

mlir::MLIRContext &context() {
  static mlir::MLIRContext *context = [] {
    static mlir::DialectRegistry registry;
    registerKernelDialects(registry);
    auto *made = new mlir::MLIRContext(registry, mlir::MLIRContext::Threading::DISABLED);
    made->loadAllAvailableDialects();
    return made;
  }();
  return *context;
}

namespace {

std::string joinNames(const std::map<std::string, int64_t> &symbols) {
  std::string text;
  for (const auto &[name, value] : symbols)
    text += (text.empty() ? "\"" : ", \"") + name + "\"";
  return "[" + text + "]";
}

Tensor randomTensor(mlir::RankedTensorType type, const dim::Bindings &symbols, const Range *range,
                    std::mt19937 &random) {
  SmallVector<int64_t> shape;
  for (DimAttr dim : getDims(type)) {
    std::optional<int64_t> size = dim::evaluate(dim, symbols);
    REQUIRE(size);
    shape.push_back(*size);
  }
  Tensor tensor = Tensor::zeros(type.getElementType(), shape);
  if (tensor.isFloat()) {
    Range drawn = range ? *range : Range();
    std::uniform_real_distribution<double> uniform(drawn.low, drawn.high), share(0, 1);
    for (double &value : tensor.floats) {
      value = uniform(random);
      if (drawn.step)
        value = std::round(value / drawn.step) * drawn.step;
      value = share(random) < drawn.nanShare ? NAN : roundTo(tensor.elementType, value);
    }
    return tensor;
  }
  bool isBool = tensor.elementType.isInteger(1), isUnsigned = tensor.elementType.isUnsignedInteger();
  int64_t low = range ? int64_t(range->low) : isBool || isUnsigned ? 0 : -3;
  int64_t high = range ? int64_t(range->high) : isBool ? 1 : 7;
  std::uniform_int_distribution<int64_t> uniform(low, high);
  for (int64_t &value : tensor.ints)
    value = uniform(random);
  return tensor;
}

} // namespace

std::string textOf(const Case &one, size_t index) {
  std::string name = std::to_string(index);
  return "torsh.kernel @k" + name + " \"" + one.anchor + "\" " + joinNames(one.symbols) + " {\n^bb0(" +
         one.arguments + "):\n" + one.body + "\n  torsh.yield " + one.yields + " : " + one.types + "\n}" +
         (one.choices.empty() ? "" : " {torsh.choices = {" + one.choices + "}}") + "\nfunc.func @f" + name +
         "(" + one.arguments + ") -> (" + one.types + ") {\n" + one.body + "\n  return " + one.yields +
         " : " + one.types + "\n}\n";
}

mlir::OwningOpRef<mlir::ModuleOp> parse(const std::vector<Case> &cases) {
  std::string text, errors;
  for (auto [index, one] : enumerate(cases))
    text += textOf(one, index);
  mlir::ScopedDiagnosticHandler handler(&context(), [&](mlir::Diagnostic &diagnostic) {
    errors += diagnostic.str() + "\n";
    return mlir::success();
  });
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context());
  INFO(errors << text);
  REQUIRE(module);
  return module;
}

std::string compare(const Tensor &actual, const Tensor &expected, double tolerance) {
  if (actual.shape != expected.shape || actual.elementType != expected.elementType)
    return "the shapes or element types differ";
  std::string text;
  raw_string_ostream os(text);
  if (!actual.isFloat()) {
    for (size_t i = 0; i < expected.ints.size() && text.empty(); ++i)
      if (actual.ints[i] != expected.ints[i])
        os << "element " << i << " is " << actual.ints[i] << ", not " << expected.ints[i];
    return text;
  }
  double largest = 0;
  for (double value : expected.floats)
    if (std::isfinite(value))
      largest = std::max(largest, std::fabs(value));
  if (expected.elementType.isF16())
    tolerance = std::max(tolerance, 2e-3);
  if (expected.elementType.isBF16())
    tolerance = std::max(tolerance, 1.6e-2);
  for (size_t i = 0; i < expected.floats.size() && text.empty(); ++i) {
    double a = actual.floats[i], e = expected.floats[i];
    bool agree = std::isfinite(e) ? std::fabs(a - e) <= tolerance * largest : (a == e || (a != a && e != e));
    if (!agree)
      os << "element " << i << " is " << a << ", not " << e << " (largest " << largest << ")";
  }
  return text;
}

Evaluation evaluate(mlir::ModuleOp module, const Case &one, size_t index) {
  std::string name = std::to_string(index);
  Evaluation result;
  result.kernel = module.lookupSymbol<KernelOp>("k" + name);
  auto function = module.lookupSymbol<mlir::func::FuncOp>("f" + name);
  for (const auto &[symbol, value] : one.symbols)
    result.symbols[symbol] = value;
  std::mt19937 random(index + 1);
  for (auto [position, argument] : enumerate(result.kernel.getInputs())) {
    auto range = one.ranges.find(position);
    result.inputs.push_back(randomTensor(cast<mlir::RankedTensorType>(argument.getType()), result.symbols,
                                         range == one.ranges.end() ? nullptr : &range->second, random));
  }
  auto expected = evaluateFunction(function, result.inputs);
  if (!expected)
    FAIL(toString(expected.takeError()));
  result.expected.assign(expected->begin(), expected->end());
  return result;
}

std::string tensor(const std::vector<std::string> &dims, const std::string &element) {
  std::string sizes, expressions;
  bool isDynamic = false;
  for (const std::string &dim : dims) {
    bool isNumber = dim.find_first_not_of("0123456789") == std::string::npos;
    isDynamic |= !isNumber;
    sizes += (isNumber ? dim : "?") + "x";
    expressions += (expressions.empty() ? "" : ", ") + dim;
  }
  return "tensor<" + sizes + element + (isDynamic ? ", #torsh.dims<[" + expressions + "]>>" : ">");
}

std::string tensor(const std::vector<int64_t> &dims, const std::string &element) {
  std::vector<std::string> texts;
  for (int64_t dim : dims)
    texts.push_back(std::to_string(dim));
  return tensor(texts, element);
}

std::string list(const std::vector<int64_t> &values) {
  std::string text;
  for (int64_t value : values)
    text += (text.empty() ? "" : ", ") + std::to_string(value);
  return "[" + text + "]";
}

} // namespace torsh::test
