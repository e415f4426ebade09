//===-- ConstantTensor.cpp - Element types and constants of ONNX tensors
//------------------------------------===//
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/reader/DataType.h"
#include "llvm/Support/MathExtras.h"

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
  case DataType::Float8E5M2:
    return Float8E5M2Type::get(context);
  case DataType::Bool:
    return integer(1, false);
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

uint64_t storedBytes(Type elementType, uint64_t elements) {
  unsigned bits = elementType.getIntOrFloatBitWidth();
  return bits == 1 ? elements : llvm::divideCeil(elements * bits, 8);
}

DenseElementsAttr toDense(const torsh::Tensor &tensor) {
  auto type = RankedTensorType::get(tensor.shape, tensor.elementType);
  if (tensor.isFloat()) {
    auto floatType = cast<FloatType>(tensor.elementType);
    SmallVector<APFloat> values;
    values.reserve(tensor.floats.size());
    for (double value : tensor.floats) {
      APFloat converted(value);
      bool inexact;
      converted.convert(floatType.getFloatSemantics(), APFloat::rmNearestTiesToEven, &inexact);
      values.push_back(converted);
    }
    return DenseElementsAttr::get(type, values);
  }
  unsigned width = tensor.elementType.getIntOrFloatBitWidth();
  SmallVector<APInt> values;
  values.reserve(tensor.ints.size());
  for (int64_t value : tensor.ints)
    values.push_back(APInt(64, uint64_t(value)).trunc(width));
  return DenseElementsAttr::get(type, values);
}

/// One element that stands for all, or none.
static std::optional<torsh::Tensor> splatOf(const torsh::Tensor &tensor) {
  if (tensor.numElements() < 2)
    return std::nullopt;
  torsh::Tensor one;
  one.elementType = tensor.elementType;
  if (tensor.isFloat()) {
    // -0 and 0 compare equal but are not the same constant; NaN is never a splat, which costs nothing.
    double first = tensor.floats.front();
    if (!llvm::all_of(tensor.floats,
                      [&](double v) { return v == first && std::signbit(v) == std::signbit(first); }))
      return std::nullopt;
    one.floats = {first};
  } else {
    if (!llvm::all_equal(tensor.ints))
      return std::nullopt;
    one.ints = {tensor.ints.front()};
  }
  return one;
}

Attribute toConstantAttr(const torsh::Tensor &tensor, WeightStore &store) {
  auto type = RankedTensorType::get(tensor.shape, tensor.elementType);
  if (storedBytes(tensor.elementType, tensor.numElements()) <= uint64_t(maxDenseBytes))
    return toDense(tensor);
  if (std::optional<torsh::Tensor> one = splatOf(tensor))
    return toDense(*one).resizeSplat(type);
  std::vector<char> bytes = tensor.toBytes();
  std::string key = store.addCopy(bytes);
  return WeightAttr::get(type.getContext(), StringAttr::get(type.getContext(), key), type, {});
}

std::optional<torsh::Tensor> fromConstantAttr(Attribute value, const WeightStore &store) {
  if (auto weight = dyn_cast<WeightAttr>(value)) {
    if (weight.getResultType().getNumElements() > maxFoldedElements ||
        weight.getSourceType().getNumElements() > maxFoldedElements)
      return std::nullopt;
    llvm::Expected<torsh::Tensor> tensor = evaluateWeight(weight, store);
    if (!tensor) {
      llvm::consumeError(tensor.takeError());
      return std::nullopt;
    }
    return std::move(*tensor);
  }
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense || dense.getNumElements() > maxFoldedElements)
    return std::nullopt;
  torsh::Tensor tensor;
  tensor.elementType = dense.getElementType();
  tensor.shape.assign(dense.getType().getShape().begin(), dense.getType().getShape().end());
  if (tensor.isFloat()) {
    for (APFloat element : dense.getValues<APFloat>()) {
      bool inexact;
      element.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &inexact);
      tensor.floats.push_back(element.convertToDouble());
    }
    return tensor;
  }
  auto integerType = dyn_cast<IntegerType>(tensor.elementType);
  if (!integerType)
    return std::nullopt;
  bool zeroExtend = integerType.isUnsigned() || integerType.getWidth() == 1;
  for (APInt element : dense.getValues<APInt>())
    tensor.ints.push_back(zeroExtend ? int64_t(element.getZExtValue()) : element.getSExtValue());
  return tensor;
}

} // namespace torsh::onnx
