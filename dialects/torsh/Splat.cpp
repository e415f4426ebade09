//===-- Splat.cpp - Tensors of one repeated number ------------------------------------------------------===//
#include "dialects/torsh/Splat.h"
#include "dialects/torsh/Dim.h"
#include "llvm/ADT/APSInt.h"

using namespace mlir;

namespace torsh {

DenseElementsAttr getSplatAttr(RankedTensorType type, double number) {
  Type element = type.getElementType();
  if (auto floatType = dyn_cast<FloatType>(element)) {
    APFloat value(number);
    bool lossy = false;
    value.convert(floatType.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lossy);
    return DenseElementsAttr::get(type, value);
  }
  auto integer = cast<IntegerType>(element);
  // A signed i1 would hold 0 and -1.
  APSInt value(integer.getWidth(), integer.isUnsigned() || integer.getWidth() == 1);
  bool exact = false;
  APFloat(number).convertToInteger(value, APFloat::rmTowardZero, &exact);
  return DenseElementsAttr::get(type, static_cast<const APInt &>(value));
}

Value createSplat(OpBuilder &builder, Location location, RankedTensorType type, double number) {
  if (type.hasStaticShape())
    return ConstantOp::create(builder, location, type, getSplatAttr(type, number));
  auto scalar = RankedTensorType::get({}, type.getElementType());
  Value constant = ConstantOp::create(builder, location, scalar, getSplatAttr(scalar, number));
  return BroadcastOp::create(builder, location, type, constant, ArrayRef<int64_t>());
}

DenseElementsAttr resizeSplat(DenseElementsAttr attribute, RankedTensorType type) {
  return DenseElementsAttr::get(type, attribute.getSplatValue<Attribute>());
}

std::optional<double> getSplatNumber(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<BroadcastOp, ReshapeOp, TransposeOp>(op))
      break;
    value = op->getOperand(0);
  }
  auto constant = value.getDefiningOp<ConstantOp>();
  auto dense = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : DenseElementsAttr();
  if (!dense || !dense.isSplat())
    return std::nullopt;
  if (isa<FloatType>(dense.getElementType())) {
    APFloat number = dense.getSplatValue<APFloat>();
    bool lossy = false;
    number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lossy);
    return number.convertToDouble();
  }
  APInt number = dense.getSplatValue<APInt>();
  bool isUnsigned = dense.getElementType().isUnsignedInteger() || dense.getElementType().isInteger(1);
  if (isUnsigned ? number.getActiveBits() > 53 : number.getSignificantBits() > 53)
    return std::nullopt;
  return isUnsigned ? static_cast<double>(number.getZExtValue()) : static_cast<double>(number.getSExtValue());
}

} // namespace torsh
