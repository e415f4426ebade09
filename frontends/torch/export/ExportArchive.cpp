//===-- ExportArchive.cpp - The archive of torch.export -----------------------------------------------------===//
#include "frontends/torch/export/ExportArchive.h"
#include "frontends/torch/reader/Unpickler.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"

using namespace llvm;

namespace torsh::torch {

/// Bounds on a program, a pickle, and a nested archive that is compressed.
static constexpr uint64_t maxProgram = uint64_t(256) << 20, maxPickle = uint64_t(64) << 20,
                          maxInflated = uint64_t(4) << 30;
static constexpr StringLiteral flatProgram("serialized_exported_program.json");

/// The folder that holds everything, with its slash; empty for a flat archive.
static std::string rootOf(const ZipFile &zip) {
  if (zip.entries().empty() || zip.find(flatProgram))
    return "";
  return (StringRef(zip.entries().front().name).split('/').first + "/").str();
}

/// The names of the models below models/.
static std::vector<std::string> modelNames(const ZipFile &zip, StringRef root) {
  std::vector<std::string> names;
  for (const ZipEntry &entry : zip.entries()) {
    StringRef name = entry.name;
    if (name.consume_front(root) && name.consume_front("models/") && name.consume_back(".json") &&
        !name.contains('/'))
      names.push_back(name.str());
  }
  return names;
}

bool isExportArchive(const ZipFile &zip) {
  std::string root = rootOf(zip);
  return zip.find(flatProgram) || zip.find(root + "archive_format") || !modelNames(zip, root).empty();
}

bool isExportArchive(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return false;
  Expected<ZipFile> zip = ZipFile::open((*buffer)->getBuffer());
  if (!zip) {
    consumeError(zip.takeError());
    return false;
  }
  return isExportArchive(*zip);
}

Expected<std::unique_ptr<ExportArchive>> ExportArchive::open(StringRef path) {
  sys::fs::file_status status;
  if (std::error_code code = sys::fs::status(path, status))
    return readerError(Code::CannotOpen, "cannot open the file: " + code.message());
  if (status.type() != sys::fs::file_type::regular_file)
    return readerError(Code::CannotOpen, "this is not a regular file");
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return readerError(Code::CannotOpen, "cannot read the file: " + buffer.getError().message());
  return fromBuffer(std::move(*buffer));
}

Expected<std::unique_ptr<ExportArchive>> ExportArchive::fromBuffer(std::unique_ptr<MemoryBuffer> buffer) {
  Expected<ZipFile> zip = ZipFile::open(buffer->getBuffer());
  if (!zip)
    return zip.takeError();
  std::unique_ptr<ExportArchive> archive(new ExportArchive(std::move(buffer), std::move(*zip)));
  if (Error error = archive->load())
    return error;
  return archive;
}

const StoredTensor *ExportArchive::tensor(StringRef name) const {
  auto it = tensors.find(name);
  return it == tensors.end() ? nullptr : &it->second;
}

Expected<std::string> ExportArchive::text(const std::string &name, uint64_t limit) const {
  const ZipEntry *entry = zip.find(root + name);
  if (!entry)
    return readerError(Code::MissingEntry,
                       "the archive has no " + Twine(name) + "; it is incomplete, so save the model again");
  return zip.read(*entry, limit);
}

/// An entry's bytes: where they lie, or inflated into memory of the archive's own.
Expected<StringRef> ExportArchive::bytes(const ZipEntry &entry) {
  if (!entry.deflated)
    return zip.view(entry);
  Expected<std::string> read = zip.read(entry, maxInflated);
  if (!read)
    return read.takeError();
  inflated.push_back(std::make_unique<std::string>(std::move(*read)));
  return StringRef(*inflated.back());
}

static Error badTensor(StringRef name, const Twine &what) {
  return readerError(Code::BadTensor,
                     "the stored tensor " + quoted(name) + " " + what + "; save the model again");
}

/// Whether all elements lie within the storage.
static Error check(StringRef name, const StoredTensor &tensor) {
  if (tensor.sizes.size() != tensor.strides.size())
    return badTensor(name, "has another number of strides than of sizes");
  // In 128 bits nothing here overflows: each product is of 63-bit numbers, and the sum is bounded after each step.
  using Wide = unsigned __int128;
  Wide last = 0, count = sizeOf(tensor.dtype) ? tensor.storage.size() / sizeOf(tensor.dtype) : 0;
  bool isEmpty = false;
  if (tensor.offset < 0)
    return badTensor(name, "begins before its storage");
  last = Wide(tensor.offset);
  for (auto [size, stride] : zip_equal(tensor.sizes, tensor.strides)) {
    if (size < 0 || stride < 0)
      return badTensor(name, "has a negative size or stride");
    isEmpty |= size == 0;
    if (size > 0)
      last += Wide(size - 1) * Wide(stride);
    if (!isEmpty && last >= (Wide(1) << 100))
      return badTensor(name, "reaches past its storage");
  }
  if (!isEmpty && last >= count)
    return badTensor(name, "reaches past its storage");
  return Error::success();
}

/// Tensors of an archive of torch.save that lies in this one.
Error ExportArchive::loadPickled(const std::string &name) {
  const ZipEntry *entry = zip.find(root + name);
  if (!entry)
    return Error::success();
  Expected<StringRef> contents = bytes(*entry);
  if (!contents)
    return contents.takeError();
  Expected<ZipFile> inner = ZipFile::open(*contents);
  if (!inner)
    return inner.takeError();
  std::string folder = rootOf(*inner);
  const ZipEntry *pickle = inner->find(folder + "data.pkl");
  if (!pickle)
    return readerError(Code::MissingEntry, "the archive's " + Twine(name) +
                                               " has no data.pkl; it is incomplete, so save the model again");
  Expected<std::string> read = inner->read(*pickle, maxPickle);
  if (!read)
    return read.takeError();
  if (const ZipEntry *order = inner->find(folder + "byteorder"); order && order->size == 3)
    return readerError(Code::ByteOrder,
                       "the weights are stored with the byte order of a big-endian machine; save "
                       "the model on a little-endian machine");
  Expected<PickleGraph> graph = readPickle(*read, name);
  if (!graph)
    return graph.takeError();
  const PickleValue &dict = *graph->root;
  if (dict.kind != PickleValue::Kind::Dict)
    return readerError(Code::DamagedPickle,
                       "the pickle " + quoted(name) + " is no dict of tensors; save the model again");
  for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const PickleValue &key = *dict.items[i], &value = *dict.items[i + 1];
    // Constants may be objects of other kinds, which an import only misses when it needs them.
    if (key.kind != PickleValue::Kind::String || value.kind != PickleValue::Kind::Tensor)
      continue;
    const PickleValue &storage = *value.items[0];
    const ZipEntry *data = inner->find(folder + "data/" + storage.text);
    if (!data)
      return readerError(Code::MissingEntry, "the archive's " + Twine(name) + " has no data for the tensor " +
                                                 quoted(key.text) +
                                                 "; it is incomplete, so save the model again");
    Expected<StringRef> elements = inner->view(*data);
    if (!elements)
      return elements.takeError();
    StoredTensor tensor{value.dtype, value.sizes, value.strides, value.integer, *elements};
    if (Error error = check(key.text, tensor))
      return error;
    tensors[key.text] = std::move(tensor);
  }
  return Error::success();
}

