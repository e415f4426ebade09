//===-- ImportNodes.cpp - Nodes of an exported graph -> ops -------------------------------------------------===//
#include "frontends/torch/export/ImportNodes.h"
#include "frontends/torch/reader/ReaderError.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace torsh::torch {

/// Graphs within graphs.
static constexpr unsigned maxDepth = 50;

std::string NodeImporter::place() const {
  if (!node || node->outputs.empty() || node->outputs[0].text.empty())
    return "node";
  return "node " + quoted(node->outputs[0].text);
}

LogicalResult NodeImporter::malformed(const Twine &reason) {
  report.errors.push_back(("TSH-0229: " + Twine(node ? place() + ": " : std::string()) + reason +
                           "; export and save the model again")
                              .str());
  return failure();
}

LogicalResult NodeImporter::refuse(StringRef op, const Twine &constraint) {
  std::string at = node->module.empty() ? place() : node->module + " (" + place() + ")";
  report.unsupported.push_back({at, op.str(), "", constraint.str()});
  return failure();
}

/// The numbers of ATen for those of the schema.
static std::optional<int64_t> toAten(const Argument &argument) {
  switch (argument.kind) {
  case Argument::Kind::ScalarType:
    if (std::optional<ScalarType> type = fromSchemaType(argument.integer))
      return int64_t(*type);
    return std::nullopt;
  case Argument::Kind::MemoryFormat: // contiguous, channels_last, channels_last_3d, preserve
    switch (argument.integer) {
    case 1:
      return 0;
    case 2:
    case 3:
      return argument.integer;
    case 4:
      return 1;
    default:
      return std::nullopt;
    }
  case Argument::Kind::Layout: // strided
    return argument.integer == 7 ? std::optional<int64_t>(0) : std::nullopt;
  default:
    return std::nullopt;
  }
}

FailureOr<Val> NodeImporter::value(const Argument &argument) {
  using Kind = Argument::Kind;
  switch (argument.kind) {
  case Kind::None:
    return Val();
  case Kind::Name: {
    auto it = scope->find(argument.text);
    if (it == scope->end())
      return LogicalResult(malformed("the value " + quoted(argument.text) + " is used and never computed"));
    return it->second;
  }
  case Kind::Int:
    return Val::integer(b.dim(argument.integer));
  case Kind::Float:
    return Val::number(argument.number);
  case Kind::Bool:
    return Val::boolean(argument.integer != 0);
  case Kind::String:
    return Val::string(argument.text);
  case Kind::Device:
    return Val::device("cpu");
  case Kind::ScalarType:
  case Kind::MemoryFormat:
  case Kind::Layout:
    if (std::optional<int64_t> number = toAten(argument))
      return Val::integer(b.dim(*number));
    return LogicalResult(refuse("argument", "an element type or layout with the number " +
                                                Twine(argument.integer) + " is not supported"));
  case Kind::List: {
    std::vector<Val> items;
    for (const Argument &item : argument.items) {
      FailureOr<Val> one = value(item);
      if (failed(one))
        return failure();
      items.push_back(*one);
    }
    return Val::list(std::move(items));
  }
  case Kind::Operator:
  case Kind::Graph:
  case Kind::Unsupported:
    break;
  }
  return LogicalResult(
      refuse("argument", "an argument of the kind " + quoted(argument.text) + " is not supported here"));
}

/// What Python's operators and torch.sym_* are called among the operators of ATen; empty for others.
static StringRef numberFunction(StringRef target) {
  return llvm::StringSwitch<StringRef>(target)
      .Case("_operator.add", "add")
      .Case("_operator.sub", "sub")
      .Case("_operator.mul", "mul")
      .Case("_operator.truediv", "truediv")
      .Case("_operator.floordiv", "floordiv")
      .Case("_operator.mod", "remainder")
      .Case("_operator.pow", "pow")
      .Case("_operator.neg", "neg")
      .Case("_operator.pos", "Int")
      .Case("_operator.eq", "eq")
      .Case("_operator.ne", "ne")
      .Case("_operator.lt", "lt")
      .Case("_operator.le", "le")
      .Case("_operator.gt", "gt")
      .Case("_operator.ge", "ge")
      .Case("_operator.and_", "__and__")
      .Case("_operator.or_", "__or__")
      .Cases({"torch.sym_max", "builtins.max"}, "max")
      .Cases({"torch.sym_min", "builtins.min"}, "min")
      .Cases({"torch.sym_not", "_operator.not_"}, "__not__")
      .Cases({"torch.sym_float", "builtins.float"}, "Float")
      .Cases({"torch.sym_int", "builtins.int"}, "Int")
      .Cases({"math.trunc", "builtins.trunc"}, "Int")
      .Cases({"torch._sym_sqrt", "torch.sym_sqrt", "math.sqrt"}, "sqrt")
      .Case("math.ceil", "ceil")
      .Case("math.floor", "floor")
      .Case("builtins.round", "round")
      .Case("builtins.abs", "abs")
      .Default("");
}

