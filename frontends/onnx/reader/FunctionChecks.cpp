//===- FunctionChecks.cpp - Calls among model-local functions -------------===//
#include "frontends/onnx/reader/FunctionChecks.h"
#include "frontends/onnx/reader/NodeSort.h"
#include <algorithm>

using namespace llvm;

namespace torsh::onnx {

FunctionTable::FunctionTable(const Model &model) {
  for (const Function &function : model.functions)
    if (!functions.try_emplace({{function.domain, function.name}, function.overload}, &function).second)
      repeated.push_back(&function);
}

const Function *FunctionTable::find(const Node &node) const {
  return functions.lookup({{node.domain, node.opType}, node.overload});
}

/// Calls `visit` with every node, those of nested graphs included.
static void forEachNode(ArrayRef<Node> nodes, function_ref<void(const Node &)> visit) {
  for (const Node &node : nodes) {
    visit(node);
    for (const Attribute &attribute : node.attributes) {
      if (attribute.g)
        forEachNode(attribute.g->nodes, visit);
      for (const Graph *graph : attribute.graphs)
        forEachNode(graph->nodes, visit);
    }
  }
}

void checkFunctionCalls(const Model &model, const ReadLimits &limits, CheckedModel &result) {
  FunctionTable table(model);
  for (const Function *function : table.duplicates())
    result.add(Code::DuplicateFunction, "function " + quoted(function->name) + " of domain " +
                                            quoted(function->domain) + " is defined twice");

  const Function *first = model.functions.begin();
  SmallVector<SmallVector<uint32_t, 4>, 0> callees(model.functions.size());
  for (auto [index, function] : enumerate(model.functions))
    forEachNode(function.nodes, [&, i = index](const Node &node) {
      if (const Function *callee = table.find(node))
        callees[i].push_back(uint32_t(callee - first));
    });
  NodeOrder order;
  if (!sortNodes(callees, order)) {
    std::string path;
    for (size_t i = 0; i < order.size() && i < 8; ++i)
      path += quoted(model.functions[order[i]].name) + " -> ";
    path += order.size() > 8 ? "..." : quoted(model.functions[order[0]].name);
    result.add(Code::RecursiveFunction, "model-local functions call each other in a circle: " + path);
    return;
  }

  // Callees come first in `order`. Sums stop growing at the limit, so they cannot overflow.
  uint64_t beyond = limits.maxExpandedNodes + 1;
  SmallVector<uint64_t, 0> sizes(model.functions.size(), 0);
  auto expandedSize = [&](ArrayRef<Node> nodes) {
    uint64_t size = 0;
    forEachNode(nodes, [&](const Node &node) {
      const Function *callee = table.find(node);
      size = std::min(beyond, size + 1 + (callee ? sizes[size_t(callee - first)] : 0));
    });
    return size;
  };
  for (uint32_t index : order)
    sizes[index] = expandedSize(model.functions[index].nodes);
  if (expandedSize(model.graph.nodes) >= beyond)
    result.add(Code::ExpansionTooLarge, "the model has more nodes than the limit of " +
                                            Twine(limits.maxExpandedNodes) +
                                            " once its functions are expanded");
}

} // namespace torsh::onnx
