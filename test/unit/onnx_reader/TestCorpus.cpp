//===- TestCorpus.cpp - Files: the hostile corpus and real test data ------===//
#include "WireWriter.h"
#include "frontends/onnx/reader/TensorData.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

using namespace torsh::onnx;
using namespace torsh::onnx::test;

/// Reads, checks, and takes the bytes of every initializer.
static std::vector<unsigned> outcomeOf(const std::string &path, std::string &message) {
  ReadLimits limits;
  Outcome outcome = finish(readModelFile(path, limits), limits);
  message = outcome.message;
  if (!outcome.codes.empty())
    return outcome.codes;
  ExternalData external(outcome.file->directory());
  for (const Tensor &tensor : outcome.file->model().graph.initializers) {
    if (tensor.dataType == int32_t(DataType::String))
      continue;
    auto bytes = tensorBytes(tensor, external);
    if (!bytes)
      for (unsigned code : codesOf(bytes.takeError(), &message))
        outcome.codes.push_back(code);
  }
  return outcome.codes;
}

TEST_CASE("each hostile file is refused with the code of its fault", "[corpus]") {
  std::string folder = TORSH_HOSTILE_CORPUS;
  std::ifstream manifest(folder + "/manifest.txt");
  REQUIRE(manifest.good());
  std::string line;
  size_t files = 0;
  while (std::getline(manifest, line)) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    std::string message;
    std::vector<unsigned> codes = outcomeOf(folder + "/" + name, message);
    INFO(line << "\n" << message);
    ++files;
    unsigned wanted = 0, alternatives = 0;
    bool matched = false;
    while (words >> wanted) {
      ++alternatives;
      for (unsigned code : codes)
        matched |= code == wanted;
    }
    // No number in the manifest means that the file is sound.
    CHECK((alternatives ? matched : codes.empty()));
  }
  CHECK(files > 100);
}

TEST_CASE("all models of the folder in TORSH_ONNX_TESTDATA load", "[corpus]") {
  const char *folder = std::getenv("TORSH_ONNX_TESTDATA");
  if (!folder) {
    std::cout << "TORSH_ONNX_TESTDATA is not set: no further models are read\n";
    return;
  }
  std::error_code failure;
  size_t models = 0;
  for (llvm::sys::fs::recursive_directory_iterator it(folder, failure), end; it != end && !failure;
       it.increment(failure)) {
    llvm::StringRef extension = llvm::sys::path::extension(it->path());
    if (extension == ".onnx") {
      std::string message;
      std::vector<unsigned> codes = outcomeOf(it->path(), message);
      INFO(it->path() << "\n" << message);
      CHECK(codes.empty());
      ++models;
    }
  }
  CHECK(models > 0);
  std::cout << models << " models read\n";
}
