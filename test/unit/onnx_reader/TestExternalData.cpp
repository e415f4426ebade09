//===- TestExternalData.cpp - Weights in files beside the model -----------===//
#include "WireWriter.h"
#include "frontends/onnx/reader/TensorData.h"
#include "llvm/Support/FileSystem.h"
#include <catch2/catch.hpp>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace torsh::onnx;
using namespace torsh::onnx::test;

namespace {
/// A directory that goes with everything in it.
class Folder {
public:
  Folder() {
    llvm::SmallString<128> made;
    REQUIRE_FALSE(llvm::sys::fs::createUniqueDirectory("torsh-external", made));
    root = made.str().str();
  }
  ~Folder() { llvm::sys::fs::remove_directories(root); }
  std::string operator/(const std::string &name) const { return root + "/" + name; }
  const std::string &path() const { return root; }

private:
  std::string root;
};

struct Read {
  std::string bytes;
  const char *data = nullptr;
  std::vector<unsigned> codes;
  std::string message;
};
} // namespace

static void write(const std::string &path, const std::string &text) { std::ofstream(path) << text; }

static Read read(ExternalData &external, const std::vector<Msg> &entries, int64_t elements = 4) {
  Msg message = tensor("w", 2, {elements}).num(14, 1);
  for (const Msg &item : entries)
    message.sub(13, item);
  llvm::BumpPtrAllocator arena;
  std::string bytes = message.data();
  auto parsed = readTensorBuffer(bytes, arena);
  REQUIRE(bool(parsed));
  auto data = tensorBytes(*parsed, external);
  Read result;
  if (!data) {
    result.codes = codesOf(data.takeError(), &result.message);
    return result;
  }
  result.bytes = data->bytes().str();
  result.data = data->bytes().data();
  CHECK_FALSE(data->isOwned());
  return result;
}

static void refused(ExternalData &external, const std::string &location, Code code) {
  Read result = read(external, {entry("location", location)});
  INFO(location << ": " << result.message);
  CHECK(result.codes == std::vector<unsigned>{unsigned(code)});
}

TEST_CASE("external data is read in place", "[external]") {
  Folder base;
  ::mkdir((base / "model").c_str(), 0700);
  ::mkdir((base / "model/sub").c_str(), 0700);
  write(base / "model/w.bin", "0123456789");
  write(base / "model/sub/w.bin", "abcdefgh");
  for (bool walk : {false, true}) {
    ExternalDataOptions options;
    options.avoidOpenat2 = walk;
    ExternalData external(base / "model", options);
    Read first = read(external, {entry("location", "w.bin"), entry("offset", "2"), entry("length", "4")});
    CHECK(first.bytes == "2345");
    Read again = read(external, {entry("location", "w.bin"), entry("offset", "3")});
    CHECK(again.bytes == "3456");
    // One mapping for both.
    CHECK(again.data == first.data + 1);
    CHECK(read(external, {entry("location", "sub/w.bin")}).bytes == "abcd");
    CHECK(read(external, {entry("location", "./sub/w.bin"), entry("offset", "4")}).bytes == "efgh");
  }
}

TEST_CASE("locations that leave the directory are refused, each with its own sentence", "[external]") {
  Folder base;
  ::mkdir((base / "model").c_str(), 0700);
  write(base / "secret", "0123456789");
  write(base / "model/linked", "0123456789");
  REQUIRE(::link((base / "model/linked").c_str(), (base / "other-name").c_str()) == 0);
  REQUIRE(::symlink("../secret", (base / "model/link").c_str()) == 0);
  REQUIRE(::symlink("..", (base / "model/up").c_str()) == 0);
  REQUIRE(::mkfifo((base / "model/pipe").c_str(), 0600) == 0);
  ::mkdir((base / "model/folder").c_str(), 0700);
  for (bool walk : {false, true}) {
    ExternalDataOptions options;
    options.avoidOpenat2 = walk;
    ExternalData external(base / "model", options);
    refused(external, base / "secret", Code::AbsoluteLocation);
    refused(external, "C:\\secret", Code::AbsoluteLocation);
    refused(external, "../secret", Code::ParentLocation);
    refused(external, "folder/../../secret", Code::ParentLocation);
    refused(external, "link", Code::SymbolicLink);
    refused(external, "up/secret", Code::SymbolicLink);
    refused(external, "linked", Code::HardLink);
    refused(external, "pipe", Code::NotARegularFile);
    refused(external, "folder", Code::NotARegularFile);
    refused(external, "missing", Code::CannotOpenExternal);
    refused(external, "*/_ORT_MEM_ADDR_/*", Code::MemoryLocation);
    refused(external, std::string("a\0b", 3), Code::NoLocation);
  }
  ExternalData nowhere("");
  refused(nowhere, "w.bin", Code::NoDirectory);
}

TEST_CASE("offset and length stay inside the file", "[external]") {
  Folder base;
  write(base / "w.bin", "0123456789");
  ExternalData external(base.path());
  auto code = [&](const std::vector<Msg> &entries, int64_t elements = 4) {
    Read result = read(external, entries, elements);
    INFO(result.message);
    REQUIRE(result.codes.size() == 1);
    return Code(result.codes[0]);
  };
  Msg file = entry("location", "w.bin");
  CHECK(code({file, entry("offset", "7")}) == Code::OutOfBounds);
  CHECK(code({file, entry("offset", "11")}) == Code::OutOfBounds);
  CHECK(code({file, entry("offset", "18446744073709551615")}) == Code::OutOfBounds);
  CHECK(code({file}, 11) == Code::OutOfBounds);
  CHECK(code({file, entry("length", "5")}) == Code::DataSizeMismatch);
  CHECK(code({file, entry("offset", "-1")}) == Code::BadOffset);
  CHECK(code({file, entry("offset", "0x2")}) == Code::BadOffset);
  CHECK(code({file, entry("length", "99999999999999999999999")}) == Code::BadOffset);
  CHECK(code({}) == Code::NoLocation);
  CHECK(read(external, {file, entry("offset", "10")}, 0).codes.empty());
}

TEST_CASE("a trusted directory allows links that end in it, and no others", "[external]") {
  Folder base;
  ::mkdir((base / "cache").c_str(), 0700);
  ::mkdir((base / "cache/blobs").c_str(), 0700);
  ::mkdir((base / "cache/snapshot").c_str(), 0700);
  ::mkdir((base / "cache-evil").c_str(), 0700);
  write(base / "cache/blobs/1234", "0123456789");
  write(base / "cache-evil/secret", "0123456789");
  REQUIRE(::symlink("../blobs/1234", (base / "cache/snapshot/w.bin").c_str()) == 0);
  REQUIRE(::symlink("../../cache-evil/secret", (base / "cache/snapshot/out").c_str()) == 0);
  REQUIRE(::link((base / "cache/blobs/1234").c_str(), (base / "cache/snapshot/hard").c_str()) == 0);
  ExternalData strict(base / "cache/snapshot");
  refused(strict, "w.bin", Code::SymbolicLink);
  refused(strict, "hard", Code::HardLink);
  ExternalDataOptions options;
  options.trustRoot = base / "cache";
  ExternalData trusting(base / "cache/snapshot", options);
  CHECK(read(trusting, {entry("location", "w.bin")}).bytes == "0123");
  CHECK(read(trusting, {entry("location", "hard")}).bytes == "0123");
  refused(trusting, "out", Code::OutsideTrustRoot);
  refused(trusting, "../blobs/1234", Code::ParentLocation);
}
