//===-- Value.cpp - What a TorchScript expression stands for at import --------------------------------------===//
#include "frontends/torch/aten/Value.h"

using namespace llvm;

namespace torsh::torch {

Val *Object::find(StringRef name) {
  for (auto &[key, value] : attributes)
    if (key == name)
      return &value;
  return nullptr;
}

void Object::set(StringRef name, Val value) {
  if (Val *found = find(name))
    *found = std::move(value);
  else
    attributes.emplace_back(name.str(), std::move(value));
}

Val Val::boolean(bool value) {
  Val result;
  result.tag = Kind::Bool;
  result.flag = value;
  return result;
}

Val Val::integer(DimAttr value) {
  Val result;
  result.tag = Kind::Int;
  result.dim = value;
  return result;
}

Val Val::number(double value) {
  Val result;
  result.tag = Kind::Float;
  result.real = value;
  return result;
}

Val Val::string(std::string text) {
  Val result;
  result.tag = Kind::String;
  result.payload = std::make_shared<std::string>(std::move(text));
  return result;
}

Val Val::device(std::string text) {
  Val result = string(std::move(text));
  result.tag = Kind::Device;
  return result;
}

Val Val::tensor(TensorRef cell) {
  Val result;
  result.tag = Kind::Tensor;
  result.payload = std::move(cell);
  return result;
}

Val Val::dynamic(Kind kind, TensorRef cell) {
  Val result = tensor(std::move(cell));
  result.tag = kind;
  return result;
}

Val Val::list(std::vector<Val> items) {
  Val result;
  result.tag = Kind::List;
  result.payload = std::make_shared<Sequence>(Sequence{std::move(items), {}, 0});
  return result;
}

Val Val::tuple(std::vector<Val> items, std::vector<std::string> names) {
  Val result;
  result.tag = Kind::Tuple;
  result.payload = std::make_shared<Sequence>(Sequence{std::move(items), std::move(names), 0});
  return result;
}

Val Val::dict(std::shared_ptr<Dict> dict) {
  Val result;
  result.tag = Kind::Dict;
  result.payload = std::move(dict);
  return result;
}

Val Val::object(std::shared_ptr<Object> object) {
  Val result;
  result.tag = Kind::Object;
  result.payload = std::move(object);
  return result;
}

Val Val::function(FunctionRef function) {
  Val result;
  result.tag = Kind::Function;
  result.payload = std::make_shared<FunctionRef>(std::move(function));
  return result;
}

Val Val::uninitialized() {
  Val result;
  result.tag = Kind::Uninitialized;
  return result;
}

bool Val::isSame(const Val &other) const {
  if (tag != other.tag)
    return false;
  if (tag == Kind::String || tag == Kind::Device)
    return asString() == other.asString();
  return payload == other.payload && flag == other.flag && dim == other.dim && real == other.real;
}

std::optional<double> Val::knownDouble() const {
  if (payload)
    return std::nullopt;
  if (tag == Kind::Float)
    return real;
  if (std::optional<int64_t> value = knownInt())
    return double(*value);
  return std::nullopt;
}

std::optional<int64_t> Val::knownInt() const {
  if (payload)
    return std::nullopt;
  if (tag == Kind::Bool)
    return flag;
  if (tag == Kind::Int)
    return dim::asConstant(dim);
  return std::nullopt;
}

StringRef kindName(const Val &value) {
  static const StringRef names[] = {"None",
                                    "bool",
                                    "int",
                                    "float",
                                    "str",
                                    "Device",
                                    "Tensor",
                                    "List",
                                    "Tuple",
                                    "Dict",
                                    "an object",
                                    "a function",
                                    "an uninitialized value"};
  return names[static_cast<unsigned>(value.kind())];
}

} // namespace torsh::torch
