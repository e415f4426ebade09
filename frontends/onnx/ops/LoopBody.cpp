//===-- LoopBody.cpp - What importing loops shares --------------------------------------------------------------===//
#include "frontends/onnx/ops/LoopBody.h"
#include "frontends/onnx/ops/Compose.h"

using namespace mlir;

namespace torsh::onnx {

const Graph *graphAttr(NodeImport &node, StringRef name) {
  const Attribute *attribute = node.attribute(name);
  return attribute ? attribute->g : nullptr;
}

NamedValue namedValue(Value value) {
  NamedValue named;
  named.kind = NamedValue::Kind::Value;
  named.value = value;
  return named;
}

LogicalResult checkStable(NodeImport &node, ArrayRef<Value> initial, ArrayRef<Value> next) {
  for (auto [index, from, to] : llvm::enumerate(initial, next))
    if (from.getType() != to.getType())
      return node.unsupported("the carried value " + Twine(index) + " changes its type from " +
                              typeText(from.getType()) + " to " + typeText(to.getType()) +
                              " in an iteration");
  return success();
}

} // namespace torsh::onnx
