//===-- RunSizes.cpp - Operands whose values are sizes only at run time -------------------------------------===//
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ShapeValues.h"

using namespace mlir;

namespace torsh::onnx {

/// Binds a list to fresh symbols: one for each element, two with signs.
static SmallVector<StringRef> bind(NodeImport &node, Value list, StringRef hint, bool isSigned) {
  auto type = mlir::cast<RankedTensorType>(list.getType());
  SmallVector<StringRef> names;
  for (int64_t i = 0; i < type.getNumElements() * (isSigned ? 2 : 1); ++i)
    names.push_back(*dim::asSymbol(node.freshSymbol(hint)));
  BindSizesOp::create(node.builder, node.loc, list, node.builder.getStrArrayAttr(names),
                      isSigned ? node.builder.getUnitAttr() : UnitAttr());
  return names;
}

SmallVector<DimAttr> NodeImport::bindSizes(Value list, StringRef hint) {
  return llvm::map_to_vector(bind(*this, list, hint, false),
                             [&](StringRef name) { return dim::symbol(context(), name); });
}

SmallVector<DimAttr> NodeImport::bindIntegers(Value list, StringRef hint) {
  SmallVector<StringRef> names = bind(*this, list, hint, true);
  SmallVector<DimAttr> values;
  for (size_t k = 0; k < names.size(); k += 2)
    values.push_back(dim::sub(dim::symbol(context(), names[k]), dim::symbol(context(), names[k + 1])));
  return values;
}

SmallVector<DimAttr> NodeImport::nameSizes(ArrayRef<DimAttr> sizes, StringRef hint) {
  return sizes.empty() ? SmallVector<DimAttr>() : bindSizes(fromDims(sizes), hint);
}

std::optional<SmallVector<DimAttr>> NodeImport::bindOperand(size_t i, bool isSigned) {
  RankedTensorType type = hasInput(i) ? typeOf(i) : RankedTensorType();
  if (!type || type.getRank() > 1 || !type.hasStaticShape() || type.getNumElements() > maxShapeElements ||
      !mlir::isa<IntegerType>(type.getElementType()) || type.getElementType().isInteger(1))
    return std::nullopt;
  if (type.getNumElements() == 0)
    return SmallVector<DimAttr>();
  Value list = operand(i);
  auto &cache = isSigned ? graph.boundIntegers : graph.boundSizes;
  SmallVector<DimAttr> &values = cache[{list, builder.getInsertionBlock()}];
  if (!values.empty())
    return values;
  if (!type.getElementType().isInteger(32) && !type.getElementType().isInteger(64))
    list = cast(list, builder.getI64Type());
  values = isSigned ? bindIntegers(list, "value") : bindSizes(list, "value");
  return values;
}

std::optional<SmallVector<DimAttr>> NodeImport::shapeValue(size_t i) {
  std::optional<SmallVector<DimAttr>> known = knownValue(i);
  return known ? known : bindOperand(i, false);
}

std::optional<SmallVector<DimAttr>> NodeImport::integerValue(size_t i) {
  std::optional<SmallVector<DimAttr>> known = knownValue(i);
  return known ? known : bindOperand(i, true);
}

} // namespace torsh::onnx
