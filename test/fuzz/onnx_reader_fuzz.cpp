//===- onnx_reader_fuzz.cpp - Arbitrary bytes as a model ------------------===//
// Everything that the reader does with a model, on bytes that a fuzzer makes up. External data is refused,
// because the model comes from memory; unit tests cover the files.
#include "frontends/onnx/reader/Checks.h"
#include "frontends/onnx/reader/Reader.h"
#include "frontends/onnx/reader/TensorData.h"
#include "llvm/Support/Error.h"
#include <cstddef>
#include <cstdint>

using namespace torsh::onnx;

/// Reads every byte, so that a sanitizer sees a view that leaves its file.
static void touch(llvm::StringRef bytes) {
  unsigned sum = 0;
  for (char c : bytes)
    sum += uint8_t(c);
  volatile unsigned sink = sum;
  (void)sink;
}

static void readTensor(const Tensor &tensor, ExternalData &external, const ReadLimits &limits) {
  touch(quoted(tensor.name));
  if (auto data = tensorBytes(tensor, external, limits))
    touch(data->bytes());
  else
    touch(llvm::toString(data.takeError()));
  if (auto strings = tensorStrings(tensor, limits)) {
    for (llvm::StringRef text : *strings)
      touch(text);
  } else {
    llvm::consumeError(strings.takeError());
  }
}

static void readNodes(ArrayRef<Node> nodes, ExternalData &external, const ReadLimits &limits) {
  for (const Node &node : nodes)
    for (const Attribute &attribute : node.attributes) {
      touch(attribute.s);
      if (attribute.t)
        readTensor(*attribute.t, external, limits);
      if (attribute.g)
        readNodes(attribute.g->nodes, external, limits);
    }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  ReadLimits limits;
  // Small enough that a fault in the accounting shows as a memory limit of the fuzzer.
  limits.maxParsedBytes = 64 << 20;
  ExternalData external("");
  llvm::StringRef bytes(reinterpret_cast<const char *>(data), size);
  auto file = readModelBuffer(bytes, "fuzzed.onnx", limits);
  if (!file) {
    touch(llvm::toString(file.takeError()));
    return 0;
  }
  const Model &model = (*file)->model();
  CheckedModel checked = checkModel(model, limits);
  touch(llvm::toString(checked.takeError()));
  for (const Tensor &tensor : model.graph.initializers)
    readTensor(tensor, external, limits);
  readNodes(model.graph.nodes, external, limits);
  for (const Function &function : model.functions)
    readNodes(function.nodes, external, limits);
  // A sound model has a complete order.
  if (checked.findings.empty() && checked.graphOrders[&model.graph].size() != model.graph.nodes.size())
    __builtin_trap();
  return 0;
}
