//===-- TypeChecks.cpp - When two symbolic types can be one ---------------------------------------------===//
#include "dialects/torsh/TypeChecks.h"
#include "dialects/torsh/Dim.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;

namespace torsh {

bool dimsMayBeEqual(DimAttr a, DimAttr b) {
  if (a == b)
    return true;
  // The difference decides also where the dims themselves are symbolic: n + 1 and n are never equal. The
  // symbol `?` of text written by hand stands for any size, so nothing follows from it.
  std::optional<int64_t> difference = dim::asConstant(dim::sub(a, b));
  if (!difference || *difference == 0)
    return true;
  SmallVector<StringRef> symbols;
  dim::collectSymbols(a, symbols);
  return llvm::is_contained(symbols, "?");
}

bool shapesMayBeEqual(ArrayRef<DimAttr> a, ArrayRef<DimAttr> b) {
  return a.size() == b.size() && llvm::all_of(llvm::zip(a, b), [](auto pair) {
           return dimsMayBeEqual(std::get<0>(pair), std::get<1>(pair));
         });
}

bool typesMayBeEqual(Type a, Type b) {
  if (a == b)
    return true;
  auto tensorA = dyn_cast<RankedTensorType>(a), tensorB = dyn_cast<RankedTensorType>(b);
  return tensorA && tensorB && tensorA.getElementType() == tensorB.getElementType() &&
         shapesMayBeEqual(getDims(tensorA), getDims(tensorB));
}

bool typesMayBeEqual(TypeRange a, TypeRange b) {
  return a.size() == b.size() && llvm::all_of(llvm::zip(a, b), [](auto pair) {
           return typesMayBeEqual(Type(std::get<0>(pair)), Type(std::get<1>(pair)));
         });
}

LogicalResult addInferredTensor(std::optional<Location> location, StringRef label, ArrayRef<DimAttr> dims,
                                Type elementType, SmallVectorImpl<Type> &types) {
  for (auto [index, value] : llvm::enumerate(dims)) {
    std::optional<int64_t> constant = dim::asConstant(value);
    if (constant && *constant < 0)
      return emitOptionalError(location, label, ": dim ", index, " of the result would be ", *constant);
  }
  types.push_back(makeTensorType(dims, elementType));
  return success();
}

void addStandInTypes(MLIRContext *context, ValueRange operands, unsigned count,
                     SmallVectorImpl<Type> &types) {
  Type type =
      operands.empty() ? Type(RankedTensorType::get({}, Float32Type::get(context))) : operands[0].getType();
  types.assign(count, type);
}

LogicalResult checkResultTypes(std::optional<Location> location, StringRef opName, TypeRange inferred,
                               TypeRange given) {
  if (typesMayBeEqual(inferred, given))
    return success();
  return emitOptionalError(location, "'", opName, "' op inferred type(s) ", inferred,
                           " are incompatible with return type(s) of operation ", given);
}

/// Text can hold any list as an encoding; everything that reads dims relies on one entry a dim.
LogicalResult DimsAttr::verifyEncoding(ArrayRef<int64_t> shape, Type,
                                       function_ref<InFlightDiagnostic()> emitError) const {
  if (size() != shape.size())
    return emitError() << "the encoding has " << size() << " dims, the tensor has rank " << shape.size();
  bool symbolic = false;
  for (auto [index, value] : llvm::enumerate(shape)) {
    std::optional<int64_t> constant = dim::asConstant((*this)[index]);
    symbolic |= ShapedType::isDynamic(value);
    bool fits = ShapedType::isDynamic(value) ? !constant || *constant < 0 : constant == value;
    if (!fits)
      return emitError()
             << "dim " << index << " is " << dim::toString((*this)[index])
             << " in the encoding and another in the shape (`?` stands exactly for what is no number)";
  }
  if (!symbolic)
    return emitError() << "a tensor of static shape has no encoding";
  return success();
}

} // namespace torsh
