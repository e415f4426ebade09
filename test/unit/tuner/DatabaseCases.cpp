//===-- DatabaseCases.cpp - What the database accepts and keeps ----------------------------------------------===//
#include "passes/tuning/CpuIdentity.h"
#include "passes/tuning/TuningDatabase.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

using namespace torsh;
using Catch::Contains;

namespace {

TuningEntry makeEntry(int64_t rows) {
  TuningEntry entry;
  entry.summary = "dot";
  entry.choices.set(Knob::TileRows, rows);
  entry.choices.set(Knob::TilePanels, 1);
  return entry;
}

/// A directory that vanishes with the object.
struct Folder {
  llvm::SmallString<128> path;
  Folder() { REQUIRE_FALSE(llvm::sys::fs::createUniqueDirectory("torsh-tuning", path)); }
  ~Folder() { llvm::sys::fs::remove_directories(path); }
  std::string file(const std::string &name) const { return std::string(path) + "/" + name; }
};

void writeText(const std::string &path, const std::string &text) {
  std::error_code code;
  llvm::raw_fd_ostream os(path, code);
  REQUIRE_FALSE(code);
  os << text;
}

std::string errorOf(const std::string &text) {
  auto database = TuningDatabase::parse(text, "db");
  return database ? "" : llvm::toString(database.takeError());
}

TuningDatabase readGood(const std::string &path) {
  auto database = TuningDatabase::read(path);
  if (!database)
    FAIL(llvm::toString(database.takeError()));
  return std::move(*database);
}

} // namespace

TEST_CASE("a database reads what it wrote") {
  TuningDatabase database;
  database.set("cpu a", "v3", "k1", makeEntry(4));
  database.set("cpu b", "v4", "k2", makeEntry(5));
  auto read = TuningDatabase::parse(database.toText(), "db");
  REQUIRE(bool(read));
  CHECK(read->toText() == database.toText());
  REQUIRE(read->find("cpu a", "v3", "k1"));
  CHECK(read->find("cpu a", "v3", "k1")->choices == makeEntry(4).choices);
  CHECK_FALSE(read->find("cpu a", "v4", "k1"));
  CHECK_FALSE(read->find("cpu b", "v3", "k1"));
}

TEST_CASE("the caches of a CPU count unless told otherwise") {
  TuningDatabase database;
  database.set("vendor/model avx2 32K/512K/32768K", "v3", "k", makeEntry(4));
  CHECK_FALSE(database.find("vendor/model avx2 32K/512K/16384K", "v3", "k"));
  CHECK(database.find("vendor/model avx2 32K/512K/16384K", "v3", "k", true));
  CHECK_FALSE(database.find("vendor/other avx2 32K/512K/32768K", "v3", "k", true));
}

TEST_CASE("whatever is no database is refused with a sentence") {
  CHECK_THAT(errorOf(""), Contains("TSH-0651") && Contains("is not JSON"));
  CHECK_THAT(errorOf("{"), Contains("is not JSON"));
  CHECK_THAT(errorOf("[]"), Contains("has no format"));
  CHECK_THAT(errorOf("{\"format\": 2, \"entries\": []}"), Contains("another format"));
  CHECK_THAT(errorOf("{\"format\": 1}"), Contains("no list of entries"));
  CHECK_THAT(errorOf("{\"format\": 1, \"entries\": [7]}"), Contains("an entry has no choices"));
  CHECK_THAT(errorOf("{\"format\": 1, \"entries\": [{\"choices\": {}}]}"), Contains("no plain cpu"));
  auto withChoices = [](const std::string &choices) {
    return "{\"format\": 1, \"entries\": [{\"cpu\": \"c\", \"level\": \"v3\", \"key\": \"k\", \"choices\": "
           "{" +
           choices + "}}]}";
  };
  CHECK(errorOf(withChoices("")) == "");
  CHECK_THAT(errorOf(withChoices("\"rows\": 4")), Contains("there is no choice 'rows'"));
  CHECK_THAT(errorOf(withChoices("\"tile_rows\": 1000000")), Contains("a value that it cannot have"));
  CHECK_THAT(errorOf(withChoices("\"tile_rows\": -1")), Contains("a value that it cannot have"));
  CHECK_THAT(errorOf(withChoices("\"tile_rows\": \"4\"")), Contains("a value that it cannot have"));
  CHECK_THAT(errorOf(withChoices("\"tile_rows\": 4.5")), Contains("a value that it cannot have"));
  // The parser recurses; this would overflow the stack.
  CHECK_THAT(errorOf(std::string(4 << 20, '[')), Contains("nested too deeply"));
  CHECK_THAT(errorOf("{\"format\": 1, \"entries\": " + std::string(100000, '[')),
             Contains("nested too deeply"));
  CHECK_THAT(errorOf("{\"a\": \"[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[\", \"format\": 2}"),
             Contains("another format"));
}

