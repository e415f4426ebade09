//===-- MultiHeadAttention.cpp - Attention over query, key and value that have been projected
//---------------===//
#include "frontends/onnx/ops/microsoft/AttentionParts.h"
#include "frontends/onnx/ops/microsoft/MicrosoftOps.h"

using namespace mlir;

namespace torsh::onnx::microsoft {
namespace {

/// Part `i` of [B, S, heads, parts, D] as [B, heads, S, D].
Value packedPart(NodeImport &n, Value packed, int64_t i) {
  SmallVector<DimAttr> dims = getDims(packed);
  Value part = sliceAxis(n, packed, 3, dimOf(n, i), dimOf(n, 1));
  dims.erase(dims.begin() + 3);
  return n.transpose(n.reshape(part, dims), {0, 2, 1, 3});
}

struct Heads {
  Value q, k, v;
};

/// Query, key and value in their five forms as [B, heads, S, D], with the biases of their projections.
FailureOr<Heads> readHeads(NodeImport &n, int64_t heads) {
  Heads h;
  Value query = n.operand(0), bias = n.optionalOperand(3);
  if (bias && rankOf(bias) != 1)
    return n.malformed("bias must have rank 1");
  if (rankOf(query) == 5) {
    if (n.hasInput(1) || n.hasInput(2))
      return n.malformed("a packed query of rank 5 holds key and value too");
    if (bias)
      return n.unsupported("bias with a packed query is not supported");
    return Heads{packedPart(n, query, 0), packedPart(n, query, 1), packedPart(n, query, 2)};
  }
  if (rankOf(query) != 3 || !n.hasInput(1))
    return n.malformed("query must have rank 3 and a key, or rank 5");
  DimAttr hidden = getDims(query)[2];
  query = addBias(n, query, biasPart(n, bias, dimOf(n, 0), hidden));
  h.q = query ? splitHeads(n, query, heads) : query;
  if (!h.q)
    return failure();
  Value key = n.operand(1);
  if (rankOf(key) == 5) {
    if (n.hasInput(2))
      return n.malformed("a packed key of rank 5 holds the value too");
    if (bias)
      return n.unsupported("bias with a packed key is not supported");
    h.k = packedPart(n, key, 0);
    h.v = packedPart(n, key, 1);
    return h;
  }
  if (!n.hasInput(2) || n.typeOf(2).getRank() != rankOf(key) || (rankOf(key) != 3 && rankOf(key) != 4))
    return n.malformed("key and value must both have rank 3, or both have rank 4");
  Value value = n.operand(2);
  if (rankOf(key) == 4) {
    // The state of a cross attention, which has its bias already.
    h.k = key;
    h.v = value;
    return h;
  }
  key = addBias(n, key, biasPart(n, bias, hidden, getDims(key)[2]));
  DimAttr start = dim::add(hidden, getDims(n.typeOf(1))[2]);
  value = key ? addBias(n, value, biasPart(n, bias, start, getDims(value)[2])) : key;
  h.k = value ? splitHeads(n, key, heads) : value;
  h.v = h.k ? splitHeads(n, value, heads) : h.k;
  if (!h.v)
    return failure();
  return h;
}

/// Inputs: query, key, value, bias, key_padding_mask, attention_bias, past_key, past_value, past_sequence_length,
/// cache_indirection. Outputs: y, present_key, present_value, the scores.
LogicalResult importMultiHeadAttention(NodeImport &n) {
  if (failed(requireFloat(n, 0)))
    return failure();
  if (n.hasInput(8))
    return n.unsupported("past_sequence_length belongs to a shared buffer, which is not supported");
  if (n.hasInput(9))
    return n.unsupported("cache_indirection is not supported");
  if (n.hasInput(6) != n.hasInput(7))
    return n.malformed("past_key and past_value must be given together");
  FailureOr<Heads> heads = readHeads(n, n.intAttr("num_heads", 0));
  if (failed(heads))
    return failure();
  Value q = heads->q, k = heads->k, v = heads->v;
  DimAttr past = dimOf(n, 0);
  if (n.hasInput(6)) {
    if (n.typeOf(6).getRank() != 4)
      return n.malformed("past_key must have rank 4");
    past = getDims(n.typeOf(6))[2];
    k = appendToCache(n, n.operand(6), k);
    v = k ? appendToCache(n, n.operand(7), v) : k;
    if (!v)
      return failure();
  }
  n.setResult(1, k);
  n.setResult(2, v);
  std::optional<double> factor = scoreScale(n, q);
  if (!factor)
    return failure();
  ScoreMask mask(n, elementTypeOf(q), getDims(q)[0], getDims(q)[2], getDims(k)[2]);
  double hidden = n.floatAttr("mask_filter_value", -10000);
  if (n.hasInput(4) && failed(mask.addPadding(n.operand(4), past, hidden)))
    return failure();
  if (n.hasInput(5) && failed(mask.addBias(n.operand(5))))
    return failure();
  Scoring scoring;
  scoring.scale = *factor;
  scoring.causal = n.intAttr("unidirectional", 0) != 0;
  scoring.keepScores = wantsOutput(n, 3);
  Attended attended = attend(n, q, k, v, mask.value(), scoring);
  if (!attended.y)
    return failure();
  n.setResult(0, mergeHeads(n, attended.y));
  if (scoring.keepScores)
    n.setResult(3, attended.scores);
  return success();
}

} // namespace

void addMultiHeadAttentionOps(OpTable &table) {
  table.add("com.microsoft", "MultiHeadAttention", 1, importMultiHeadAttention);
}

} // namespace torsh::onnx::microsoft
