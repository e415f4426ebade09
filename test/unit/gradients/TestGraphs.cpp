//===-- TestGraphs.cpp - Gradients of several ops together --------------------------------------------------===//
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "test/unit/gradients/Harness.h"

using namespace mlir;
using namespace torsh;
using namespace torsh::test;

/// A perceptron of two layers with a cross-entropy of soft labels.
static const Case perceptron = {
    R"(%0 = torsh.dot_general %a, %b batch = [] x [] contract = [1] x [0] : (tensor<3x4xf64>, tensor<4x5xf64>) -> tensor<3x5xf64>
       %1 = torsh.broadcast %c axes = [1] : (tensor<5xf64>) -> tensor<3x5xf64>
       %2 = torsh.add %0, %1 : tensor<3x5xf64>
       %3 = torsh.tanh %2 : tensor<3x5xf64>
       %4 = torsh.dot_general %3, %d batch = [] x [] contract = [1] x [0] : (tensor<3x5xf64>, tensor<5x2xf64>) -> tensor<3x2xf64>
       %5 = torsh.log_softmax %4 axis = 1 : tensor<3x2xf64>
       %6 = torsh.mul %5, %e : tensor<3x2xf64>
       %y:1 = torsh.reduce sum %6 axes = [0, 1] keep_dims = false : (tensor<3x2xf64>) -> tensor<f64>)",
    "tensor<f64>",
    {{"tensor<3x4xf64>"},
     {"tensor<4x5xf64>"},
     {"tensor<5xf64>"},
     {"tensor<5x2xf64>"},
     {"tensor<3x2xf64>", 0, 1}}};

TEST_CASE("the first three gradients of a perceptron") {
  OwningOpRef<ModuleOp> module = parse(perceptron);
  std::vector<Tensor> inputs = draw(perceptron);
  func::FuncOp source = function(*module, "f");
  for (const char *name : {"first", "second", "third"}) {
    INFO(name);
    func::FuncOp gradient = addGradient(source, name);
    REQUIRE(gradient);
    CHECK(errorOf(source, gradient, inputs) <= tolerance);
    std::vector<Tensor> more = drawLike(TypeRange(gradient.getArgumentTypes()).drop_front(inputs.size()), 5);
    inputs.insert(inputs.end(), more.begin(), more.end());
    source = gradient;
  }
}

/// The gradients of a case at given inputs, with cotangents of 1.
static std::vector<Tensor> gradientsAt(const Case &test, std::vector<Tensor> inputs, Tensor seed) {
  OwningOpRef<ModuleOp> module = parse(test);
  func::FuncOp gradient = addGradient(function(*module, "f"), "g");
  REQUIRE(gradient);
  inputs.push_back(std::move(seed));
  return evaluate(gradient, inputs);
}

static Tensor vector(std::vector<double> values) {
  Tensor tensor = Tensor::zeros(Float64Type::get(&context()), {int64_t(values.size())});
  tensor.floats = std::move(values);
  return tensor;
}

TEST_CASE("equal operands share a maximum, a constant takes nothing") {
  constexpr const char *t = "tensor<3xf64>";
  auto both = gradientsAt({"torsh.maximum %a, %b : tensor<3xf64>", t, {{t}, {t}}},
                          {vector({1, 2, 2}), vector({2, 2, 1})}, vector({1, 1, 1}));
  CHECK(both[0].floats == std::vector<double>{0, 0.5, 1});
  CHECK(both[1].floats == std::vector<double>{1, 0.5, 0});
  auto relu = gradientsAt({"%0 = torsh.constant dense<0.0> : tensor<3xf64> -> tensor<3xf64>\n"
                           "%y:1 = torsh.maximum %a, %0 : tensor<3xf64>",
                           t,
                           {{t}}},
                          {vector({-1, 0, 1})}, vector({1, 1, 1}));
  CHECK(relu[0].floats == std::vector<double>{0, 0, 1});
}

TEST_CASE("powers of 0 have finite derivatives") {
  constexpr const char *t = "tensor<3xf64>";
  auto slopes = gradientsAt({"torsh.pow %a, %b : tensor<3xf64>", t, {{t}, {t}}},
                            {vector({0, 0, 2}), vector({0, 2, 3})}, vector({1, 1, 1}));
  CHECK(slopes[0].floats == std::vector<double>{0, 0, 12});
  CHECK(slopes[1].floats[0] == 0);
  CHECK(slopes[1].floats[1] == 0);
}

TEST_CASE("a cotangent has the type of its value") {
  Case test{"torsh.cast %a : (tensor<3xf64>) -> tensor<3xf32>", "tensor<3xf32>", {{"tensor<3xf64>"}}};
  OwningOpRef<ModuleOp> module = parse(test);
  func::FuncOp gradient = addGradient(function(*module, "f"), "g");
  REQUIRE(gradient);
  CHECK(gradient.getArgumentTypes()[1] == function(*module, "f").getResultTypes()[0]);
  CHECK(gradient.getResultTypes()[0] == gradient.getArgumentTypes()[0]);
}

TEST_CASE("an op without a rule is an error, unless nothing needs it") {
  std::string message;
  ScopedDiagnosticHandler handler(&context(), [&](Diagnostic &diagnostic) { message = diagnostic.str(); });
  constexpr const char *needed = R"(%0 = torsh.exp %a : tensor<2xf64>
    %y:1 = torsh.resize nearest %0 scales = [2.0] coordinates = asymmetric : (tensor<2xf64>) -> tensor<4xf64>)";
  OwningOpRef<ModuleOp> module = parse({needed, "tensor<4xf64>", {{"tensor<2xf64>"}}});
  CHECK_FALSE(addGradient(function(*module, "f"), "g"));
  CHECK(message.find("TSH-0530") != std::string::npos);
  CHECK(message.find("torsh.resize") != std::string::npos);
  constexpr const char *unneeded = R"(%0 = torsh.stop_gradient %a : tensor<2xf64>
    %y:1 = torsh.resize nearest %0 scales = [2.0] coordinates = asymmetric : (tensor<2xf64>) -> tensor<4xf64>)";
  OwningOpRef<ModuleOp> other = parse({unneeded, "tensor<4xf64>", {{"tensor<2xf64>"}}});
  func::FuncOp gradient = addGradient(function(*other, "f"), "g");
  REQUIRE(gradient);
}
