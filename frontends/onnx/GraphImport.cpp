//===-- GraphImport.cpp - Walks graphs and dispatches nodes
//-------------------------------------------------===//
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/ObjectValues.h"
#include "frontends/onnx/ShapeValues.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;

namespace torsh::onnx {

NamedValue *Scope::find(StringRef name) {
  for (Scope *scope = this; scope; scope = scope->parent)
    if (auto it = scope->names.find(name); it != scope->names.end())
      return &it->second;
  return nullptr;
}

int64_t Frame::opsetOf(StringRef domain) const {
  for (const OpsetImport &import : opsets)
    if (import.domain == domain)
      return import.version;
  return 1;
}

//===-- Which nodes
//------------------------------------------------------------------------------------------===//

/// Every name that a graph nested in an attribute may take from outside (its own names do no harm).
static void collectUses(const Graph &graph, llvm::StringSet<> &names);

static void collectUses(const Node &node, llvm::StringSet<> &names) {
  for (StringRef input : node.inputs)
    names.insert(input);
  for (const Attribute &attribute : node.attributes) {
    // What ai.onnx.preview.training.Gradient differentiates is named by an attribute.
    if (node.opType == "Gradient" && attribute.name == "y")
      names.insert(attribute.s);
    if (attribute.g)
      collectUses(*attribute.g, names);
    for (const Graph *graph : attribute.graphs)
      collectUses(*graph, names);
  }
}

static void collectUses(const Graph &graph, llvm::StringSet<> &names) {
  for (const Node &node : graph.nodes)
    collectUses(node, names);
  for (const ValueInfo &output : graph.outputs)
    names.insert(output.name);
}

/// The positions of the nodes that the names in `needed` depend on, in execution order.
static SmallVector<uint32_t> neededNodes(ArrayRef<Node> nodes, ArrayRef<uint32_t> order,
                                         llvm::StringSet<> needed) {
  SmallVector<uint32_t> result;
  for (uint32_t index : llvm::reverse(order)) {
    const Node &node = nodes[index];
    if (llvm::none_of(node.outputs, [&](StringRef name) { return !name.empty() && needed.contains(name); }))
      continue;
    result.push_back(index);
    collectUses(node, needed);
  }
  std::reverse(result.begin(), result.end());
  return result;
}

ArrayRef<uint32_t> GraphImport::orderOf(const Graph &graph) { return checked.graphOrders[&graph]; }

void GraphImport::importNodes(const Graph &graph, Scope &into, OpBuilder &builder) {
  llvm::SaveAndRestore<Scope *> restore(scope, &into);
  bindInitializers(graph, into);
  llvm::StringSet<> outputs;
  for (const ValueInfo &output : graph.outputs)
    outputs.insert(output.name);
  for (uint32_t index : neededNodes(graph.nodes, orderOf(graph), outputs))
    importNode(graph.nodes[index], index, builder);
}

FailureOr<SmallVector<NamedValue>>
GraphImport::importSubgraph(const Graph &graph, ArrayRef<NamedValue> inputs, OpBuilder &builder) {
  Scope inner(scope);
  for (auto [info, value] : llvm::zip(graph.inputs, inputs))
    inner.names[info.name] = value;
  importNodes(graph, inner, builder);
  SmallVector<NamedValue> results;
  for (const ValueInfo &output : graph.outputs) {
    NamedValue *named = inner.find(output.name);
    if (!named || named->kind == NamedValue::Kind::Failed)
      return failure();
    results.push_back(*named);
  }
  return results;
}

//===-- One node
//---------------------------------------------------------------------------------------------===//

bool GraphImport::anyOperandFailed(const Node &node, bool &undefined) {
  for (StringRef input : node.inputs) {
    if (input.empty())
      continue;
    NamedValue *named = scope->find(input);
    if (!named) {
      undefined = true;
      return true;
    }
    if (named->kind == NamedValue::Kind::Failed)
      return true;
  }
  return false;
}

void GraphImport::failOutputs(const Node &node) {
  for (StringRef output : node.outputs)
    if (!output.empty())
      define(output, NamedValue());
}

const Function *GraphImport::findFunction(const Node &node) const {
  if (functions.empty())
    return nullptr;
  return functions.lookup((node.domain + ":" + node.opType + ":" + node.overload).str());
}

void GraphImport::importNode(const Node &node, size_t index, OpBuilder &builder) {
  std::string name = frame->prefix;
  name += node.name.empty() ? node.opType.str() + "#" + std::to_string(index) : node.name.str();
  auto loc = NameLoc::get(StringAttr::get(context, name),
                          FileLineColLoc::get(StringAttr::get(context, file->name()), index + 1, 1));
  const Function *callee = findFunction(node);
  bool undefined = false;
  if (anyOperandFailed(node, undefined)) {
    NodeImport import(*this, node, frame->opsetOf(node.domain), builder, loc);
    // The reason has been reported where it arose, but an op that is not in the table is worth telling all
    // the same.
    if (undefined)
      (void)import.malformed("an input is not defined before this node");
    else if (!callee && !OpTable::get().lookup(node.domain, node.opType, import.opset))
      (void)import.unsupported("this operator is not supported");
    failOutputs(node);
    return;
  }
  if (callee) {
    if (!importCall(node, *callee, builder, name))
      failOutputs(node);
    return;
  }
  dispatch(node, builder, loc);
}

bool GraphImport::importCall(const Node &node, const Function &callee, OpBuilder &builder, StringRef name) {
  unsigned depth = 0;
  for (const Frame *outer = frame; outer; outer = outer->caller, ++depth)
    if (outer->function == &callee || depth > 64) {
      error("TSH-0207: the model-local function '" + callee.name + "' calls itself.");
      return false;
    }
  Frame inner;
  inner.caller = frame;
  inner.function = &callee;
  inner.opsets = callee.opsetImports;
  inner.prefix = (name + "/").str();
  for (const Attribute &attribute : callee.attributeDefaults)
    inner.attributes[attribute.name] = &attribute;
  for (const Attribute &attribute : node.attributes) {
    const Attribute *resolved = &attribute;
    if (!attribute.refAttrName.empty())
      resolved = frame->attributes.lookup(attribute.refAttrName);
    if (resolved)
      inner.attributes[attribute.name] = resolved;
  }
  Scope body;
  for (size_t i = 0; i < callee.inputs.size() && i < node.inputs.size(); ++i)
    if (!node.inputs[i].empty())
      body.names[callee.inputs[i]] = *scope->find(node.inputs[i]);

  bool complete = true;
  SmallVector<NamedValue> results(callee.outputs.size());
  {
    llvm::SaveAndRestore<Frame *> restoreFrame(frame, &inner);
    llvm::SaveAndRestore<Scope *> restoreScope(scope, &body);
    llvm::StringSet<> outputs;
    for (StringRef output : callee.outputs)
      outputs.insert(output);
    for (uint32_t index : neededNodes(callee.nodes, checked.functionOrders[&callee], outputs))
      importNode(callee.nodes[index], index, builder);
    for (size_t i = 0; i < callee.outputs.size(); ++i) {
      NamedValue *named = body.find(callee.outputs[i]);
      if (named)
        results[i] = *named;
    }
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i].empty())
      continue;
    NamedValue result = i < results.size() ? results[i] : NamedValue();
    complete &= result.kind != NamedValue::Kind::Failed;
    define(node.outputs[i], result);
  }
  return complete;
}

