//===- MappedFile.h - A read-only view of a regular file --------*- C++ -*-===//
#ifndef TORSH_FRONTENDS_ONNX_READER_MAPPEDFILE_H
#define TORSH_FRONTENDS_ONNX_READER_MAPPEDFILE_H

#include "frontends/onnx/reader/ReaderError.h"
#include <cstdint>
#include <memory>

namespace torsh::onnx {

/// A file mapped read-only for the lifetime of the object. Pages are read when touched and can be dropped by
/// the system, so a large file costs address space, not memory. The file must not shrink meanwhile.
class MappedFile {
public:
  /// Opens and maps the file at `path`.
  static llvm::Expected<std::unique_ptr<MappedFile>> open(llvm::StringRef path);
  /// Maps an open descriptor, which the caller keeps. `shownName` is for messages.
  static llvm::Expected<std::unique_ptr<MappedFile>> map(int descriptor, llvm::StringRef shownName);

  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;

  llvm::StringRef bytes() const { return {data, size}; }
  /// How many names the file has in its file system.
  uint64_t linkCount() const { return links; }

private:
  MappedFile(const char *data, size_t size, uint64_t links) : data(data), size(size), links(links) {}

  const char *data;
  size_t size;
  uint64_t links;
};

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_READER_MAPPEDFILE_H
