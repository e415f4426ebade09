//===-- GroupQueryAttention.cpp - GroupQueryAttention and RotaryEmbedding
//-----------------------------------===//
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ops/RotaryEmbedding.h"
#include "frontends/onnx/ops/microsoft/AttentionParts.h"
#include "frontends/onnx/ops/microsoft/MicrosoftOps.h"

using namespace mlir;

namespace torsh::onnx::microsoft {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

//===-- Rotary embedding
//-----------------------------------------------------------------------------------------===//

/// x [B, heads, S, D] turned by the angles of `positions` [B or 1, S] in caches [L, half]; null after a refusal.
Value rotateHeads(NodeImport &n, Value x, Value positions, Value cosines, Value sines, bool interleaved) {
  if (rankOf(cosines) != 2 || rankOf(sines) != 2)
    return (void)n.malformed("cos_cache and sin_cache must have rank 2"), Value();
  auto half = dim::asConstant(getDims(cosines)[1]), size = dim::asConstant(getDims(x)[3]);
  if (!half || !size)
    return (void)n.unsupported("the head size and the width of the caches must be static"), Value();
  if (*half < 1 || 2 * *half > *size || getDims(sines)[1] != getDims(cosines)[1])
    return (void)n.malformed("the caches do not fit the head size"), Value();
  SmallVector<DimAttr> target = getDims(x);
  target[3] = dimOf(n, *half);
  auto angles = [&](Value cache) {
    Value rows = n.create<GatherOp>(n.cast(cache, elementTypeOf(x)), positions, int64_t(0));
    SmallVector<DimAttr> dims = getDims(rows);
    dims.insert(dims.begin() + 1, dimOf(n, 1));
    return n.broadcastTo(n.reshape(rows, dims), target);
  };
  Value cosine = angles(cosines), sine = angles(sines);
  return rotatePairs(n, x, cosine, sine, interleaved);
}

/// first[b] + 0, 1, ..., S - 1 as [B, S]; `first` is [B] or [1].
Value positionsFrom(NodeImport &n, Value first, DimAttr length) {
  DimAttr batch = getDims(first)[0], one = dimOf(n, 1);
  SmallVector<DimAttr> dims = {batch, length};
  Value place = n.create<IotaOp>(makeTensorType(dims, n.builder.getI64Type()), int64_t(1));
  return n.create<AddOp>(n.broadcastTo(n.reshape(first, {batch, one}), dims), place);
}

/// Inputs: input [B, S, heads * D] or [B, heads, S, D], position_ids, cos_cache, sin_cache.
LogicalResult importRotary(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireInputs(n, 4)))
    return failure();
  if (n.intAttr("is_packed_batching", 0) != 0)
    return n.unsupported("is_packed_batching must be 0");
  if (n.floatAttr("scale", 1) != 1)
    return n.unsupported("scale must be 1");
  Value x = n.operand(0), positions = n.cast(n.operand(1), n.builder.getI64Type());
  int64_t rank = rankOf(x), heads = n.intAttr("num_heads", 0), rotary = n.intAttr("rotary_embedding_dim", 0);
  if (rank != 3 && rank != 4)
    return n.malformed("input must have rank 3 or 4");
  if (rotary > 0 && heads < 1)
    return n.malformed("rotary_embedding_dim needs num_heads");
  if (rank == 3) {
    // Without the number of heads, the width of the caches tells the head size.
    auto half = dim::asConstant(getDims(n.typeOf(2)).back()), whole = dim::asConstant(getDims(x)[2]);
    if (heads == 0 && half && whole && *half > 0)
      heads = *whole / (2 * *half);
    x = splitHeads(n, x, heads);
  }
  if (!x)
    return failure();
  if (rankOf(positions) == 1 && dim::isConstant(getDims(positions)[0], 1))
    positions = positionsFrom(n, positions, getDims(x)[2]);
  else if (rankOf(positions) != 2)
    return n.malformed("position_ids must be [1] or [B, S]");
  if (!n.unify(getDims(positions)[1], getDims(x)[2], "the length of position_ids"))
    return n.malformed("position_ids must have an entry for each place of the sequence");
  Value y = rotateHeads(n, x, positions, n.operand(2), n.operand(3), n.intAttr("interleaved", 0) != 0);
  if (!y)
    return failure();
  n.setResult(0, rank == 3 ? mergeHeads(n, y) : y);
  return success();
}

//===-- Group query attention
//------------------------------------------------------------------------------------===//