TEST_CASE("entries of another revision of the strategies are left out") {
  TuningDatabase database;
  database.set("c", "v3", "k", makeEntry(4));
  std::string text = database.toText(), now = "\"revision\":" + std::to_string(strategyRevision);
  size_t at = text.find(now);
  REQUIRE(at != std::string::npos);
  text.replace(at, now.size(), "\"revision\":999999");
  auto read = TuningDatabase::parse(text, "db");
  REQUIRE(bool(read));
  CHECK(read->size() == 0);
}

TEST_CASE("a file that does not exist is empty, and one that is none is refused") {
  Folder folder;
  CHECK(readGood(folder.file("none.json")).size() == 0);
  auto directory = TuningDatabase::read(folder.path);
  REQUIRE_FALSE(bool(directory));
  CHECK_THAT(llvm::toString(directory.takeError()), Contains("TSH-0650"));
}

TEST_CASE("merging keeps what others wrote and refuses to replace a file that is no database") {
  Folder folder;
  std::string path = folder.file("deep/tuning.json");
  TuningDatabase first, second;
  first.set("c", "v3", "a", makeEntry(2));
  first.set("c", "v3", "b", makeEntry(3));
  second.set("c", "v3", "b", makeEntry(5));
  REQUIRE_FALSE(bool(first.mergeInto(path)));
  REQUIRE_FALSE(bool(second.mergeInto(path)));
  TuningDatabase merged = readGood(path);
  CHECK(merged.size() == 2);
  CHECK(merged.find("c", "v3", "a")->choices == makeEntry(2).choices);
  CHECK(merged.find("c", "v3", "b")->choices == makeEntry(5).choices);

  writeText(path, "not a database");
  llvm::Error error = first.mergeInto(path);
  REQUIRE(bool(error));
  CHECK_THAT(llvm::toString(std::move(error)), Contains("TSH-0651"));
  auto buffer = llvm::MemoryBuffer::getFile(path);
  REQUIRE(bool(buffer));
  CHECK((*buffer)->getBuffer() == "not a database");
}

TEST_CASE("tuners that write at the same time lose nothing") {
  Folder folder;
  std::string path = folder.file("tuning.json");
  constexpr int writers = 6, entries = 12;
  std::vector<pid_t> children;
  for (int writer = 0; writer < writers; ++writer) {
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      bool ok = true;
      for (int i = 0; i < entries; ++i) {
        TuningDatabase one;
        one.set("c", "v3", "k" + std::to_string(writer) + "-" + std::to_string(i), makeEntry(4));
        if (llvm::Error error = one.mergeInto(path)) {
          llvm::consumeError(std::move(error));
          ok = false;
        }
      }
      _exit(ok ? 0 : 1);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 1;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  CHECK(readGood(path).size() == writers * entries);
}

TEST_CASE("the shipped database is one, for CPUs with names of the form that machines have") {
  TuningDatabase shipped = readGood(SHIPPED_TUNING);
  CHECK(shipped.toText() == TuningDatabase::shipped().toText());
  CHECK_THAT(describeCpu(), Contains("/") && Contains(" avx") && Contains("K/"));
  CHECK(getCpuClass("vendor/model avx2 1K/2K/3K") == "vendor/model avx2");
  CHECK(getLevelRunHere({"v9"}) == "");
}