void GraphImport::dispatch(const Node &node, OpBuilder &builder, Location loc) {
  int64_t opset = frame->opsetOf(node.domain);
  NodeImport import(*this, node, opset, builder, loc);
  ImportFunction function = OpTable::get().lookup(node.domain, node.opType, opset);
  // Ops that know only tensors of numbers would compute with handles.
  bool onObjects = llvm::any_of(node.inputs, [&](StringRef input) {
    NamedValue *named = input.empty() ? nullptr : scope->find(input);
    return named && object::describe(typeOf(*named));
  });
  if (onObjects) {
    function = objectOps().lookup(node.domain, node.opType, opset);
    if (!function) {
      (void)import.unsupported("the operator is not supported on sequences, optionals and strings");
      return failOutputs(node);
    }
  }
  if (!function) {
    (void)import.unsupported(OpTable::get().lookup(node.domain, node.opType, INT64_MAX)
                                 ? "this operator is not supported in an opset that old"
                                 : "this operator is not supported");
    return failOutputs(node);
  }
  if (!onObjects && evaluateShapeNode(import)) {
    if (hasTooLargeDims(import))
      failOutputs(node);
    return;
  }
  Block *block = builder.getInsertionBlock();
  Operation *before = block->empty() ? nullptr : &block->back();
  if (failed(function(import)) || import.invalid)
    return failOutputs(node);
  for (StringRef output : node.outputs)
    if (!output.empty() && !scope->names.contains(output)) {
      (void)import.unsupported("output '" + output + "' is not supported");
      return failOutputs(node);
    }
  if (!verifyNewOps(import, block, before) || hasTooLargeDims(import))
    return failOutputs(node);
  foldNewOps(node, block, before);
}

bool GraphImport::hasTooLargeDims(NodeImport &node) {
  for (StringRef output : node.node.outputs) {
    NamedValue *named = output.empty() ? nullptr : scope->find(output);
    if (!named || named->kind == NamedValue::Kind::Failed)
      continue;
    SmallVector<DimAttr> dims = named->shape.dims;
    if (RankedTensorType type = typeOf(*named))
      dims.append(getDims(type));
    if (llvm::any_of(dims, dim::isTooLarge)) {
      (void)node.unsupported("a size of output '" + output + "' is an expression of more than 1024 terms");
      return true;
    }
  }
  return false;
}

