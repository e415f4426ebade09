//===-- ControlFlowOps.cpp - If and Loop
//--------------------------------------------------------------===//
#include "frontends/onnx/ObjectValues.h"
#include "frontends/onnx/ops/LoopBody.h"
#include "llvm/ADT/StringSet.h"

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

/// A value of the loop's or condition's form as the ops around see it: the tensor where the form is only its box.
Value openForm(NodeImport &node, OpBuilder &builder, Value value, mlir::Type seen) {
  if (value.getType() == seen || object::describe(seen))
    return value;
  return ObjectBuilder(node, builder).unbox(value);
}

std::string textOf(mlir::Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
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

/// The forms that hold what both arms yield, boxed where sizes differ; none when a result differs in more.
std::optional<SmallVector<mlir::Type>> commonForms(const Arm &a, const Arm &b) {
  if (a.values.size() != b.values.size())
    return std::nullopt;
  SmallVector<mlir::Type> forms;
  for (auto [x, y] : llvm::zip(a.values, b.values)) {
    mlir::Type form = joinForms(x.getType(), y.getType());
    ArrayAttr description = object::describe(form);
    bool isPlain = !object::describe(x.getType()) && !object::describe(y.getType());
    if (!form || (isPlain && description && object::rankOf(description) < 0))
      return std::nullopt;
    forms.push_back(form);
  }
  return forms;
}

/// Yields an arm's values in these forms.
LogicalResult yieldForms(NodeImport &node, Arm &arm, ArrayRef<mlir::Type> forms) {
  OpBuilder inner = OpBuilder::atBlockEnd(arm.block);
  ObjectBuilder objects(node, inner);
  SmallVector<Value> values;
  for (auto [value, form] : llvm::zip_equal(arm.values, forms)) {
    values.push_back(objects.convert(value, form));
    if (!values.back())
      return node.unsupported("the arms give different types");
  }
  YieldOp::create(inner, node.loc, values);
  return success();
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
  std::optional<SmallVector<mlir::Type>> forms;
  // Arms of other sizes are boxed, but where a size of the inputs decides: that one is asked for at once.
  if (succeeded(thenArm.results) && succeeded(elseArm.results) &&
      (sameTypes(thenArm, elseArm) || !asDimEquals(condition)))
    forms = commonForms(thenArm, elseArm);
  if (!forms) {
    result = chooseArm(node, trial, thenArm, elseArm, condition);
  } else if (failed(yieldForms(node, thenArm, *forms)) || failed(yieldForms(node, elseArm, *forms))) {
    result = failure();
  } else {
    auto ifOp = IfOp::create(node.builder, node.loc, *forms, condition);
    for (unsigned index : {0, 1})
      ifOp->getRegion(index).takeBody(trial->getRegion(index));
    for (size_t i = 0; i < node.numOutputs() && i < forms->size(); ++i) {
      Value value = openForm(node, node.builder, ifOp->getResult(i), thenArm.values[i].getType());
      if (!value)
        result = failure();
      node.setResult(i, value);
    }
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

/// Carried values, and the forms in which they go from one iteration to the next: their types, or boxes where an iteration
/// changes their sizes.
struct Carried {
  SmallVector<Value> initial;
  SmallVector<mlir::Type> forms;
  bool isWidened = false; ///< the last import found forms that do not hold the next values
};

/// Brings the next values into their forms at the end of a body; where one does not fit, widens its form.
LogicalResult takeNext(NodeImport &node, Carried &carried, MutableArrayRef<Value> next, OpBuilder &builder) {
  carried.isWidened = false;
  for (size_t i = 0; i < carried.forms.size(); ++i) {
    mlir::Type joined = joinForms(carried.forms[i], next[i].getType());
    if (!joined)
      return node.unsupported("the carried value " + Twine(i) + " changes its type from " +
                              textOf(carried.forms[i]) + " to " + textOf(next[i].getType()) +
                              " in an iteration");
    carried.isWidened |= joined != carried.forms[i];
    carried.forms[i] = joined;
  }
  if (carried.isWidened)
    return success();
  ObjectBuilder objects(node, builder);
  for (size_t i = 0; i < carried.forms.size(); ++i) {
    next[i] = objects.convert(next[i], carried.forms[i]);
    if (!next[i])
      return failure();
  }
  return success();
}

/// The first values in their forms.
FailureOr<SmallVector<Value>> takeInitial(NodeImport &node, const Carried &carried) {
  ObjectBuilder objects(node);
  SmallVector<Value> values;
  for (auto [value, form] : llvm::zip_equal(carried.initial, carried.forms)) {
    values.push_back(objects.convert(value, form));
    if (!values.back())
      return LogicalResult(
          node.unsupported("a carried value does not have the type that an iteration gives it"));
  }
  return values;
}

bool isTrue(NodeImport &node, const NamedValue &condition) {
  auto shape = node.graph.shapeOf(condition);
  auto values = shape ? shape->constants() : std::nullopt;
  return values && values->size() == 1 && values->front() != 0;
}

/// The block of a loop body with its arguments: the iteration number and the carried values.
FailureOr<Block *> bodyBlock(NodeImport &node, Region &region, const Carried &carried,
                             SmallVectorImpl<NamedValue> &inputs) {
  Block *block = &region.emplaceBlock();
  mlir::Type index = RankedTensorType::get({}, node.builder.getI64Type());
  inputs.push_back(namedValue(block->addArgument(index, node.loc)));
  // Inside the body the condition holds.
  inputs.push_back(namedConstant(node, 1, node.builder.getI1Type()));
  for (mlir::Type form : carried.forms)
    block->addArgument(form, node.loc);
  OpBuilder inner = OpBuilder::atBlockEnd(block);
  for (auto [argument, value] : llvm::zip_equal(block->getArguments().drop_front(), carried.initial)) {
    Value seen = openForm(node, inner, argument, value.getType());
    if (!seen)
      return failure();
    inputs.push_back(namedValue(seen));
  }
  return block;
}

/// Sets the results of the carried values.
LogicalResult setCarried(NodeImport &node, const Carried &carried, ValueRange results) {
  for (size_t i = 0; i < carried.initial.size() && i < node.numOutputs(); ++i) {
    Value value = openForm(node, node.builder, results[i], carried.initial[i].getType());
    if (!value)
      return failure();
    node.setResult(i, value);
  }
  return success();
}

//===-- Stacked values
//-----------------------------------------------------------------------------------------===//

/// Stacks values of a number or of sizes that only the run knows: as one more carried value, a list.
class Stacker {
public:
  explicit Stacker(NodeImport &node) : node(node), objects(node) {}

  /// Begins a list for a value that the body yields, and appends it there; the list's argument is added to the block.
  LogicalResult add(Block *block, OpBuilder &inner, Value value);
  /// The values of a list as one tensor.
  Value stack(Value list, size_t i);

  SmallVector<Value> initial, next;

private:
  NodeImport &node;
  ObjectBuilder objects;
  SmallVector<Value> nothing; ///< for each list what no iteration gives
};

/// The symbols that get their values inside of a block.
llvm::StringSet<> symbolsInside(Block *block) {
  llvm::StringSet<> names;
  block->walk([&](Operation *op) {
    if (auto bind = dyn_cast<BindSizesOp>(op))
      for (auto name : bind.getSymbols().getAsRange<StringAttr>())
        names.insert(name.getValue());
    if (!isa<NonZeroOp, NonMaxSuppressionOp>(op))
      return;
    for (Value result : op->getResults())
      for (DimAttr size : getDims(result))
        if (auto name = dim::asSymbol(size))
          names.insert(*name);
  });
  return names;
}

bool isAnyInside(const llvm::StringSet<> &names, DimAttr size) {
  SmallVector<StringRef> symbols;
  dim::collectSymbols(size, symbols);
  return llvm::any_of(symbols, [&](StringRef name) { return names.contains(name); });
}

LogicalResult Stacker::add(Block *block, OpBuilder &inner, Value value) {
  ObjectBuilder inside(node, inner);
  Value boxed = object::describe(value.getType()) ? Value() : inside.box(value);
  if (!boxed)
    return node.unsupported("only tensors of numbers are stacked");
  llvm::StringSet<> names = symbolsInside(block);
  DimAttr zero = dim::constant(node.context(), 0);
  SmallVector<DimAttr> dims{zero};
  for (DimAttr size : getDims(value))
    dims.push_back(isAnyInside(names, size) ? zero : size);
  mlir::Type element = getElementTypeOrSelf(value.getType());
  nothing.push_back(objects.box(node.splat(makeTensorType(dims, element), 0)));
  ArrayAttr type = object::sequence(object::describe(boxed.getType()));
  initial.push_back(objects.call("list", {}, type));
  Value list = block->addArgument(object::handle(type), node.loc);
  next.push_back(inside.call("append", {list, boxed}, type));
  return success();
}

Value Stacker::stack(Value list, size_t i) {
  ArrayAttr item = object::itemOf(object::describe(list.getType()));
  ArrayAttr stacked = object::tensor(object::elementOf(item), object::rankOf(item) + 1);
  return objects.unbox(objects.call("concat", {list, nothing[i]}, stacked, {0, 1}));
}

/// A counted loop. None when its condition may end it early, or when the forms were widened.
std::optional<LogicalResult> importCounted(NodeImport &node, const LoopParts &loop, Carried &carried) {
  carried.isWidened = false;
  FailureOr<SmallVector<Value>> first = takeInitial(node, carried);
  if (failed(first))
    return failure();
  OperationState state(node.loc, ForOp::getOperationName());
  state.addOperands(*first);
  state.addAttribute("trip_count", *loop.tripCount);
  state.addRegion();
  Operation *trial = node.builder.create(state);
  SmallVector<NamedValue> inputs;
  FailureOr<Block *> block = bodyBlock(node, trial->getRegion(0), carried, inputs);
  std::optional<LogicalResult> result = failure();
  FailureOr<LoopBody> body = failure();
  OpBuilder inner(node.context());
  if (succeeded(block)) {
    inner = OpBuilder::atBlockEnd(*block);
    body = importBody(node, loop, inputs, inner);
  }
  if (succeeded(body) && !isTrue(node, body->condition)) {
    result = std::nullopt;
  } else if (succeeded(body)) {
    MutableArrayRef<Value> values(body->values);
    result = takeNext(node, carried, values.take_front(loop.carried), inner);
    if (carried.isWidened)
      result = std::nullopt;
    Stacker stacker(node);
    SmallVector<Value> yielded(values.take_front(loop.carried)), stacked;
    llvm::StringSet<> names = symbolsInside(*block);
    SmallVector<bool> isListed;
    for (Value value : values.drop_front(loop.carried)) {
      isListed.push_back(
          llvm::any_of(getDims(value), [&](DimAttr size) { return isAnyInside(names, size); }));
      if (!isListed.back())
        stacked.push_back(value);
      else if (result && succeeded(*result))
        result = stacker.add(*block, inner, value);
    }
    if (result && succeeded(*result)) {
      llvm::append_range(yielded, stacker.next);
      llvm::append_range(yielded, stacked);
      YieldOp::create(inner, node.loc, yielded);
      llvm::append_range(*first, stacker.initial);
      SmallVector<mlir::Type> types(ValueRange(*first).getTypes());
      for (Value value : stacked) {
        SmallVector<DimAttr> dims = getDims(value);
        dims.insert(dims.begin(), node.graph.dims.canonical(*loop.tripCount));
        types.push_back(makeTensorType(dims, getElementTypeOrSelf(value.getType())));
      }
      auto forOp =
          ForOp::create(node.builder, node.loc, types, node.graph.dims.canonical(*loop.tripCount), *first);
      forOp.getBody().takeBody(trial->getRegion(0));
      result = setCarried(node, carried, forOp->getResults());
      size_t list = 0, whole = first->size();
      for (size_t i = 0; i < isListed.size(); ++i) {
        Value value = isListed[i] ? stacker.stack(forOp->getResult(loop.carried + list), list)
                                  : forOp->getResult(whole++);
        list += isListed[i];
        if (!value)
          result = failure();
        node.setResult(loop.carried + i, value);
      }
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

/// A loop that its condition ends. Success without results when the forms were widened.
LogicalResult importWhile(NodeImport &node, const LoopParts &loop, Carried &carried) {
  carried.isWidened = false;
  FailureOr<SmallVector<Value>> first = takeInitial(node, carried);
  if (failed(first))
    return failure();
  mlir::Type i64 = node.builder.getI64Type(), i1 = node.builder.getI1Type();
  auto flag = RankedTensorType::get({}, i1);
  // The iteration number is one more carried value.
  SmallVector<Value> before{node.scalar(i64, 0)};
  llvm::append_range(before, *first);
  Value condition = node.hasInput(1) ? node.reshape(node.operand(1), {}) : node.scalar(i1, 1);
  Value limit = loop.hasLimit ? node.cast(node.reshape(node.operand(0), {}), i64) : Value();
  auto withLimit = [&](OpBuilder &builder, Value holds, Value iteration) -> Value {
    if (!limit)
      return holds;
    Value below = CompareOp::create(builder, node.loc, flag, iteration, limit, ComparePredicate::lt);
    return AndOp::create(builder, node.loc, flag, holds, below);
  };
  condition = withLimit(node.builder, condition, before[0]);
  OperationState state(node.loc, WhileOp::getOperationName());
  state.addOperands(condition);
  state.addOperands(before);
  state.addRegion();
  Operation *trial = node.builder.create(state);
  SmallVector<NamedValue> inputs;
  FailureOr<Block *> block = bodyBlock(node, trial->getRegion(0), carried, inputs);
  LogicalResult result = failure();
  FailureOr<LoopBody> body = failure();
  OpBuilder inner(node.context());
  if (succeeded(block)) {
    inner = OpBuilder::atBlockEnd(*block);
    body = importBody(node, loop, inputs, inner);
  }
  MutableArrayRef<Value> values;
  if (succeeded(body)) {
    values = body->values;
    result = takeNext(node, carried, values.take_front(loop.carried), inner);
  }
  Stacker stacker(node);
  bool isComplete = succeeded(result) && !carried.isWidened;
  for (Value value : values.drop_front(std::min(values.size(), loop.carried)))
    if (isComplete && failed(result = stacker.add(*block, inner, value)))
      isComplete = false;
  Value next = isComplete ? node.graph.materialize(body->condition, inner, node.loc) : Value();
  if (isComplete && !next)
    result = failure();
  if (next) {
    next = ReshapeOp::create(inner, node.loc, flag, next);
    Value iteration = (*block)->getArgument(0);
    iteration = AddOp::create(inner, node.loc, iteration, node.scalar(i64, 1));
    SmallVector<Value> yielded{withLimit(inner, next, iteration), iteration};
    llvm::append_range(yielded, values.take_front(loop.carried));
    llvm::append_range(yielded, stacker.next);
    YieldOp::create(inner, node.loc, yielded);
    llvm::append_range(before, stacker.initial);
    auto whileOp = WhileOp::create(node.builder, node.loc, ValueRange(before).getTypes(), condition, before);
    whileOp.getBody().takeBody(trial->getRegion(0));
    result = setCarried(node, carried, whileOp->getResults().drop_front());
    for (size_t i = 0; i < loop.stacked; ++i) {
      Value value = stacker.stack(whileOp->getResult(1 + loop.carried + i), i);
      if (!value)
        result = failure();
      node.setResult(loop.carried + i, value);
    }
  }
  trial->erase();
  return result;
}

/// Forgets what was bound in blocks that are gone.
void forgetTrial(NodeImport &node) {
  node.graph.boundSizes.clear();
  node.graph.boundIntegers.clear();
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
  Carried carried;
  for (size_t i = 0; i < loop.carried; ++i) {
    carried.initial.push_back(node.operand(i + 2));
    carried.forms.push_back(carried.initial.back().getType());
  }

  auto constant = loop.tripCount ? dim::asConstant(*loop.tripCount) : std::nullopt;
  bool canUnroll = loop.startsTrue && constant && *constant >= 1 && *constant <= 64;
  // A form is widened twice at most: to a box, and to a box of any rank.
  for (size_t attempt = 0; attempt <= 3 * loop.carried + 1; ++attempt) {
    if (loop.tripCount && loop.startsTrue) {
      ImportReport trial,
          *outer = node.graph.redirectReport(canUnroll ? &trial : &node.graph.currentReport());
      std::optional<LogicalResult> result = importCounted(node, loop, carried);
      node.graph.redirectReport(outer);
      if (result && succeeded(*result))
        return success();
      forgetTrial(node);
      // Written out, all sizes are known.
      if (canUnroll && (result || carried.isWidened))
        return unroll(node, loop, *constant);
      if (result)
        return failure();
      if (carried.isWidened)
        continue;
    }
    if (failed(importWhile(node, loop, carried)))
      return failure();
    if (!carried.isWidened)
      return success();
    forgetTrial(node);
  }
  return node.unsupported("the types of the carried values never stay the same");
}

} // namespace

void addControlFlowOps(OpTable &table) {
  table.add("", "If", 1, importIf);
  table.add("", "Loop", 1, importLoop);
}

} // namespace torsh::onnx
