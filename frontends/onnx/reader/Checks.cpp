//===- Checks.cpp - Structure of a parsed model ---------------------------===//
#include "frontends/onnx/reader/Checks.h"
#include "frontends/onnx/reader/FunctionChecks.h"
#include "frontends/onnx/reader/NodeSort.h"
#include "frontends/onnx/reader/TensorData.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

using namespace llvm;

namespace torsh::onnx {

void CheckedModel::add(Code code, const Twine &sentence) {
  if (findings.size() < maxFindings)
    findings.push_back({code, sentence.str()});
  else
    moreFindings = true;
}

Error CheckedModel::takeError() const {
  Error all = Error::success();
  for (const Finding &finding : findings)
    all = joinErrors(std::move(all), readerError(finding.code, finding.sentence));
  return all;
}

std::string describeNode(const Node &node, size_t index) {
  std::string op = (node.domain.empty() ? "" : node.domain.str() + ".") + node.opType.str();
  // Quoting makes hostile names printable; the quotes themselves are not wanted around an operator.
  std::string shownOp = quoted(op);
  shownOp = shownOp.substr(1, shownOp.size() - 2);
  if (!node.name.empty())
    return "node " + quoted(node.name) + " (" + shownOp + ")";
  std::string text = "node " + shownOp + "#" + std::to_string(index);
  for (size_t i = 0; i < node.outputs.size() && i < 4; ++i)
    text += (i ? ", " : " (outputs: ") + quoted(node.outputs[i]);
  return text + (node.outputs.empty() ? "" : node.outputs.size() > 4 ? ", ...)" : ")");
}

namespace {

/// A value that a nested graph takes from outside, with the node that uses it for the message.
struct Capture {
  StringRef name;
  std::string user;
};
using Captures = SmallVector<Capture, 0>;

class StructureCheck {
public:
  StructureCheck(const Model &model, const ReadLimits &limits, CheckedModel &result)
      : model(model), limits(limits), result(result) {}

  void run() {
    if (model.graph.outputs.empty())
      result.add(Code::NoOutputs, "the graph has no outputs, so there is nothing to compute");
    for (const Function &function : model.functions)
      functionDomains.insert(function.domain);
    for (const Function &function : model.functions)
      checkFunction(function);
    setImports(model.opsetImports);
    where.clear();
    for (const ValueInfo &info : model.graph.inputs)
      if (!info.type || info.type->kind == Type::Kind::None)
        result.add(Code::BadValueType, "graph input " + quoted(info.name) + " has no type");
    reportMissing(checkGraph(model.graph, /*nested=*/false));
    checkFunctionCalls(model, limits, result);
  }

private:
  void checkFunction(const Function &function) {
    setImports(function.opsetImports);
    where = " in function " + quoted(function.name);
    StringSet<> names;
    for (StringRef input : function.inputs)
      define(names, input, "function input");
    Captures captures;
    checkNodes(function.nodes, names, captures, result.functionOrders[&function]);
    for (StringRef output : function.outputs)
      if (!names.contains(output))
        captures.push_back({output, "an output of the function"});
    for (const Attribute &attribute : function.attributeDefaults)
      checkAttribute(attribute, "attribute default " + quoted(attribute.name), captures);
    reportMissing(captures);
  }

  /// Checks a graph and returns the names that it takes from outside.
  Captures checkGraph(const Graph &graph, bool nested) {
    StringSet<> names;
    for (const ValueInfo &input : graph.inputs) {
      define(names, input.name, "graph input");
      checkType(input, "graph input");
    }
    // An initializer may give the default of an input of the same name.
    StringSet<> initializers;
    auto addInitializer = [&](StringRef name) {
      if (name.empty())
        result.add(Code::Unnamed, "an initializer" + where + " has no name");
      else if (!initializers.insert(name).second)
        result.add(Code::DuplicateName, "two initializers" + where + " are called " + quoted(name));
      names.insert(name);
    };
    for (const Tensor &tensor : graph.initializers) {
      addInitializer(tensor.name);
      checkTensorData(tensor, "");
    }
    for (const SparseTensor &tensor : graph.sparseInitializers) {
      addInitializer(tensor.values ? tensor.values->name : StringRef());
      checkSparse(tensor, "a sparse initializer");
    }
    Captures captures;
    checkNodes(graph.nodes, names, captures, result.graphOrders[&graph]);
    for (const ValueInfo &output : graph.outputs) {
      checkType(output, "graph output");
      if (output.name.empty())
        result.add(Code::Unnamed, "a graph output" + where + " has no name");
      else if (!names.contains(output.name))
        captures.push_back({output.name, nested ? "an output of a nested graph" : "an output of the graph"});
    }
    return captures;
  }

