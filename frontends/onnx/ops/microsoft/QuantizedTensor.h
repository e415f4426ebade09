//===-- QuantizedTensor.h - Operands with a scale and a zero point
//------------------------------------------===//
//
// ONNX Runtime's 8-bit ops name tensor, scale and zero point as three inputs. Scales and zero points are scalars, or
// have one entry along an axis.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_MICROSOFT_QUANTIZEDTENSOR_H
#define TORSH_FRONTENDS_ONNX_OPS_MICROSOFT_QUANTIZEDTENSOR_H

#include "frontends/onnx/NodeImport.h"

namespace torsh::onnx::microsoft {

/// The inputs that make up a quantised tensor. A zero point that is not given is 0.
struct QuantizedInput {
  size_t x, scale, zero;
};

/// The number of a scale or zero point repeated in the shape of `like`: a scalar, or one entry along `axis`, which
/// is -1 where only a scalar will do. Null after a failure.
mlir::Value spreadParameter(NodeImport &n, size_t input, mlir::Type elementType, mlir::Value like,
                            int64_t axis = -1);
/// (x - zero) * scale as f32. Null after a failure.
mlir::Value dequantized(NodeImport &n, QuantizedInput input, int64_t axis = -1);
/// x - zero as i32. Null after a failure.
mlir::Value withoutZero(NodeImport &n, QuantizedInput input, int64_t axis = -1);
/// The matrix product of whole numbers `a` (i32 or f32) of at most 8 bits and a sign with the operand `b` [..., K, N]
/// without its zero point, which is a scalar or has an entry a column: i32, or f32 where b is constant and that is as
/// good. Null after a failure.
mlir::Value integerMatmul(NodeImport &n, mlir::Value a, QuantizedInput b);
/// round(x / scale) + zero, saturated to the integer type `type`. Null after a failure.
mlir::Value quantized(NodeImport &n, mlir::Value x, size_t scale, size_t zero, mlir::Type type);

/// Numbers of a tensor as u8 with one scale and zero point for all, both of rank 0: what DynamicQuantizeLinear gives.
struct DynamicallyQuantized {
  mlir::Value centred; ///< whole numbers as f32, without the zero point
  mlir::Value scale;   ///< f32
};
DynamicallyQuantized quantizeDynamically(NodeImport &n, mlir::Value x);

} // namespace torsh::onnx::microsoft

#endif // TORSH_FRONTENDS_ONNX_OPS_MICROSOFT_QUANTIZEDTENSOR_H
