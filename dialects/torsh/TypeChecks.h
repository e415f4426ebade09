//===-- TypeChecks.h - When two symbolic types can be one -----------------------------------------------===//
//
// Two symbols that cannot be proved equal may still be equal in every run (a guard says so), so verifiers
// refuse only what is certainly wrong: constants that differ, other ranks, other element types.
//
//===----------------------------------------------------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_TYPECHECKS_H
#define TORSH_DIALECTS_TORSH_TYPECHECKS_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/TypeRange.h"
#include <optional>

namespace torsh {

class DimAttr;

/// False only when both dims are constants and differ.
bool dimsMayBeEqual(DimAttr a, DimAttr b);
/// Equal rank and dims that may be equal.
bool shapesMayBeEqual(llvm::ArrayRef<DimAttr> a, llvm::ArrayRef<DimAttr> b);
/// Ranked tensors of one element type whose shapes may be equal; other types must be the same.
bool typesMayBeEqual(mlir::Type a, mlir::Type b);
bool typesMayBeEqual(mlir::TypeRange a, mlir::TypeRange b);

/// Appends the tensor type of a result; an error named by `label` when a dim is a negative constant.
llvm::LogicalResult addInferredTensor(std::optional<mlir::Location> location, llvm::StringRef label,
                                      llvm::ArrayRef<DimAttr> dims, mlir::Type elementType,
                                      llvm::SmallVectorImpl<mlir::Type> &types);

/// Types for results whose shape function failed, so that building goes on until the verifier refuses the op.
void addStandInTypes(mlir::MLIRContext *context, mlir::ValueRange operands, unsigned count,
                     llvm::SmallVectorImpl<mlir::Type> &types);
/// Whether the given result types can be the inferred ones; an error says what they should be.
llvm::LogicalResult checkResultTypes(std::optional<mlir::Location> location, llvm::StringRef opName,
                                     mlir::TypeRange inferred, mlir::TypeRange given);

/// The number of results of an op class with a fixed number of results.
template <typename OpTy> constexpr unsigned countResults() {
  if constexpr (OpTy::template hasTrait<mlir::OpTrait::OneResult>())
    return 1;
  else if constexpr (OpTy::template hasTrait<mlir::OpTrait::NResults<2>::Impl>())
    return 2;
  else
    return 3;
}

} // namespace torsh

#endif // TORSH_DIALECTS_TORSH_TYPECHECKS_H