  void define(StringSet<> &names, StringRef name, const Twine &what) {
    if (name.empty())
      result.add(Code::Unnamed, "a " + what + where + " has no name");
    else if (!names.insert(name).second)
      result.add(Code::DuplicateName, "the name " + quoted(name) + " of a " + what + where +
                                          " is taken already; every value is computed once");
  }

  /// Defines the outputs of nodes in `names`, sorts the nodes, and adds to `captures` the names not found.
  void checkNodes(ArrayRef<Node> nodes, StringSet<> &names, Captures &captures, NodeOrder &order) {
    StringMap<uint32_t> producers;
    for (size_t i = 0; i < nodes.size(); ++i)
      for (StringRef output : nodes[i].outputs)
        if (!output.empty()) {
          if (!names.insert(output).second)
            result.add(Code::DuplicateName, "output " + quoted(output) + " of " + describeNode(nodes[i], i) +
                                                where + " has a name that is taken already");
          producers.try_emplace(output, uint32_t(i));
        }

    SmallVector<SmallVector<uint32_t, 4>, 0> dependencies(nodes.size());
    StringSet<> captured;
    auto use = [&](size_t node, StringRef name, function_ref<std::string()> user) {
      auto producer = producers.find(name);
      if (producer != producers.end())
        dependencies[node].push_back(producer->second);
      else if (!names.contains(name) && captured.insert(name).second)
        captures.push_back({name, user()});
    };
    for (size_t i = 0; i < nodes.size(); ++i) {
      const Node &node = nodes[i];
      checkOperator(node, i);
      for (StringRef input : node.inputs)
        if (!input.empty())
          use(i, input, [&] { return describeNode(node, i) + where; });
      Captures inner;
      for (const Attribute &attribute : node.attributes)
        if (hasContents(attribute))
          checkAttribute(attribute, describeNode(node, i), inner);
      for (const Capture &capture : inner)
        use(i, capture.name, [&] { return capture.user; });
    }
    if (sortNodes(dependencies, order))
      return;
    std::string path;
    for (size_t i = 0; i < order.size() && i < 8; ++i)
      path += describeNode(nodes[order[i]], order[i]) + " -> ";
    path += order.size() > 8 ? "..." : describeNode(nodes[order[0]], order[0]);
    result.add(Code::Cycle,
               "the graph" + where + " has a cycle of " + Twine(order.size()) + " nodes: " + path);
  }

  /// Most attributes are numbers or strings, which need no check.
  static bool hasContents(const Attribute &attribute) {
    return attribute.t || attribute.g || attribute.sparseTensor || !attribute.tensors.empty() ||
           !attribute.graphs.empty() || !attribute.sparseTensors.empty();
  }

  void checkAttribute(const Attribute &attribute, const std::string &user, Captures &captures) {
    if (attribute.t)
      checkTensorData(*attribute.t, " in " + user);
    for (const Tensor &tensor : attribute.tensors)
      checkTensorData(tensor, " in " + user);
    if (attribute.sparseTensor)
      checkSparse(*attribute.sparseTensor, "a sparse tensor in " + user);
    for (const SparseTensor &tensor : attribute.sparseTensors)
      checkSparse(tensor, "a sparse tensor in " + user);
    if (attribute.g)
      append_range(captures, checkGraph(*attribute.g, /*nested=*/true));
    for (const Graph *graph : attribute.graphs)
      append_range(captures, checkGraph(*graph, /*nested=*/true));
  }

