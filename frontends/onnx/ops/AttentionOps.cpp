//===-- AttentionOps.cpp - Attention
//------------------------------------------------------------------------===//
//
// The plain forms become one torsh.attention, which is never materialised as a score matrix. Soft caps and
// the score output need the scores, so these forms are composed.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/AttentionHeads.h"
#include "frontends/onnx/ops/FlexAttention.h"
#include "frontends/onnx/ops/RotaryEmbedding.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

DimAttr number(NodeImport &n, int64_t value) { return dim::constant(n.context(), value); }

Value concat(NodeImport &n, Value a, Value b, int64_t axis) {
  if (rankOf(a) != rankOf(b) || elementTypeOf(a) != elementTypeOf(b))
    return (void)n.malformed("a past operand has another rank or element type than the present one"), Value();
  for (int64_t i = 0; i < rankOf(a); ++i)
    if (i != axis && !n.unify(getDims(a)[i], getDims(b)[i], "the dims of a cache"))
      return (void)n.malformed("a past operand does not fit the present one"), Value();
  SmallVector<Value> parts = {a, b};
  return n.create<ConcatOp>(ValueRange(parts), axis);
}

/// What hides keys from queries, collected as one additive mask of rank 4.
class Mask {
public:
  Mask(NodeImport &n, Value q, Value k) : n(n), element(elementTypeOf(q)), dims(getDims(q)) {
    dims[3] = getDims(k)[2];
  }

  Value value() const { return mask; }

  void add(Value other) {
    if (!mask) {
      mask = other;
      return;
    }
    SmallVector<Value> both = {mask, other};
    if (succeeded(n.broadcastTogether(both)))
      mask = n.create<AddOp>(both[0], both[1]);
  }
  /// Hides everything where `allowed` is false.
  void addAllowed(Value allowed) {
    auto type = withElementType(cast<RankedTensorType>(allowed.getType()), element);
    add(n.create<SelectOp>(allowed, n.splat(type, 0), n.splat(type, -infinity)));
  }
  /// The mask operand, bool or additive; shorter ones hide the rest of the keys.
  LogicalResult addOperand(Value given) {
    int64_t rank = rankOf(given);
    if (rank < 1 || rank > 4)
      return n.malformed("the mask has rank " + Twine(rank));
    given = toRank(n, given, 4);
    bool isBool = elementTypeOf(given).isInteger(1);
    if (!isBool && elementTypeOf(given) != element)
      given = n.cast(given, element);
    DimAttr last = getDims(given)[3];
    std::optional<int64_t> missing = dim::asConstant(dim::sub(dims[3], last));
    if (missing && *missing > 0 && !(dim::isConstant(last, 1) && rank == 1)) {
      SmallVector<DimAttr> zeros(4, number(n, 0)), high = zeros;
      high[3] = number(n, *missing);
      given = n.create<PadOp>(given, n.scalar(elementTypeOf(given), isBool ? 0 : -infinity),
                              DimsAttr::get(n.context(), zeros), DimsAttr::get(n.context(), high),
                              PadMode::constant);
    }
    if (isBool)
      addAllowed(given);
    else
      add(given);
    return success();
  }
  /// The index of the query (axis 2) or the key (axis 3), [1, 1, Sq, Sk].
  Value index(int64_t axis) {
    SmallVector<DimAttr> shape = {number(n, 1), number(n, 1), dims[2], dims[3]};
    return n.create<IotaOp>(makeTensorType(shape, n.builder.getI64Type()), axis);
  }
  void addComparison(Value a, Value b, ComparePredicate predicate) {
    SmallVector<Value> both = {a, b};
    if (failed(n.broadcastTogether(both)))
      return;
    auto type = withElementType(cast<RankedTensorType>(both[0].getType()), n.builder.getI1Type());
    addAllowed(n.create<CompareOp>(type, both[0], both[1], predicate));
  }
  /// The position of each query among the keys: its index plus `offset`.
  Value position(Value offset) {
    SmallVector<Value> both = {index(2), offset};
    if (failed(n.broadcastTogether(both)))
      return both[0];
    return n.create<AddOp>(both[0], both[1]);
  }

private:
  NodeImport &n;
  mlir::Type element;
  SmallVector<DimAttr> dims;
  Value mask;
};

/// softmax(cap(scale q k^T) + mask) v with the intermediate that `qk_matmul_output_mode` asks for.
Value composed(NodeImport &n, Value q, Value k, Value v, Value mask, double factor, double cap,
               int64_t mode) {
  SmallVector<int64_t> batch = {0, 1}, last = {3}, keys = {2};
  Value scores = scale(n, n.create<DotGeneralOp>(q, k, batch, batch, last, last), factor);
  if (cap > 0)
    scores = scale(n, n.create<TanhOp>(scale(n, scores, 1 / cap)), cap);
  Value shown = scores;
  if (mask) {
    mask = n.broadcastTo(mask, getDims(scores));
    scores = n.create<AddOp>(scores, mask);
  }
  if (mode == 2)
    shown = scores;
  Value weights = n.create<SoftmaxOp>(scores, 3);
  if (mask) {
    // A query that sees no key has weights 0, not NaN.
    Value best = reduceInPlace(n, mask, ReduceKind::max, last);
    weights = n.create<SelectOp>(compareNumber(n, best, ComparePredicate::eq, -infinity),
                                 n.splatLike(weights, 0), weights);
  }
  if (mode == 3)
    shown = weights;
  n.setResult(3, shown);
  return n.create<DotGeneralOp>(weights, v, batch, batch, last, keys);
}

