//===-- Attention.cpp - Attention and QAttention, which have the projection of their input inside
//-----------===//
#include "frontends/onnx/ops/microsoft/AttentionParts.h"
#include "frontends/onnx/ops/microsoft/MicrosoftOps.h"
#include "frontends/onnx/ops/microsoft/QuantizedTensor.h"

using namespace mlir;

namespace torsh::onnx::microsoft {
namespace {

/// Where the inputs are that both have; SIZE_MAX is an input that the op does not have.
struct Inputs {
  size_t mask, past, attentionBias;
};

LogicalResult refuseAttributes(NodeImport &n) {
  if (n.intAttr("do_rotary", 0) != 0)
    return n.unsupported("do_rotary must be 0");
  if (n.intAttr("past_present_share_buffer", 0) != 0)
    return n.unsupported("past_present_share_buffer must be 0");
  return success();
}

/// The sizes of the parts of a projection with `width` columns; none after a refusal.
std::optional<std::array<DimAttr, 3>> partSizes(NodeImport &n, DimAttr width) {
  if (auto given = n.intsAttr("qkv_hidden_sizes"); given && !given->empty()) {
    if (given->size() != 3 || llvm::any_of(*given, [](int64_t size) { return size < 1 || size > INT32_MAX; }))
      return (void)n.malformed("qkv_hidden_sizes must be three positive sizes"), std::nullopt;
    return std::array{dimOf(n, (*given)[0]), dimOf(n, (*given)[1]), dimOf(n, (*given)[2])};
  }
  std::optional<DimAttr> third = dim::exactQuotient(width, dimOf(n, 3));
  if (!third)
    return (void)n.malformed("the columns of the weights are not three times the hidden size"), std::nullopt;
  return std::array{*third, *third, *third};
}

/// Attention over the projection [B, S, Q + K + V].
LogicalResult finish(NodeImport &n, Value projection, const Inputs &in) {
  SmallVector<DimAttr> dims = getDims(projection);
  auto sizes = partSizes(n, dims[2]);
  if (!sizes)
    return failure();
  DimAttr total = dim::add(dim::add((*sizes)[0], (*sizes)[1]), (*sizes)[2]);
  if (!n.unify(total, dims[2], "the columns of the weights"))
    return n.malformed("qkv_hidden_sizes do not add up to the columns of the weights");
  int64_t heads = n.intAttr("num_heads", 0);
  DimAttr start = dimOf(n, 0);
  SmallVector<Value> parts;
  for (DimAttr size : *sizes) {
    parts.push_back(splitHeads(n, sliceAxis(n, projection, 2, start, size), heads));
    if (!parts.back())
      return failure();
    start = dim::add(start, size);
  }
  Value q = parts[0], k = parts[1], v = parts[2];
  DimAttr past = dimOf(n, 0), one = dimOf(n, 1);
  if (n.hasInput(in.past)) {
    Value cache = n.operand(in.past);
    if (rankOf(cache) != 5)
      return n.malformed("past must have rank 5: keys and values of all heads");
    SmallVector<DimAttr> shape = getDims(cache);
    past = shape[3];
    auto half = [&](int64_t i) {
      return n.reshape(sliceAxis(n, cache, 0, dimOf(n, i), one), ArrayRef(shape).drop_front());
    };
    k = appendToCache(n, half(0), k);
    v = k ? appendToCache(n, half(1), v) : k;
    if (!v)
      return failure();
  }
  if (wantsOutput(n, 1)) {
    SmallVector<Value> both;
    for (Value x : {k, v}) {
      SmallVector<DimAttr> shape = getDims(x);
      shape.insert(shape.begin(), one);
      both.push_back(n.reshape(x, shape));
    }
    if (getDims(k) != getDims(v))
      return n.unsupported("present needs keys and values of one size");
    n.setResult(1, n.create<ConcatOp>(ValueRange(both), int64_t(0)));
  }
  std::optional<double> factor = scoreScale(n, q);
  if (!factor)
    return failure();
  ScoreMask mask(n, elementTypeOf(q), dims[0], dims[1], getDims(k)[2]);
  double hidden = n.floatAttr("mask_filter_value", -10000);
  if (n.hasInput(in.mask) && failed(mask.addPadding(n.operand(in.mask), past, hidden)))
    return failure();
  if (n.hasInput(in.attentionBias) && failed(mask.addBias(n.operand(in.attentionBias))))
    return failure();
  Scoring scoring;
  scoring.scale = *factor;
  scoring.causal = n.intAttr("unidirectional", 0) != 0;
  Attended attended = attend(n, q, k, v, mask.value(), scoring);
  if (!attended.y)
    return failure();
  n.setResult(0, mergeHeads(n, attended.y));
  return success();
}

/// Inputs: input, weights, bias, mask_index, past, attention_bias, past_sequence_length.
LogicalResult importAttention(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireInputs(n, 2)) || failed(refuseAttributes(n)))
    return failure();
  if (n.typeOf(0).getRank() != 3 || n.typeOf(1).getRank() != 2)
    return n.malformed("input must have rank 3 and weights rank 2");
  if (n.hasInput(6))
    return n.unsupported("past_sequence_length belongs to a shared buffer, which is not supported");
  Value projection = matmul(n, n.operand(0), n.operand(1));
  projection = projection ? addBias(n, projection, n.optionalOperand(2)) : projection;
  return projection ? finish(n, projection, {3, 4, 5}) : failure();
}

/// Inputs: input, weight, bias, input_scale, weight_scale, mask_index, input_zero, weight_zero, past.
LogicalResult importQuantizedAttention(NodeImport &n) {
  if (failed(requireInputs(n, 5)) || failed(refuseAttributes(n)))
    return failure();
  if (n.typeOf(0).getRank() != 3 || n.typeOf(1).getRank() != 2)
    return n.malformed("input must have rank 3 and weight rank 2");
  Value x = withoutZero(n, {0, 3, 6});
  Value sums = x ? integerMatmul(n, x, {1, 4, 7}) : x;
  if (!sums)
    return failure();
  mlir::Type f32 = n.builder.getF32Type();
  Value scaleX = spreadParameter(n, 3, f32, sums),
        scaleW = scaleX ? spreadParameter(n, 4, f32, sums, 2) : scaleX;
  if (!scaleW)
    return failure();
  Value projection = n.create<MulOp>(n.cast(sums, f32), n.create<MulOp>(scaleX, scaleW));
  projection = addBias(n, projection, n.cast(n.operand(2), f32));
  return projection ? finish(n, projection, {5, 8, SIZE_MAX}) : failure();
}

} // namespace

void addAttentionOps(OpTable &table) {
  table.add("com.microsoft", "Attention", 1, importAttention);
  table.add("com.microsoft", "QAttention", 1, importQuantizedAttention);
}

} // namespace torsh::onnx::microsoft
