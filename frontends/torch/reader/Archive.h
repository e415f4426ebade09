//===-- Archive.h - A TorchScript archive -------------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_READER_ARCHIVE_H
#define TORSH_FRONTENDS_TORCH_READER_ARCHIVE_H

#include "frontends/torch/reader/PickleValue.h"
#include "frontends/torch/reader/Zip.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>

namespace torsh::torch {

/// What torch.jit.save writes: objects and constants as pickles, their numbers, and source code. The file stays mapped
/// as long as the object lives; tensor data are views of it.
class Archive {
public:
  /// Maps and checks the file. Other files that PyTorch writes under the same names (a state_dict, a pickle of old,
  /// mobile formats) are told apart and refused, each with a sentence of its own.
  static llvm::Expected<std::unique_ptr<Archive>> open(llvm::StringRef path);
  /// The same over bytes in memory.
  static llvm::Expected<std::unique_ptr<Archive>> fromBuffer(std::unique_ptr<llvm::MemoryBuffer> buffer);

  /// The root object (data.pkl), and the table of constants (constants.pkl, a tuple).
  const PickleValue &object() const { return *data.root; }
  const PickleValue &constants() const { return *constantTable.root; }
  /// The version of the file format.
  int64_t version() const { return formatVersion; }
  llvm::StringRef path() const { return buffer->getBufferIdentifier(); }

  /// The source of `__torch__.a.b` (code/__torch__/a/b.py); the empty string when there is none.
  llvm::Expected<std::string> source(llvm::StringRef module) const;
  /// The bytes of a storage of one of the two pickles.
  llvm::Expected<llvm::StringRef> storage(const PickleValue &storage, bool ofConstants) const;

private:
  Archive(std::unique_ptr<llvm::MemoryBuffer> buffer, ZipFile zip)
      : buffer(std::move(buffer)), zip(std::move(zip)) {}
  llvm::Error load();
  const ZipEntry *find(const llvm::Twine &name) const { return zip.find((root + "/" + name).str()); }
  llvm::Expected<std::string> text(const llvm::Twine &name, uint64_t limit) const;

  std::unique_ptr<llvm::MemoryBuffer> buffer;
  ZipFile zip;
  std::string root; ///< the folder of everything, which has any name
  int64_t formatVersion = 0;
  PickleGraph data, constantTable;
};

/// Whether a file looks like something that this frontend reads or explains: a zip file, or a kind of file that
/// PyTorch writes.
bool looksLikeTorchFile(llvm::StringRef firstBytes);

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_READER_ARCHIVE_H
