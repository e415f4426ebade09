//===-- ConstantTensor.h - Element types and constants of ONNX tensors
//--------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_CONSTANTTENSOR_H
#define TORSH_FRONTENDS_ONNX_CONSTANTTENSOR_H

#include "dialects/torsh/Torsh.h"
#include "dialects/torsh/reference/Evaluator.h"

namespace torsh::onnx {

/// The MLIR type of a TensorProto.DataType; null for types without one here (strings, complex numbers, ...).
mlir::Type elementTypeOf(mlir::MLIRContext *context, int32_t dataType);
/// "float16", or "type 99": for messages.
std::string dataTypeName(int32_t dataType);

/// Constants of at most this many bytes stay dense in the IR.
constexpr int64_t maxDenseBytes = 1024;
/// Constants of at most this many elements are evaluated at import.
constexpr int64_t maxFoldedElements = 64 * 1024;

/// A dense attribute.
mlir::DenseElementsAttr toDense(const torsh::Tensor &tensor);
/// The attribute of a constant: dense when small or all elements are equal, else a weight in the store.
mlir::Attribute toConstantAttr(const torsh::Tensor &tensor, WeightStore &store);
/// The elements behind the attribute of a torsh.constant; none when there are more than `maxFoldedElements`,
/// or the bytes are not at hand.
std::optional<torsh::Tensor> fromConstantAttr(mlir::Attribute value, const WeightStore &store);

/// Bytes of a tensor of `elements` elements as the weight store holds it.
uint64_t storedBytes(mlir::Type elementType, uint64_t elements);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_CONSTANTTENSOR_H
