//===-- Call.cpp - What the evaluation of one op sees
//-------------------------------------------------------===//
#include "dialects/torsh/reference/Call.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace mlir;

namespace torsh::reference {

Error makeError(Code code, const Twine &message) {
  // Four digits, as the codes of all parts have.
  return createStringError("TSH-" + utostr(10000 + unsigned(code)).substr(1) + ": " + message.str());
}

std::optional<int64_t> boundedNumElements(ArrayRef<int64_t> shape, int64_t maxElements) {
  int64_t bound = 1;
  bool empty = false;
  for (int64_t size : shape) {
    if (size < 0)
      return std::nullopt;
    if (size == 0) {
      empty = true;
      continue;
    }
    if (MulOverflow(bound, size, bound) || bound > maxElements)
      return std::nullopt;
  }
  return empty ? 0 : bound;
}

std::string describe(ArrayRef<int64_t> shape, Type elementType) {
  std::string text;
  raw_string_ostream os(text);
  for (int64_t size : shape)
    os << size << 'x';
  os << elementType;
  return text;
}

Results single(Expected<Tensor> tensor) {
  if (!tensor)
    return tensor.takeError();
  SmallVector<Tensor> results;
  results.push_back(std::move(*tensor));
  return results;
}

const Tensor *Call::find(Value operand) const {
  for (auto [index, value] : enumerate(op->getOperands()))
    if (operand && value == operand)
      return operands[index];
  return nullptr;
}

Error Call::error(Code code, const Twine &message) const {
  std::string location;
  raw_string_ostream(location) << op->getLoc();
  return makeError(code, op->getName().getStringRef() + " at " + location + ": " + message);
}

Expected<Tensor> Call::allocate(Type elementType, ArrayRef<int64_t> shape) const {
  if (!boundedNumElements(shape, limits.maxElements))
    return error(Code::TensorTooLarge, "a tensor of " + describe(shape, elementType) +
                                           " has a negative size or more than " + Twine(limits.maxElements) +
                                           " elements; compile the graph instead of evaluating it");
  return Tensor::zeros(elementType, shape);
}

Expected<Tensor> Call::allocateResult(unsigned index) const {
  auto type = cast<RankedTensorType>(op->getResult(index).getType());
  Expected<SmallVector<int64_t>> shape = valuesOf(getDims(type));
  if (!shape)
    return shape.takeError();
  return allocate(type.getElementType(), *shape);
}

Expected<int64_t> Call::valueOf(DimAttr dim) const {
  if (std::optional<int64_t> value = dim::evaluate(dim, symbols))
    return *value;
  return error(Code::UnknownSymbol, "the dim " + dim::toString(dim) +
                                        " has no value here; name its symbols in the type of an input");
}

Expected<SmallVector<int64_t>> Call::valuesOf(ArrayRef<DimAttr> dims) const {
  SmallVector<int64_t> values;
  for (DimAttr dim : dims) {
    Expected<int64_t> value = valueOf(dim);
    if (!value)
      return value.takeError();
    values.push_back(*value);
  }
  return values;
}

Type Call::resultElementType(unsigned index) const {
  return cast<RankedTensorType>(op->getResult(index).getType()).getElementType();
}

Error Call::checkAxis(const Tensor &x, int64_t axis) const {
  if (axis >= 0 && axis < x.rank())
    return Error::success();
  return misfit("the axis " + Twine(axis) + " is not a dim of an operand of rank " + Twine(x.rank()));
}

Error Call::checkShape(StringRef name, const Tensor &x, ArrayRef<int64_t> shape) const {
  if (ArrayRef<int64_t>(x.shape) == shape)
    return Error::success();
  return misfit(name + " is " + describe(x.shape, x.elementType) + " and must be " +
                describe(shape, x.elementType));
}

const HandlerTable::Handler *HandlerTable::lookup(Operation *op) const {
  auto it = handlers.find(op->getName().getTypeID());
  return it == handlers.end() ? nullptr : &it->second;
}

} // namespace torsh::reference
