//===-- Archive.cpp - A TorchScript archive -----------------------------------------------------------------===//
#include "frontends/torch/reader/Archive.h"
#include "frontends/torch/reader/Unpickler.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"

using namespace llvm;

namespace torsh::torch {
namespace {

/// The newest version of the file format whose rules are known.
constexpr int64_t newestVersion = 10;
/// Bounds on a source file and a pickle; real ones have some megabytes at most.
constexpr uint64_t maxText = uint64_t(64) << 20;

constexpr StringLiteral zipMagic("PK\x03\x04"), emptyZipMagic("PK\x05\x06");
/// How a pickle of torch.save before PyTorch 1.6 begins: protocol 2, and its magic number as a LONG1.
constexpr StringLiteral legacyMagic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46");
/// Identifiers of flatbuffer files, at offset 4.
constexpr StringLiteral executorchMagic("ET"), flatbufferMagic("PTMF");

/// The sentence for a file that is no zip file.
Error explain(StringRef bytes) {
  if (bytes.starts_with(legacyMagic))
    return readerError(
        Code::LegacyPickle,
        "this is a pickle in the format of torch.save before PyTorch 1.6, which holds no program; load it "
        "in PyTorch and save the model with torch.jit.save");
  StringRef identifier = bytes.substr(4, 4);
  if (identifier.starts_with(executorchMagic) && identifier.size() == 4 && isDigit(identifier[2]))
    return readerError(Code::ExecuTorch,
                       "this is an ExecuTorch program, which is compiled for its own runtime; give the "
                       "model as TorchScript (torch.jit.save) or ONNX");
  if (identifier == flatbufferMagic)
    return readerError(Code::Flatbuffer,
                       "this is a flatbuffer file for PyTorch Mobile; give the model as TorchScript "
                       "(torch.jit.save)");
  if (bytes.starts_with("\x80"))
    return readerError(Code::LegacyPickle,
                       "this is a bare pickle, which holds no program that could be compiled; save "
                       "the model with torch.jit.save");
  return readerError(Code::NotAnArchive, "this is no TorchScript archive (a zip file); save the model with "
                                         "torch.jit.save");
}

} // namespace

bool looksLikeTorchFile(StringRef bytes) {
  StringRef identifier = bytes.substr(4, 4);
  return bytes.starts_with(zipMagic) || bytes.starts_with(emptyZipMagic) || bytes.starts_with("\x80\x02") ||
         bytes.starts_with("\x80\x04") || identifier == flatbufferMagic ||
         (identifier.starts_with(executorchMagic) && identifier.size() == 4 && isDigit(identifier[2]));
}

Expected<std::unique_ptr<Archive>> Archive::open(StringRef path) {
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

Expected<std::unique_ptr<Archive>> Archive::fromBuffer(std::unique_ptr<MemoryBuffer> buffer) {
  StringRef bytes = buffer->getBuffer();
  if (!bytes.starts_with(zipMagic) && !bytes.starts_with(emptyZipMagic))
    return explain(bytes);
  Expected<ZipFile> zip = ZipFile::open(bytes);
  if (!zip)
    return zip.takeError();
  std::unique_ptr<Archive> archive(new Archive(std::move(buffer), std::move(*zip)));
  if (Error error = archive->load())
    return error;
  return archive;
}

Expected<std::string> Archive::text(const Twine &name, uint64_t limit) const {
  const ZipEntry *entry = find(name);
  if (!entry)
    return readerError(Code::MissingEntry,
                       "the archive has no " + name + "; it is incomplete, so save the model again");
  return zip.read(*entry, limit);
}

Error Archive::load() {
  if (zip.entries().empty())
    return readerError(Code::NotAnArchive, "this zip file is empty; save the model with torch.jit.save");
  root = StringRef(zip.entries().front().name).split('/').first.str();

  if (find("archive_format") || find("models/model.json") || find("serialized_exported_program.json") ||
      zip.find("serialized_exported_program.json"))
    return readerError(Code::Exported,
                       "this is a program of torch.export (.pt2) and no TorchScript archive; give it as a "
                       "model of its own kind");
  if (find("model.json"))
    return readerError(Code::OldTorchScript,
                       "this is TorchScript in the format before PyTorch 1.4; load it in PyTorch "
                       "and save it again with torch.jit.save");
  if (any_of(zip.entries(), [&](const ZipEntry &e) { return StringRef(e.name).contains("/.data/ts_code/"); }))
    return readerError(Code::Package, "this is a torch.package, which holds Python code; save the model with "
                                      "torch.jit.save");
  bool hasCode = any_of(zip.entries(), [&](const ZipEntry &entry) {
    return StringRef(entry.name).starts_with(root + "/code/");
  });

  Expected<std::string> pickle = text("data.pkl", maxText);
  if (!pickle)
    return pickle.takeError();
  Expected<PickleGraph> object = readPickle(*pickle, "data.pkl");
  if (!object)
    return object.takeError();
  data = std::move(*object);
  if (!hasCode)
    return readerError(Code::StateDict,
                       "this file holds weights (a state_dict or an object of torch.save) and no "
                       "program; load it into the model and save that with torch.jit.save");

  const ZipEntry *versionEntry = find("version");
  Expected<std::string> versionText = text(versionEntry ? "version" : ".data/version", 64);
  if (!versionText)
    return versionText.takeError();
  if (StringRef(*versionText).trim().getAsInteger(10, formatVersion) || formatVersion < 1 ||
      formatVersion > newestVersion)
    return readerError(Code::Version, "the archive has the format version " +
                                          quoted(StringRef(*versionText).trim()) + "; versions 1 to " +
                                          Twine(newestVersion) + " are known");
  if (find("byteorder")) {
    Expected<std::string> order = text("byteorder", 64);
    if (!order)
      return order.takeError();
    if (StringRef(*order).trim() != "little")
      return readerError(Code::ByteOrder, "the weights are stored with the byte order " +
                                              quoted(StringRef(*order).trim()) +
                                              "; save the model on a little-endian machine");
  }
  Expected<std::string> table = text("constants.pkl", maxText);
  if (!table)
    return table.takeError();
  Expected<PickleGraph> constants = readPickle(*table, "constants.pkl");
  if (!constants)
    return constants.takeError();
  constantTable = std::move(*constants);
  if (constantTable.root->kind != PickleValue::Kind::Tuple)
    return readerError(Code::DamagedPickle, "the pickle 'constants.pkl' is no tuple; save the model again");
  return Error::success();
}

Expected<std::string> Archive::source(StringRef module) const {
  std::string path = "code/" + module.str() + ".py";
  for (char &c : MutableArrayRef<char>(path.data() + 5, module.size()))
    if (c == '.')
      c = '/';
  const ZipEntry *entry = find(path);
  if (!entry)
    return std::string();
  return zip.read(*entry, maxText);
}

Expected<StringRef> Archive::storage(const PickleValue &storage, bool ofConstants) const {
  const ZipEntry *entry = find(Twine(ofConstants ? "constants/" : "data/") + storage.text);
  if (!entry)
    return readerError(Code::MissingEntry, "the archive has no data for the tensor storage " +
                                               quoted(storage.text) +
                                               "; it is incomplete, so save the model again");
  uint64_t wanted = uint64_t(storage.integer), width = sizeOf(storage.dtype);
  if (wanted > entry->size / width)
    return readerError(Code::BadTensor, "the tensor storage " + quoted(storage.text) + " has " +
                                            Twine(entry->size) + " bytes and needs " + Twine(wanted) +
                                            " elements of " + Twine(width) +
                                            " bytes; fetch or save the file again");
  Expected<StringRef> bytes = zip.view(*entry);
  if (!bytes)
    return bytes.takeError();
  return bytes->take_front(wanted * width);
}

} // namespace torsh::torch
