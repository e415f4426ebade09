//===-- NormalizationOps.cpp - Batch, instance, layer, group, RMS and local response norms
//------------------===//
//
// The usual norms are single torsh ops, which the inference pipeline folds or fuses. Their optional
// statistics outputs and the rarer norms are composed.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/Compose.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

llvm::APFloat number(double value) { return llvm::APFloat(value); }

//===-- Batch norm
//-----------------------------------------------------------------------------------------------===//

/// The statistics of the batch in place of the given ones, with the running statistics as further outputs; before opset 7
/// those of the batch follow.
void importTraining(NodeImport &n, Value x, ArrayRef<Value> parameters) {
  double momentum = n.floatAttr("momentum", 0.9f);
  SmallVector<int64_t> axes = {0};
  axes.append(range(2, rankOf(x)));
  Value centred = n.create<SubOp>(x, reduceInPlace(n, x, ReduceKind::mean, axes));
  Value mean = n.create<ReduceOp>(x, ReduceKind::mean, axes, false);
  Value variance = n.create<ReduceOp>(n.create<MulOp>(centred, centred), ReduceKind::mean, axes, false);
  n.setResult(0, n.create<BatchNormOp>(x, parameters[0], parameters[1], mean, variance, 1,
                                       number(n.floatAttr("epsilon", 1e-5f))));
  Value statistics[] = {mean, variance};
  for (size_t i : {0, 1}) {
    if (!wantsOutput(n, i + 1))
      continue;
    Value old = parameters[2 + i];
    Value now = n.cast(statistics[i], elementTypeOf(old));
    n.setResult(i + 1, n.create<AddOp>(scale(n, old, momentum), scale(n, now, 1 - momentum)));
  }
  if (n.opset < 7)
    for (size_t i : {0, 1})
      n.setResult(i + 3, n.cast(statistics[i], elementTypeOf(parameters[2 + i])));
}

/// Before opset 9, `spatial` 0 asks for parameters that each element of a sample has of its own.
LogicalResult importElementNorm(NodeImport &n) {
  SmallVector<Value> values;
  for (size_t i = 0; i < 5; ++i) {
    values.push_back(n.cast(n.operand(i), n.typeOf(0).getElementType()));
    if (rankOf(values[i]) != rankOf(values[0]) - (i == 0 ? 0 : 1))
      return n.malformed("with spatial 0 operand " + Twine(i) + " must have the shape of a sample");
  }
  Value deviation = n.create<RsqrtOp>(addNumber(n, values[4], n.floatAttr("epsilon", 1e-5f)));
  values[4] = n.create<MulOp>(deviation, values[1]);
  if (failed(n.broadcastTogether(values)))
    return failure();
  Value scaled = n.create<MulOp>(n.create<SubOp>(values[0], values[3]), values[4]);
  n.setResult(0, n.create<AddOp>(scaled, values[2]));
  return success();
}

LogicalResult importBatchNorm(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireRank(n, 0, 2)) || failed(requireInputs(n, 5)))
    return failure();
  Value x = n.operand(0);
  bool training = n.opset < 7 ? !n.intAttr("is_test", 0) : n.intAttr("training_mode", 0) != 0;
  if (n.opset < 9 && !n.intAttr("spatial", 1)) {
    if (training)
      return n.unsupported("spatial 0 needs is_test 1");
    return importElementNorm(n);
  }
  SmallVector<Value> parameters;
  for (size_t i = 1; i <= 4; ++i) {
    parameters.push_back(n.operand(i));
    if (rankOf(parameters.back()) != 1)
      return n.malformed("operand " + Twine(i) + " must have rank 1");
    if (!n.unify(getDims(x)[1], getDims(parameters.back())[0], "the channels of BatchNormalization"))
      return n.malformed("operand " + Twine(i) + " must have one entry a channel");
  }
  mlir::Type element = elementTypeOf(x);
  SmallVector<Value> same;
  for (Value parameter : parameters)
    same.push_back(n.cast(parameter, element));
  if (training) {
    SmallVector<Value> mixed = {same[0], same[1], parameters[2], parameters[3]};
    importTraining(n, x, mixed);
    return success();
  }
  for (size_t i = 1; i < n.numOutputs(); ++i)
    if (wantsOutput(n, i) && n.opset >= 14)
      return n.unsupported("the running statistics are outputs of training_mode 1 only");
  Value y =
      n.create<BatchNormOp>(x, same[0], same[1], same[2], same[3], 1, number(n.floatAttr("epsilon", 1e-5f)));
  n.setResult(0, y);
  return success();
}

//===-- Group and instance norm
//----------------------------------------------------------------------------------===//

FailureOr<int64_t> staticChannels(NodeImport &n) {
  if (std::optional<int64_t> channels = dim::asConstant(getDims(n.typeOf(0))[1]))
    return *channels;
  return n.unsupported("the number of channels must be static");
}

