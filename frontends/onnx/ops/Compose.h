//===-- Compose.h - Small compositions that several op files share
//------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_COMPOSE_H
#define TORSH_FRONTENDS_ONNX_OPS_COMPOSE_H

#include "frontends/onnx/NodeImport.h"
#include <cmath>

namespace torsh::onnx {

//===-- Checks
//---------------------------------------------------------------------------------------------------===//

inline mlir::Type elementTypeOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType()).getElementType();
}
inline int64_t rankOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType()).getRank();
}
/// A type as text, for messages.
std::string typeText(mlir::Type type);
/// Fails as malformed unless operands 0 to `count` - 1 are given.
llvm::LogicalResult requireInputs(NodeImport &n, size_t count);
/// Refuses the node unless operand `i` is given and has a float type.
llvm::LogicalResult requireFloat(NodeImport &n, size_t i);
/// Refuses the node unless operand `i` has rank `least` or more.
llvm::LogicalResult requireRank(NodeImport &n, size_t i, int64_t least);
/// Whether output `i` is asked for.
bool wantsOutput(const NodeImport &n, size_t i);
/// The constants behind all dims in [begin, end), none when one is symbolic.
std::optional<llvm::SmallVector<int64_t>> staticDims(mlir::Value value, int64_t begin, int64_t end);

//===-- Values
//---------------------------------------------------------------------------------------------------===//

/// x + number, x * number; the value itself for 0 and 1.
mlir::Value addNumber(NodeImport &n, mlir::Value x, double number);
mlir::Value scale(NodeImport &n, mlir::Value x, double number);
mlir::Value compareNumber(NodeImport &n, mlir::Value x, ComparePredicate predicate, double number);
/// min(max(x, low), high); an infinite bound is left out.
mlir::Value clamp(NodeImport &n, mlir::Value x, double low, double high);
/// The reduction over `axes`, broadcast back to the shape of x.
mlir::Value reduceInPlace(NodeImport &n, mlir::Value x, ReduceKind kind, llvm::ArrayRef<int64_t> axes);
/// A rank-1 (or one-element) tensor repeated so that its dim is `axis` of a tensor shaped like `like`.
mlir::Value alongAxis(NodeImport &n, mlir::Value vector, int64_t axis, mlir::Value like);
/// `first`, `first` + 1, ..., `last` - 1.
llvm::SmallVector<int64_t> range(int64_t first, int64_t last);
/// Broadcasts each dim in [begin, rank) of two tensors of one rank to a common size; fails as malformed.
llvm::LogicalResult broadcastDims(NodeImport &n, mlir::Value &a, mlir::Value &b, int64_t begin, int64_t end);
/// Puts unit dims before, so that the rank is `rank`.
mlir::Value toRank(NodeImport &n, mlir::Value x, int64_t rank);
/// The box [start, start + size) along one axis.
mlir::Value sliceAxis(NodeImport &n, mlir::Value x, int64_t axis, DimAttr start, DimAttr size);
/// The matrix product with NumPy's rules for ranks and batch dims; null after a failure.
mlir::Value matmul(NodeImport &n, mlir::Value a, mlir::Value b, mlir::Type elementType = {});

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_COMPOSE_H
