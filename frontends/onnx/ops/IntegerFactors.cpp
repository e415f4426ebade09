//===-- IntegerFactors.cpp - Constant 8-bit factors as floats
//-----------------------------------------------===//
#include "frontends/onnx/ops/IntegerFactors.h"
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace torsh::onnx {

std::optional<std::vector<char>> constantBytes(NodeImport &n, size_t input) {
  auto constant = n.operand(input).getDefiningOp<ConstantOp>();
  if (!constant)
    return std::nullopt;
  if (auto weight = dyn_cast<WeightAttr>(constant.getValue())) {
    auto bytes = n.graph.weights().lookup(weight.getKey().getValue());
    if (!bytes || !weight.getSteps().empty())
      return std::nullopt;
    return std::vector<char>(bytes->begin(), bytes->end());
  }
  std::optional<torsh::Tensor> tensor = fromConstantAttr(constant.getValue(), n.graph.weights());
  return tensor ? std::optional(tensor->toBytes()) : std::nullopt;
}

Value constantFactor(NodeImport &n, size_t input, size_t zero, int64_t axis, ArrayRef<int64_t> contracted,
                     double limit) {
  RankedTensorType type = n.typeOf(input);
  mlir::Type element = type.getElementType();
  if (!type.hasStaticShape() || !element.isInteger(8) || type.getNumElements() == 0)
    return {};
  std::optional<std::vector<char>> bytes = constantBytes(n, input), zeros;
  if (n.hasInput(zero))
    zeros = constantBytes(n, zero);
  if (!bytes || (n.hasInput(zero) && !zeros))
    return {};
  ArrayRef<int64_t> shape = type.getShape();
  bool alongAxis = zeros && zeros->size() != 1;
  if (alongAxis && (axis < 0 || axis >= type.getRank() || int64_t(zeros->size()) != shape[axis]))
    return {};
  bool isUnsigned = element.isUnsignedInteger();
  auto number = [&](char byte) { return isUnsigned ? int32_t(uint8_t(byte)) : int32_t(int8_t(byte)); };

  // Each element belongs to the sum that the dims which are not contracted name.
  SmallVector<int64_t> strides(shape.size(), 0), place(shape.size(), 0);
  int64_t sums = 1;
  for (int64_t d = int64_t(shape.size()) - 1; d >= 0; --d) {
    if (llvm::is_contained(contracted, d))
      continue;
    strides[d] = sums;
    sums *= shape[d];
  }
  std::vector<int64_t> magnitudes(sums, 0);
  auto numbers = std::make_shared<std::vector<float>>(bytes->size());
  int64_t sum = 0;
  for (size_t i = 0; i < bytes->size(); ++i) {
    int32_t point = zeros ? number((*zeros)[alongAxis ? place[axis] : 0]) : 0;
    int32_t value = number((*bytes)[i]) - point;
    (*numbers)[i] = value;
    magnitudes[sum] += std::abs(value);
    for (int64_t d = int64_t(shape.size()) - 1; d >= 0; --d) {
      sum += strides[d];
      if (++place[d] < shape[d])
        break;
      sum -= strides[d] * shape[d];
      place[d] = 0;
    }
  }
  if (llvm::any_of(magnitudes, [&](int64_t magnitude) { return 255.0 * magnitude >= limit; }))
    return {};
  auto wide = RankedTensorType::get(shape, n.builder.getF32Type());
  ArrayRef<char> stored(reinterpret_cast<const char *>(numbers->data()), numbers->size() * sizeof(float));
  if (int64_t(stored.size()) <= maxDenseBytes)
    return n.graph.constant(DenseElementsAttr::get(wide, ArrayRef<float>(*numbers)), wide, n.loc);
  std::string key = n.graph.weights().add(stored, numbers);
  return n.graph.constant(WeightAttr::get(n.context(), n.builder.getStringAttr(key), wide, {}), wide, n.loc);
}

} // namespace torsh::onnx
