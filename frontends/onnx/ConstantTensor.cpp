//===-- ConstantTensor.cpp - Element types and constants of ONNX tensors
//------------------------------------===//
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/reader/DataType.h"

using namespace mlir;

namespace torsh::onnx {

Type elementTypeOf(MLIRContext *context, int32_t dataType) {
  auto integer = [&](unsigned width, bool isUnsigned) -> Type {
    return IntegerType::get(context, width, isUnsigned ? IntegerType::Unsigned : IntegerType::Signless);
  };
  switch (static_cast<DataType>(dataType)) {
  case DataType::Float:
    return Float32Type::get(context);
  case DataType::Double:
    return Float64Type::get(context);
  case DataType::Float16:
    return Float16Type::get(context);
  case DataType::BFloat16:
    return BFloat16Type::get(context);
  case DataType::Float8E4M3FN:
    return Float8E4M3FNType::get(context);
  case DataType::Float8E4M3FNUZ:
    return Float8E4M3FNUZType::get(context);
  case DataType::Float8E5M2:
    return Float8E5M2Type::get(context);
  case DataType::Float8E5M2FNUZ:
    return Float8E5M2FNUZType::get(context);
  case DataType::Float8E8M0:
    return Float8E8M0FNUType::get(context);
  case DataType::Float6E2M3:
    return Float6E2M3FNType::get(context);
  case DataType::Float6E3M2:
    return Float6E3M2FNType::get(context);
  case DataType::Float4E2M1:
    return Float4E2M1FNType::get(context);
  case DataType::Bool:
    return integer(1, false);
  case DataType::Int2:
    return integer(2, false);
  case DataType::Int4:
    return integer(4, false);
  case DataType::Int8:
    return integer(8, false);
  case DataType::Int16:
    return integer(16, false);
  case DataType::Int32:
    return integer(32, false);
  case DataType::Int64:
    return integer(64, false);
  case DataType::UInt2:
    return integer(2, true);
  case DataType::UInt4:
    return integer(4, true);
  case DataType::UInt8:
    return integer(8, true);
  case DataType::UInt16:
    return integer(16, true);
  case DataType::UInt32:
    return integer(32, true);
  case DataType::UInt64:
    return integer(64, true);
  default:
    return nullptr;
  }
}

std::string dataTypeName(int32_t dataType) {
  if (const DataTypeInfo *info = dataTypeInfo(dataType))
    return info->name.str();
  return "type " + std::to_string(dataType);
}

} // namespace torsh::onnx
