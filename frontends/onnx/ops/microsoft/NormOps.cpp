//===-- NormOps.cpp - Norms with a residual, of embeddings, with a gate
//-------------------------------------===//
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/microsoft/ChannelsLast.h"
#include "frontends/onnx/ops/microsoft/MicrosoftOps.h"
#include "frontends/onnx/ops/microsoft/QuantizedTensor.h"

using namespace mlir;

namespace torsh::onnx::microsoft {
namespace {

llvm::APFloat apFloat(double value) { return llvm::APFloat(value); }

/// A vector of parameters for the last dim of x, in the element type of x; null after a failure.
Value lastDimParameter(NodeImport &n, Value parameter, Value x) {
  DimAttr size = getDims(x).back();
  if (rankOf(parameter) != 1 || !n.unify(getDims(parameter)[0], size, "the parameters of a norm"))
    return (void)n.malformed("gamma, beta and bias must be vectors of the size of the last dim"), Value();
  return n.cast(parameter, elementTypeOf(x));
}

//===-- Skip norms
//-----------------------------------------------------------------------------------------------===//

/// The mean and 1 / sqrt(variance + epsilon) of the last dim as f32, where they are asked for.
void setStatistics(NodeImport &n, Value x, bool simplified, double epsilon) {
  if (!wantsOutput(n, 1) && !wantsOutput(n, 2))
    return;
  x = n.cast(x, n.builder.getF32Type());
  SmallVector<int64_t> axes = {rankOf(x) - 1};
  n.setResult(1, n.create<ReduceOp>(x, ReduceKind::mean, axes, true));
  if (!simplified)
    x = n.create<SubOp>(x, reduceInPlace(n, x, ReduceKind::mean, axes));
  Value variance = n.create<ReduceOp>(n.create<MulOp>(x, x), ReduceKind::mean, axes, true);
  n.setResult(2, n.create<RsqrtOp>(addNumber(n, variance, epsilon)));
}

/// norm(input + skip + bias). Inputs: input, skip, gamma, beta (not when simplified), bias; output 3 is the sum.
template <bool simplified> LogicalResult importSkipNorm(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireRank(n, 0, 1)) || failed(requireInputs(n, 3)))
    return failure();
  size_t biasIndex = simplified ? 3 : 4;
  SmallVector<Value> values = {n.operand(0), n.operand(1)};
  if (n.hasInput(biasIndex))
    values.push_back(n.operand(biasIndex));
  if (failed(n.broadcastTogether(values)))
    return failure();
  Value sum = n.create<AddOp>(values[0], values[1]);
  if (values.size() == 3)
    sum = n.create<AddOp>(sum, values[2]);
  int64_t axis = rankOf(sum) - 1;
  double epsilon = n.floatAttr("epsilon", 1e-12f);
  Value gamma = lastDimParameter(n, n.operand(2), sum), beta;
  if (!gamma)
    return failure();
  if (simplified) {
    n.setResult(0, n.create<RmsNormOp>(sum, gamma, axis, apFloat(epsilon)));
  } else {
    if (n.hasInput(3) && !(beta = lastDimParameter(n, n.operand(3), sum)))
      return failure();
    n.setResult(0, n.create<LayerNormOp>(sum, gamma, beta, axis, apFloat(epsilon)));
  }
  setStatistics(n, sum, simplified, epsilon);
  n.setResult(3, sum);
  return success();
}

//===-- Embeddings
//-----------------------------------------------------------------------------------------------===//

/// The rows of a table [V, H] at ids [B, S].
Value lookUp(NodeImport &n, Value table, Value ids) { return n.create<GatherOp>(table, ids, int64_t(0)); }

/// A table or a vector of parameters as floats; of an 8-bit one when `scale` is not 0.
Value floatTable(NodeImport &n, size_t input, size_t scale, size_t zero) {
  return scale == 0 ? n.operand(input) : dequantized(n, {input, scale, zero});
}

/// The inputs that EmbedLayerNormalization and its quantised form share; 0 stands for none.
struct EmbeddingInputs {
  size_t wordScale, positionScale, segmentScale, gammaScale, betaScale;
  size_t wordZero, positionZero, segmentZero, gammaZero, betaZero;
  size_t positionIds;
};

