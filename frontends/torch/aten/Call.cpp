//===-- Call.cpp - What the import function of an ATen operator sees ----------------------------------------===//
#include "frontends/torch/aten/Call.h"

using namespace mlir;

namespace torsh::torch {

//===-- Arguments --------------------------------------------------------------------------------------------===//

const Val &Call::value(StringRef name) const {
  static const Val none;
  for (size_t i = 0; i < schema.parameters.size(); ++i)
    if (schema.parameters[i].name == name)
      return arguments[i];
  return none;
}

Value Call::tensor(StringRef name) {
  const Val &found = value(name);
  if (found.isTensor() || found.isDynamic())
    return b.read(found);
  (void)fail("the argument '" + name + "' must be a tensor, not " + kindName(found));
  return b.scalar(b.builder.getF32Type(), 0);
}

Value Call::optionalTensor(StringRef name) { return has(name) ? tensor(name) : Value(); }

SmallVector<Value> Call::tensors(StringRef name) {
  SmallVector<Value> result;
  const Val &found = value(name);
  if (!found.isSequence()) {
    (void)fail("the argument '" + name + "' must be a list of tensors");
    return result;
  }
  for (const Val &item : found.items()) {
    if (item.isTensor())
      result.push_back(b.read(item));
    else
      (void)fail("the list '" + name + "' holds " + kindName(item) + " where a tensor is needed");
  }
  return result;
}

DimAttr Call::dim(StringRef name) {
  const Val &found = value(name);
  if (found.isKnownInt())
    return b.dims.canonical(found.asDim());
  if (found.kind() == Val::Kind::Bool && !found.isDynamic())
    return b.dim(found.asBool());
  if (found.isTensor() && found.asCell()->known)
    return b.dims.canonical(found.asCell()->known);
  (void)fail("the argument '" + name + "' must be known at compile time, and it depends on data");
  return b.dim(0);
}

int64_t Call::integer(StringRef name) {
  DimAttr size = dim(name);
  if (std::optional<int64_t> known = dim::asConstant(size))
    return *known;
  (void)fail("the argument '" + name + "' is " + dim::toString(size) +
             " and must be a constant; fix the sizes in it with --dim");
  return 0;
}

double Call::number(StringRef name) {
  if (std::optional<double> known = value(name).knownDouble())
    return *known;
  if (value(name).kind() == Val::Kind::Float) {
    (void)fail("the argument '" + name + "' must be known at compile time, and it depends on data");
    return 0;
  }
  return double(integer(name));
}

bool Call::flag(StringRef name) {
  const Val &found = value(name);
  if (found.isNone())
    return false;
  if (std::optional<int64_t> known = found.knownInt())
    return *known != 0;
  (void)fail("the argument '" + name + "' must be known at compile time");
  return false;
}

StringRef Call::text(StringRef name) {
  const Val &found = value(name);
  return found.kind() == Val::Kind::String ? StringRef(found.asString()) : StringRef();
}

SmallVector<DimAttr> Call::dims(StringRef name) {
  const Val &found = value(name);
  if (found.isNone())
    return {};
  SmallVector<DimAttr> result;
  if (!found.isSequence()) {
    result.push_back(dim(name));
    return result;
  }
  for (const Val &item : found.items()) {
    if (item.isKnownInt())
      result.push_back(b.dims.canonical(item.asDim()));
    else if (item.isTensor() && item.asCell()->known)
      result.push_back(b.dims.canonical(item.asCell()->known));
    else {
      (void)fail("an entry of the argument '" + name +
                 "' must be known at compile time, and it depends on data");
      result.push_back(b.dim(0));
    }
  }
  return result;
}

SmallVector<int64_t> Call::ints(StringRef name, size_t count) {
  SmallVector<int64_t> result;
  for (DimAttr size : dims(name)) {
    std::optional<int64_t> known = dim::asConstant(size);
    if (!known)
      (void)fail("an entry of the argument '" + name + "' is " + dim::toString(size) +
                 " and must be a constant; fix the sizes in it with --dim");
    result.push_back(known.value_or(0));
  }
  if (result.size() == 1 && count > 1)
    result.resize(count, result[0]);
  if (count && result.size() != count) {
    (void)fail("the argument '" + name + "' has " + Twine(result.size()) + " entries, and " + Twine(count) +
               " are needed");
    result.resize(count);
  }
  return result;
}

SmallVector<int64_t> Call::axes(StringRef name, int64_t rank) {
  SmallVector<int64_t> result;
  for (int64_t value : ints(name))
    if (int64_t axis = b.axis(value, rank); axis < rank)
      result.push_back(axis);
  if (result.empty())
    for (int64_t i = 0; i < rank; ++i)
      result.push_back(i);
  llvm::sort(result);
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

Type Call::elementType(StringRef name) {
  if (!has(name))
    return {};
  int64_t number = integer(name);
  if (Type type = elementTypeOf(b.context(), number))
    return type;
  (void)fail("the element type " + Twine(number) + " of PyTorch is not supported");
  return b.builder.getF32Type();
}

Value Call::operand(StringRef name) { return asTensor(b, value(name)); }

//===-- Ends -------------------------------------------------------------------------------------------------===//

LogicalResult Call::give(Value value) { return give(b.tensor(value)); }

LogicalResult Call::give(Val value) {
  result = std::move(value);
  return failure(b.hasFailed());
}

LogicalResult Call::giveAll(ArrayRef<Value> values) {
  std::vector<Val> items;
  for (Value value : values)
    items.push_back(b.tensor(value));
  return give(Val::tuple(std::move(items)));
}

} // namespace torsh::torch
