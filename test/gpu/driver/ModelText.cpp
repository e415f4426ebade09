//===-- ModelText.cpp - Small models as ONNX files ----------------------------------------------------------===//
#include "ModelText.h"
#include "test/unit/onnx_reader/WireWriter.h"
#include "llvm/Support/FileSystem.h"
#include <fstream>
#include <random>

namespace torsh::test {

using onnx::test::dimParam;
using onnx::test::dimValue;
using onnx::test::Msg;

TemporaryFile::TemporaryFile(const std::string &suffix, const std::string &bytes) {
  llvm::SmallString<128> file;
  if (!llvm::sys::fs::createTemporaryFile("torsh_gpu", suffix, file))
    path = std::string(file);
  std::ofstream(path, std::ios::binary) << bytes;
}

TemporaryFile::~TemporaryFile() { (void)llvm::sys::fs::remove(path); }

namespace {

/// A graph under construction; every value is f32 unless it is a list of integers.
class Graph {
public:
  void input(const std::string &name, const std::vector<Msg> &dims) {
    graph.sub(11, onnx::test::valueInfo(name, onnx::test::tensorType(1, dims)));
  }
  std::string weight(const std::vector<int64_t> &dims, double scale) {
    std::string name = "w" + std::to_string(number++);
    size_t count = 1;
    for (int64_t dim : dims)
      count *= size_t(dim);
    std::uniform_real_distribution<float> uniform(-scale, scale);
    std::vector<float> values(count);
    for (float &value : values)
      value = uniform(random);
    graph.sub(5, onnx::test::tensor(name, 1, dims).str(9, Msg::raw(values)));
    return name;
  }
  std::string integers(const std::vector<int64_t> &values) {
    std::string name = "i" + std::to_string(number++);
    graph.sub(5, onnx::test::tensor(name, 7, {int64_t(values.size())}).str(9, Msg::raw(values)));
    return name;
  }
  std::string scalar(float value) {
    std::string name = "c" + std::to_string(number++);
    graph.sub(5, onnx::test::tensor(name, 1, {}).str(9, Msg::raw(std::vector<float>{value})));
    return name;
  }
  std::string op(const std::string &kind, const std::vector<std::string> &inputs,
                 const std::vector<Msg> &attributes = {}) {
    std::string name = "v" + std::to_string(number++);
    Msg node = onnx::test::node(kind, inputs, {name}, kind + "_" + name);
    for (const Msg &attribute : attributes)
      node.sub(5, attribute);
    graph.sub(1, node);
    return name;
  }
  static Msg axis(int64_t value) { return onnx::test::attribute("axis", 2).num(3, uint64_t(value)); }
  static Msg order(const std::vector<int64_t> &values) {
    Msg attribute = onnx::test::attribute("perm", 7);
    for (int64_t value : values)
      attribute.num(8, uint64_t(value));
    return attribute;
  }
  std::string linear(const std::string &x, int64_t from, int64_t to) {
    std::string product = op("MatMul", {x, weight({from, to}, 0.3)});
    return op("Add", {product, weight({to}, 0.3)});
  }
  std::string layerNorm(const std::string &x, int64_t size) {
    return op("LayerNormalization", {x, weight({size}, 1), weight({size}, 1)}, {axis(-1)});
  }
  std::string finish(const std::string &output, const std::vector<Msg> &dims) {
    graph.sub(12, onnx::test::valueInfo(output, onnx::test::tensorType(1, dims)));
    return onnx::test::model(graph.str(2, "g")).data();
  }

private:
  Msg graph;
  int number = 0;
  std::mt19937 random{7};
};

} // namespace

std::string mlpModel() {
  Graph g;
  g.input("x", {dimParam("batch"), dimValue(31)});
  std::string hidden = g.op("Relu", {g.linear("x", 31, 127)});
  std::string y = g.op("Softmax", {g.linear(hidden, 127, 33)}, {Graph::axis(-1)});
  return g.finish(y, {dimParam("batch"), dimValue(33)});
}

std::string bertLayerModel() {
  constexpr int64_t tokens = 33, width = 64, heads = 4, inner = 128;
  Graph g;
  g.input("x", {dimValue(1), dimValue(tokens), dimValue(width)});
  g.input("mask", {dimValue(1), dimValue(1), dimValue(1), dimValue(tokens)});
  std::string split = g.integers({1, tokens, heads, width / heads}), join = g.integers({1, tokens, width});
  auto head = [&](const std::vector<int64_t> &order) {
    return g.op("Transpose", {g.op("Reshape", {g.linear("x", width, width), split})}, {Graph::order(order)});
  };
  std::string q = head({0, 2, 1, 3}), k = head({0, 2, 3, 1}), v = head({0, 2, 1, 3});
  std::string scores = g.op("Div", {g.op("MatMul", {q, k}), g.scalar(4)});
  std::string weights = g.op("Softmax", {g.op("Add", {scores, "mask"})}, {Graph::axis(-1)});
  std::string mixed = g.op("Transpose", {g.op("MatMul", {weights, v})}, {Graph::order({0, 2, 1, 3})});
  std::string attended = g.linear(g.op("Reshape", {mixed, join}), width, width);
  std::string first = g.layerNorm(g.op("Add", {attended, "x"}), width);
  std::string wide = g.linear(first, width, inner);
  std::string erf = g.op("Erf", {g.op("Div", {wide, g.scalar(1.41421356f)})});
  std::string gelu = g.op("Mul", {g.op("Mul", {wide, g.op("Add", {erf, g.scalar(1)})}), g.scalar(0.5f)});
  std::string y = g.layerNorm(g.op("Add", {g.linear(gelu, inner, width), first}), width);
  return g.finish(y, {dimValue(1), dimValue(tokens), dimValue(width)});
}

std::string mixedModel() {
  Graph g;
  g.input("x", {dimParam("batch"), dimValue(32)});
  std::string product = g.linear("x", 32, 40);
  std::string sum = g.op("CumSum", {product, g.integers({1})});
  std::string y = g.op("Softmax", {sum}, {Graph::axis(-1)});
  return g.finish(y, {dimParam("batch"), dimValue(40)});
}

} // namespace torsh::test
