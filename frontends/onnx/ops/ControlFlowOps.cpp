//===-- ControlFlowOps.cpp - If and Loop
//--------------------------------------------------------------===//
#include "frontends/onnx/ops/LoopBody.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

NamedValue namedConstant(NodeImport &node, int64_t value, mlir::Type elementType) {
  NamedValue named;
  named.kind = NamedValue::Kind::Shape;
  named.shape = {{dim::constant(node.context(), value)}, true, elementType};
  return named;
}

/// Adds what a trial reported.
void append(ImportReport &to, const ImportReport &from) {
  to.unsupported.insert(to.unsupported.end(), from.unsupported.begin(), from.unsupported.end());
  to.errors.insert(to.errors.end(), from.errors.begin(), from.errors.end());
}

//===-- If
//-----------------------------------------------------------------------------------------------------===//

LogicalResult takeArm(NodeImport &node, ArrayRef<NamedValue> results) {
  if (results.size() < node.numOutputs())
    return node.malformed("an arm has fewer outputs than the node");
  for (size_t i = 0; i < node.numOutputs(); ++i)
    if (!node.node.outputs[i].empty())
      node.graph.define(node.node.outputs[i], results[i]);
  return success();
}

/// The dim and the number whose equality a condition asks, as in If(Shape(x)[1] == 1) {Squeeze} else
/// {Identity}.
std::optional<std::pair<DimAttr, int64_t>> asDimEquals(Value condition) {
  while (auto reshape = condition.getDefiningOp<ReshapeOp>())
    condition = reshape.getX();
  auto compare = condition.getDefiningOp<CompareOp>();
  if (!compare || compare.getPredicate() != ComparePredicate::eq)
    return std::nullopt;
  auto dims = compare.getLhs().getDefiningOp<FromDimsOp>();
  auto constant = compare.getRhs().getDefiningOp<ConstantOp>();
  auto value = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : DenseElementsAttr();
  if (!dims || dims.getDims().size() != 1 || !value || value.getNumElements() != 1)
    return std::nullopt;
  return std::make_pair(dims.getDims()[0], (*value.getValues<APInt>().begin()).getSExtValue());
}

/// One arm imported on trial into a region of its own.
struct Arm {
  Block *block = nullptr;
  ImportReport report;
  FailureOr<SmallVector<NamedValue>> results = failure();
  SmallVector<Value> values;
};

void importArm(NodeImport &node, const Graph &graph, Region &region, Arm &arm) {
  arm.block = &region.emplaceBlock();
  OpBuilder builder = OpBuilder::atBlockEnd(arm.block);
  ImportReport *outer = node.graph.redirectReport(&arm.report);
  node.graph.dims.freeze();
  arm.results = node.graph.importSubgraph(graph, {}, builder);
  if (succeeded(arm.results))
    for (NamedValue &result : *arm.results)
      arm.values.push_back(node.graph.materialize(result, builder, node.loc));
  node.graph.dims.thaw();
  node.graph.redirectReport(outer);
  if (llvm::is_contained(arm.values, Value()) || !arm.report.errors.empty() ||
      !arm.report.unsupported.empty())
    arm.results = failure();
}

bool sameTypes(const Arm &a, const Arm &b) {
  return a.values.size() == b.values.size() && llvm::all_of(llvm::zip(a.values, b.values), [](auto pair) {
           return std::get<0>(pair).getType() == std::get<1>(pair).getType();
         });
}

/// Neither arm is known to run and they cannot both be kept: a dim that equals a number is an exceptional
/// case (exporters write it for Squeeze), so the other arm is chosen and a guard keeps the exception out.
LogicalResult chooseArm(NodeImport &node, Operation *trial, Arm &thenArm, Arm &elseArm, Value condition) {
  auto question = asDimEquals(condition);
  Arm *chosen = nullptr;
  if (question && question->second <= 1 && succeeded(elseArm.results)) {
    DimAttr atLeast = dim::max(question->first, dim::constant(node.context(), question->second + 1));
    if (node.unify(atLeast, question->first, "the arm of an If that was chosen at import"))
      chosen = &elseArm;
  } else if (question && succeeded(thenArm.results)) {
    if (node.unify(question->first, dim::constant(node.context(), question->second),
                   "the arm of an If that was chosen at import"))
      chosen = &thenArm;
  }
  if (!chosen) {
    ImportReport &report = node.graph.currentReport();
    append(report, thenArm.report);
    append(report, elseArm.report);
    if (succeeded(thenArm.results) && succeeded(elseArm.results))
      return node.unsupported(
          "the arms give different types and the condition is only known at run time; fix the "
          "dims that decide it with --dim");
    return failure();
  }
  trial->getBlock()->getOperations().splice(trial->getIterator(), chosen->block->getOperations());
  return takeArm(node, *chosen->results);
}