LogicalResult refuseForms(NodeImport &n) {
  for (StringRef name : {"k_quant_type", "v_quant_type"})
    if (n.stringAttr(name, "NONE") != "NONE")
      return n.unsupported(name + " must be NONE: quantised caches are not supported");
  if (n.intAttr("sliding_window_cache", 0) != 0)
    return n.unsupported("sliding_window_cache must be 0");
  for (size_t i : {12, 13})
    if (n.hasInput(i))
      return n.unsupported("k_scale and v_scale belong to quantised caches, which are not supported");
  if (n.hasInput(3) != n.hasInput(4))
    return n.malformed("past_key and past_value must be given together");
  if (n.hasInput(14) != n.hasInput(15))
    return n.malformed("q_norm_weight and k_norm_weight must be given together");
  return success();
}

/// One call: what is known of its sizes, and where its keys stand in the cache.
class GroupQuery {
public:
  explicit GroupQuery(NodeImport &n) : n(n), i64(n.builder.getI64Type()) {}
  LogicalResult run();

private:
  LogicalResult readHeads();
  LogicalResult readLengths();
  LogicalResult rotate();
  Value placed(Value past, Value added);
  LogicalResult addVisibility(ScoreMask &mask, bool &causal);

  NodeImport &n;
  mlir::Type i64;
  Value q, k, v;
  /// Queries, keys of the past operand, keys of the present one.
  DimAttr batch, queries, capacity, present;
  /// How many keys of each batch entry were there before, and are now: i64 [B].
  Value before, total;
  /// Whether each entry's new keys follow all the old ones, so that present is past and new joined.
  bool joined = false;
};

/// Inputs query, key, value, or all of them packed in the first.
LogicalResult GroupQuery::readHeads() {
  int64_t heads = n.intAttr("num_heads", 0), own = n.intAttr("kv_num_heads", 0);
  constexpr int64_t most = 1 << 20;
  if (heads < 1 || own < 1 || heads > most || own > most || heads % own != 0)
    return n.malformed("num_heads must be a multiple of kv_num_heads");
  Value query = n.operand(0);
  if (rankOf(query) != 3)
    return n.malformed("query must have rank 3");
  if (n.hasInput(1) != n.hasInput(2))
    return n.malformed("key and value must be given together");
  if (n.hasInput(1)) {
    if (n.typeOf(1).getRank() != 3 || n.typeOf(2).getRank() != 3)
      return n.unsupported("key and value must have rank 3");
    q = splitHeads(n, query, heads);
    k = q ? splitHeads(n, n.operand(1), own) : q;
    v = k ? splitHeads(n, n.operand(2), own) : k;
    if (!v)
      return failure();
  } else {
    Value all = splitHeads(n, query, heads + 2 * own);
    if (!all)
      return failure();
    q = sliceAxis(n, all, 1, dimOf(n, 0), dimOf(n, heads));
    k = sliceAxis(n, all, 1, dimOf(n, heads), dimOf(n, own));
    v = sliceAxis(n, all, 1, dimOf(n, heads + own), dimOf(n, own));
  }
  if (!n.unify(getDims(q)[0], getDims(k)[0], "the batches of query and key") ||
      !n.unify(getDims(q)[2], getDims(k)[2], "the lengths of query and key"))
    return n.malformed("query and key differ in batch or length");
  if (n.hasInput(14)) {
    double epsilon = n.floatAttr("qk_norm_epsilon", 1e-6f);
    for (auto [x, input] : {std::make_pair(&q, size_t(14)), std::make_pair(&k, size_t(15))}) {
      if (n.typeOf(input).getRank() != 1 ||
          !n.unify(getDims(n.typeOf(input))[0], getDims(*x)[3], "a norm's weight"))
        return n.malformed("q_norm_weight and k_norm_weight must have the head size");
      *x = n.create<RmsNormOp>(*x, n.operand(input), int64_t(3), llvm::APFloat(epsilon));
    }
  }
  return success();
}