/// One entry of a config: {"path_name": "weight_0", "use_pickle": false, "tensor_meta": {...}}.
static bool fromJSON(const json::Value &value, std::pair<std::string, bool> &into, json::Path path) {
  json::ObjectMapper fields(value, path);
  return fields && fields.map("path_name", into.first) && fields.mapOptional("use_pickle", into.second);
}

/// Tensors that a JSON file describes, each with its bytes as an entry of its own.
Error ExportArchive::loadConfigured(const std::string &name) {
  if (!zip.find(root + name))
    return Error::success();
  Expected<std::string> read = text(name, maxProgram);
  if (!read)
    return read.takeError();
  auto wrong = [&](const Twine &what) {
    return readerError(Code::BadProgram, "the list of tensors " + quoted(name) + " is damaged: " + what +
                                             "; save the model again");
  };
  if (isNestedTooDeep(*read))
    return wrong("it is nested too deeply");
  Expected<json::Value> parsed = json::parse(*read);
  if (!parsed)
    return wrong(toString(parsed.takeError()));
  const json::Object *object = parsed->getAsObject();
  const json::Object *config = object ? object->getObject("config") : nullptr;
  if (!config)
    return wrong("expected object at config");
  std::string folder = StringRef(name).rsplit('/').first.str() + "/";
  for (const json::Object::value_type &entry : *config) {
    json::Path::Root place("config");
    std::pair<std::string, bool> file("", false);
    std::string tensorName = StringRef(entry.first).str();
    if (!fromJSON(entry.second, file, json::Path(place).field(entry.first)))
      return wrong(toString(place.getError()));
    const json::Value *described = entry.second.getAsObject()->get("tensor_meta");
    // Objects and subclasses of tensors are pickles; an import only misses them when it needs them.
    if (file.second || !described || described->kind() == json::Value::Null)
      continue;
    Expected<TensorMeta> meta = readTensorMeta(*described, tensorName);
    if (!meta)
      return wrong(toString(meta.takeError()));
    std::optional<ScalarType> dtype = fromSchemaType(meta->dtype);
    if (!dtype)
      return badTensor(tensorName, "has elements of the unknown type " + Twine(meta->dtype));
    StoredTensor tensor;
    tensor.dtype = *dtype;
    bool fixed = meta->storageOffset.kind == SizeExpression::Kind::Constant;
    tensor.offset = meta->storageOffset.value;
    for (auto [from, into] :
         {std::pair(&meta->sizes, &tensor.sizes), std::pair(&meta->strides, &tensor.strides)})
      for (const SizeExpression &size : *from) {
        fixed &= size.kind == SizeExpression::Kind::Constant;
        into->push_back(size.value);
      }
    if (!fixed)
      return badTensor(tensorName, "has a symbolic size");
    const ZipEntry *data = zip.find(root + folder + file.first);
    if (!data)
      return readerError(Code::MissingEntry, "the archive has no " + folder + file.first +
                                                 " for the tensor " + quoted(tensorName) +
                                                 "; it is incomplete, so save the model again");
    Expected<StringRef> elements = bytes(*data);
    if (!elements)
      return elements.takeError();
    tensor.storage = *elements;
    if (Error error = check(tensorName, tensor))
      return error;
    tensors[tensorName] = std::move(tensor);
  }
  return Error::success();
}

