//===-- TestArchive.cpp - Archives of the corpus, each with the diagnostic of its fault ---------------------===//
#include "frontends/torch/export/ExportArchive.h"
#include "frontends/torch/reader/Archive.h"
#include "frontends/torch/script/Parser.h"
#include <catch2/catch.hpp>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

using namespace torsh::torch;

/// Reads an archive, its source and all tensor data; the empty string when nothing is wrong.
static std::string faultOf(const std::string &path) {
  if (llvm::StringRef(path).ends_with(".pt2")) {
    auto exported = ExportArchive::open(path);
    return exported ? "" : llvm::toString(exported.takeError());
  }
  auto archive = Archive::open(path);
  if (!archive)
    return llvm::toString(archive.takeError());
  auto text = (*archive)->source("__torch__");
  if (!text)
    return llvm::toString(text.takeError());
  if (auto file = parseSource(std::move(*text), "code/__torch__.py"); !file)
    return llvm::toString(file.takeError());
  std::set<const PickleValue *> seen;
  std::string fault;
  std::function<void(const PickleValue &, bool)> visit = [&](const PickleValue &value, bool ofConstants) {
    if (!seen.insert(&value).second || !fault.empty())
      return;
    if (value.kind == PickleValue::Kind::Tensor) {
      auto bytes = (*archive)->storage(*value.items[0], ofConstants);
      if (!bytes)
        fault = llvm::toString(bytes.takeError());
      return;
    }
    for (const PickleValue *item : value.items)
      visit(*item, ofConstants);
  };
  visit((*archive)->object(), false);
  visit((*archive)->constants(), true);
  return fault;
}

TEST_CASE("each file of the corpus gets the diagnostic of its fault", "[archive]") {
  std::string folder = TORSH_HOSTILE_CORPUS;
  std::ifstream manifest(folder + "/manifest.txt");
  REQUIRE(manifest.good());
  std::string line;
  size_t files = 0;
  while (std::getline(manifest, line)) {
    std::istringstream words(line);
    std::string name, code;
    words >> name >> code;
    std::string fault = faultOf(folder + "/" + name);
    INFO(line << "\n" << fault);
    ++files;
    if (code.empty())
      CHECK(fault.empty());
    else
      CHECK(fault.find("TSH-0" + code + ": ") == 0);
  }
  CHECK(files > 60);
}

TEST_CASE("a pickle that runs a program is refused by name, and runs nothing", "[archive]") {
  std::string fault = faultOf(std::string(TORSH_HOSTILE_CORPUS) + "/os_system.pt");
  CHECK(fault.find("'os.system'") != std::string::npos);
  CHECK(fault.find("nothing was executed") != std::string::npos);
  CHECK_FALSE(std::ifstream("/tmp/torsh-was-here").good());
}

TEST_CASE("tensor data are views of the mapped file", "[archive]") {
  auto archive = Archive::open(std::string(TORSH_HOSTILE_CORPUS) + "/sound.pt");
  REQUIRE(bool(archive));
  const PickleValue &root = (*archive)->object();
  REQUIRE(root.kind == PickleValue::Kind::Object);
  CHECK(root.text == "__torch__.M");
  const PickleValue &weight = *root.items[0]->items[1];
  REQUIRE(weight.kind == PickleValue::Kind::Tensor);
  CHECK(weight.sizes == std::vector<int64_t>{2, 4});
  auto bytes = (*archive)->storage(*weight.items[0], false);
  REQUIRE(bool(bytes));
  REQUIRE(bytes->size() == 32);
  float first;
  std::memcpy(&first, bytes->data(), 4);
  CHECK(first == 1.0f);
  const PickleValue &table = (*archive)->constants();
  REQUIRE(table.items.size() == 3);
  CHECK(table.items[1]->number == 2.5);
  CHECK(table.items[2]->text == "text");
}

TEST_CASE("a file that is not there and a folder are no archives", "[archive]") {
  CHECK(faultOf("/no/such/file.pt").find("TSH-0150: ") == 0);
  CHECK(faultOf(TORSH_HOSTILE_CORPUS).find("TSH-0150: ") == 0);
}
