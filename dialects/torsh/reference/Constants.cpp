//===-- Constants.cpp - Reference semantics of constants, parameters and markers
//----------------------------===//
#include "dialects/torsh/reference/Call.h"
#include "dialects/torsh/reference/Iteration.h"

using namespace llvm;
using namespace mlir;

namespace torsh {

using reference::Code;
using reference::makeError;

namespace {

Expected<Tensor> evaluateDense(DenseElementsAttr value, const EvaluatorLimits &limits) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  Type elementType = value.getElementType();
  if (!type || !elementType.isIntOrFloat() || elementType.getIntOrFloatBitWidth() > 64)
    return makeError(Code::NoReferenceSemantics, "a constant must be a ranked tensor of floats or integers");
  if (!reference::boundedNumElements(type.getShape(), limits.maxElements))
    return makeError(Code::TensorTooLarge, "a constant of " +
                                               reference::describe(type.getShape(), elementType) +
                                               " has more than " + Twine(limits.maxElements) + " elements");
  Tensor tensor = Tensor::zeros(elementType, type.getShape());
  auto fill = [&](auto &target, auto values, auto read) {
    if (value.isSplat())
      llvm::fill(target, read(*values.begin()));
    else
      for (auto [to, from] : zip(target, values))
        to = read(from);
  };
  if (tensor.numElements() == 0)
    return tensor;
  if (tensor.isFloat())
    fill(tensor.floats, value.getValues<APFloat>(), [](APFloat number) {
      bool lossy;
      number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lossy);
      return number.convertToDouble();
    });
  else
    fill(tensor.ints, value.getValues<APInt>(),
         [&](const APInt &number) { return wrapTo(elementType, int64_t(number.getZExtValue())); });
  return tensor;
}

} // namespace

Expected<Tensor> evaluateConstant(Attribute value, const WeightStore &store, const EvaluatorLimits &limits) {
  if (auto dense = dyn_cast<DenseElementsAttr>(value))
    return evaluateDense(dense, limits);
  if (auto weight = dyn_cast<WeightAttr>(value))
    return evaluateWeight(weight, store, limits);
  return makeError(Code::NoReferenceSemantics, "a constant must be a dense attribute or a weight recipe");
}

namespace reference {
namespace {

/// The value of an attribute, with the op's name and location before an error.
Results evaluateValue(Call &call, Attribute value) {
  auto *dialect = cast<TorshDialect>(call.op->getDialect());
  Expected<Tensor> tensor = evaluateConstant(value, dialect->getWeightStore(), call.limits);
  if (tensor)
    return single(std::move(tensor));
  std::string location;
  raw_string_ostream(location) << call.op->getLoc();
  return createStringError(toString(tensor.takeError()) + " (" + call.op->getName().getStringRef() + " at " +
                           location + ")");
}

Results evaluateConstantOp(ConstantOp op, Call &call) { return evaluateValue(call, op.getValue()); }

/// A parameter has no result; get_param reads it.
Results evaluateParam(ParamOp op, Call &call) { return SmallVector<Tensor>(); }

Results evaluateGetParam(GetParamOp op, Call &call) {
  auto param = SymbolTable::lookupNearestSymbolFrom<ParamOp>(op, op.getParamAttr());
  if (!param)
    return call.misfit("there is no torsh.param with the name @" + op.getParam());
  return evaluateValue(call, param.getValue());
}

Results evaluateStopGradient(StopGradientOp op, Call &call) { return single(Tensor(call[op.getX()])); }

Results evaluateGuard(GuardOp op, Call &call) {
  Expected<int64_t> lhs = call.valueOf(op.getLhs());
  if (!lhs)
    return lhs.takeError();
  Expected<int64_t> rhs = call.valueOf(op.getRhs());
  if (!rhs)
    return rhs.takeError();
  if (*lhs == *rhs)
    return SmallVector<Tensor>();
  return call.error(Code::GuardBroken, op.getMessage() + ": " + dim::toString(op.getLhs()) + " is " +
                                           Twine(*lhs) + " and " + dim::toString(op.getRhs()) + " is " +
                                           Twine(*rhs));
}

} // namespace

void addConstants(HandlerTable &table) {
  table.add<ConstantOp>(evaluateConstantOp);
  table.add<ParamOp>(evaluateParam);
  table.add<GetParamOp>(evaluateGetParam);
  table.add<StopGradientOp>(evaluateStopGradient);
  table.add<GuardOp>(evaluateGuard);
}

} // namespace reference
} // namespace torsh