Error ExportArchive::loadFlat() {
  Expected<std::string> json = text(flatProgram.str(), maxProgram);
  if (!json)
    return json.takeError();
  Expected<ExportedProgram> read = readProgram(*json, flatProgram);
  if (!read)
    return read.takeError();
  model = std::move(*read);
  if (Error error = loadPickled("serialized_state_dict.pt"))
    return error;
  return loadPickled("serialized_constants.pt");
}

Error ExportArchive::loadModel(const std::string &name) {
  std::string path = "models/" + name + ".json";
  Expected<std::string> json = text(path, maxProgram);
  if (!json)
    return json.takeError();
  Expected<ExportedProgram> read = readProgram(*json, path);
  if (!read)
    return read.takeError();
  model = std::move(*read);
  for (StringRef kind : {"weights", "constants"}) {
    std::string below = ("data/" + kind + "/" + name).str();
    if (Error error = loadPickled(below + ".pt"))
      return error;
    if (Error error = loadConfigured((below + "_" + kind + "_config.json").str()))
      return error;
  }
  return Error::success();
}

Error ExportArchive::load() {
  root = rootOf(zip);
  if (zip.find(flatProgram))
    return loadFlat();
  std::vector<std::string> names = modelNames(zip, root);
  if (names.empty())
    return readerError(Code::NoProgram,
                       "this archive of torch.export holds compiled code and no program; save the "
                       "model with torch.export.save");
  if (const ZipEntry *order = zip.find(root + "byteorder"); order && order->size != 6)
    return readerError(Code::ByteOrder, "the weights are not stored as little-endian; save the model on a "
                                        "little-endian machine");
  if (names.size() > 1 && !is_contained(names, "model"))
    return readerError(Code::NoProgram,
                       "this archive holds " + Twine(names.size()) +
                           " programs; save the one to be compiled alone with torch.export.save");
  return loadModel(names.size() == 1 ? names.front() : "model");
}

} // namespace torsh::torch
