//===-- ReduceKernel.h - Building blocks of reductions ------------------------------------------------------===//
#ifndef TORSH_PASSES_LOWERING_REDUCEKERNEL_H
#define TORSH_PASSES_LOWERING_REDUCEKERNEL_H

#include "passes/lowering/KernelBuilder.h"

namespace torsh {

/// x combined with y (logsumexp and mean add).
mlir::Value combine(KernelBuilder &kb, ReduceKind kind, mlir::Type element, mlir::Value x, mlir::Value y);
/// The neutral element of a reduction.
mlir::Value neutral(KernelBuilder &kb, ReduceKind kind, mlir::Type element, unsigned lanes);
/// The lanes of a vector combined into a scalar.
mlir::Value reduceVector(KernelBuilder &kb, ReduceKind kind, mlir::Type element, mlir::Value vector);
/// `initial` combined with pull(i) for all i < size; pull gives `lanes` neighbours.
mlir::Value reduceRow(KernelBuilder &kb, ReduceKind kind, mlir::Type element, mlir::Value size,
                      mlir::Value initial, llvm::function_ref<mlir::Value(mlir::Value, unsigned)> pull);

} // namespace torsh

#endif // TORSH_PASSES_LOWERING_REDUCEKERNEL_H
