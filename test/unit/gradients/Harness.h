//===-- Harness.h - Compares gradients with central differences ---------------------------------------------===//
#ifndef TORSH_TEST_UNIT_GRADIENTS_HARNESS_H
#define TORSH_TEST_UNIT_GRADIENTS_HARNESS_H

#include "dialects/torsh/gradients/Gradients.h"
#include "dialects/torsh/reference/Evaluator.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "passes/autodiff/Differentiate.h"
#include <catch2/catch.hpp>

namespace torsh::test {

/// The context of all tests, with the dialects and the rules.
mlir::MLIRContext &context();

/// An input: numbers are given, or floats drawn from [low, high).
struct Input {
  const char *type;
  double low = -1, high = 1;
  std::vector<int64_t> values = {};
};

/// One op, `torsh.add %a, %b : tensor<2xf64>`, whose operands %a, %b, ... are the inputs. Several ops are separated by
/// newlines and end with one that begins with `%y:N =`.
struct Case {
  const char *op;
  const char *results; ///< types, separated by commas
  std::vector<Input> inputs;
  bool twice = true; ///< whether the gradient's gradient is compared too
};

/// A module with the case as @f.
mlir::OwningOpRef<mlir::ModuleOp> parse(const Case &test);
/// The module's function of a name.
mlir::func::FuncOp function(mlir::ModuleOp module, llvm::StringRef name);
/// The inputs' values, the same ones at each call.
std::vector<Tensor> draw(const Case &test);
std::vector<Tensor> drawLike(mlir::TypeRange types, unsigned seed);

/// Adds @NAME(inputs, cotangents of float results) -> gradients of float inputs; null when a rule refuses.
mlir::func::FuncOp addGradient(mlir::func::FuncOp source, llvm::StringRef name,
                               const ContributionHook &hook = {});

/// The largest error of the gradient function against central differences of the source, relative to the largest
/// derivative or 1.
double errorOf(mlir::func::FuncOp source, mlir::func::FuncOp gradient, std::vector<Tensor> inputs);

std::vector<Tensor> evaluate(mlir::func::FuncOp function, llvm::ArrayRef<Tensor> inputs);

constexpr double tolerance = 1e-6;

/// All rules' cases, of the files of this folder.
std::vector<Case> allCases();
void addElementwiseCases(std::vector<Case> &cases);
void addShapeCases(std::vector<Case> &cases);
void addSpatialCases(std::vector<Case> &cases);
void addRowCases(std::vector<Case> &cases);
void addIndexingCases(std::vector<Case> &cases);

} // namespace torsh::test

#endif // TORSH_TEST_UNIT_GRADIENTS_HARNESS_H
