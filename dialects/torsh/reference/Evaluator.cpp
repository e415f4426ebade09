//===-- Evaluator.cpp - Dispatch, blocks and functions
//------------------------------------------------------===//
#include "dialects/torsh/reference/Evaluator.h"
#include "dialects/torsh/Objects.h"
#include "dialects/torsh/reference/Interpreter.h"
#include "dialects/torsh/reference/Iteration.h"
#include "dialects/torsh/reference/Objects.h"
#include "dialects/torsh/reference/RegionPool.h"
#include "dialects/torsh/reference/TreeEnsemble.h"
#include "llvm/ADT/ScopeExit.h"

using namespace llvm;
using namespace mlir;

namespace torsh {

using namespace reference;

namespace {

/// Regions deeper than this are refused, because each level takes a piece of the stack.
constexpr int maxDepth = 200;

const HandlerTable &handlers() {
  static const HandlerTable table = [] {
    HandlerTable result;
    for (auto add :
         {addElementwise, addShapeOps, addContraction, addPooling, addReduction, addNormalization,
          addAttention, addRecurrent, addIndexing, addSelection, addResize, addRandom, addConstants,
          addControlFlow, addPlan, addWinograd, addRegionPool, addTreeEnsemble, addObjects})
      add(result);
    return result;
  }();
  return table;
}

/// A `?` of text written by hand: a size that nothing is known about.
bool isAnonymous(StringRef symbol) { return symbol == "?"; }

} // namespace

std::string reference::checkTensor(Type type, const Tensor &tensor, const EvaluatorLimits &limits) {
  auto tensorType = dyn_cast<RankedTensorType>(type);
  if (!tensorType)
    return "its type is not a ranked tensor";
  if (tensor.elementType != tensorType.getElementType() || tensor.rank() != tensorType.getRank())
    return "it is " + describe(tensor.shape, tensor.elementType) +
           ", of another rank or element type than its type";
  std::optional<int64_t> count = boundedNumElements(tensor.shape, limits.maxElements);
  if (!count)
    return describe(tensor.shape, tensor.elementType) + " has more than " +
           std::to_string(limits.maxElements) + " elements";
  if (int64_t(tensor.floats.size()) != (tensor.isFloat() ? *count : 0) ||
      int64_t(tensor.ints.size()) != (tensor.isFloat() ? 0 : *count))
    return "its storage does not match its shape";
  return {};
}

std::string reference::bindDims(Type type, const Tensor &tensor, dim::Bindings &symbols) {
  SmallVector<DimAttr> dims = getDims(cast<RankedTensorType>(type));
  for (auto [dim, size] : zip(dims, tensor.shape))
    if (std::optional<StringRef> symbol = dim::asSymbol(dim); symbol && !isAnonymous(*symbol))
      symbols.try_emplace(*symbol, size);
  for (auto [index, dim] : enumerate(dims)) {
    std::optional<int64_t> expected = dim::evaluate(dim, symbols);
    if (expected && *expected != tensor.shape[index])
      return "dim " + std::to_string(index) + " is " + std::to_string(tensor.shape[index]) +
             " and its type says " + dim::toString(dim) + " = " + std::to_string(*expected);
  }
  return {};
}

Results Interpreter::runOp(Operation *op, ArrayRef<const Tensor *> operands, dim::Bindings &symbols) {
  Call call(op, operands, symbols, *this, limits);
  const HandlerTable::Handler *handler = handlers().lookup(op);
  if (!handler)
    return call.error(Code::NoReferenceSemantics,
                      "the reference evaluator does not know this op; lower or inline it");
  if (operands.size() != op->getNumOperands())
    return call.error(Code::InputDoesNotFit,
                      Twine(operands.size()) + " operands were given for " + Twine(op->getNumOperands()));
  for (auto [index, tensor] : enumerate(operands)) {
    std::string problem = checkTensor(op->getOperand(index).getType(), *tensor, limits);
    if (!problem.empty())
      return call.error(Code::InputDoesNotFit, "operand " + Twine(index) + ": " + problem);
  }
  Results results = (*handler)(call);
  if (!results)
    return results.takeError();
  if (results->size() != op->getNumResults())
    return call.error(Code::WrongResult, "internal error: the op has another number of results");
  for (auto [index, tensor] : enumerate(*results)) {
    roundElements(tensor);
    Type type = op->getResult(index).getType();
    std::string problem = checkTensor(type, tensor, limits);
    // Symbols that are born at run time get their values here.
    if (problem.empty())
      problem = bindDims(type, tensor, symbols);
    if (!problem.empty())
      return call.error(Code::WrongResult, "internal error: result " + Twine(index) + ": " + problem);
  }
  return results;
}

Expected<SmallVector<TensorRef>> Interpreter::runBlock(Block &block, ArrayRef<TensorRef> arguments,
                                                       dim::Bindings &symbols) {
  auto leave = scope_exit([&] { --depth; });
  if (++depth > maxDepth)
    return makeError(Code::NoReferenceSemantics,
                     "regions are nested more than " + Twine(maxDepth) + " deep; flatten the graph");
  // The last op of the block that uses a value, in its own regions too, frees it.
  llvm::DenseMap<Operation *, SmallVector<Value>> lastUses;
  auto track = [&](Value value) {
    Operation *last = nullptr;
    for (Operation *user : value.getUsers()) {
      Operation *ancestor = block.findAncestorOpInBlock(*user);
      if (!last || last->isBeforeInBlock(ancestor))
        last = ancestor;
    }
    if (last)
      lastUses[last].push_back(value);
    return last != nullptr;
  };
  for (auto [value, tensor] : zip(block.getArguments(), arguments))
    if (track(value))
      live[value] = tensor;
  for (Operation &op : block) {
    SmallVector<TensorRef> operands;
    for (Value operand : op.getOperands()) {
      auto it = live.find(operand);
      if (it == live.end())
        return Call(&op, {}, symbols, *this, limits)
            .error(Code::InputDoesNotFit, "an operand is not available; evaluate the op that encloses it");
      operands.push_back(it->second);
    }
    if (op.hasTrait<OpTrait::IsTerminator>()) {
      for (Value value : lastUses.lookup(&op))
        live.erase(value);
      return operands;
    }
    SmallVector<const Tensor *> pointers =
        to_vector(map_range(operands, [](const TensorRef &t) { return t.get(); }));
    Results results = runOp(&op, pointers, symbols);
    if (!results)
      return results.takeError();
    for (auto [value, tensor] : zip(op.getResults(), *results))
      if (track(value))
        live[value] = std::make_shared<Tensor>(std::move(tensor));
    for (Value value : lastUses.lookup(&op))
      live.erase(value);
  }
  return makeError(Code::NoReferenceSemantics, "a block has no terminator");
}

Error Interpreter::countIteration(const Call &call) {
  if (++iterations <= limits.maxIterations)
    return Error::success();
  return call.error(Code::TooManyIterations, "the loops run more than " + Twine(limits.maxIterations) +
                                                 " iterations; compile the graph instead of evaluating it");
}

Expected<SmallVector<Tensor>> evaluateOp(Operation *op, ArrayRef<Tensor> operands, dim::Bindings &symbols,
                                         const EvaluatorLimits &limits) {
  SmallVector<const Tensor *> pointers = to_vector(map_range(operands, [](const Tensor &t) { return &t; }));
  return Interpreter(limits).runOp(op, pointers, symbols);
}

Expected<SmallVector<Tensor>> evaluateFunction(func::FuncOp function, ArrayRef<Tensor> inputs,
                                               const EvaluatorLimits &limits) {
  Interpreter interpreter(limits);
  ObjectTable objects;
  interpreter.objects = &objects;
  dim::Bindings symbols;
  Call call(function, {}, symbols, interpreter, limits);
  auto isObject = [](Type type) { return bool(object::describe(type)); };
  if (any_of(function.getArgumentTypes(), isObject) || any_of(function.getResultTypes(), isObject))
    return call.error(
        Code::NoReferenceSemantics,
        "inputs and outputs that are sequences, optionals or strings are not served by the reference "
        "evaluator; compile the model");
  if (function.isExternal() || !function.getBody().hasOneBlock())
    return call.error(Code::NoReferenceSemantics, "the function must have a body of one block");
  Block &body = function.getBody().front();
  if (inputs.size() != body.getNumArguments())
    return call.error(Code::InputDoesNotFit,
                      Twine(inputs.size()) + " inputs were given for " + Twine(body.getNumArguments()));
  SmallVector<TensorRef> arguments;
  for (auto [index, input] : enumerate(inputs)) {
    std::string problem = checkTensor(body.getArgument(index).getType(), input, limits);
    if (problem.empty())
      problem = bindDims(body.getArgument(index).getType(), input, symbols);
    if (!problem.empty())
      return call.error(Code::InputDoesNotFit, "input " + Twine(index) + ": " + problem);
    // The caller's tensor outlives the evaluation, so it need not be copied.
    arguments.push_back(TensorRef(TensorRef(), &input));
  }
  // A symbol may get its value from a later input than an expression that uses it, so compare once more.
  for (auto [argument, input] : zip(body.getArguments(), inputs))
    if (std::string problem = bindDims(argument.getType(), input, symbols); !problem.empty())
      return call.error(Code::InputDoesNotFit, "input " + Twine(argument.getArgNumber()) + ": " + problem);
  // Guards on the inputs' symbols hold before anything runs; the others are checked where they stand.
  for (GuardOp guard : body.getOps<GuardOp>())
    if (dim::evaluate(guard.getLhs(), symbols) && dim::evaluate(guard.getRhs(), symbols))
      if (Results checked = interpreter.runOp(guard, {}, symbols); !checked)
        return checked.takeError();
  Expected<SmallVector<TensorRef>> outputs = interpreter.runBlock(body, arguments, symbols);
  if (!outputs)
    return outputs.takeError();
  SmallVector<Tensor> results;
  for (const TensorRef &output : *outputs)
    results.push_back(*output);
  return results;
}

} // namespace torsh
