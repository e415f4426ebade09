//===-- FoldedMoves.h - Moves of elements that fold while they are built ------------------------------------===//
//
// Passes that rewrite layouts build transposes and reshapes on weights. These builders fold at once: identities
// vanish, pairs merge, constants take the move as a step of their recipe.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_PASSES_GRAPH_FOLDEDMOVES_H
#define TORSH_PASSES_GRAPH_FOLDEDMOVES_H

#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"
#include "mlir/IR/Builders.h"

namespace torsh {

/// 0, 1, 2, ...
bool isIdentityPermutation(llvm::ArrayRef<int64_t> permutation);
llvm::SmallVector<int64_t> invertPermutation(llvm::ArrayRef<int64_t> permutation);
/// list[permutation[i]] for all i.
template <typename T>
llvm::SmallVector<T> permuted(llvm::ArrayRef<T> list, llvm::ArrayRef<int64_t> permutation) {
  llvm::SmallVector<T> result;
  for (int64_t axis : permutation)
    result.push_back(list[axis]);
  return result;
}

/// Whether a permutation leaves the dims that are not 1 in their order, so that it moves nothing in memory.
bool movesOnlyUnitDims(llvm::ArrayRef<DimAttr> dims, llvm::ArrayRef<int64_t> permutation);

/// The value of a torsh.constant, null for other values.
mlir::Attribute getConstantAttr(mlir::Value value);
bool isSplatConstant(mlir::Value value);

mlir::Value createTranspose(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
                            llvm::ArrayRef<int64_t> permutation);
mlir::Value createReshape(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
                          llvm::ArrayRef<DimAttr> dims);
mlir::Value createReshape(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
                          llvm::ArrayRef<int64_t> shape);
/// One more step on a constant that is a weight (see asWeight).
mlir::Value appendStep(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value weight, llvm::StringRef kind,
                       llvm::ArrayRef<int64_t> ints, mlir::RankedTensorType type);

/// A constant as a recipe: dense values are added to the weight store. Null for values that are no constants, for
/// elements narrower than a byte, and for splats of more than 64 MiB.
mlir::Value asWeight(mlir::OpBuilder &builder, mlir::Value value);

} // namespace torsh

#endif // TORSH_PASSES_GRAPH_FOLDEDMOVES_H