LogicalResult importIf(NodeImport &node) {
  const Graph *thenGraph = graphAttr(node, "then_branch"), *elseGraph = graphAttr(node, "else_branch");
  if (!thenGraph || !elseGraph)
    return node.malformed("an arm is missing");
  if (auto known = node.constantInts(0); known && known->size() == 1) {
    auto results = node.graph.importSubgraph(known->front() ? *thenGraph : *elseGraph, {}, node.builder);
    return failed(results) ? failure() : takeArm(node, *results);
  }
  Value condition = node.reshape(node.operand(0), {});
  if (!getElementTypeOrSelf(condition.getType()).isInteger(1))
    return node.malformed("the condition must be a bool");
  // The arms are imported into an op that is in the function already, so that dims which become equal are
  // renamed in them too. Its result types are only known afterwards.
  OperationState state(node.loc, IfOp::getOperationName());
  state.addOperands(condition);
  state.addRegion();
  state.addRegion();
  Operation *trial = node.builder.create(state);
  Arm thenArm, elseArm;
  importArm(node, *thenGraph, trial->getRegion(0), thenArm);
  importArm(node, *elseGraph, trial->getRegion(1), elseArm);
  LogicalResult result = success();
  if (failed(thenArm.results) || failed(elseArm.results) || !sameTypes(thenArm, elseArm)) {
    result = chooseArm(node, trial, thenArm, elseArm, condition);
  } else {
    SmallVector<mlir::Type> types(ValueRange(thenArm.values).getTypes());
    auto ifOp = IfOp::create(node.builder, node.loc, types, condition);
    for (auto [index, arm] : llvm::enumerate(ArrayRef<Arm *>{&thenArm, &elseArm})) {
      OpBuilder inner = OpBuilder::atBlockEnd(arm->block);
      YieldOp::create(inner, node.loc, arm->values);
      ifOp->getRegion(index).takeBody(trial->getRegion(index));
    }
    for (size_t i = 0; i < node.numOutputs() && i < types.size(); ++i)
      node.setResult(i, ifOp->getResult(i));
  }
  trial->erase();
  return result;
}

//===-- Loop
//---------------------------------------------------------------------------------------------------===//

/// The parts of a Loop node.
struct LoopParts {
  const Graph *body = nullptr;
  std::optional<DimAttr> tripCount; // none: not known at import, or no limit
  bool hasLimit = false;            // the trip count is given, as a size or as data
  bool startsTrue = false;          // the first condition is known to hold
  size_t carried = 0, stacked = 0;
};

/// A body's results as values of its block: the condition, the carried values, the stacked ones.
struct LoopBody {
  NamedValue condition;
  SmallVector<Value> values;
};

FailureOr<LoopBody> importBody(NodeImport &node, const LoopParts &loop, ArrayRef<NamedValue> inputs,
                               OpBuilder &builder) {
  auto results = node.graph.importSubgraph(*loop.body, inputs, builder);
  if (failed(results))
    return failure();
  LoopBody body;
  body.condition = results->front();
  for (NamedValue &result : MutableArrayRef<NamedValue>(*results).drop_front())
    body.values.push_back(node.graph.materialize(result, builder, node.loc));
  if (llvm::is_contained(body.values, Value()))
    return failure();
  return body;
}

bool isTrue(NodeImport &node, const NamedValue &condition) {
  auto shape = node.graph.shapeOf(condition);
  auto values = shape ? shape->constants() : std::nullopt;
  return values && values->size() == 1 && values->front() != 0;
}

/// The block of a loop body with its arguments: the iteration number and the carried values.
Block *bodyBlock(NodeImport &node, Region &region, ArrayRef<Value> initial,
                 SmallVectorImpl<NamedValue> &inputs) {
  Block *block = &region.emplaceBlock();
  mlir::Type index = RankedTensorType::get({}, node.builder.getI64Type());
  inputs.push_back(namedValue(block->addArgument(index, node.loc)));
  // Inside the body the condition holds.
  inputs.push_back(namedConstant(node, 1, node.builder.getI1Type()));
  for (Value value : initial)
    inputs.push_back(namedValue(block->addArgument(value.getType(), node.loc)));
  return block;
}

