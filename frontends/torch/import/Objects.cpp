//===-- Objects.cpp - Values of the archive's pickles -------------------------------------------------------===//
#include "frontends/torch/aten/Call.h"
#include "frontends/torch/import/Interpreter.h"
#include "frontends/torch/reader/ReaderError.h"

using namespace mlir;

namespace torsh::torch {

/// How deep values may be nested in each other.
static constexpr unsigned maxDepth = 200;
/// Bytes of a tensor that has to be copied because it is not contiguous.
static constexpr uint64_t maxCopiedBytes = uint64_t(1) << 31;

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

/// The elements in row-major order, copied one by one.
static std::vector<char> gather(const PickleValue &tensor, StringRef storage, uint64_t count) {
  size_t width = sizeOf(tensor.dtype), rank = tensor.sizes.size();
  std::vector<char> bytes;
  bytes.reserve(count * width);
  std::vector<int64_t> index(rank, 0);
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t at = uint64_t(tensor.integer);
    for (size_t d = 0; d < rank; ++d)
      at += uint64_t(index[d]) * uint64_t(tensor.strides[d]);
    StringRef element = storage.substr(at * width, width);
    bytes.insert(bytes.end(), element.begin(), element.end());
    for (size_t d = rank; d-- > 0;) {
      if (++index[d] < tensor.sizes[d])
        break;
      index[d] = 0;
    }
  }
  return bytes;
}

FailureOr<Val> Interpreter::loadTensor(const PickleValue &value, bool ofConstants, StringRef path) {
  MLIRContext *context = b.context();
  Type elementType = elementTypeOf(context, int64_t(value.dtype));
  if (!elementType)
    return LogicalResult(refuse("tensor", "the tensor " + quoted(path) + " has elements of type " +
                                              nameOf(value.dtype) + ", which is not supported"));
  llvm::Expected<StringRef> storage = archive->storage(*value.items[0], ofConstants);
  if (!storage) {
    report.errors.push_back(llvm::toString(storage.takeError()));
    return failure();
  }
  uint64_t count = 1, width = sizeOf(value.dtype);
  bool contiguous = true;
  for (size_t i = value.sizes.size(); i-- > 0;) {
    contiguous &= value.sizes[i] == 1 || uint64_t(value.strides[i]) == count;
    // A stride of 0 lets a tensor have more elements than its storage.
    if (value.sizes[i] != 0 && count > (uint64_t(1) << 40) / uint64_t(value.sizes[i]))
      return LogicalResult(malformed("the tensor " + quoted(path) + " has too many elements"));
    count *= uint64_t(value.sizes[i]);
  }
  contiguous |= count == 0;
  if (!contiguous && count * width > maxCopiedBytes)
    return LogicalResult(
        refuse("tensor", "the tensor " + quoted(path) + " is not contiguous and too large to be copied"));

  TensorRef cell = b.cell({});
  cell->regionDepth = 0;
  StringRef bytes = *storage;
  const PickleValue *tensor = &value;
  auto loc = NameLoc::get(StringAttr::get(context, path));
  std::shared_ptr<Archive> owner = archive;
  cell->load = [this, tensor, bytes, count, width, contiguous, elementType, loc, owner]() -> Value {
    Location outer = std::exchange(b.loc, Location(loc));
    StringRef elements = bytes.substr(contiguous ? uint64_t(tensor->integer) * width : 0, count * width);
    std::vector<char> copy;
    if (!contiguous)
      copy = gather(*tensor, bytes, count);
    ArrayRef<char> data =
        contiguous ? ArrayRef<char>(elements.data(), elements.size()) : ArrayRef<char>(copy);
    auto type = RankedTensorType::get(tensor->sizes, elementType);
    Value result;
    if (data.size() <= size_t(maxDenseBytes)) {
      llvm::Expected<torsh::Tensor> small = torsh::Tensor::fromBytes(elementType, tensor->sizes, data);
      if (small) {
        result = b.constant(*small);
      } else {
        (void)b.fail(llvm::toString(small.takeError()));
        result = b.splat(getDims(type), elementType, 0);
      }
    } else {
      std::string key = contiguous ? b.weights().add(data, owner) : b.weights().addCopy(data);
      result = b.constant(WeightAttr::get(b.context(), StringAttr::get(b.context(), key), type, {}), type);
    }
    b.loc = outer;
    return result;
  };
  cell->isNumber = ofConstants && value.sizes.empty();
  // Integers of rank 0 take part in the arithmetic of sizes.
  if (value.sizes.empty() && isa<IntegerType>(elementType) && !elementType.isInteger(1) &&
      !elementType.isUnsignedInteger()) {
    llvm::Expected<torsh::Tensor> one = torsh::Tensor::fromBytes(
        elementType, {}, ArrayRef<char>(bytes.data() + uint64_t(value.integer) * width, width));
    if (!one)
      llvm::consumeError(one.takeError());
    else {
      cell->known = b.dim(one->ints[0]);
      cell->knownType = elementType;
    }
  }
  storedTensors.emplace_back(path.str(), cell);
  return Val::tensor(cell);
}

} // namespace torsh::torch