/// Checks that PyTorch makes at run time, of what the import knows or guards by itself.
static bool isAssertion(StringRef name) {
  return name == "_assert_scalar" || name == "_assert_async" || name == "_assert_tensor_metadata" ||
         name.starts_with("sym_constrain_range");
}

LogicalResult NodeImporter::importNode(const ExportedNode &current) {
  StringRef target = current.target, name = target;
  if (name.consume_front("torch.ops.higher_order.")) {
    FailureOr<Val> result = importHigherOrder(name);
    return failed(result) ? failure() : bindOutputs(current, *result);
  }
  bool isAten = name.consume_front("torch.ops.aten.");
  if (isAten) {
    // The kinds of the arguments tell the overload.
    name = name.split('.').first;
    if (isAssertion(name))
      return success();
    name = llvm::StringSwitch<StringRef>(name)
               .Cases({"lift_fresh_copy", "lift_fresh"}, "clone")
               .Cases({"detach_", "alias"}, "detach")
               .Case("sym_stride", "stride")
               .Default(name);
  } else {
    name = numberFunction(target);
    if (name.empty() && target != "torch.sym_sum")
      return refuse(target, "this operator is not supported");
  }
  std::vector<Val> positional;
  NamedArguments named;
  for (const NamedArgument &argument : current.inputs) {
    FailureOr<Val> one = value(argument.value);
    if (failed(one))
      return failure();
    bool isSelf = positional.empty() && named.empty();
    if (argument.isKeyword && isAten && !isSelf)
      named.emplace_back(argument.name, *one);
    else if (!named.empty())
      return malformed("a positional argument stands behind a named one");
    else
      positional.push_back(*one);
  }
  if (target == "torch.sym_sum") {
    Val sum = Val::integer(b.dim(0));
    for (const Val &list : positional)
      for (const Val &item : list.isSequence() ? list.items() : std::vector<Val>{list}) {
        FailureOr<Val> next = interpreter.callOperatorAt(current.module, place(), "add", {sum, item}, {});
        if (failed(next))
          return failure();
        sum = *next;
      }
    return bindOutputs(current, sum);
  }
  FailureOr<Val> result = interpreter.callOperatorAt(current.module, place(), name, positional, named);
  if (failed(result))
    return failure();
  return bindOutputs(current, *result);
}

LogicalResult NodeImporter::bindOutputs(const ExportedNode &current, const Val &result) {
  auto bind = [&](const Argument &output, const Val &value) {
    if (output.kind == Argument::Kind::Name)
      (*scope)[output.text] = value;
    return success();
  };
  const std::vector<Argument> &outputs = current.outputs;
  if (outputs.empty())
    return success();
  if (outputs.size() == 1 && outputs[0].kind != Argument::Kind::List)
    return bind(outputs[0], result.isSequence() && result.items().size() == 1 ? result.items()[0] : result);
  const std::vector<Argument> &names = outputs.size() == 1 ? outputs[0].items : outputs;
  // Operators that compute statistics for training beside their result have it alone here.
  if (!result.isSequence() && !names.empty())
    return bind(names[0], result);
  if (names.size() > result.items().size())
    return refuse(current.target, "the node has " + Twine(names.size()) + " results, and " +
                                      Twine(result.items().size()) + " of them are supported");
  for (auto [output, value] : llvm::zip(names, result.items()))
    (void)bind(output, value);
  return success();
}

FailureOr<std::vector<Val>> NodeImporter::importGraph(const ExportedGraph &graph, ArrayRef<Val> inputs) {
  if (++depth > maxDepth)
    return LogicalResult(malformed("graphs are nested too deeply"));
  if (inputs.size() != graph.inputs.size())
    return LogicalResult(malformed("a graph has " + Twine(graph.inputs.size()) + " inputs and is given " +
                                   Twine(inputs.size())));
  Scope own;
  for (auto [argument, value] : llvm::zip_equal(graph.inputs, inputs))
    if (argument.kind == Argument::Kind::Name)
      own[argument.text] = value;
  Scope *outerScope = std::exchange(scope, &own);
  const ExportedNode *outerNode = node;
  llvm::scope_exit leave([&] {
    scope = outerScope;
    node = outerNode;
    --depth;
  });
  for (const ExportedNode &next : graph.nodes) {
    node = &next;
    if (failed(importNode(next)))
      return failure();
  }
  node = outerNode;
  std::vector<Val> outputs;
  for (const Argument &output : graph.outputs) {
    FailureOr<Val> one = value(output);
    if (failed(one))
      return failure();
    outputs.push_back(*one);
  }
  return outputs;
}

} // namespace torsh::torch