/// Inputs 5 and 6: the totals of each batch entry less one, and the largest total.
LogicalResult GroupQuery::readLengths() {
  Value last = n.cast(n.operand(5), i64);
  // Some exporters write the lengths as a column.
  if (rankOf(last) == 2 && dim::isConstant(getDims(last)[1], 1))
    last = n.reshape(last, {getDims(last)[0]});
  if (rankOf(last) != 1 || !n.unify(getDims(last)[0], getDims(q)[0], "seqlens_k"))
    return n.malformed("seqlens_k must have an entry for each batch entry");
  if (n.hasInput(3) &&
      (n.typeOf(3).getRank() != 4 || !n.unify(getDims(n.typeOf(3))[0], getDims(q)[0], "past_key")))
    return n.malformed("past_key must be [B, kv_num_heads, P, D]");
  if (n.hasInput(9) && (n.typeOf(9).getRank() != 2 ||
                        !n.unify(getDims(n.typeOf(9))[1], getDims(q)[2], "the length of position_ids")))
    return n.malformed("position_ids must be [B, S]");
  // From here on no two dims become one, so that what is remembered of them stays right.
  batch = getDims(q)[0];
  queries = getDims(q)[2];
  total = addNumber(n, last, 1);
  Value added = n.broadcastTo(n.fromDims({queries}, true), {batch});
  // Entries of a first prompt that are padded on the right have more queries than keys.
  before = n.create<MaximumOp>(n.create<SubOp>(total, added), n.splatLike(total, 0));
  capacity = n.hasInput(3) ? getDims(n.typeOf(3))[2] : dimOf(n, 0);
  if (dim::isConstant(capacity, 0)) {
    present = queries;
    joined = true;
    return success();
  }
  auto largest = n.shapeValue(6);
  if (!largest || largest->size() != 1)
    return n.unsupported("total_sequence_length must be constant or computed from sizes of the inputs");
  present = n.graph.dims.max(capacity, largest->front());
  joined = dim::isConstant(batch, 1) && largest->front() == dim::add(capacity, queries);
  return success();
}

LogicalResult GroupQuery::rotate() {
  if (n.intAttr("do_rotary", 0) == 0)
    return success();
  if (!n.hasInput(7) || !n.hasInput(8))
    return n.malformed("do_rotary needs cos_cache and sin_cache");
  Value positions = n.hasInput(9) ? n.cast(n.operand(9), i64) : positionsFrom(n, before, queries);
  bool interleaved = n.intAttr("rotary_interleaved", 0) != 0;
  q = rotateHeads(n, q, positions, n.operand(7), n.operand(8), interleaved);
  k = q ? rotateHeads(n, k, positions, n.operand(7), n.operand(8), interleaved) : q;
  return success(k != nullptr);
}

/// The present keys or values: those of the past, then the new ones right behind the old ones of each batch entry, then
/// zeros.
Value GroupQuery::placed(Value past, Value added) {
  if (dim::isConstant(capacity, 0))
    return added;
  Value both = appendToCache(n, past, added);
  if (!both || joined)
    return both;
  SmallVector<DimAttr> dims = getDims(both), rows = {dims[0], dims[1], present};
  RankedTensorType type = makeTensorType(rows, i64);
  auto perEntry = [&](Value x) {
    return n.broadcastTo(n.reshape(x, {batch, dimOf(n, 1), dimOf(n, 1)}), rows);
  };
  auto size = [&](DimAttr dim) { return n.broadcastTo(n.fromDims({dim}, true), rows); };
  Value place = n.create<IotaOp>(type, int64_t(2));
  auto less = [&](Value a, Value b) {
    return n.create<CompareOp>(withElementType(type, n.builder.getI1Type()), a, b, ComparePredicate::lt);
  };
  // Where each row of the present comes from among past and new rows.
  Value fresh = n.create<AddOp>(n.create<SubOp>(place, perEntry(before)), size(capacity));
  Value source = n.create<SelectOp>(less(place, perEntry(before)), place, fresh);
  source = n.create<MinimumOp>(source, size(dim::sub(dims[2], dimOf(n, 1))));
  Value head = n.create<AddOp>(n.create<MulOp>(n.create<IotaOp>(type, int64_t(0)), size(dims[1])),
                               n.create<IotaOp>(type, int64_t(1)));
  Value row = n.create<AddOp>(n.create<MulOp>(head, size(dims[2])), source);
  Value table = n.reshape(both, {dim::product(n.context(), ArrayRef(dims).take_front(3)), dims[3]});
  Value gathered = n.create<GatherOp>(table, row, int64_t(0));
  Value filled = n.create<AddOp>(perEntry(before), size(queries));
  SmallVector<DimAttr> target = getDims(gathered), column = rows;
  column.push_back(dimOf(n, 1));
  Value shown = n.broadcastTo(n.reshape(less(place, filled), column), target);
  return n.create<SelectOp>(shown, gathered, n.splatLike(gathered, 0));
}

