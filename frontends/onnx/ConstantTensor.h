//===-- ConstantTensor.h - Element types and constants of ONNX tensors
//--------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_CONSTANTTENSOR_H
#define TORSH_FRONTENDS_ONNX_CONSTANTTENSOR_H

#include "dialects/torsh/import/ConstantForm.h"

namespace torsh::onnx {

/// The MLIR type of a TensorProto.DataType; null for types without one here (strings, complex numbers, ...).
mlir::Type elementTypeOf(mlir::MLIRContext *context, int32_t dataType);
/// "float16", or "type 99": for messages.
std::string dataTypeName(int32_t dataType);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_CONSTANTTENSOR_H
