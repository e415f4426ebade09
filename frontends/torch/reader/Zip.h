//===-- Zip.h - Zip files by their central directory --------------------------------------------------------===//
//
// PyTorch writes local headers without sizes, so only the central directory counts. Stored entries are views of the
// mapped file; others are inflated, up to a limit.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_READER_ZIP_H
#define TORSH_FRONTENDS_TORCH_READER_ZIP_H

#include "frontends/torch/reader/ReaderError.h"
#include "llvm/ADT/StringMap.h"
#include <cstdint>
#include <vector>

namespace torsh::torch {

/// One file of a zip file.
struct ZipEntry {
  std::string name;
  uint64_t offset = 0; ///< of the payload in the zip file
  uint64_t storedSize = 0, size = 0;
  uint32_t crc = 0;
  bool deflated = false;
};

/// The directory of a zip file. The bytes must outlive the object.
class ZipFile {
public:
  /// Reads the central directory: refused are damaged directories, encryption, unknown methods, entries that leave
  /// the file or overlap, names that leave the archive, and names that occur twice.
  static llvm::Expected<ZipFile> open(llvm::StringRef bytes);

  llvm::ArrayRef<ZipEntry> entries() const { return files; }
  /// Null when there is no entry of this name.
  const ZipEntry *find(llvm::StringRef name) const;
  /// The bytes of an entry that is not compressed, where they lie.
  llvm::Expected<llvm::StringRef> view(const ZipEntry &entry) const;
  /// The contents of an entry of at most `limit` bytes, checked against its CRC-32.
  llvm::Expected<std::string> read(const ZipEntry &entry, uint64_t limit) const;

private:
  explicit ZipFile(llvm::StringRef bytes) : bytes(bytes) {}
  llvm::Error readDirectory();
  llvm::Error checkOverlap();

  llvm::StringRef bytes;
  std::vector<ZipEntry> files;
  llvm::StringMap<size_t> index;
};

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_READER_ZIP_H