LogicalResult importInstanceNorm(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireRank(n, 0, 3)) || failed(requireInputs(n, 3)))
    return failure();
  FailureOr<int64_t> channels = staticChannels(n);
  if (failed(channels))
    return failure();
  n.setResult(0, n.create<GroupNormOp>(n.operand(0), n.operand(1), n.operand(2), *channels,
                                       number(n.floatAttr("epsilon", 1e-5f)), Layout::channels_first));
  return success();
}

/// Opset 18 has one scale a group, 21 one a channel.
LogicalResult importGroupNorm(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireRank(n, 0, 2)) || failed(requireInputs(n, 3)))
    return failure();
  FailureOr<int64_t> channels = staticChannels(n);
  if (failed(channels))
    return failure();
  int64_t groups = n.intAttr("num_groups", 0);
  if (groups < 1 || *channels % groups != 0)
    return n.malformed("num_groups must divide the number of channels");
  SmallVector<Value> parameters = {n.operand(1), n.operand(2)};
  for (Value &parameter : parameters) {
    if (rankOf(parameter) != 1)
      return n.malformed("scale and bias must have rank 1");
    if (n.opset >= 21)
      continue;
    DimAttr g = dim::constant(n.context(), groups), share = dim::constant(n.context(), *channels / groups);
    Value rows = n.reshape(parameter, {g, dim::constant(n.context(), 1)});
    parameter = n.reshape(n.broadcastTo(rows, {g, share}), {dim::constant(n.context(), *channels)});
  }
  n.setResult(0, n.create<GroupNormOp>(n.operand(0), parameters[0], parameters[1], groups,
                                       number(n.floatAttr("epsilon", 1e-5f)), Layout::channels_first));
  return success();
}

//===-- Layer and RMS norm
//---------------------------------------------------------------------------------------===//

/// A parameter with the shape of the dims of x from `axis` on.
Value fitParameter(NodeImport &n, Value parameter, Value x, int64_t axis) {
  SmallVector<DimAttr> dims = getDims(x);
  // Leading unit dims beyond the normalised ones carry nothing.
  SmallVector<DimAttr> own = getDims(parameter);
  while (own.size() > dims.size() - axis && dim::isConstant(own.front(), 1))
    own.erase(own.begin());
  Value fitted = n.broadcastTo(n.reshape(parameter, own), ArrayRef(dims).drop_front(axis));
  return n.cast(fitted, elementTypeOf(x));
}

/// Sets the Mean and InvStdDev outputs of a layer norm where they are asked for.
void setStatistics(NodeImport &n, Value x, int64_t axis, double epsilon, size_t meanOutput) {
  if (!wantsOutput(n, meanOutput) && !wantsOutput(n, meanOutput + 1))
    return;
  mlir::Type stash = n.intAttr("stash_type", 1) == 1 ? n.builder.getF32Type() : elementTypeOf(x);
  SmallVector<int64_t> axes = range(axis, rankOf(x));
  x = n.cast(x, stash);
  n.setResult(meanOutput, n.create<ReduceOp>(x, ReduceKind::mean, axes, true));
  Value centred = n.create<SubOp>(x, reduceInPlace(n, x, ReduceKind::mean, axes));
  Value variance = n.create<ReduceOp>(n.create<MulOp>(centred, centred), ReduceKind::mean, axes, true);
  n.setResult(meanOutput + 1, n.create<RsqrtOp>(addNumber(n, variance, epsilon)));
}

LogicalResult importLayerNorm(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireRank(n, 0, 1)) || failed(requireInputs(n, 2)))
    return failure();
  Value x = n.operand(0);
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", -1), rankOf(x));
  if (failed(axis))
    return failure();
  double epsilon = n.floatAttr("epsilon", 1e-5f);
  Value weight = fitParameter(n, n.operand(1), x, *axis);
  Value bias = n.hasInput(2) ? fitParameter(n, n.operand(2), x, *axis) : Value();
  n.setResult(0, n.create<LayerNormOp>(x, weight, bias, *axis, number(epsilon)));
  setStatistics(n, x, *axis, epsilon, 1);
  return success();
}

LogicalResult importRmsNorm(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireRank(n, 0, 1)) || failed(requireInputs(n, 2)))
    return failure();
  Value x = n.operand(0);
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", -1), rankOf(x));
  if (failed(axis))
    return failure();
  double epsilon = n.floatAttr("epsilon", 1e-5f);
  Value weight = fitParameter(n, n.operand(1), x, *axis);
  Value y = n.create<RmsNormOp>(x, weight, *axis, number(epsilon));
  // The result has the type of the scale.
  n.setResult(0, n.cast(y, n.typeOf(1).getElementType()));
  // The second output of what ONNX Runtime calls SimplifiedLayerNormalization.
  if (wantsOutput(n, 1)) {
    Value wide = n.cast(x, n.builder.getF32Type());
    Value square =
        n.create<ReduceOp>(n.create<MulOp>(wide, wide), ReduceKind::mean, range(*axis, rankOf(x)), true);
    n.setResult(1, n.create<RsqrtOp>(addNumber(n, square, epsilon)));
  }
  return success();
}