/// A counted loop. None when its condition may end it early.
std::optional<LogicalResult> importCounted(NodeImport &node, const LoopParts &loop, ArrayRef<Value> initial) {
  OperationState state(node.loc, ForOp::getOperationName());
  state.addOperands(initial);
  state.addAttribute("trip_count", *loop.tripCount);
  state.addRegion();
  Operation *trial = node.builder.create(state);
  SmallVector<NamedValue> inputs;
  Block *block = bodyBlock(node, trial->getRegion(0), initial, inputs);
  OpBuilder inner = OpBuilder::atBlockEnd(block);
  std::optional<LogicalResult> result;
  FailureOr<LoopBody> body = importBody(node, loop, inputs, inner);
  if (failed(body)) {
    result = failure();
  } else if (isTrue(node, body->condition)) {
    ArrayRef<Value> values(body->values);
    result = checkStable(node, initial, values.take_front(loop.carried));
    if (succeeded(*result)) {
      YieldOp::create(inner, node.loc, values);
      SmallVector<mlir::Type> types(ValueRange(initial).getTypes());
      for (Value stacked : values.drop_front(loop.carried)) {
        SmallVector<DimAttr> dims = getDims(stacked);
        dims.insert(dims.begin(), node.graph.dims.canonical(*loop.tripCount));
        types.push_back(makeTensorType(dims, getElementTypeOrSelf(stacked.getType())));
      }
      auto forOp =
          ForOp::create(node.builder, node.loc, types, node.graph.dims.canonical(*loop.tripCount), initial);
      forOp.getBody().takeBody(trial->getRegion(0));
      for (size_t i = 0; i < node.numOutputs(); ++i)
        node.setResult(i, forOp->getResult(i));
    }
  }
  trial->erase();
  return result;
}

/// A loop of few iterations, written out. It is the answer to carried values whose types change.
LogicalResult unroll(NodeImport &node, const LoopParts &loop, int64_t count) {
  SmallVector<NamedValue> carried;
  for (size_t i = 0; i < loop.carried; ++i)
    carried.push_back(*node.graph.find(node.node.inputs[i + 2]));
  SmallVector<SmallVector<Value>> stacked(loop.stacked);
  for (int64_t iteration = 0; iteration < count; ++iteration) {
    SmallVector<NamedValue> inputs{namedConstant(node, iteration, node.builder.getI64Type()),
                                   namedConstant(node, 1, node.builder.getI1Type())};
    inputs.append(carried);
    auto results = node.graph.importSubgraph(*loop.body, inputs, node.builder);
    if (failed(results))
      return failure();
    if (!isTrue(node, results->front()))
      return node.unsupported(
          "the condition of the loop is only known at run time, and its carried values change "
          "their types");
    carried.assign(results->begin() + 1, results->begin() + 1 + loop.carried);
    for (size_t i = 0; i < loop.stacked; ++i) {
      Value value = node.graph.materialize((*results)[1 + loop.carried + i], node.builder, node.loc);
      if (!value)
        return failure();
      SmallVector<DimAttr> dims = getDims(value);
      dims.insert(dims.begin(), dim::constant(node.context(), 1));
      value = node.reshape(value, dims);
      if (!stacked[i].empty() && stacked[i].front().getType() != value.getType())
        return node.unsupported("the values to stack have different types");
      stacked[i].push_back(value);
    }
  }
  for (size_t i = 0; i < node.numOutputs(); ++i) {
    if (node.node.outputs[i].empty())
      continue;
    if (i < loop.carried)
      node.graph.define(node.node.outputs[i], carried[i]);
    else
      node.setResult(i, node.create<ConcatOp>(ValueRange(stacked[i - loop.carried]), int64_t(0)));
  }
  return success();
}

