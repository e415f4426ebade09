//===-- IntegerFactors.h - Constant 8-bit factors as floats
//-------------------------------------------------===//
//
// CPUs multiply and add floats several times as fast as 32-bit integers, and sums of whole numbers below 2^24 are exact
// in f32 in any order. So a product with a constant 8-bit factor is one of floats where its numbers allow it.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_INTEGERFACTORS_H
#define TORSH_FRONTENDS_ONNX_OPS_INTEGERFACTORS_H

#include "frontends/onnx/NodeImport.h"

namespace torsh::onnx {

/// The bytes of an operand that is a constant of any size; none when it is not, or is still to be transformed.
std::optional<std::vector<char>> constantBytes(NodeImport &n, size_t input);

/// Up to here f32 holds every whole number.
constexpr double exactSums = 1 << 24;
/// Sums up to here are rounded by f32, but by far less than what quantising the result to 8 bits loses.
constexpr double roundedSums = 1 << 28;

/// The constant operand `input`, of 8-bit integers, less its zero point (an operand too, a scalar or one number along
/// `axis`; may be absent) as an f32 constant. Null unless the sum of the magnitudes along `contracted`, each times 255,
/// stays below `limit`, so that sums of products with 8-bit numbers do.
mlir::Value constantFactor(NodeImport &n, size_t input, size_t zero, int64_t axis,
                           llvm::ArrayRef<int64_t> contracted, double limit);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_INTEGERFACTORS_H