/// Hides what a query must not see. Where the queries are the last of the keys, the op's own flag says the same.
LogicalResult GroupQuery::addVisibility(ScoreMask &mask, bool &causal) {
  bool masked = n.intAttr("causal", 1) != 0;
  int64_t window = n.intAttr("local_window_size", -1);
  if (!masked && window >= 0)
    return n.malformed("local_window_size must be -1 when causal is 0");
  DimAttr one = dimOf(n, 1);
  auto perEntry = [&](Value x) { return n.reshape(x, {batch, one, one, one}); };
  if (!masked)
    return mask.addShown(mask.compare(mask.keyIndex(), perEntry(total), ComparePredicate::lt), -infinity);
  bool fromStart = dim::isConstant(capacity, 0);
  causal = joined && (fromStart || dim::isConstant(batch, 1));
  Value position;
  if (causal) {
    SmallVector<DimAttr> dims = {one, one, queries, one};
    position = n.create<AddOp>(mask.queryIndex(), n.broadcastTo(n.fromDims({capacity}, true), dims));
  } else {
    SmallVector<Value> both = {mask.queryIndex(), perEntry(before)};
    if (failed(n.broadcastTogether(both)))
      return failure();
    position = n.create<AddOp>(both[0], both[1]);
    if (failed(mask.addShown(mask.compare(mask.keyIndex(), position, ComparePredicate::le), -infinity)))
      return failure();
  }
  if (window < 0)
    return success();
  Value oldest = addNumber(n, position, -window);
  return mask.addShown(mask.compare(mask.keyIndex(), oldest, ComparePredicate::gt), -infinity);
}

LogicalResult GroupQuery::run() {
  if (failed(readHeads()) || failed(readLengths()) || failed(rotate()))
    return failure();
  k = placed(n.optionalOperand(3), k);
  v = k ? placed(n.optionalOperand(4), v) : k;
  if (!v)
    return failure();
  n.setResult(1, k);
  n.setResult(2, v);
  std::optional<double> factor = scoreScale(n, q);
  if (!factor)
    return failure();
  ScoreMask mask(n, elementTypeOf(q), batch, queries, present);
  Scoring scoring;
  if (failed(addVisibility(mask, scoring.causal)))
    return failure();
  if (n.hasInput(10)) {
    Value bias = n.operand(10);
    if (rankOf(bias) != 4)
      return n.malformed("attention_bias must have rank 4");
    // A buffer may have room for more keys than there are; they are hidden.
    DimAttr missing = dim::sub(present, getDims(bias)[3]);
    if (!dim::isConstant(missing, 0) && !dim::isConstant(capacity, 0)) {
      SmallVector<DimAttr> low(4, dimOf(n, 0)), high = low;
      high[3] = missing;
      bias = n.create<PadOp>(bias, n.scalar(elementTypeOf(bias), 0), DimsAttr::get(n.context(), low),
                             DimsAttr::get(n.context(), high), PadMode::constant);
    }
    if (failed(mask.addBias(bias)))
      return failure();
  }
  scoring.scale = *factor;
  scoring.softcap = n.floatAttr("softcap", 0);
  int64_t shown = n.intAttr("qk_output", 0);
  scoring.keepScores = wantsOutput(n, 3) && shown != 0;
  if (n.hasInput(11))
    scoring.sink = n.operand(11);
  else if (n.intAttr("smooth_softmax", -1) == 1)
    scoring.sink = n.splat(makeTensorType({getDims(q)[1]}, elementTypeOf(q)), 0);
  Attended attended = attend(n, q, k, v, mask.value(), scoring);
  if (!attended.y)
    return failure();
  n.setResult(0, mergeHeads(n, attended.y));
  if (scoring.keepScores)
    n.setResult(3, shown == 1 ? attended.scores : attended.weights);
  return success();
}

LogicalResult importGroupQuery(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(refuseForms(n)))
    return failure();
  if (!n.hasInput(5) || !n.hasInput(6))
    return n.malformed("seqlens_k or total_sequence_length is missing");
  return GroupQuery(n).run();
}

} // namespace

void addGroupQueryAttentionOps(OpTable &table) {
  table.add("com.microsoft", "GroupQueryAttention", 1, importGroupQuery);
  table.add("com.microsoft", "RotaryEmbedding", 1, importRotary);
}

} // namespace torsh::onnx::microsoft
