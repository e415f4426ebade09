//===-- ConstantForm.cpp - Constants as dense attributes or weights -------------------------------------===//
#include "dialects/torsh/import/ConstantForm.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace torsh {

uint64_t storedBytes(Type elementType, uint64_t elements) {
  unsigned bits = elementType.getIntOrFloatBitWidth();
  return bits == 1 ? elements : llvm::divideCeil(elements * bits, 8);
}

DenseElementsAttr toDense(const Tensor &tensor) {
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
static std::optional<Tensor> splatOf(const Tensor &tensor) {
  if (tensor.numElements() < 2)
    return std::nullopt;
  Tensor one;
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

Attribute toConstantAttr(const Tensor &tensor, WeightStore &store) {
  auto type = RankedTensorType::get(tensor.shape, tensor.elementType);
  if (storedBytes(tensor.elementType, tensor.numElements()) <= uint64_t(maxDenseBytes))
    return toDense(tensor);
  if (std::optional<Tensor> one = splatOf(tensor))
    return toDense(*one).resizeSplat(type);
  std::vector<char> bytes = tensor.toBytes();
  std::string key = store.addCopy(bytes);
  return WeightAttr::get(type.getContext(), StringAttr::get(type.getContext(), key), type, {});
}

std::optional<Tensor> fromConstantAttr(Attribute value, const WeightStore &store) {
  if (auto weight = dyn_cast<WeightAttr>(value)) {
    if (weight.getResultType().getNumElements() > maxFoldedElements ||
        weight.getSourceType().getNumElements() > maxFoldedElements)
      return std::nullopt;
    llvm::Expected<Tensor> tensor = evaluateWeight(weight, store);
    if (!tensor) {
      llvm::consumeError(tensor.takeError());
      return std::nullopt;
    }
    return std::move(*tensor);
  }
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense || dense.getNumElements() > maxFoldedElements)
    return std::nullopt;
  Tensor tensor;
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

} // namespace torsh
