//===-- Link.cpp - Object files -> shared object, by lld in process -----------------------------------------===//
#include "compiler/Artifact.h"
#include "lld/Common/Driver.h"
#include "torsh/artifact.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace llvm;

namespace torsh {
namespace {

/// A directory for the linker's files that vanishes with the object.
class ScratchDirectory {
public:
  static Expected<std::unique_ptr<ScratchDirectory>> create() {
    SmallString<128> path;
    if (std::error_code code = sys::fs::createUniqueDirectory("torsh-link", path))
      return createStringError(code, "TSH-0620: no temporary directory for the linker: " + code.message());
    return std::unique_ptr<ScratchDirectory>(new ScratchDirectory(path));
  }
  ~ScratchDirectory() { sys::fs::remove_directories(path); }
  std::string file(const Twine &name) const { return (path + "/" + name).str(); }

private:
  explicit ScratchDirectory(StringRef path) : path(path.str()) {}
  std::string path;
};

Error writeFile(StringRef path, StringRef bytes) {
  std::error_code code;
  raw_fd_ostream os(path, code);
  os << bytes;
  os.close();
  if (code || os.has_error()) {
    os.clear_error();
    return createStringError("TSH-0620: cannot write the linker's input '" + path + "'");
  }
  return Error::success();
}

/// Undefined symbols of all objects but those that an object defines and the ones of libc.
SmallVector<std::string> libmSymbols(ArrayRef<std::string> objects) {
  StringMap<bool> defined;
  SmallVector<std::string> wanted;
  for (const std::string &bytes : objects) {
    auto file = object::ObjectFile::createELFObjectFile(MemoryBufferRef(bytes, "kernel"));
    if (!file) {
      consumeError(file.takeError());
      continue;
    }
    for (const object::SymbolRef &symbol : (*file)->symbols()) {
      Expected<StringRef> name = symbol.getName();
      Expected<uint32_t> flags = symbol.getFlags();
      if (!name || !flags) {
        consumeError(name.takeError());
        consumeError(flags.takeError());
        continue;
      }
      if (*flags & object::SymbolRef::SF_Undefined)
        wanted.push_back(name->str());
      else
        defined[*name] = true;
    }
  }
  llvm::sort(wanted);
  wanted.erase(llvm::unique(wanted), wanted.end());
  llvm::erase_if(wanted, [&](const std::string &name) {
    return name.empty() || defined.lookup(name) || name == "memcpy" || name == "memset" ||
           name == "memmove" || name == "_GLOBAL_OFFSET_TABLE_";
  });
  return wanted;
}

Error runLinker(ArrayRef<std::string> arguments) {
  SmallVector<const char *> raw{"ld.lld", "-m", "elf_x86_64", "--threads=1"};
  for (const std::string &argument : arguments)
    raw.push_back(argument.c_str());
  std::string messages;
  raw_string_ostream os(messages);
  // lld keeps global state between calls.
  static std::mutex lock;
  std::lock_guard<std::mutex> guard(lock);
  lld::Result result = lld::lldMain(raw, os, os, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return createStringError("TSH-0621: the linker failed: " + messages);
  return Error::success();
}

/// A library that only has the name of libm. Linked against it, symbols carry no version, and the loader takes the oldest
/// one that the target system has; against this system's libm they would ask for versions that older systems lack.
Expected<std::string> makeLibmStub(const ScratchDirectory &scratch) {
  std::string text = scratch.file("stub.txt"), stub = scratch.file("libm.so");
  if (Error error = writeFile(text, "stub"))
    return std::move(error);
  if (Error error = runLinker({"-shared", "-soname=libm.so.6", "--format=binary", text, "-o", stub}))
    return std::move(error);
  return stub;
}

Expected<std::vector<char>> link(ArrayRef<std::string> objects, ArrayRef<std::string> options, bool exports,
                                 bool needsLibm) {
  auto scratch = ScratchDirectory::create();
  if (!scratch)
    return scratch.takeError();
  SmallVector<std::string> arguments(options);
  for (auto [index, bytes] : enumerate(objects)) {
    arguments.push_back((*scratch)->file(Twine(index) + ".o"));
    if (Error error = writeFile(arguments.back(), bytes))
      return std::move(error);
  }
  if (exports) {
    std::string map = (*scratch)->file("exports.map");
    if (Error error = writeFile(map, "{ global: " TORSH_QUERY_SYMBOL "; local: *; };\n"))
      return std::move(error);
    arguments.push_back("--version-script=" + map);
  }
  if (needsLibm) {
    auto stub = makeLibmStub(**scratch);
    if (!stub)
      return stub.takeError();
    arguments.append({"--no-as-needed", *stub});
  }
  std::string out = (*scratch)->file("linked");
  arguments.append({"-o", out});
  if (Error error = runLinker(arguments))
    return std::move(error);
  auto buffer = MemoryBuffer::getFile(out, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError("TSH-0621: the linker left no output");
  return std::vector<char>((*buffer)->getBufferStart(), (*buffer)->getBufferEnd());
}

} // namespace

Expected<std::vector<char>> linkSharedObject(ArrayRef<std::string> objects) {
  // Functions that no polynomial replaced come from libm.
  return link(objects,
              {"-shared", "--hash-style=gnu", "--build-id=sha1", "-z", "noexecstack", "-z", "relro", "-z",
               "now", "--eh-frame-hdr", "--unresolved-symbols=ignore-all"},
              /*exports=*/true, /*needsLibm=*/!libmSymbols(objects).empty());
}

Expected<std::vector<char>> linkRelocatable(ArrayRef<std::string> objects) {
  return link(objects, {"-r"}, /*exports=*/false, /*needsLibm=*/false);
}

} // namespace torsh
