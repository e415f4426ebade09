//===-- Differentiate.h - Reverse-mode differentiation of a block -------------------------------------------===//
#ifndef TORSH_PASSES_AUTODIFF_DIFFERENTIATE_H
#define TORSH_PASSES_AUTODIFF_DIFFERENTIATE_H

#include "dialects/torsh/Torsh.h"
#include "mlir/IR/Builders.h"
#include <functional>

namespace torsh {

/// Sees each contribution to the cotangent of an operand and gives what is added instead, null for nothing. Tests perturb
/// rules with it.
using ContributionHook = std::function<mlir::Value(mlir::OpBuilder &builder, mlir::Operation *op,
                                                   unsigned operand, mlir::Value contribution)>;

/// Whether values of the type carry gradients: tensors of floats.
bool carriesGradient(mlir::Type type);

/// Builds the cotangents of `wrt` where `builder` stands, which is after all ops that compute `outputs` in one block.
/// `seeds` are the outputs' cotangents. A null value in the result is zero: no output depends on that input. On failure an
/// error has been emitted at the op that cannot be differentiated.
llvm::FailureOr<llvm::SmallVector<mlir::Value>> buildGradients(mlir::OpBuilder &builder,
                                                               llvm::ArrayRef<mlir::Value> outputs,
                                                               llvm::ArrayRef<mlir::Value> seeds,
                                                               llvm::ArrayRef<mlir::Value> wrt,
                                                               const ContributionHook &hook = {});

} // namespace torsh

#endif // TORSH_PASSES_AUTODIFF_DIFFERENTIATE_H
