//===-- ConstantBytes.cpp - The bytes of a constant in memory ------------------------------------------------===//
#include "compiler/ConstantBytes.h"
#include "compiler/WeightRecipe.h"

using namespace llvm;

namespace torsh {

std::vector<char> getDenseBytes(mlir::DenseElementsAttr dense) {
  auto type = mlir::cast<mlir::RankedTensorType>(dense.getType());
  unsigned bits = type.getElementTypeBitWidth();
  size_t width = std::max(1u, bits / 8), count = type.getNumElements();
  std::vector<char> bytes(width * count);
  if (mlir::isa<mlir::FloatType>(type.getElementType()) && bits < 8) {
    for (auto [index, value] : enumerate(dense.getValues<APFloat>()))
      bytes[index] = char(value.bitcastToAPInt().getZExtValue());
    return bytes;
  }
  if (bits < 8) {
    for (auto [index, value] : enumerate(dense.getValues<APInt>()))
      bytes[index] = char(value.getZExtValue());
    return bytes;
  }
  ArrayRef<char> raw = dense.getRawData();
  for (size_t i = 0; i < count; ++i)
    std::copy_n(raw.data() + (dense.isSplat() ? 0 : i * width), width, bytes.data() + i * width);
  return bytes;
}

std::vector<char> unpackElements(ArrayRef<char> packed, unsigned bits, int64_t count) {
  std::vector<char> elements(count);
  for (int64_t i = 0; i < count; ++i) {
    int64_t first = i * bits / 8, last = (i * bits + bits - 1) / 8;
    unsigned pair = uint8_t(packed[first]) | uint8_t(packed[last]) << 8;
    elements[i] = char((pair >> (i * bits % 8)) & ((1u << bits) - 1));
  }
  return elements;
}

Expected<std::vector<char>> getConstantBytes(mlir::Attribute value, const WeightStore &store) {
  if (auto dense = mlir::dyn_cast<mlir::DenseElementsAttr>(value))
    return getDenseBytes(dense);
  return evaluateWeightBytes(mlir::cast<WeightAttr>(value), store);
}

} // namespace torsh
