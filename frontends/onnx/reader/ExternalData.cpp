//===- ExternalData.cpp - Weights in files beside the model ---------------===//
#include "frontends/onnx/reader/ExternalData.h"
#include "frontends/onnx/reader/ReaderError.h"
#include "llvm/ADT/ScopeExit.h"
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace llvm;

namespace torsh::onnx {

static std::string described(const Tensor &tensor, StringRef location) {
  return "external data " + quoted(location) + " of tensor " + quoted(tensor.name);
}

/// Refuses locations by their text alone.
static Error checkLocation(const Tensor &tensor, StringRef location) {
  std::string what = described(tensor, location);
  // ONNX Runtime marks data in its own memory this way; outside the process it means nothing.
  if (location.contains("_ORT_MEM_ADDR_"))
    return readerError(Code::MemoryLocation, what +
                                                 " is a memory address of the program that saved the model; "
                                                 "save the model again with its weights");
  if (location.empty() || location.contains('\0'))
    return readerError(Code::NoLocation, what + " is no file name");
  if (location.starts_with("/") || location.starts_with("\\") || (location.size() > 1 && location[1] == ':'))
    return readerError(Code::AbsoluteLocation,
                       what + " is an absolute path; put the file beside the model and name it relatively");
  SmallVector<StringRef> parts;
  location.split(parts, '/');
  for (StringRef part : parts) {
    if (part == ".." || part.starts_with("..\\") || part.contains("\\.."))
      return readerError(Code::ParentLocation, what + " leaves the directory of the model with '..'");
  }
  return Error::success();
}

static Error openFailure(const Tensor &tensor, StringRef location, int cause) {
  std::string what = described(tensor, location);
  if (cause == ELOOP)
    return readerError(Code::SymbolicLink,
                       what + " leads over a symbolic link; copy the file beside the model, or trust the "
                              "directory it lies in with --trust-root");
  if (cause == EXDEV)
    return readerError(Code::ParentLocation, what + " leaves the directory of the model");
  return readerError(Code::CannotOpenExternal, "cannot open " + what + ": " + std::strerror(cause));
}

static constexpr int fileFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW;

/// Opens beneath `root` without following any link, one component at a time. Returns -1 with errno set.
static int openByComponents(int root, StringRef location) {
  int at = ::dup(root);
  SmallVector<StringRef> parts;
  location.split(parts, '/', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (size_t i = 0; i < parts.size() && at >= 0; ++i) {
    bool last = i + 1 == parts.size();
    std::string part = parts[i].str();
    // O_PATH would open a link itself, so plain O_NOFOLLOW is what tells links apart: ELOOP, or ENOTDIR with
    // O_DIRECTORY.
    int next = ::openat(at, part.c_str(), last ? fileFlags : fileFlags | O_DIRECTORY);
    int cause = errno;
    if (next < 0 && cause == ENOTDIR) {
      struct stat status;
      if (::fstatat(at, part.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode))
        cause = ELOOP;
    }
    ::close(at);
    errno = cause;
    at = next;
  }
  return at;
}

static int openBeneath(int root, StringRef location, bool avoidOpenat2) {
  if (!avoidOpenat2) {
    struct open_how how = {};
    how.flags = fileFlags;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    int result = int(::syscall(SYS_openat2, root, location.str().c_str(), &how, sizeof how));
    // Old kernels lack the call, and sandboxes may forbid it with EPERM.
    if (result >= 0 || (errno != ENOSYS && errno != EPERM && errno != EAGAIN))
      return result;
  }
  return openByComponents(root, location);
}

/// The path of an open file as the kernel knows it, or an empty string.
static std::string pathOfDescriptor(int descriptor) {
  std::string path(PATH_MAX, '\0');
  ssize_t size =
      ::readlink(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), path.data(), path.size());
  path.resize(size > 0 && size_t(size) < path.size() ? size_t(size) : 0);
  return path;
}

/// Checks that an open file lies beneath the trusted directory, wherever the links led.
static Error checkTrusted(const Tensor &tensor, StringRef location, int descriptor, StringRef trustRoot) {
  int rootDescriptor = ::open(trustRoot.str().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (rootDescriptor < 0)
    return readerError(Code::CannotOpenExternal, "cannot open the trusted directory " + quoted(trustRoot) +
                                                     ": " + std::strerror(errno));
  std::string root = pathOfDescriptor(rootDescriptor);
  ::close(rootDescriptor);
  std::string path = pathOfDescriptor(descriptor);
  if (!root.empty() && root.back() != '/')
    root += '/';
  if (root.empty() || !StringRef(path).starts_with(root))
    return readerError(Code::OutsideTrustRoot, described(tensor, location) + " ends at " + quoted(path) +
                                                   ", outside the trusted directory " + quoted(trustRoot));
  return Error::success();
}

Expected<const MappedFile *> ExternalData::file(const Tensor &tensor, StringRef location) {
  if (Error error = checkLocation(tensor, location))
    return error;
  if (directory.empty())
    return readerError(Code::NoDirectory,
                       described(tensor, location) +
                           " cannot be found, because the model was given as bytes; give the "
                           "path of the model file");
  std::lock_guard<std::mutex> lock(guard);
  auto known = files.find(location);
  if (known != files.end())
    return known->second.get();

  int root = ::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0)
    return readerError(Code::CannotOpenExternal,
                       "cannot open the directory " + quoted(directory) + ": " + std::strerror(errno));
  bool trusted = !options.trustRoot.empty();
  int descriptor = trusted ? ::openat(root, location.str().c_str(), fileFlags & ~O_NOFOLLOW)
                           : openBeneath(root, location, options.avoidOpenat2);
  int cause = errno;
  ::close(root);
  if (descriptor < 0)
    return openFailure(tensor, location, cause);
  scope_exit closer([&] { ::close(descriptor); });

  struct stat status;
  if (::fstat(descriptor, &status) != 0)
    return openFailure(tensor, location, errno);
  if (!S_ISREG(status.st_mode))
    return readerError(Code::NotARegularFile, described(tensor, location) + " is not a regular file");
  if (trusted) {
    if (Error error = checkTrusted(tensor, location, descriptor, options.trustRoot))
      return error;
  } else if (status.st_nlink != 1) {
    // A hard link to somebody's private file looks like a file beside the model.
    return readerError(Code::HardLink,
                       described(tensor, location) + " has " + Twine(uint64_t(status.st_nlink)) +
                           " hard links; copy the file, or trust the directory it lies in with "
                           "--trust-root");
  }
  auto mapped = MappedFile::map(descriptor, location);
  if (!mapped)
    return mapped.takeError();
  return (files[location] = std::move(*mapped)).get();
}

Expected<StringRef> ExternalData::bytes(const Tensor &tensor, uint64_t wantedBytes) {
  StringRef location;
  uint64_t offset = 0, length = wantedBytes;
  for (const StringEntry &entry : tensor.externalData) {
    if (entry.key == "location")
      location = entry.value;
    uint64_t *number = entry.key == "offset" ? &offset : entry.key == "length" ? &length : nullptr;
    if (number && entry.value.getAsInteger(10, *number))
      return readerError(Code::BadOffset, "tensor " + quoted(tensor.name) + " gives " + quoted(entry.value) +
                                              " as the " + entry.key.str() +
                                              " of its external data, which is no number of bytes");
  }
  if (location.empty())
    return readerError(Code::NoLocation,
                       "tensor " + quoted(tensor.name) + " has external data but names no file");
  auto mapped = file(tensor, location);
  if (!mapped)
    return mapped.takeError();
  if (length != wantedBytes)
    return readerError(Code::DataSizeMismatch, described(tensor, location) + " is " + Twine(length) +
                                                   " bytes long but its dims and data type need " +
                                                   Twine(wantedBytes));
  StringRef all = (*mapped)->bytes();
  if (offset > all.size() || length > all.size() - offset)
    return readerError(Code::OutOfBounds, described(tensor, location) + " takes " + Twine(length) +
                                              " bytes at offset " + Twine(offset) + ", but the file has " +
                                              Twine(uint64_t(all.size())));
  return all.substr(size_t(offset), size_t(length));
}

} // namespace torsh::onnx