/// Inputs 0 to 7: ids, segment ids, tables of words, positions and segments, gamma, beta, mask.
LogicalResult importEmbedding(NodeImport &n, const EmbeddingInputs &in) {
  for (size_t i : {0, 2, 3, 5, 6})
    if (!n.hasInput(i))
      return n.malformed("input " + Twine(i) + " is missing");
  Value ids = n.operand(0);
  if (rankOf(ids) != 2)
    return n.malformed("input_ids must have rank 2");
  Value words = floatTable(n, 2, in.wordScale, in.wordZero);
  Value positions = floatTable(n, 3, in.positionScale, in.positionZero);
  Value gamma = floatTable(n, 5, in.gammaScale, in.gammaZero);
  Value beta = floatTable(n, 6, in.betaScale, in.betaZero);
  if (!words || !positions || !gamma || !beta)
    return failure();
  if (rankOf(words) != 2 || rankOf(positions) != 2)
    return n.malformed("the tables of embeddings must have rank 2");
  SmallVector<DimAttr> dims = getDims(ids);
  SmallVector<Value> parts = {lookUp(n, words, ids)};
  if (in.positionIds != 0 && n.hasInput(in.positionIds)) {
    parts.push_back(lookUp(n, positions, n.operand(in.positionIds)));
  } else {
    // The first rows of the table, one for each place of a sequence.
    auto rows = dim::asConstant(getDims(positions)[0]), length = dim::asConstant(dims[1]);
    mlir::Type i64 = n.builder.getI64Type();
    parts.push_back(rows && length && *length <= *rows
                        ? sliceAxis(n, positions, 0, dim::constant(n.context(), 0), dims[1])
                        : lookUp(n, positions, n.create<IotaOp>(makeTensorType({dims[1]}, i64), int64_t(0))));
  }
  if (n.hasInput(1) != n.hasInput(4))
    return n.malformed("segment_ids and segment_embedding must be given together");
  if (n.hasInput(4)) {
    Value segments = floatTable(n, 4, in.segmentScale, in.segmentZero);
    if (!segments)
      return failure();
    parts.push_back(lookUp(n, segments, n.operand(1)));
  }
  if (failed(n.broadcastTogether(parts)))
    return failure();
  Value sum = parts[0];
  for (Value part : ArrayRef(parts).drop_front())
    sum = n.create<AddOp>(sum, part);
  gamma = lastDimParameter(n, gamma, sum);
  beta = gamma ? lastDimParameter(n, beta, sum) : gamma;
  if (!beta)
    return failure();
  n.setResult(0,
              n.create<LayerNormOp>(sum, gamma, beta, int64_t(2), apFloat(n.floatAttr("epsilon", 1e-12f))));
  n.setResult(2, sum);
  if (!wantsOutput(n, 1))
    return success();
  // How many words of each sequence the mask shows; 0 without a mask.
  mlir::Type i32 = n.builder.getI32Type();
  if (!n.hasInput(7)) {
    n.setResult(1, n.splat(makeTensorType({dims[0]}, i32), 0));
    return success();
  }
  Value shown = compareNumber(n, n.operand(7), ComparePredicate::eq, 1);
  n.setResult(1, n.create<ReduceOp>(n.cast(shown, i32), ReduceKind::sum, ArrayRef<int64_t>{1}, false));
  return success();
}

LogicalResult importEmbedLayerNorm(NodeImport &n) {
  return importEmbedding(n, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8});
}
LogicalResult importQuantizedEmbedLayerNorm(NodeImport &n) {
  for (size_t i : {8, 9, 11, 12})
    if (!n.hasInput(i))
      return n.malformed("input " + Twine(i) + " is missing");
  if (n.hasInput(4) && !n.hasInput(10))
    return n.malformed("segment_embedding_scale is missing");
  return importEmbedding(n, {8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 0});
}

//===-- Group norms
//----------------------------------------------------------------------------------------------===//

