//===-- ConstantValues.h - Constants as numbers and numbers as constants ------------------------------------===//
//
// Passes compute with constants as tensors of the reference evaluator. What they compute goes back into the graph
// in the form that the import contract allows: dense when small or a splat, otherwise bytes in the weight store.
//
//===--------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_PASSES_GRAPH_CONSTANTVALUES_H
#define TORSH_PASSES_GRAPH_CONSTANTVALUES_H

#include "dialects/torsh/reference/Evaluator.h"
#include "mlir/IR/Builders.h"

namespace torsh {

/// The largest dense constant that is no splat, in bytes.
inline constexpr int64_t kMaxDenseBytes = 1024;
/// The largest tensor that passes evaluate at compile time, in elements.
inline constexpr int64_t kMaxFoldedElements = int64_t(1) << 16;

/// The numbers behind a torsh.constant of at most `maxElements` elements; none for other values and for weights
/// whose bytes are not loaded.
std::optional<Tensor> getConstantTensor(mlir::Value value, int64_t maxElements = kMaxFoldedElements);

/// A torsh.constant of the tensor.
mlir::Value createConstant(mlir::OpBuilder &builder, mlir::Location location, const Tensor &tensor);

/// A rank-1 tensor of numbers, rounded to the element type.
Tensor makeVector(mlir::FloatType elementType, llvm::ArrayRef<double> numbers);

} // namespace torsh

#endif // TORSH_PASSES_GRAPH_CONSTANTVALUES_H
