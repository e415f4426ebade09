//===-- Objects.cpp - Values of the archive's pickles -------------------------------------------------------===//
#include "frontends/torch/import/Interpreter.h"
#include "frontends/torch/import/StoredCells.h"
#include "frontends/torch/reader/ReaderError.h"

using namespace mlir;

namespace torsh::torch {

/// How deep values may be nested in each other.
static constexpr unsigned maxDepth = 200;

FailureOr<Val> Interpreter::loadRoot() { return load(archive->object(), false, "", 0); }

FailureOr<Val> Interpreter::constant(StringRef name, unsigned at) {
  const PickleValue &table = archive->constants();
  size_t index;
  if (!name.consume_front("c") || name.getAsInteger(10, index) || index >= table.items.size())
    return LogicalResult(malformed("there is no constant " + quoted(name)));
  return load(*table.items[index], true, ("CONSTANTS.c" + Twine(index)).str(), 0);
}

FailureOr<Val> Interpreter::load(const PickleValue &value, bool ofConstants, StringRef path,
                                 unsigned nesting) {
  using Kind = PickleValue::Kind;
  if (nesting > maxDepth)
    return LogicalResult(malformed("the stored objects are nested too deeply, or contain themselves"));
  if (auto it = loaded.find(&value); it != loaded.end())
    return it->second;
  auto loadAll = [&](std::vector<Val> &into) -> LogicalResult {
    for (auto [i, item] : llvm::enumerate(value.items)) {
      FailureOr<Val> one = load(*item, ofConstants, (path + "." + Twine(i)).str(), nesting + 1);
      if (failed(one))
        return failure();
      into.push_back(*one);
    }
    return success();
  };
  Val result;
  switch (value.kind) {
  case Kind::None:
    return Val();
  case Kind::Bool:
    return Val::boolean(value.flag);
  case Kind::Int:
    return Val::integer(b.dim(value.integer));
  case Kind::Double:
    return Val::number(value.number);
  case Kind::String:
    return Val::string(value.text);
  case Kind::Device:
    return Val::device(value.text);
  case Kind::Tensor: {
    FailureOr<Val> tensor = loadTensor(value, ofConstants, path);
    if (failed(tensor))
      return failure();
    result = *tensor;
    break;
  }
  case Kind::List:
  case Kind::Tuple: {
    std::vector<Val> items;
    if (failed(loadAll(items)))
      return failure();
    result = value.kind == Kind::List ? Val::list(std::move(items)) : Val::tuple(std::move(items));
    break;
  }
  case Kind::Dict: {
    std::vector<Val> items;
    if (failed(loadAll(items)))
      return failure();
    auto dict = std::make_shared<Dict>();
    for (size_t i = 0; i + 1 < items.size(); i += 2)
      dict->entries.emplace_back(items[i], items[i + 1]);
    result = Val::dict(std::move(dict));
    break;
  }
  case Kind::Object: {
    auto object = std::make_shared<Object>();
    object->className = value.text;
    object->path = path.str();
    object->isStored = true;
    result = Val::object(object);
    // Objects may point at each other.
    loaded[&value] = result;
    if (value.items.empty())
      return result;
    const PickleValue &state = *value.items[0];
    if (state.kind != Kind::Dict) {
      object->set("__state__", Val());
      return result;
    }
    for (size_t i = 0; i + 1 < state.items.size(); i += 2) {
      StringRef name = state.items[i]->text;
      std::string below = path.empty() ? name.str() : (path + "." + name).str();
      FailureOr<Val> attribute = load(*state.items[i + 1], ofConstants, below, nesting + 1);
      if (failed(attribute))
        return failure();
      object->set(name, *attribute);
    }
    return result;
  }
  case Kind::Complex:
    return LogicalResult(refuse("complex", "complex numbers are not supported"));
  case Kind::Global:
  case Kind::Storage:
    return LogicalResult(malformed("a stored value is a bare " + quoted(value.text)));
  }
  loaded[&value] = result;
  return result;
}

FailureOr<Val> Interpreter::loadTensor(const PickleValue &value, bool ofConstants, StringRef path) {
  llvm::Expected<StringRef> storage = archive->storage(*value.items[0], ofConstants);
  if (!storage) {
    report.errors.push_back(llvm::toString(storage.takeError()));
    return failure();
  }
  StoredTensor tensor{value.dtype, value.sizes, value.strides, value.integer, *storage};
  llvm::Expected<TensorRef> cell = makeStoredCell(b, tensor, path, archive);
  if (!cell)
    return LogicalResult(
        refuse("tensor", "the tensor " + quoted(path) + " " + llvm::toString(cell.takeError())));
  (*cell)->isNumber = ofConstants && value.sizes.empty();
  storedTensors.emplace_back(path.str(), *cell);
  return Val::tensor(*cell);
}

} // namespace torsh::torch
