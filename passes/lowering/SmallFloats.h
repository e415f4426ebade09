//===-- SmallFloats.h - Floats of at most 8 bits in kernels -------------------------------------------------===//
//
// CPUs of our levels have no instructions for them, and LLVM has no types. In memory an element is a byte that holds its
// code in the low bits; in registers it is an f32. Both ways are integer arithmetic on whole vectors, exact for every
// value, and independent of how the host treats denormals.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_PASSES_LOWERING_SMALLFLOATS_H
#define TORSH_PASSES_LOWERING_SMALLFLOATS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace torsh {

/// Whether elements of the type are floats of at most 8 bits.
bool isSmallFloat(mlir::Type elementType);

/// The f32 values of codes (i8, scalar or vector).
mlir::Value decodeSmallFloat(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value codes,
                             mlir::FloatType type);

/// The codes (i8) of f32 values, rounded to nearest even (powers of two: to nearest, ties up). What is too large becomes
/// the largest number when `saturate` is set, else infinity or NaN, whichever the type has first; a type that has neither
/// always saturates, and takes 0 for NaN.
mlir::Value encodeSmallFloat(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value values,
                             mlir::FloatType type, bool saturate);

/// f64 as f32, rounded to odd: rounding the result once more, to fewer bits, gives what rounding the f64 gives.
mlir::Value truncateToOdd(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value values);

} // namespace torsh

#endif // TORSH_PASSES_LOWERING_SMALLFLOATS_H
