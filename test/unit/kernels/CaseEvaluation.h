//===-- CaseEvaluation.h - Kernels as text, their inputs and what they must give ----------------------------===//
#ifndef TORSH_TEST_UNIT_KERNELS_CASEEVALUATION_H
#define TORSH_TEST_UNIT_KERNELS_CASEEVALUATION_H

#include "KernelHarness.h"
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"
#include "dialects/torsh/reference/Evaluator.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace torsh::test {

/// The context of all cases.
mlir::MLIRContext &context();

/// The kernel @kN of a case and a function @fN with the same body for the evaluator.
std::string textOf(const Case &one, size_t index);
mlir::OwningOpRef<mlir::ModuleOp> parse(const std::vector<Case> &cases);

/// A case with drawn inputs, and what the evaluator makes of them.
struct Evaluation {
  KernelOp kernel;
  dim::Bindings symbols;
  llvm::SmallVector<Tensor> inputs, expected;
};
Evaluation evaluate(mlir::ModuleOp module, const Case &one, size_t index);

/// The first difference as text, empty when the tensors agree.
std::string compare(const Tensor &actual, const Tensor &expected, double tolerance);

} // namespace torsh::test

#endif // TORSH_TEST_UNIT_KERNELS_CASEEVALUATION_H
