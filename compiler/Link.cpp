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

} // namespace

static Expected<std::vector<char>> link(ArrayRef<std::string> objects, ArrayRef<std::string> options,
                                        bool exports) {
  auto scratch = ScratchDirectory::create();
  if (!scratch)
    return scratch.takeError();
  SmallVector<std::string> arguments{"ld.lld", "-m", "elf_x86_64", "--threads=1"};
  arguments.append(options.begin(), options.end());
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
  std::string out = (*scratch)->file("linked");
  arguments.push_back("-o");
  arguments.push_back(out);
  SmallVector<const char *> raw;
  for (const std::string &argument : arguments)
    raw.push_back(argument.c_str());
  std::string messages;
  raw_string_ostream os(messages);
  {
    // lld keeps global state between calls.
    static std::mutex lock;
    std::lock_guard<std::mutex> guard(lock);
    lld::Result result = lld::lldMain(raw, os, os, {{lld::Gnu, &lld::elf::link}});
    if (result.retCode != 0)
      return createStringError("TSH-0621: the linker failed: " + messages);
  }
  auto buffer = MemoryBuffer::getFile(out, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError("TSH-0621: the linker left no output");
  return std::vector<char>((*buffer)->getBufferStart(), (*buffer)->getBufferEnd());
}

Expected<std::vector<char>> linkSharedObject(ArrayRef<std::string> objects) {
  SmallVector<std::string> options{"-shared",
                                   "--hash-style=gnu",
                                   "--build-id=sha1",
                                   "-z",
                                   "noexecstack",
                                   "-z",
                                   "relro",
                                   "-z",
                                   "now",
                                   "--eh-frame-hdr",
                                   "--unresolved-symbols=ignore-all"};
  // Functions that no polynomial replaced come from libm.
  if (!libmSymbols(objects).empty())
    options.append({"--no-as-needed", "/lib/x86_64-linux-gnu/libm.so.6"});
  return link(objects, options, /*exports=*/true);
}

Expected<std::vector<char>> linkRelocatable(ArrayRef<std::string> objects) {
  return link(objects, {"-r"}, /*exports=*/false);
}

} // namespace torsh
