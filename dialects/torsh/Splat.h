//===-- Splat.h - Tensors of one repeated number --------------------------------------------------------===//
//
// A constant of a symbolic shape is a broadcast of a rank-0 constant, because a dense attribute needs a
// static shape. These functions build and see through that form.
//
//===----------------------------------------------------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_SPLAT_H
#define TORSH_DIALECTS_TORSH_SPLAT_H

#include "dialects/torsh/Torsh.h"

namespace torsh {

/// A tensor of `type` filled with `number`, rounded to the element type; a broadcast when a dim is symbolic.
mlir::Value createSplat(mlir::OpBuilder &builder, mlir::Location location, mlir::RankedTensorType type,
                        double number);
/// The splat attribute of a static type, rounded to the element type.
mlir::DenseElementsAttr getSplatAttr(mlir::RankedTensorType type, double number);
/// Like `attribute` with another static type of the same element type.
mlir::DenseElementsAttr resizeSplat(mlir::DenseElementsAttr attribute, mlir::RankedTensorType type);
/// The repeated number of a constant, also through broadcast, reshape and transpose; none when it is no
/// constant, not a splat, or an integer that double cannot hold.
std::optional<double> getSplatNumber(mlir::Value value);

} // namespace torsh

#endif // TORSH_DIALECTS_TORSH_SPLAT_H