//===-- Composed norms
//-------------------------------------------------------------------------------------------===//

/// x / (bias + alpha / size * (sum of squares of the neighbouring channels))^beta. The sum is an average pool
/// over [channels, positions] with padding counted, whose divisor is `size`.
LogicalResult importLrn(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireRank(n, 0, 2)))
    return failure();
  int64_t size = n.intAttr("size", 0);
  if (size < 1 || size > INT32_MAX)
    return n.malformed("size must be positive");
  Value x = n.operand(0);
  SmallVector<DimAttr> dims = getDims(x);
  DimAttr one = dim::constant(n.context(), 1);
  DimAttr positions = dim::product(n.context(), ArrayRef(dims).drop_front(2));
  Value squares = n.reshape(n.create<MulOp>(x, x), {dims[0], one, dims[1], positions});
  SmallVector<int64_t> window = {size, 1}, ones = {1, 1}, low = {(size - 1) / 2, 0}, high = {size / 2, 0};
  Value mean =
      n.create<AvgPoolOp>(squares, window, ones, ones, low, high, true, false, Layout::channels_first);
  Value base =
      addNumber(n, scale(n, n.reshape(mean, dims), n.floatAttr("alpha", 1e-4f)), n.floatAttr("bias", 1));
  n.setResult(0, n.create<DivOp>(x, n.create<PowOp>(base, n.splatLike(base, n.floatAttr("beta", 0.75)))));
  return success();
}

LogicalResult importMeanVariance(NodeImport &n) {
  if (failed(requireFloat(n, 0)))
    return failure();
  Value x = n.operand(0);
  SmallVector<int64_t> axes;
  for (int64_t given : n.intsAttr("axes").value_or(SmallVector<int64_t>{0, 2, 3})) {
    FailureOr<int64_t> axis = n.axis(given, rankOf(x));
    if (failed(axis))
      return failure();
    axes.push_back(*axis);
  }
  llvm::sort(axes);
  axes.erase(llvm::unique(axes), axes.end());
  Value centred = n.create<SubOp>(x, reduceInPlace(n, x, ReduceKind::mean, axes));
  Value variance = n.create<ReduceOp>(n.create<MulOp>(centred, centred), ReduceKind::mean, axes, true);
  Value deviation = n.broadcastTo(addNumber(n, n.create<SqrtOp>(variance), 1e-9), getDims(x));
  n.setResult(0, n.create<DivOp>(centred, deviation));
  return success();
}

LogicalResult importLpNorm(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireRank(n, 0, 1)))
    return failure();
  Value x = n.operand(0);
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", -1), rankOf(x));
  if (failed(axis))
    return failure();
  int64_t p = n.intAttr("p", 2);
  if (p != 1 && p != 2)
    return n.malformed("p must be 1 or 2");
  SmallVector<int64_t> axes = {*axis};
  Value raised = p == 1 ? n.create<AbsOp>(x) : n.create<MulOp>(x, x);
  Value norm = n.create<ReduceOp>(raised, ReduceKind::sum, axes, true);
  if (p == 2)
    norm = n.create<SqrtOp>(norm);
  // A norm of 0 leaves zeros.
  Value isZero = compareNumber(n, norm, ComparePredicate::eq, 0);
  norm = n.create<SelectOp>(isZero, n.splatLike(norm, 1), norm);
  n.setResult(0, n.create<DivOp>(x, n.broadcastTo(norm, getDims(x))));
  return success();
}

} // namespace

void addNormalizationOps(OpTable &table) {
  table.add("", "BatchNormalization", 1, importBatchNorm);
  table.add("", "InstanceNormalization", 1, importInstanceNorm);
  table.add("", "LayerNormalization", 17, importLayerNorm);
  table.add("", "GroupNormalization", 18, importGroupNorm);
  table.add("", "RMSNormalization", 23, importRmsNorm);
  // Not an ONNX op, but what ONNX Runtime's exporters write into the default domain.
  table.add("", "SimplifiedLayerNormalization", 1, importRmsNorm);
  table.add("", "LRN", 1, importLrn);
  table.add("", "MeanVarianceNormalization", 9, importMeanVariance);
  table.add("", "LpNormalization", 1, importLpNorm);
  table.add("com.microsoft", "LayerNormalization", 1, importLayerNorm);
  table.add("com.microsoft", "SimplifiedLayerNormalization", 1, importRmsNorm);
}

} // namespace torsh::onnx
