//===-- ControlFlow.cpp - Reference semantics of ops with regions
//-------------------------------------------===//
#include "dialects/torsh/reference/Interpreter.h"
#include "dialects/torsh/reference/Iteration.h"

using namespace llvm;
using namespace mlir;

namespace torsh::reference {

using Values = SmallVector<TensorRef>;

Expected<Values> runRegion(Call &call, Region &region, ArrayRef<TensorRef> arguments,
                           dim::Bindings &symbols) {
  Block &block = region.front();
  if (block.getNumArguments() != arguments.size())
    return call.misfit("a region takes " + Twine(block.getNumArguments()) + " values and is given " +
                       Twine(arguments.size()));
  for (auto [argument, tensor] : zip(block.getArguments(), arguments)) {
    std::string problem = checkTensor(argument.getType(), *tensor, call.limits);
    if (problem.empty())
      problem = bindDims(argument.getType(), *tensor, symbols);
    if (!problem.empty())
      return call.misfit("value " + Twine(argument.getArgNumber()) + " of a region: " + problem);
  }
  return call.interpreter.runBlock(block, arguments, symbols);
}

Results copyAll(ArrayRef<TensorRef> values) {
  SmallVector<Tensor> results;
  for (const TensorRef &value : values)
    results.push_back(*value);
  return results;
}

namespace {

/// Copies of the op's operands from `first` on that the region's blocks can keep.
Values operandsFrom(const Call &call, size_t first) {
  Values values;
  for (const Tensor *operand : call.operands.drop_front(first))
    values.push_back(std::make_shared<Tensor>(*operand));
  return values;
}

Expected<Values> runIteration(Call &call, Region &body, ArrayRef<TensorRef> arguments) {
  if (Error error = call.interpreter.countIteration(call))
    return error;
  dim::Bindings symbols = call.symbols;
  return runRegion(call, body, arguments, symbols);
}

/// A condition's value.
Expected<bool> truthOf(const Call &call, const Tensor &condition) {
  if (condition.elementType.isInteger(1) && condition.rank() == 0)
    return condition.ints[0] != 0;
  return call.misfit("the condition must be a tensor<i1> of rank 0");
}

Results evaluateIf(IfOp op, Call &call) {
  Expected<bool> condition = truthOf(call, *call.operands[0]);
  if (!condition)
    return condition.takeError();
  dim::Bindings symbols = call.symbols;
  Expected<Values> values =
      runRegion(call, *condition ? op.getThenRegion() : op.getElseRegion(), {}, symbols);
  if (!values)
    return values.takeError();
  return copyAll(*values);
}

/// Sizes are at most 2^40; values that need not be sizes are cut to that.
constexpr int64_t largestSize = int64_t(1) << 40;

Results evaluateBindSizes(BindSizesOp op, Call &call) {
  const Tensor &x = call[op.getX()];
  auto names = op.getSymbols().getAsRange<StringAttr>();
  auto name = names.begin();
  for (int64_t value : x.ints) {
    if (op.getSignedValues()) {
      value = std::clamp(value, -largestSize, largestSize);
      call.symbols[(*name++).getValue()] = std::max<int64_t>(value, 0);
      call.symbols[(*name++).getValue()] = std::max<int64_t>(-value, 0);
      continue;
    }
    if (value < 0 || value > largestSize)
      return call.error(Code::GuardBroken, "the size '" + (*name).getValue() + "' is " + Twine(value));
    call.symbols[(*name++).getValue()] = value;
  }
  return SmallVector<Tensor>();
}

Results evaluateStage(StageOp op, Call &call) {
  dim::Bindings symbols = call.symbols;
  Expected<Values> values = runRegion(call, op.getBody(), {}, symbols);
  if (!values)
    return values.takeError();
  return copyAll(*values);
}

/// Joins the values of all iterations along a new leading dim; `type` gives the shape when there was none.
Expected<Tensor> stack(const Call &call, ArrayRef<TensorRef> values, Type type) {
  auto tensorType = dyn_cast<RankedTensorType>(type);
  if (!tensorType || tensorType.getRank() == 0)
    return call.misfit("a stacked result must be a ranked tensor with a leading dim");
  SmallVector<int64_t> shape = {int64_t(values.size())};
  if (values.empty()) {
    Expected<SmallVector<int64_t>> dims = call.valuesOf(ArrayRef<DimAttr>(getDims(tensorType)).drop_front());
    if (!dims)
      return dims.takeError();
    append_range(shape, *dims);
    return call.allocate(tensorType.getElementType(), shape);
  }
  append_range(shape, values[0]->shape);
  Expected<Tensor> y = call.allocate(values[0]->elementType, shape);
  if (!y)
    return y.takeError();
  for (auto [index, value] : enumerate(values)) {
    if (value->shape != values[0]->shape || value->elementType != values[0]->elementType)
      return call.misfit("the stacked values of two iterations differ in shape");
    dispatch(*value, [&, index = index, &value = *value](auto tag) {
      using T = decltype(tag);
      llvm::copy(valuesOf<T>(value), valuesOf<T>(*y).begin() + index * value.numElements());
    });
  }
  return y;
}

Results evaluateFor(ForOp op, Call &call) {
  Expected<int64_t> tripCount = call.valueOf(op.getTripCount());
  if (!tripCount)
    return tripCount.takeError();
  Values carried = operandsFrom(call, 0);
  const size_t numCarried = carried.size(), numResults = op->getNumResults();
  if (numResults < numCarried)
    return call.misfit("there are fewer results than carried values");
  std::vector<Values> stacked(numResults - numCarried);
  int64_t elements = 0;
  for (int64_t i = 0; i < *tripCount; ++i) {
    auto iteration = std::make_shared<Tensor>(Tensor::zeros(IntegerType::get(op.getContext(), 64), {}));
    iteration->ints[0] = i;
    Values arguments = {iteration};
    append_range(arguments, carried);
    Expected<Values> yielded = runIteration(call, op->getRegion(0), arguments);
    if (!yielded)
      return yielded.takeError();
    if (yielded->size() != numResults)
      return call.misfit("the body yields another number of values than there are results");
    carried.assign(yielded->begin(), yielded->begin() + numCarried);
    for (auto [list, value] : zip(stacked, ArrayRef<TensorRef>(*yielded).drop_front(numCarried))) {
      list.push_back(value);
      elements += value->numElements();
    }
    // Checked here too, before the values of all iterations have filled the memory.
    if (elements > call.limits.maxElements)
      return call.error(Code::TensorTooLarge, "the stacked values have more than " +
                                                  Twine(call.limits.maxElements) +
                                                  " elements; compile the graph instead of evaluating it");
  }
  Results results = copyAll(carried);
  for (auto [index, list] : enumerate(stacked)) {
    Expected<Tensor> y = stack(call, list, op->getResult(numCarried + index).getType());
    if (!y)
      return y.takeError();
    results->push_back(std::move(*y));
  }
  return results;
}

Results evaluateWhile(WhileOp op, Call &call) {
  Expected<bool> condition = truthOf(call, *call.operands[0]);
  Values values = operandsFrom(call, 1);
  while (condition && *condition) {
    Expected<Values> yielded = runIteration(call, op->getRegion(0), values);
    if (!yielded)
      return yielded.takeError();
    if (yielded->size() != values.size() + 1)
      return call.misfit("the body must yield the next condition and " + Twine(values.size()) + " values");
    condition = truthOf(call, *yielded->front());
    values.assign(yielded->begin() + 1, yielded->end());
  }
  if (!condition)
    return condition.takeError();
  return copyAll(values);
}

/// A group is transparent: symbols born inside are known outside.
Results evaluateGroup(GroupOp op, Call &call) {
  Expected<Values> values = runRegion(call, op->getRegion(0), operandsFrom(call, 0), call.symbols);
  if (!values)
    return values.takeError();
  return copyAll(*values);
}

} // namespace

void addControlFlow(HandlerTable &table) {
  table.add<IfOp>(evaluateIf);
  table.add<ForOp>(evaluateFor);
  table.add<WhileOp>(evaluateWhile);
  table.add<BindSizesOp>(evaluateBindSizes);
  table.add<StageOp>(evaluateStage);
  table.add<GroupOp>(evaluateGroup);
}

} // namespace torsh::reference
