//===-- MicrosoftOps.cpp - The operators of domain com.microsoft
//--------------------------------------------===//
#include "frontends/onnx/ops/microsoft/MicrosoftOps.h"
#include "frontends/onnx/GraphImport.h"

using namespace mlir;

namespace torsh::onnx {
namespace microsoft {
LogicalResult importStandard(NodeImport &n, StringRef name, int64_t opset) {
  ImportFunction function = OpTable::get().lookup("", name, opset);
  if (!function)
    return n.unsupported("the standard operator " + name + ", which it is an alias of, is not supported");
  NodeImport standard(n.graph, n.node, opset, n.builder, n.loc);
  LogicalResult result = function(standard);
  n.invalid |= standard.invalid;
  return result;
}

Value resultOf(NodeImport &n, size_t i) {
  NamedValue *named = i < n.node.outputs.size() ? n.graph.find(n.node.outputs[i]) : nullptr;
  return named && named->kind == NamedValue::Kind::Value ? named->value : Value();
}

} // namespace microsoft

void addMicrosoftOps(OpTable &table) {
  microsoft::addFusedOps(table);
  microsoft::addNormOps(table);
  microsoft::addQuantizedElementwiseOps(table);
  microsoft::addQuantizedPoolOps(table);
  microsoft::addQuantizedProductOps(table);
  microsoft::addBlockQuantizedOps(table);
  microsoft::addAttentionOps(table);
  microsoft::addMultiHeadAttentionOps(table);
  microsoft::addGroupQueryAttentionOps(table);
  microsoft::addDynamicQuantizeLstmOps(table);
  // What ONNX took over later.
  table.add("com.microsoft", "GatherND", 1,
            [](NodeImport &n) { return microsoft::importStandard(n, "GatherND", 11); });
  table.add("com.microsoft", "GridSample", 1,
            [](NodeImport &n) { return microsoft::importStandard(n, "GridSample", 16); });
  table.add("com.microsoft", "Range", 1,
            [](NodeImport &n) { return microsoft::importStandard(n, "Range", 11); });
  table.add("com.microsoft", "ExpandDims", 1,
            [](NodeImport &n) { return microsoft::importStandard(n, "Unsqueeze", 13); });
}

} // namespace torsh::onnx
