//===-- NaiveTest.cpp - A model run by the reference evaluator ----------------------------------------------===//
#include "compiler/Naive.h"
#include "test/unit/onnx_reader/WireWriter.h"
#include "llvm/Support/FileSystem.h"
#include <catch2/catch.hpp>
#include <fstream>

using namespace torsh;
using torsh::onnx::test::dimParam;
using torsh::onnx::test::dimValue;
using torsh::onnx::test::Msg;
using torsh::onnx::test::tensorType;

namespace {

Msg value(const std::string &name, const std::vector<Msg> &dims) {
  return Msg().str(1, name).sub(2, tensorType(/*float*/ 1, dims));
}

Msg node(const std::string &op, const std::vector<std::string> &inputs, const std::string &output) {
  Msg result;
  for (const std::string &input : inputs)
    result.str(1, input);
  return result.str(2, output).str(3, op + "_node").str(4, op);
}

/// y = relu(x + w) with x [batch, 2] and w = [10, -10], as a file that is deleted with the object.
struct ModelFile {
  ModelFile() {
    llvm::SmallString<128> file;
    REQUIRE(!llvm::sys::fs::createTemporaryFile("naive", "onnx", file));
    path = std::string(file);
    Msg weight;
    weight.num(1, 2).num(2, 1).str(8, "w").str(9, Msg::raw(std::vector<float>{10, -10}));
    Msg graph;
    graph.sub(1, node("Add", {"x", "w"}, "sum"))
        .sub(1, node("Relu", {"sum"}, "y"))
        .str(2, "g")
        .sub(5, weight);
    graph.sub(11, value("x", {dimParam("batch"), dimValue(2)}));
    graph.sub(12, value("y", {dimParam("batch"), dimValue(2)}));
    std::ofstream(path, std::ios::binary)
        << Msg().num(1, 9).sub(7, graph).sub(8, Msg().str(1, "").num(2, 20)).data();
  }
  ~ModelFile() { (void)llvm::sys::fs::remove(path); }
  std::string path;
};

std::unique_ptr<NaiveModel> load(const std::string &path, std::optional<unsigned> graphLevel,
                                 CompileStatus &status, std::string &messages) {
  llvm::raw_string_ostream log(messages);
  CompileOptions options;
  options.modelPath = path;
  options.log = &log;
  return NaiveModel::load(options, graphLevel, status);
}

NaiveTensor floats(std::vector<int64_t> shape, const std::vector<float> &values) {
  NaiveTensor tensor;
  tensor.dtype = {TORSH_DTYPE_FLOAT, 32, 1};
  tensor.shape = std::move(shape);
  std::string bytes = Msg::raw(values);
  tensor.bytes.assign(bytes.begin(), bytes.end());
  return tensor;
}

std::string messageOf(llvm::Expected<std::vector<NaiveTensor>> result) {
  REQUIRE(!result);
  return llvm::toString(result.takeError());
}

} // namespace

TEST_CASE("a model is evaluated before and after the graph passes", "[naive]") {
  ModelFile file;
  for (std::optional<unsigned> level :
       {std::optional<unsigned>(), std::optional<unsigned>(0), std::optional<unsigned>(3)}) {
    CompileStatus status;
    std::string messages;
    auto model = load(file.path, level, status, messages);
    INFO(messages);
    REQUIRE(model);
    CHECK(status == CompileStatus::Ok);
    REQUIRE(model->inputs().size() == 1);
    CHECK(model->inputs()[0].name == "x");
    // Twice, because a model may be run any number of times.
    for (int run = 0; run < 2; ++run) {
      auto outputs = model->run({floats({3, 2}, {1, 2, -20, 30, 0, 10})});
      REQUIRE(bool(outputs));
      REQUIRE(outputs->size() == 1);
      NaiveTensor &y = outputs->front();
      CHECK(y.name == "y");
      CHECK(y.shape == std::vector<int64_t>{3, 2});
      CHECK(std::string(y.bytes.begin(), y.bytes.end()) == Msg::raw(std::vector<float>{11, 0, 0, 20, 10, 0}));
    }
  }
}

TEST_CASE("inputs that do not fit are refused", "[naive]") {
  ModelFile file;
  CompileStatus status;
  std::string messages;
  auto model = load(file.path, std::nullopt, status, messages);
  REQUIRE(model);
  CHECK(llvm::StringRef(messageOf(model->run({}))).contains("TSH-0642"));
  NaiveTensor wrong = floats({1, 2}, {0, 0});
  wrong.dtype.code = TORSH_DTYPE_INT;
  CHECK(llvm::StringRef(messageOf(model->run({wrong}))).contains("TSH-0643"));
  CHECK(llvm::StringRef(messageOf(model->run({floats({1, 1, 2}, {0, 0})}))).contains("TSH-0644"));
  // A wrong dim and too few bytes are the evaluator's to find.
  CHECK(llvm::StringRef(messageOf(model->run({floats({1, 3}, {0, 0, 0})}))).contains("TSH-"));
  CHECK(llvm::StringRef(messageOf(model->run({floats({2, 2}, {0, 0})}))).contains("TSH-"));
}

TEST_CASE("a file that is no model is malformed", "[naive]") {
  CompileStatus status;
  std::string messages;
  CHECK(!load("/nonexistent/model.onnx", std::nullopt, status, messages));
  CHECK(status == CompileStatus::Malformed);
  CHECK(llvm::StringRef(messages).contains("TSH-0100"));
}