LogicalResult importAttention(NodeImport &n) {
  if (failed(requireInputs(n, 3)) || failed(requireFloat(n, 0)))
    return failure();
  int64_t rank = n.typeOf(0).getRank();
  if ((rank != 3 && rank != 4) || n.typeOf(1).getRank() != rank || n.typeOf(2).getRank() != rank)
    return n.malformed("Q, K and V must all have rank 3 or all have rank 4");
  Value q = splitHeads(n, n.operand(0), "q_num_heads");
  Value k = q ? splitHeads(n, n.operand(1), "kv_num_heads") : q;
  Value v = k ? splitHeads(n, n.operand(2), "kv_num_heads") : k;
  if (!v)
    return failure();
  mlir::Type element = elementTypeOf(q);
  if (elementTypeOf(k) != element || elementTypeOf(v) != element)
    return n.unsupported("Q, K and V must have one element type");
  if (n.hasInput(4) != n.hasInput(5))
    return n.malformed("past_key and past_value must be given together");
  DimAttr past = number(n, 0);
  if (n.hasInput(4)) {
    if (n.typeOf(4).getRank() != 4)
      return n.malformed("past_key must have rank 4");
    past = getDims(n.typeOf(4))[2];
    k = concat(n, n.operand(4), k, 2);
    v = k ? concat(n, n.operand(5), v, 2) : k;
    if (!v)
      return failure();
  }
  n.setResult(1, k);
  n.setResult(2, v);
  DimAttr heads = getDims(q)[1];
  k = repeatHeads(n, k, heads);
  v = k ? repeatHeads(n, v, heads) : k;
  if (!v)
    return failure();
  if (!n.unify(getDims(k)[2], getDims(v)[2], "the lengths of K and V") ||
      !n.unify(getDims(q)[3], getDims(k)[3], "the head sizes of Q and K"))
    return n.malformed("Q, K and V do not fit together");

  Mask mask(n, q, k);
  if (n.hasInput(3) && failed(mask.addOperand(n.operand(3))))
    return failure();
  bool causal = n.intAttr("is_causal", 0) != 0;
  int64_t left = n.intAttr("left_window_size", -1), right = n.intAttr("right_window_size", -1);
  Value offset = n.reshape(n.fromDims({past}), {number(n, 1), number(n, 1), number(n, 1), number(n, 1)});
  if (n.hasInput(6)) {
    Value lengths = n.cast(n.operand(6), n.builder.getI64Type());
    if (rankOf(lengths) != 1)
      return n.malformed("nonpad_kv_seqlen must have rank 1");
    lengths = n.reshape(lengths, {getDims(lengths)[0], number(n, 1), number(n, 1), number(n, 1)});
    mask.addComparison(mask.index(3), lengths, ComparePredicate::lt);
    Value queries = n.broadcastTo(n.fromDims({getDims(q)[2]}, true), getDims(lengths));
    offset = n.create<SubOp>(lengths, queries);
  }
  // Where the queries are the last of the keys, the op's own flag says the same without a mask.
  bool ownCausal = causal && !n.hasInput(6) && dim::sub(getDims(k)[2], getDims(q)[2]) == past;
  if (causal && !ownCausal)
    mask.addComparison(mask.index(3), mask.position(offset), ComparePredicate::le);
  if (left >= 0 || right >= 0) {
    Value at = mask.position(offset);
    if (left >= 0)
      mask.addComparison(addNumber(n, mask.index(3), left), at, ComparePredicate::ge);
    if (right >= 0)
      mask.addComparison(mask.index(3), addNumber(n, at, right), ComparePredicate::le);
  }

  double factor = n.floatAttr("scale", 0);
  if (!n.attribute("scale")) {
    HeadScale scale(n, getDims(q)[3], element);
    factor = scale.number;
    q = scale.apply(n, q);
  }
  double cap = n.floatAttr("softcap", 0);
  Value y;
  if (cap > 0 || wantsOutput(n, 3)) {
    if (ownCausal)
      mask.addComparison(mask.index(3), mask.position(offset), ComparePredicate::le);
    y = composed(n, q, k, v, mask.value(), factor, cap, n.intAttr("qk_matmul_output_mode", 0));
  } else {
    y = n.create<AttentionOp>(q, k, v, mask.value(), llvm::APFloat(factor), ownCausal);
  }
  if (rank == 3) {
    SmallVector<DimAttr> dims = getDims(y);
    y = n.reshape(n.transpose(y, {0, 2, 1, 3}), {dims[0], dims[2], dim::mul(dims[1], dims[3])});
  }
  n.setResult(0, y);
  return success();
}

} // namespace

void addAttentionOps(OpTable &table) {
  table.add("", "Attention", 23, importAttention);
  table.add("ai.onnx.preview", "FlexAttention", 1, importFlexAttention);
  table.add("", "RotaryEmbedding", 23, importRotaryEmbedding);
}

} // namespace torsh::onnx