/// silu(group_norm(x + skip + bias)), the silu when `activation` is 1. Inputs: X, gamma, beta[, skip, bias].
template <bool withSkip> LogicalResult importGroupNorm(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireInputs(n, withSkip ? 4 : 3)))
    return failure();
  bool last = n.intAttr("channels_last", 1) != 0;
  Value x = n.operand(0);
  int64_t rank = rankOf(x), channelAxis = last ? rank - 1 : 1;
  if (rank < 3)
    return n.malformed("X has no spatial dims");
  DimAttr one = dim::constant(n.context(), 1);
  if (withSkip) {
    Value skip = n.operand(3);
    // [N, C]: one number a channel of each image.
    if (rankOf(skip) == 2) {
      SmallVector<DimAttr> dims(rank, one);
      dims[0] = getDims(skip)[0];
      dims[channelAxis] = getDims(skip)[1];
      skip = n.reshape(skip, dims);
    }
    SmallVector<Value> values = {x, skip};
    if (failed(n.broadcastTogether(values)))
      return failure();
    x = n.create<AddOp>(values[0], values[1]);
    if (n.hasInput(4))
      x = n.create<AddOp>(x, alongAxis(n, n.operand(4), channelAxis, x));
    n.setResult(1, x);
  }
  std::optional<int64_t> channels = dim::asConstant(getDims(x)[channelAxis]);
  int64_t groups = n.intAttr("groups", 0), activation = n.intAttr("activation", 0);
  if (!channels)
    return n.unsupported("the number of channels must be static");
  if (groups < 1 || *channels % groups != 0)
    return n.malformed("groups must divide the number of channels");
  if (activation != 0 && activation != 1)
    return n.unsupported("activation " + Twine(activation) + " is neither 0 (none) nor 1 (SiLU)");
  mlir::Type element = elementTypeOf(x);
  Value y = n.create<GroupNormOp>(x, n.cast(n.operand(1), element), n.cast(n.operand(2), element), groups,
                                  apFloat(n.floatAttr("epsilon", 1e-5f)),
                                  last ? Layout::channels_last : Layout::channels_first);
  n.setResult(0, activation == 1 ? n.create<MulOp>(y, n.create<SigmoidOp>(y)) : y);
  return success();
}

//===-- Gated norm
//-----------------------------------------------------------------------------------------------===//

/// rms_norm of each C elements of the last dim, times silu or sigmoid of the gate, all in f32.
LogicalResult importGatedRmsNorm(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireInputs(n, 3)) || failed(requireRank(n, 0, 1)))
    return failure();
  StringRef activation = n.stringAttr("activation", "silu");
  if (activation != "silu" && activation != "swish" && activation != "sigmoid")
    return n.unsupported("activation '" + activation + "' is neither silu, swish nor sigmoid");
  mlir::Type f32 = n.builder.getF32Type(), element = n.typeOf(0).getElementType();
  Value x = n.cast(n.operand(0), f32), gain = n.cast(n.operand(1), f32), gate = n.cast(n.operand(2), f32);
  SmallVector<DimAttr> dims = getDims(x), split = dims;
  if (rankOf(gain) != 1)
    return n.malformed("scale must be a vector");
  DimAttr width = getDims(gain)[0];
  std::optional<DimAttr> heads = dim::exactQuotient(dims.back(), width);
  if (!heads)
    return n.malformed("the length of scale must divide the last dim of X");
  split.back() = *heads;
  split.push_back(width);
  Value y = n.create<RmsNormOp>(n.reshape(x, split), gain, rankOf(x), apFloat(n.floatAttr("epsilon", 1e-5f)));
  Value factor = n.create<SigmoidOp>(gate);
  if (activation != "sigmoid")
    factor = n.create<MulOp>(gate, factor);
  SmallVector<Value> values = {n.reshape(y, dims), factor};
  if (failed(n.broadcastTogether(values)))
    return failure();
  n.setResult(0, n.cast(n.create<MulOp>(values[0], values[1]), element));
  return success();
}

} // namespace

void addNormOps(OpTable &table) {
  table.add("com.microsoft", "SkipLayerNormalization", 1, importSkipNorm<false>);
  table.add("com.microsoft", "SkipSimplifiedLayerNormalization", 1, importSkipNorm<true>);
  table.add("com.microsoft", "EmbedLayerNormalization", 1, importEmbedLayerNorm);
  table.add("com.microsoft", "QEmbedLayerNormalization", 1, importQuantizedEmbedLayerNorm);
  table.add("com.microsoft", "GroupNorm", 1, importGroupNorm<false>);
  table.add("com.microsoft", "SkipGroupNorm", 1, importGroupNorm<true>);
  table.add("com.microsoft", "GatedRMSNorm", 1, importGatedRmsNorm);
}

} // namespace torsh::onnx::microsoft
