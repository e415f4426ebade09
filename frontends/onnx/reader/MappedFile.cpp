//===- MappedFile.cpp - A read-only view of a regular file ----------------===//
#include "frontends/onnx/reader/MappedFile.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;

namespace torsh::onnx {

Expected<std::unique_ptr<MappedFile>> MappedFile::open(StringRef path) {
  // O_NONBLOCK: opening a named pipe must not wait for its writer.
  int descriptor = ::open(path.str().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return readerError(Code::CannotOpen, "cannot open " + quoted(path) + ": " + std::strerror(errno));
  auto file = map(descriptor, path);
  ::close(descriptor);
  return file;
}

Expected<std::unique_ptr<MappedFile>> MappedFile::map(int descriptor, StringRef shownName) {
  struct stat status;
  if (::fstat(descriptor, &status) != 0)
    return readerError(Code::CannotOpen, "cannot inspect " + quoted(shownName) + ": " + std::strerror(errno));
  if (!S_ISREG(status.st_mode))
    return readerError(Code::NotAFile, quoted(shownName) + " is not a regular file");
  auto size = size_t(status.st_size);
  if (size == 0)
    return std::unique_ptr<MappedFile>(new MappedFile(nullptr, 0, status.st_nlink));
  void *data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
  if (data == MAP_FAILED)
    return readerError(Code::CannotOpen, "cannot map " + quoted(shownName) + ": " + std::strerror(errno));
  return std::unique_ptr<MappedFile>(new MappedFile(static_cast<const char *>(data), size, status.st_nlink));
}

MappedFile::~MappedFile() {
  if (data)
    ::munmap(const_cast<char *>(data), size);
}

} // namespace torsh::onnx
