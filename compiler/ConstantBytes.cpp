//===-- ConstantBytes.cpp - The bytes of a constant in memory ------------------------------------------------===//
#include "compiler/ConstantBytes.h"
#include "compiler/WeightRecipe.h"

using namespace llvm;

namespace torsh {

std::vector<char> getDenseBytes(mlir::DenseElementsAttr dense) {
  auto type = mlir::cast<mlir::RankedTensorType>(dense.getType());
  size_t width = std::max<size_t>(1, type.getElementTypeBitWidth() / 8), count = type.getNumElements();
  std::vector<char> bytes(width * count);
  if (type.getElementType().isInteger(1)) {
    for (auto [index, bit] : enumerate(dense.getValues<bool>()))
      bytes[index] = bit;
    return bytes;
  }
  ArrayRef<char> raw = dense.getRawData();
  for (size_t i = 0; i < count; ++i)
    std::copy_n(raw.data() + (dense.isSplat() ? 0 : i * width), width, bytes.data() + i * width);
  return bytes;
}

Expected<std::vector<char>> getConstantBytes(mlir::Attribute value, const WeightStore &store) {
  if (auto dense = mlir::dyn_cast<mlir::DenseElementsAttr>(value))
    return getDenseBytes(dense);
  return evaluateWeightBytes(mlir::cast<WeightAttr>(value), store);
}

} // namespace torsh
