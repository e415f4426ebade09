//===-- ConstantValues.cpp - Constants as numbers and numbers as constants ----------------------------------===//
#include "passes/graph/ConstantValues.h"
#include <cmath>

using namespace mlir;

namespace torsh {

std::optional<Tensor> getConstantTensor(Value value, int64_t maxElements) {
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant || !constant.getY().getType().hasStaticShape() ||
      constant.getY().getType().getNumElements() > maxElements)
    return std::nullopt;
  // A recipe can start from a larger tensor than it ends with.
  if (auto weight = dyn_cast<WeightAttr>(constant.getValue());
      weight && weight.getSourceType().getNumElements() > 16 * maxElements)
    return std::nullopt;
  auto *dialect = cast<TorshDialect>(constant->getDialect());
  auto tensor = evaluateConstant(constant.getValue(), dialect->getWeightStore());
  if (tensor)
    return std::move(*tensor);
  llvm::consumeError(tensor.takeError());
  return std::nullopt;
}

/// The element as an attribute of a dense constant. Zeros of both signs and all numbers survive.
static Attribute getElement(const Tensor &tensor, int64_t index) {
  if (auto floatType = dyn_cast<FloatType>(tensor.elementType)) {
    llvm::APFloat number(tensor.floats[index]);
    bool lossy = false;
    number.convert(floatType.getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven, &lossy);
    return FloatAttr::get(floatType, number);
  }
  auto integer = cast<IntegerType>(tensor.elementType);
  return IntegerAttr::get(integer,
                          llvm::APInt(64, uint64_t(tensor.ints[index])).zextOrTrunc(integer.getWidth()));
}

static bool isSplat(const Tensor &tensor) {
  // -0 and 0 compare equal but are two numbers.
  auto same = [](double a, double b) { return a == b && std::signbit(a) == std::signbit(b); };
  return llvm::all_of(tensor.floats, [&](double number) { return same(number, tensor.floats.front()); }) &&
         llvm::all_of(tensor.ints, [&](int64_t number) { return number == tensor.ints.front(); });
}

Value createConstant(OpBuilder &builder, Location location, const Tensor &tensor) {
  auto type = RankedTensorType::get(tensor.shape, tensor.elementType);
  int64_t bits = std::max(8u, type.getElementTypeBitWidth());
  if (tensor.numElements() == 0)
    return ConstantOp::create(builder, location, type, DenseElementsAttr::get(type, ArrayRef<Attribute>()));
  if (isSplat(tensor))
    return ConstantOp::create(builder, location, type, DenseElementsAttr::get(type, getElement(tensor, 0)));
  if (tensor.numElements() * bits <= 8 * kMaxDenseBytes) {
    SmallVector<Attribute> elements;
    for (int64_t i = 0; i < tensor.numElements(); ++i)
      elements.push_back(getElement(tensor, i));
    return ConstantOp::create(builder, location, type, DenseElementsAttr::get(type, elements));
  }
  MLIRContext *context = builder.getContext();
  WeightStore &store = context->getLoadedDialect<TorshDialect>()->getWeightStore();
  std::vector<char> bytes = tensor.toBytes();
  auto key = StringAttr::get(context, store.addCopy(bytes));
  return ConstantOp::create(builder, location, type, WeightAttr::get(context, key, type, {}));
}

Tensor makeVector(FloatType elementType, ArrayRef<double> numbers) {
  Tensor tensor = Tensor::zeros(elementType, {int64_t(numbers.size())});
  for (auto [to, from] : llvm::zip_equal(tensor.floats, numbers))
    to = roundTo(elementType, from);
  return tensor;
}

} // namespace torsh
