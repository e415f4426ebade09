//===- DumpModel.cpp - Prints what the reader sees ------------------------===//
// One line a fact, in a form that compare_with_onnx.py produces from the reader of the onnx package.
#include "frontends/onnx/reader/Checks.h"
#include "frontends/onnx/reader/Reader.h"
#include "frontends/onnx/reader/TensorData.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MD5.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#include <cstring>
#include <string>

using namespace llvm;
using namespace torsh::onnx;

namespace {
class Dump {
public:
  Dump(ExternalData &external, raw_ostream &os) : external(external), os(os) {}

  void model(const Model &model) {
    os << "ir " << model.irVersion << " producer " << hex(model.producerName) << "\n";
    for (const OpsetImport &import : model.opsetImports)
      os << "opset " << hex(import.domain) << " " << import.version << "\n";
    graph(model.graph);
    for (const Function &function : model.functions) {
      os << "function " << hex(function.domain) << " " << hex(function.name) << " " << hex(function.overload)
         << "\n";
      names("in", function.inputs);
      names("out", function.outputs);
      names("attributes", function.attributeNames);
      for (const Attribute &item : function.attributeDefaults)
        attribute(item);
      for (const Node &item : function.nodes)
        node(item);
    }
  }

private:
  static std::string hex(StringRef text) { return "<" + toHex(text, /*LowerCase=*/true) + ">"; }

  void names(StringRef what, ArrayRef<StringRef> list) {
    os << what;
    for (StringRef name : list)
      os << " " << hex(name);
    os << "\n";
  }

  void graph(const Graph &graph) {
    os << "graph " << hex(graph.name) << "\n";
    for (const ValueInfo &info : graph.inputs)
      value("input", info);
    for (const ValueInfo &info : graph.outputs)
      value("output", info);
    for (const ValueInfo &info : graph.valueInfo)
      value("value", info);
    for (const Tensor &item : graph.initializers)
      tensor(item);
    for (const Node &item : graph.nodes)
      node(item);
    os << "end\n";
  }

  void value(StringRef what, const ValueInfo &info) {
    os << what << " " << hex(info.name) << " ";
    if (info.type)
      type(*info.type);
    os << "\n";
  }

  void type(const Type &shown) {
    static const char *const kinds[] = {"none", "tensor", "sparse", "sequence", "map", "optional", "opaque"};
    os << kinds[size_t(shown.kind)] << ":" << shown.elemType;
    if (shown.hasShape) {
      os << "[";
      for (const Dim &dim : shown.dims) {
        if (dim.kind == Dim::Kind::Value)
          os << dim.value;
        else
          os << (dim.kind == Dim::Kind::Param ? hex(dim.param) : "?");
        os << ",";
      }
      os << "]";
    }
    if (shown.element) {
      os << "(";
      type(*shown.element);
      os << ")";
    }
  }

  void tensor(const Tensor &shown) {
    os << "tensor " << hex(shown.name) << " " << shown.dataType;
    for (int64_t dim : shown.dims)
      os << " " << dim;
    os << " ";
    if (shown.dataType == int32_t(DataType::String)) {
      auto strings = tensorStrings(shown);
      if (!strings)
        return void(os << "error " << toString(strings.takeError()) << "\n");
      for (StringRef text : *strings)
        os << hex(text);
    } else {
      auto data = tensorBytes(shown, external);
      if (!data)
        return void(os << "error " << toString(data.takeError()) << "\n");
      MD5::MD5Result digest = MD5::hash(arrayRefFromStringRef(data->bytes()));
      os << digest.digest();
    }
    os << "\n";
  }

  void node(const Node &shown) {
    os << "node " << hex(shown.name) << " " << hex(shown.domain) << " " << hex(shown.opType) << " "
       << hex(shown.overload) << "\n";
    names("in", shown.inputs);
    names("out", shown.outputs);
    for (const Attribute &item : shown.attributes)
      attribute(item);
  }

  void number(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    os << " " << format_hex_no_prefix(bits, 8);
  }

  void attribute(const Attribute &shown) {
    os << "attribute " << hex(shown.name) << " " << hex(shown.refAttrName) << " " << unsigned(shown.kind);
    number(shown.f);
    os << " " << shown.i << " " << hex(shown.s);
    for (float value : shown.floats)
      number(value);
    for (int64_t value : shown.ints)
      os << " " << value;
    for (StringRef text : shown.strings)
      os << " " << hex(text);
    if (shown.type)
      type(*shown.type);
    for (const Type *item : shown.types)
      type(*item);
    os << "\n";
    if (shown.t)
      tensor(*shown.t);
    for (const Tensor &item : shown.tensors)
      tensor(item);
    for (const SparseTensor *item = shown.sparseTensor; item; item = nullptr) {
      tensor(*item->values);
      tensor(*item->indices);
    }
    if (shown.g)
      graph(*shown.g);
    for (const Graph *item : shown.graphs)
      graph(*item);
  }

  ExternalData &external;
  raw_ostream &os;
};
} // namespace

/// Without further arguments prints the model; with --time only how long opening and checking took.
int main(int argc, char **argv) {
  if (argc < 2) {
    errs() << "usage: onnx_reader_dump MODEL.onnx [--time]\n";
    return 2;
  }
  auto start = std::chrono::steady_clock::now();
  auto file = readModelFile(argv[1]);
  if (!file) {
    errs() << toString(file.takeError()) << "\n";
    return 1;
  }
  CheckedModel checked = checkModel((*file)->model());
  std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
  if (Error error = checked.takeError()) {
    errs() << toString(std::move(error)) << "\n";
    return 1;
  }
  if (argc > 2 && StringRef(argv[2]) == "--time") {
    outs() << format("%.2f ms, %zu bytes of records, %zu bytes of file, %zu nodes\n", spent.count(),
                     (*file)->recordBytes(), (*file)->bytes().size(), (*file)->model().graph.nodes.size());
    return 0;
  }
  ExternalData external((*file)->directory());
  Dump(external, outs()).model((*file)->model());
  return 0;
}
