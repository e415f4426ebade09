//===-- ConstantCast.cpp - Folder of cast ---------------------------------------------------------------===//
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"
#include "llvm/ADT/APSInt.h"

using namespace mlir;

namespace torsh {

/// One element as an attribute of the target type, by the rules of the cast op. Null for 8-bit floats, whose
/// saturation the lowering owns.
static Attribute castElement(Attribute value, Type to) {
  auto floatValue = dyn_cast<FloatAttr>(value);
  auto integerValue = dyn_cast<IntegerAttr>(value);
  if (auto toFloat = dyn_cast<FloatType>(to)) {
    if (toFloat.getWidth() <= 8)
      return {};
    APFloat result(toFloat.getFloatSemantics());
    if (floatValue) {
      result = floatValue.getValue();
      bool lossy = false;
      result.convert(toFloat.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lossy);
    } else {
      bool isSigned = !integerValue.getType().isUnsignedInteger() && !integerValue.getType().isInteger(1);
      result.convertFromAPInt(integerValue.getValue(), isSigned, APFloat::rmNearestTiesToEven);
    }
    return FloatAttr::get(toFloat, result);
  }
  auto toInteger = cast<IntegerType>(to);
  if (toInteger.getWidth() == 1) {
    bool isTrue = floatValue ? !floatValue.getValue().isZero() : !integerValue.getValue().isZero();
    return IntegerAttr::get(toInteger, APInt(1, isTrue));
  }
  if (floatValue) {
    // convertToInteger truncates, saturates and maps NaN to 0, as the op demands.
    APSInt result(toInteger.getWidth(), toInteger.isUnsigned());
    bool exact = false;
    floatValue.getValue().convertToInteger(result, APFloat::rmTowardZero, &exact);
    return IntegerAttr::get(toInteger, static_cast<const APInt &>(result));
  }
  bool isSigned = !integerValue.getType().isUnsignedInteger() && !integerValue.getType().isInteger(1);
  APInt wide = integerValue.getValue();
  return IntegerAttr::get(toInteger, isSigned ? wide.sextOrTrunc(toInteger.getWidth())
                                              : wide.zextOrTrunc(toInteger.getWidth()));
}

OpFoldResult CastOp::fold(FoldAdaptor adaptor) {
  RankedTensorType type = getY().getType();
  // cast(x) to its own type -> x
  if (getX().getType() == type)
    return getX();
  // A recipe takes the cast as a step; 8-bit floats depend on `saturate`, which a step cannot say.
  bool toNarrowFloat = isa<FloatType>(type.getElementType()) && type.getElementTypeBitWidth() <= 8;
  if (auto weight = dyn_cast_or_null<WeightAttr>(adaptor.getX()); weight && !toNarrowFloat)
    return weight.append(WeightStepAttr::get(getContext(), StringAttr::get(getContext(), "cast"), {},
                                             StringAttr::get(getContext(), ""), type));
  auto dense = dyn_cast_or_null<DenseElementsAttr>(adaptor.getX());
  if (!dense || !type.hasStaticShape())
    return {};
  SmallVector<Attribute> elements;
  if (dense.isSplat())
    elements.push_back(castElement(dense.getSplatValue<Attribute>(), type.getElementType()));
  else
    for (Attribute element : dense.getValues<Attribute>())
      elements.push_back(castElement(element, type.getElementType()));
  if (llvm::is_contained(elements, Attribute()))
    return {};
  auto result = DenseElementsAttr::get(type, elements);
  // A wider element type can push a constant over the limit of dense values.
  if (!result.isSplat() && result.getRawData().size() > 1024)
    return {};
  return result;
}

} // namespace torsh