bool GraphImport::verifyNewOps(NodeImport &node, Block *block, Operation *before) {
  std::string message;
  ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
    if (message.empty())
      message = diagnostic.str();
    return success();
  });
  for (Operation *op = before ? before->getNextNode() : (block->empty() ? nullptr : &block->front()); op;
       op = op->getNextNode()) {
    // The arms of an If and the bodies of loops were verified when their nodes were imported.
    if (op->hasTrait<OpTrait::IsTerminator>() || succeeded(mlir::verify(op, /*verifyRecursively=*/false)))
      continue;
    (void)node.malformed(message);
    return false;
  }
  return true;
}

/// Whether the results of an op may be computed now.
static bool isFoldable(Operation *op) {
  if (isa<ConstantOp, RandomUniformOp, RandomNormalOp>(op) || op->getNumRegions() != 0 ||
      !isMemoryEffectFree(op))
    return false;
  return llvm::all_of(op->getResultTypes(), [](mlir::Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.hasStaticShape() && tensor.getNumElements() <= maxFoldedElements;
  });
}

void GraphImport::foldNewOps(const Node &node, Block *block, Operation *before) {
  // Only nodes over constants alone: broadcasting a bias early, for example, would only make it larger.
  for (StringRef input : node.inputs)
    if (!input.empty() && !isSmallConstant(*scope->find(input)))
      return;
  SmallVector<Operation *> created;
  for (Operation *op = before ? before->getNextNode() : (block->empty() ? nullptr : &block->front()); op;
       op = op->getNextNode())
    created.push_back(op);
  llvm::DenseMap<Value, Value> replaced;
  for (Operation *op : created) {
    if (!isFoldable(op))
      continue;
    SmallVector<torsh::Tensor> operands;
    for (Value operand : op->getOperands()) {
      auto constantOp = operand.getDefiningOp<ConstantOp>();
      std::optional<torsh::Tensor> tensor;
      if (constantOp)
        tensor = fromConstantAttr(constantOp.getValue(), weights());
      if (!tensor)
        break;
      operands.push_back(std::move(*tensor));
    }
    if (operands.size() != op->getNumOperands())
      continue;
    dim::Bindings none;
    llvm::Expected<SmallVector<torsh::Tensor>> results = evaluateOp(op, operands, none);
    if (!results) {
      llvm::consumeError(results.takeError());
      continue;
    }
    for (auto [from, to] : llvm::zip(op->getResults(), *results)) {
      Value value = constant(to, op->getLoc());
      if (value.getType() != from.getType())
        break;
      from.replaceAllUsesWith(value);
      replaced[from] = value;
    }
  }
  for (StringRef output : node.outputs) {
    if (output.empty())
      continue;
    NamedValue &named = scope->names[output];
    if (Value value = replaced.lookup(named.value))
      named.value = value;
  }
}

//===-- Failing
//----------------------------------------------------------------------------------------------===//

static std::string nameOf(const NodeImport &import) {
  std::string name = import.node.opType.str();
  if (auto named = dyn_cast<NameLoc>(import.loc))
    name = named.getName().str();
  if (!import.node.name.empty())
    return name;
  std::string outputs;
  for (StringRef output : import.node.outputs)
    outputs += (outputs.empty() ? "" : ", ") + output.str();
  return name + " (outputs: " + outputs + ")";
}

LogicalResult GraphImport::refuse(const NodeImport &node, const Twine &constraint) {
  UnsupportedNode entry;
  entry.node = nameOf(node);
  if (!node.node.domain.empty())
    entry.op = node.node.domain.str() + "::";
  entry.op += node.node.opType.str() + "-" + std::to_string(node.opset);
  llvm::raw_string_ostream types(entry.types);
  for (size_t i = 0; i < node.node.inputs.size(); ++i) {
    if (i)
      types << ", ";
    NamedValue *named = node.hasInput(i) ? find(node.node.inputs[i]) : nullptr;
    RankedTensorType type = named ? typeOf(*named) : RankedTensorType();
    if (type)
      types << type;
    else
      types << (node.hasInput(i) ? "unknown" : "none");
  }
  entry.constraint = constraint.str();
  report->unsupported.push_back(std::move(entry));
  return failure();
}

LogicalResult GraphImport::reject(const NodeImport &node, const Twine &reason) {
  error("TSH-0201: node " + quoted(nameOf(node)) + " (" + node.node.opType + "-" + Twine(node.opset) +
        ") contradicts its specification: " + reason + ".");
  return failure();
}

} // namespace torsh::onnx