/// A loop that its condition ends.
LogicalResult importWhile(NodeImport &node, const LoopParts &loop, ArrayRef<Value> initial) {
  if (loop.stacked)
    return node.unsupported("values are stacked over a number of iterations that is only known at run time");
  mlir::Type i64 = node.builder.getI64Type(), i1 = node.builder.getI1Type();
  auto flag = RankedTensorType::get({}, i1);
  // The iteration number is one more carried value.
  SmallVector<Value> carried{node.scalar(i64, 0)};
  carried.append(initial.begin(), initial.end());
  Value condition = node.hasInput(1) ? node.reshape(node.operand(1), {}) : node.scalar(i1, 1);
  Value limit = loop.hasLimit ? node.cast(node.reshape(node.operand(0), {}), i64) : Value();
  auto withLimit = [&](OpBuilder &builder, Value holds, Value iteration) -> Value {
    if (!limit)
      return holds;
    Value below = CompareOp::create(builder, node.loc, flag, iteration, limit, ComparePredicate::lt);
    return AndOp::create(builder, node.loc, flag, holds, below);
  };
  condition = withLimit(node.builder, condition, carried[0]);
  OperationState state(node.loc, WhileOp::getOperationName());
  state.addOperands(condition);
  state.addOperands(carried);
  state.addRegion();
  Operation *trial = node.builder.create(state);
  SmallVector<NamedValue> inputs;
  Block *block = bodyBlock(node, trial->getRegion(0), initial, inputs);
  OpBuilder inner = OpBuilder::atBlockEnd(block);
  LogicalResult result = failure();
  FailureOr<LoopBody> body = importBody(node, loop, inputs, inner);
  if (succeeded(body))
    result = checkStable(node, initial, body->values);
  Value next = succeeded(result) ? node.graph.materialize(body->condition, inner, node.loc) : Value();
  if (next) {
    next = ReshapeOp::create(inner, node.loc, flag, next);
    Value iteration = block->getArgument(0);
    iteration = AddOp::create(inner, node.loc, iteration, node.scalar(i64, 1));
    SmallVector<Value> yielded{withLimit(inner, next, iteration), iteration};
    yielded.append(body->values);
    YieldOp::create(inner, node.loc, yielded);
    auto whileOp =
        WhileOp::create(node.builder, node.loc, ValueRange(carried).getTypes(), condition, carried);
    whileOp.getBody().takeBody(trial->getRegion(0));
    for (size_t i = 0; i < node.numOutputs(); ++i)
      node.setResult(i, whileOp->getResult(i + 1));
  }
  trial->erase();
  return result;
}

LogicalResult importLoop(NodeImport &node) {
  LoopParts loop;
  loop.body = graphAttr(node, "body");
  if (!loop.body || node.numInputs() < 2)
    return node.malformed("the body or an input is missing");
  loop.carried = node.numInputs() - 2;
  if (loop.body->inputs.size() != loop.carried + 2 || loop.body->outputs.size() < loop.carried + 1 ||
      node.numOutputs() > loop.body->outputs.size() - 1)
    return node.malformed("the body's inputs and outputs do not match the node's");
  loop.stacked = loop.body->outputs.size() - 1 - loop.carried;
  if (node.hasInput(0)) {
    auto count = node.integerValue(0);
    auto constant = count && count->size() == 1 ? dim::asConstant(count->front()) : std::nullopt;
    // Exporters write the largest integer for "no limit".
    loop.hasLimit = !constant || *constant < INT32_MAX;
    if (loop.hasLimit && count && count->size() == 1)
      loop.tripCount = node.graph.dims.max(count->front(), dim::constant(node.context(), 0));
  }
  NamedValue *condition = node.hasInput(1) ? node.graph.find(node.node.inputs[1]) : nullptr;
  loop.startsTrue = !condition || isTrue(node, *condition);
  // Stacked values need a number of iterations: none where the condition fails at the start.
  if (!loop.startsTrue && loop.tripCount && loop.stacked) {
    auto known = node.constantInts(1);
    bool never = known && known->size() == 1 && known->front() == 0;
    Value starts = node.cast(node.reshape(node.operand(1), {}), node.builder.getI64Type());
    DimAttr factor = never ? dim::constant(node.context(), 0) : node.bindSizes(starts, "starts")[0];
    loop.tripCount = dim::mul(*loop.tripCount, factor);
    loop.startsTrue = true;
  }
  SmallVector<Value> initial;
  for (size_t i = 0; i < loop.carried; ++i)
    initial.push_back(node.operand(i + 2));

  auto constant = loop.tripCount ? dim::asConstant(*loop.tripCount) : std::nullopt;
  bool canUnroll = loop.startsTrue && constant && *constant >= 1 && *constant <= 64;
  if (loop.tripCount && loop.startsTrue) {
    ImportReport trial, *outer = node.graph.redirectReport(canUnroll ? &trial : &node.graph.currentReport());
    std::optional<LogicalResult> result = importCounted(node, loop, initial);
    node.graph.redirectReport(outer);
    if (result && succeeded(*result))
      return success();
    if (result && canUnroll)
      return unroll(node, loop, *constant);
    if (result)
      return failure();
  }
  return importWhile(node, loop, initial);
}

} // namespace

void addControlFlowOps(OpTable &table) {
  table.add("", "If", 1, importIf);
  table.add("", "Loop", 1, importLoop);
}

} // namespace torsh::onnx
