//===-- ImportRegions.cpp - Conditions and loops of an exported graph ---------------------------------------===//
#include "frontends/torch/aten/Call.h"
#include "frontends/torch/export/ImportNodes.h"

using namespace mlir;

namespace torsh::torch {

/// The form of a carried value: a tensor stays one, a number becomes a number that depends on data.
static Val likewise(TensorBuilder &b, const Val &form, Value value) {
  return form.isTensor() ? b.tensor(value) : Val::dynamic(form.kind(), b.cell(value));
}

static Value toValue(TensorBuilder &b, const Val &value) {
  if (value.isTensor())
    return b.read(value);
  Type type = value.kind() == Val::Kind::Bool    ? Type(b.builder.getI1Type())
              : value.kind() == Val::Kind::Float ? Type(b.builder.getF64Type())
                                                 : Type(b.builder.getI64Type());
  return asTensor(b, value, type);
}

/// The items of the argument `index` of the node, which is a list.
FailureOr<std::vector<Val>> NodeImporter::operandList(size_t index) {
  if (index >= node->inputs.size())
    return std::vector<Val>();
  FailureOr<Val> list = value(node->inputs[index].value);
  if (failed(list))
    return failure();
  if (!list->isSequence())
    return LogicalResult(malformed("the operands of a subgraph are no list"));
  return list->items();
}

/// Imports a graph into a block and collects its results; those of `condition` on them come first.
LogicalResult NodeImporter::importArm(const ExportedGraph &graph, ArrayRef<Val> operands, Block &block,
                                      SmallVectorImpl<Value> &yields, const ExportedGraph *condition) {
  OpBuilder::InsertionGuard guard(b.builder);
  b.builder.setInsertionPointToEnd(&block);
  b.regions.emplace_back();
  // What may not run must not state conditions for the whole function.
  b.dims.freeze();
  FailureOr<std::vector<Val>> results = importGraph(graph, operands);
  if (succeeded(results) && condition) {
    std::vector<Val> inputs = *results;
    inputs.insert(inputs.end(), operands.begin() + std::min(operands.size(), results->size()),
                  operands.end());
    FailureOr<std::vector<Val>> holds = importGraph(*condition, inputs);
    if (failed(holds) || holds->size() != 1)
      results = failure();
    else
      results->insert(results->begin(), holds->front());
  }
  b.dims.thaw();
  TensorBuilder::Region region = std::move(b.regions.back());
  b.regions.pop_back();
  if (failed(results))
    return report.errors.empty() && report.unsupported.empty() ? malformed("a subgraph has no condition")
                                                               : failure();
  if (!region.written.empty())
    return refuse(node->target, "a subgraph writes into a tensor from outside");
  for (auto [index, result] : llvm::enumerate(*results)) {
    if (!result.isTensor() && !result.isNumber())
      return refuse(node->target, "a subgraph gives " + kindName(result) + " where a tensor is needed");
    Value one = toValue(b, result);
    yields.push_back(condition && index == 0 ? b.cast(b.reshape(one, {}), b.builder.getI1Type()) : one);
  }
  return success();
}

FailureOr<Val> NodeImporter::importCond(const ExportedGraph &onTrue, const ExportedGraph &onFalse) {
  FailureOr<Val> condition = value(node->inputs[0].value);
  FailureOr<std::vector<Val>> operands = operandList(3);
  if (failed(condition) || failed(operands))
    return failure();
  if (std::optional<double> known = condition->isNumber() ? condition->knownDouble() : std::nullopt) {
    FailureOr<std::vector<Val>> taken = importGraph(*known != 0 ? onTrue : onFalse, *operands);
    if (failed(taken))
      return failure();
    return Val::tuple(std::move(*taken));
  }
  if (!condition->isTensor() && !condition->isNumber())
    return LogicalResult(malformed("the condition is no tensor"));
  Location loc = b.loc;
  Value holds = b.cast(b.reshape(toValue(b, *condition), {}), b.builder.getI1Type());
  Region arms[2];
  SmallVector<Value> yields[2];
  for (auto [index, graph] : {std::pair(0, &onTrue), std::pair(1, &onFalse)}) {
    Block &block = arms[index].emplaceBlock();
    if (failed(importArm(*graph, *operands, block, yields[index], nullptr)))
      return failure();
    OpBuilder::InsertionGuard guard(b.builder);
    b.builder.setInsertionPointToEnd(&block);
    YieldOp::create(b.builder, loc, yields[index]);
  }
  if (!llvm::equal(ValueRange(yields[0]).getTypes(), ValueRange(yields[1]).getTypes()))
    return LogicalResult(refuse(node->target, "the two subgraphs give tensors of different types"));
  auto op = IfOp::create(b.builder, loc, ValueRange(yields[0]).getTypes(), holds);
  op.getThenRegion().takeBody(arms[0]);
  op.getElseRegion().takeBody(arms[1]);
  std::vector<Val> results;
  for (Value result : op.getYs())
    results.push_back(b.tensor(result));
  return Val::tuple(std::move(results));
}

FailureOr<Val> NodeImporter::importWhile(const ExportedGraph &condition, const ExportedGraph &body) {
  FailureOr<std::vector<Val>> carried = operandList(2), others = operandList(3);
  if (failed(carried) || failed(others))
    return failure();
  for (const Val &value : *carried)
    if (!value.isTensor() && !value.isNumber())
      return LogicalResult(refuse(node->target, "the loop carries " + kindName(value)));
  auto withOthers = [&](std::vector<Val> values) {
    values.insert(values.end(), others->begin(), others->end());
    return values;
  };
  FailureOr<std::vector<Val>> first = importGraph(condition, withOthers(*carried));
  if (failed(first))
    return failure();
  if (first->size() != 1 || !(first->front().isTensor() || first->front().isNumber()))
    return LogicalResult(malformed("the condition of a loop is no single tensor"));
  Location loc = b.loc;
  Value holds = b.cast(b.reshape(toValue(b, first->front()), {}), b.builder.getI1Type());
  SmallVector<Value> initial;
  for (const Val &value : *carried)
    initial.push_back(toValue(b, value));
  Region region;
  Block &block = region.emplaceBlock();
  std::vector<Val> inside;
  for (auto [form, value] : llvm::zip_equal(*carried, initial))
    inside.push_back(likewise(b, form, block.addArgument(value.getType(), loc)));
  SmallVector<Value> yields;
  if (failed(importArm(body, withOthers(inside), block, yields, &condition)))
    return failure();
  if (!llvm::equal(ValueRange(yields).drop_front().getTypes(), ValueRange(initial).getTypes()))
    return LogicalResult(refuse(node->target, "the type of a carried value changes in the loop"));
  {
    OpBuilder::InsertionGuard guard(b.builder);
    b.builder.setInsertionPointToEnd(&block);
    YieldOp::create(b.builder, loc, yields);
  }
  auto op = WhileOp::create(b.builder, loc, ValueRange(initial).getTypes(), holds, initial);
  op.getBody().takeBody(region);
  std::vector<Val> results;
  for (auto [form, value] : llvm::zip_equal(*carried, op.getYs()))
    results.push_back(likewise(b, form, value));
  return Val::tuple(std::move(results));
}

FailureOr<Val> NodeImporter::importHigherOrder(StringRef name) {
  auto graphAt = [&](size_t index) -> const ExportedGraph * {
    return index < node->inputs.size() ? node->inputs[index].value.graph.get() : nullptr;
  };
  if (name == "cond" && graphAt(1) && graphAt(2))
    return importCond(*graphAt(1), *graphAt(2));
  if (name == "while_loop" && graphAt(0) && graphAt(1))
    return importWhile(*graphAt(0), *graphAt(1));
  if (name == "wrap_with_set_grad_enabled" || name == "wrap_with_autocast") {
    // A graph under a switch of training: its operands follow it.
    size_t at = 0;
    while (at < node->inputs.size() && !graphAt(at))
      ++at;
    if (at == node->inputs.size())
      return LogicalResult(malformed("the graph of " + name + " is missing"));
    bool lowers = name == "wrap_with_autocast" && node->inputs.size() > 2 &&
                  node->inputs[2].value.kind == Argument::Kind::Bool && node->inputs[2].value.integer;
    if (lowers)
      return LogicalResult(
          refuse(name, "automatic casts of operands are not supported; export without autocast"));
    std::vector<Val> operands;
    for (size_t i = at + 1; i < node->inputs.size(); ++i) {
      FailureOr<Val> one = value(node->inputs[i].value);
      if (failed(one))
        return failure();
      operands.push_back(*one);
    }
    FailureOr<std::vector<Val>> results = importGraph(*graphAt(at), operands);
    if (failed(results))
      return failure();
    return Val::tuple(std::move(*results));
  }
  return LogicalResult(refuse(name, "this operator over graphs is not supported"));
}

} // namespace torsh::torch