  void checkOperator(const Node &node, size_t index) {
    if (node.opType.empty()) {
      result.add(Code::Unnamed, describeNode(node, index) + where + " names no operator");
      return;
    }
    checkAttributeNames(node, index);
    // A function of the model explains its domain itself. One finding a domain says enough.
    if (!importedDomains.contains(node.domain) && !functionDomains.contains(node.domain) &&
        reportedDomains.insert(node.domain).second)
      result.add(Code::NoOpsetImport, describeNode(node, index) + where + " uses the operator domain " +
                                          quoted(node.domain.empty() ? "ai.onnx" : node.domain) +
                                          ", for which the model imports no opset version");
  }

  void checkAttributeNames(const Node &node, size_t index) {
    SmallDenseSet<StringRef, 8> seen;
    for (const Attribute &attribute : node.attributes)
      if (attribute.name.empty())
        result.add(Code::Unnamed, "an attribute of " + describeNode(node, index) + where + " has no name");
      else if (!seen.insert(attribute.name).second)
        result.add(Code::DuplicateName,
                   describeNode(node, index) + where + " has attribute " + quoted(attribute.name) + " twice");
  }

  void setImports(ArrayRef<OpsetImport> imports) {
    importedDomains.clear();
    for (const OpsetImport &import : imports)
      importedDomains.insert(import.domain);
  }

  void checkTensorData(const Tensor &tensor, const Twine &user) {
    Error error = checkTensor(tensor, limits);
    if (!error)
      return;
    handleAllErrors(std::move(error), [&](const ReaderError &cause) {
      result.add(cause.code(), cause.sentence() + user + where);
    });
  }

  void checkSparse(const SparseTensor &tensor, const std::string &what) {
    if (!tensor.values || !tensor.indices) {
      result.add(Code::DataSizeMismatch, what + where + " lacks its values or its indices");
      return;
    }
    checkTensorData(*tensor.values, " of " + what);
    checkTensorData(*tensor.indices, " of " + what);
    Tensor dense;
    dense.name = tensor.values->name;
    dense.dataType = tensor.values->dataType;
    dense.dims = tensor.dims;
    auto extent = tensorExtent(dense, limits);
    if (!extent)
      handleAllErrors(extent.takeError(), [&](const ReaderError &cause) {
        result.add(cause.code(), cause.sentence() + " (" + what + ")" + where);
      });
  }

  void checkType(const ValueInfo &info, const Twine &what) {
    for (const Type *type = info.type; type; type = type->element) {
      bool isTensor = type->kind == Type::Kind::Tensor || type->kind == Type::Kind::SparseTensor;
      if (!isTensor)
        continue;
      if (!dataTypeInfo(type->elemType)) {
        // Shape inference leaves outputs of unknown type undefined; importing computes them anyway.
        if (type->elemType != 0 || what.str() != "graph output")
          result.add(Code::UnknownDataType, what + " " + quoted(info.name) + where + " has element type " +
                                                Twine(type->elemType) + ", which ONNX does not define");
        continue;
      }
      unsigned __int128 elements = 1;
      for (const Dim &dim : type->dims)
        if (dim.kind == Dim::Kind::Value && dim.value > 0 && elements <= limits.maxElements)
          elements *= uint64_t(dim.value);
      if (elements > limits.maxElements)
        result.add(Code::TooManyElements, what + " " + quoted(info.name) + where +
                                              " has more elements than the limit of " +
                                              Twine(limits.maxElements));
    }
  }

  void reportMissing(const Captures &captures) {
    for (const Capture &capture : captures)
      result.add(Code::UndefinedValue, "value " + quoted(capture.name) + ", used by " + capture.user +
                                           ", is no graph input, no initializer and no output of a node" +
                                           where);
  }

  const Model &model;
  const ReadLimits &limits;
  CheckedModel &result;
  /// " in function 'f'" while a function is checked.
  std::string where;
  StringSet<> importedDomains, functionDomains, reportedDomains;
};

} // namespace

CheckedModel checkModel(const Model &model, const ReadLimits &limits) {
  CheckedModel result;
  StructureCheck(model, limits, result).run();
  return result;
}

} // namespace torsh::onnx
