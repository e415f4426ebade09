//===-- WriteArtifact.cpp - Artifact files ------------------------------------------------------------------===//
#include "artifact/Sha256.h"
#include "compiler/Artifact.h"
#include "compiler/ConstantBytes.h"
#include "compiler/WeightQueue.h"
#include "dialects/torsh/Dim.h"
#include "torsh/artifact.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using mlir::cast;
using mlir::dyn_cast;

namespace torsh {
namespace {

/// A stream that hashes what it writes.
class HashedFile {
public:
  explicit HashedFile(raw_fd_ostream &os) : os(os) { torsh_sha256_begin(&hasher); }
  void write(ArrayRef<char> bytes) {
    os.write(bytes.data(), bytes.size());
    torsh_sha256_add(&hasher, bytes.data(), bytes.size());
    written += bytes.size();
  }
  void pad(uint64_t bytes) {
    static const char zeros[4096] = {};
    for (; bytes > 0;) {
      size_t part = std::min<uint64_t>(bytes, sizeof(zeros));
      write(ArrayRef<char>(zeros, part));
      bytes -= part;
    }
  }
  void digest(uint8_t (&out)[32]) { torsh_sha256_end(&hasher, out); }
  uint64_t written = 0;

private:
  raw_fd_ostream &os;
  torsh_sha256 hasher;
};

/// Recipes that move elements only touch no context and can run on other threads.
bool isComputed(ConstantOp constant) {
  auto weight = dyn_cast<WeightAttr>(constant.getValue());
  return weight && constant->hasAttr("place") && movesBytes(weight);
}

Error writeWeights(mlir::func::FuncOp function, HashedFile &file, unsigned threads) {
  WeightStore &store = function->getContext()->getOrLoadDialect<TorshDialect>()->getWeightStore();
  SmallVector<WeightAttr> computed;
  for (ConstantOp constant : function.getOps<ConstantOp>())
    if (isComputed(constant))
      computed.push_back(cast<WeightAttr>(constant.getValue()));
  WeightQueue queue(std::move(computed), store, threads);
  for (ConstantOp constant : function.getOps<ConstantOp>()) {
    auto place = constant->getAttrOfType<PlaceAttr>("place");
    if (!place)
      continue;
    uint64_t offset = *dim::asConstant(place.getOffset());
    file.pad(offset - file.written);
    if (auto dense = dyn_cast<mlir::DenseElementsAttr>(constant.getValue())) {
      file.write(getDenseBytes(dense));
      continue;
    }
    auto weight = cast<WeightAttr>(constant.getValue());
    if (weight.getSteps().empty()) {
      std::optional<ArrayRef<char>> bytes = store.lookup(weight.getKey().getValue());
      if (!bytes)
        return createStringError("TSH-0630: the bytes of weight '" + weight.getKey().getValue() +
                                 "' are not loaded");
      file.write(*bytes);
      continue;
    }
    Expected<std::vector<char>> bytes =
        isComputed(constant) ? queue.take() : evaluateWeightBytes(weight, store);
    if (!bytes)
      return bytes.takeError();
    file.write(*bytes);
  }
  uint64_t total = function->getAttrOfType<mlir::IntegerAttr>("torsh.weight_bytes").getValue().getZExtValue();
  file.pad(total - file.written);
  return Error::success();
}

/// Opens a temporary beside the path; the caller renames it.
Expected<std::unique_ptr<raw_fd_ostream>> openTemporary(StringRef path, SmallVectorImpl<char> &name) {
  int fd;
  if (std::error_code code = sys::fs::createUniqueFile(path + ".%%%%%%", fd, name))
    return createStringError("TSH-0631: cannot write '" + path + "': " + code.message());
  return std::make_unique<raw_fd_ostream>(fd, /*shouldClose=*/true);
}

Error closeAndRename(raw_fd_ostream &os, StringRef temporary, StringRef path) {
  os.close();
  if (os.has_error()) {
    std::string reason = os.error().message();
    os.clear_error();
    sys::fs::remove(temporary);
    return createStringError("TSH-0631: writing '" + path + "' failed: " + reason);
  }
  sys::fs::setPermissions(temporary, sys::fs::all_read | sys::fs::owner_write | sys::fs::owner_exe |
                                         sys::fs::group_exe | sys::fs::others_exe);
  if (std::error_code code = sys::fs::rename(temporary, path)) {
    sys::fs::remove(temporary);
    return createStringError("TSH-0631: cannot write '" + path + "': " + code.message());
  }
  return Error::success();
}

} // namespace

Error writeArtifact(StringRef path, ArrayRef<char> elf, StringRef metadata, mlir::func::FuncOp function,
                    StringRef sidecar, unsigned threads) {
  SmallString<128> temporary, sideTemporary;
  auto os = openTemporary(path, temporary);
  if (!os)
    return os.takeError();
  auto abandon = [&](Error error) {
    (*os)->close();
    (*os)->clear_error();
    sys::fs::remove(temporary);
    return error;
  };
  torsh_trailer trailer = {};
  HashedFile code(**os);
  code.write(elf);
  trailer.elf_size = elf.size();
  trailer.metadata_offset = code.written;
  code.write(ArrayRef<char>(metadata.data(), metadata.size()));
  trailer.metadata_size = metadata.size();
  uint64_t position = code.written;
  code.digest(trailer.code_sha256);

  std::unique_ptr<raw_fd_ostream> side;
  raw_fd_ostream *weightStream = os->get();
  if (!sidecar.empty()) {
    auto opened = openTemporary(sidecar, sideTemporary);
    if (!opened)
      return abandon(opened.takeError());
    side = std::move(*opened);
    weightStream = side.get();
    trailer.flags |= TORSH_TRAILER_WEIGHTS_SIDECAR;
  } else {
    uint64_t start = alignTo(position, TORSH_WEIGHTS_ALIGNMENT);
    (*os)->write_zeros(start - position);
    trailer.weights_offset = start;
  }
  HashedFile weights(*weightStream);
  if (Error error = writeWeights(function, weights, threads))
    return abandon(std::move(error));
  trailer.weights_size = weights.written;
  weights.digest(trailer.weights_sha256);
  trailer.version = TORSH_ARTIFACT_VERSION;
  static_assert(sizeof(TORSH_TRAILER_MAGIC) - 1 == sizeof(trailer.magic), "the magic fills its field");
  std::copy_n(TORSH_TRAILER_MAGIC, sizeof(trailer.magic), trailer.magic);
  (*os)->write(reinterpret_cast<const char *>(&trailer), sizeof(trailer));
  if (side)
    if (Error error = closeAndRename(*side, sideTemporary, sidecar))
      return abandon(std::move(error));
  return closeAndRename(**os, temporary, path);
}

Expected<json::Value> readMetadata(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError("TSH-0632: cannot read '" + path + "': " + buffer.getError().message());
  StringRef bytes = (*buffer)->getBuffer();
  torsh_trailer trailer;
  if (bytes.size() < sizeof(trailer))
    return createStringError("TSH-0632: '" + path + "' is not a torsh artifact (too short)");
  std::copy_n(bytes.end() - sizeof(trailer), sizeof(trailer), reinterpret_cast<char *>(&trailer));
  if (StringRef(trailer.magic, sizeof(trailer.magic)) !=
      StringRef(TORSH_TRAILER_MAGIC, sizeof(trailer.magic)))
    return createStringError("TSH-0632: '" + path + "' is not a torsh artifact (no trailer)");
  if (trailer.version != TORSH_ARTIFACT_VERSION)
    return createStringError("TSH-0633: '" + path + "' has artifact format " + Twine(trailer.version) +
                             ", this program reads format " + Twine(TORSH_ARTIFACT_VERSION));
  if (trailer.metadata_offset > bytes.size() ||
      trailer.metadata_size > bytes.size() - trailer.metadata_offset)
    return createStringError("TSH-0632: '" + path + "' is truncated");
  return json::parse(bytes.substr(trailer.metadata_offset, trailer.metadata_size));
}

} // namespace torsh
