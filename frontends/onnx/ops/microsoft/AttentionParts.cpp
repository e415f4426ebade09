//===-- AttentionParts.cpp - What the attention operators have in common
//------------------------------------===//
#include "frontends/onnx/ops/microsoft/AttentionParts.h"
#include "frontends/onnx/GraphImport.h"

using namespace mlir;

namespace torsh::onnx::microsoft {

constexpr double infinity = std::numeric_limits<double>::infinity();

//===-- Heads
//----------------------------------------------------------------------------------------------------===//

Value splitHeads(NodeImport &n, Value x, int64_t heads) {
  SmallVector<DimAttr> dims = getDims(x);
  std::optional<DimAttr> size = heads > 0 ? dim::exactQuotient(dims[2], dimOf(n, heads)) : std::nullopt;
  if (!size)
    return (void)n.malformed(Twine(heads) + " heads do not divide a dim of size " + dim::toString(dims[2])),
           Value();
  return n.transpose(n.reshape(x, {dims[0], dims[1], dimOf(n, heads), *size}), {0, 2, 1, 3});
}

Value mergeHeads(NodeImport &n, Value x) {
  SmallVector<DimAttr> dims = getDims(x);
  return n.reshape(n.transpose(x, {0, 2, 1, 3}), {dims[0], dims[2], dim::mul(dims[1], dims[3])});
}

Value appendToCache(NodeImport &n, Value past, Value added) {
  if (rankOf(past) != 4 || elementTypeOf(past) != elementTypeOf(added))
    return (void)n.unsupported("a past operand must have rank 4 and the element type of the query"), Value();
  for (int64_t i : {0, 1, 3})
    if (!n.unify(getDims(past)[i], getDims(added)[i], "the dims of a cache"))
      return (void)n.malformed("a past operand does not fit the present one"), Value();
  if (dim::isConstant(getDims(past)[2], 0))
    return added;
  SmallVector<Value> parts = {past, added};
  return n.create<ConcatOp>(ValueRange(parts), int64_t(2));
}

Value biasPart(NodeImport &n, Value bias, DimAttr start, DimAttr size) {
  return bias ? sliceAxis(n, bias, 0, start, size) : bias;
}

Value addBias(NodeImport &n, Value x, Value bias) {
  if (!bias)
    return x;
  if (!n.unify(getDims(bias)[0], getDims(x).back(), "the bias of a projection"))
    return (void)n.malformed("the bias does not fit the projection"), Value();
  return n.create<AddOp>(x, alongAxis(n, bias, rankOf(x) - 1, x));
}

//===-- Masks
//----------------------------------------------------------------------------------------------------===//

LogicalResult ScoreMask::add(Value part) {
  if (!mask) {
    mask = part;
    return success();
  }
  SmallVector<Value> both = {mask, part};
  if (failed(n.broadcastTogether(both)))
    return failure();
  mask = n.create<AddOp>(both[0], both[1]);
  return success();
}

LogicalResult ScoreMask::addShown(Value shown, double hidden) {
  if (!shown)
    return failure();
  auto type = withElementType(cast<RankedTensorType>(shown.getType()), element);
  return add(n.create<SelectOp>(shown, n.splat(type, 0), n.splat(type, hidden)));
}

Value ScoreMask::index(int64_t axis, DimAttr size) {
  SmallVector<DimAttr> shape(4, dimOf(n, 1));
  shape[axis] = n.graph.dims.canonical(size);
  return n.create<IotaOp>(makeTensorType(shape, n.builder.getI64Type()), axis);
}

Value ScoreMask::compare(Value a, Value b, ComparePredicate predicate) {
  SmallVector<Value> both = {a, b};
  if (failed(n.broadcastTogether(both)))
    return {};
  auto type = withElementType(cast<RankedTensorType>(both[0].getType()), n.builder.getI1Type());
  return n.create<CompareOp>(type, both[0], both[1], predicate);
}

LogicalResult ScoreMask::addPadding(Value given, DimAttr past, double hidden) {
  DimAttr one = dimOf(n, 1), zero = dimOf(n, 0);
  SmallVector<DimAttr> dims = getDims(given);
  if (dims.size() == 1) {
    DimAttr twice = dim::mul(batch, dimOf(n, 2));
    bool withStarts = dims[0] == twice;
    if (!withStarts && !n.unify(dims[0], batch, "the lengths of a mask"))
      return n.unsupported("a mask of rank 1 must have an end, or ends and starts, for each batch entry");
    Value numbers = n.cast(given, n.builder.getI64Type());
    auto part = [&](DimAttr start) {
      return n.reshape(withStarts ? sliceAxis(n, numbers, 0, start, batch) : numbers, {batch, one, one, one});
    };
    Value shown = compare(keyIndex(), part(zero), ComparePredicate::lt);
    if (shown && withStarts) {
      Value from = compare(keyIndex(), part(batch), ComparePredicate::ge);
      shown = from ? n.create<AndOp>(shown, from) : from;
    }
    return addShown(shown, hidden);
  }
  SmallVector<DimAttr> target;
  if (dims.size() == 2) {
    target = {dims[0], one, one, dims[1]};
  } else if (dims.size() == 3) {
    target = {dims[0], one, dims[1], dims[2]};
  } else if (dims.size() == 4) {
    given = sliceAxis(n, sliceAxis(n, given, 2, past, queries), 3, zero, keys);
    target = getDims(given);
  } else {
    return n.malformed("the mask has rank " + Twine(dims.size()));
  }
  if (!n.unify(target[0], batch, "the batch of a mask") || !n.unify(target[3], keys, "the keys of a mask"))
    return n.malformed("the mask's dims do not fit the keys: it has " + dim::toString(target[3]) +
                       ", there are " + dim::toString(keys));
  Value masked = n.reshape(given, target);
  return addShown(compareNumber(n, masked, ComparePredicate::gt, 0), hidden);
}

LogicalResult ScoreMask::addBias(Value bias) {
  SmallVector<DimAttr> dims = getDims(bias);
  if (dims.size() != 4 || elementTypeOf(bias) != element)
    return n.malformed("attention_bias must have rank 4 and the element type of the query");
  if (!n.unify(dims[2], queries, "the queries of attention_bias") || !n.unify(dims[3], keys, "its keys"))
    return n.malformed("the last dims of attention_bias are not those of the scores");
  return add(bias);
}

//===-- Attention
//------------------------------------------------------------------------------------------------===//

std::optional<double> scoreScale(NodeImport &n, Value q) {
  if (double given = n.floatAttr("scale", 0); given != 0)
    return given;
  std::optional<int64_t> size = dim::asConstant(getDims(q)[3]);
  if (!size || *size < 1)
    return (void)n.unsupported("the head size must be static"), std::nullopt;
  return 1 / std::sqrt(static_cast<double>(*size));
}

/// All steps one by one, for what torsh.attention cannot say.
static Attended compose(NodeImport &n, Value q, Value k, Value v, Value mask, const Scoring &s) {
  int64_t rank = rankOf(q), keys = rank - 1;
  SmallVector<int64_t> batch = range(0, rank - 2), last = {keys}, rows = {keys - 1};
  Attended result;
  Value scores = scale(n, n.create<DotGeneralOp>(q, k, batch, batch, last, last), s.scale);
  if (s.softcap > 0)
    scores = scale(n, n.create<TanhOp>(scale(n, scores, 1 / s.softcap)), s.softcap);
  if (mask) {
    SmallVector<Value> both = {scores, mask};
    if (failed(n.broadcastTogether(both)))
      return {};
    scores = n.create<AddOp>(both[0], both[1]);
  }
  SmallVector<DimAttr> dims = getDims(scores);
  if (s.causal) {
    mlir::Type i64 = n.builder.getI64Type();
    Value key = n.create<IotaOp>(makeTensorType(dims, i64), keys);
    Value ahead = n.fromDims({dim::sub(dims[keys], dims[keys - 1])}, true);
    Value limit =
        n.create<AddOp>(n.create<IotaOp>(makeTensorType(dims, i64), keys - 1), n.broadcastTo(ahead, dims));
    Value shown =
        n.create<CompareOp>(makeTensorType(dims, n.builder.getI1Type()), key, limit, ComparePredicate::le);
    scores = n.create<SelectOp>(shown, scores, n.splatLike(scores, -infinity));
  }
  result.scores = scores;
  Value weights;
  if (s.sink) {
    // One more column with the score of the sink, which is dropped after the softmax.
    SmallVector<DimAttr> column = dims;
    column[keys] = dimOf(n, 1);
    SmallVector<DimAttr> perHead(rank, dimOf(n, 1));
    for (int64_t axis = 1; axis < rank - 2; ++axis)
      perHead[axis] = dims[axis];
    Value sink = n.broadcastTo(n.reshape(n.cast(s.sink, elementTypeOf(scores)), perHead), column);
    SmallVector<Value> parts = {scores, sink};
    weights = n.create<SoftmaxOp>(n.create<ConcatOp>(ValueRange(parts), keys), keys);
    weights = sliceAxis(n, weights, keys, dimOf(n, 0), dims[keys]);
  } else {
    weights = n.create<SoftmaxOp>(scores, keys);
  }
  result.weights = weights;
  result.y = n.create<DotGeneralOp>(weights, v, batch, batch, last, rows);
  return result;
}

Attended attend(NodeImport &n, Value q, Value k, Value v, Value mask, const Scoring &scoring) {
  if (elementTypeOf(k) != elementTypeOf(q) || elementTypeOf(v) != elementTypeOf(q))
    return (void)n.unsupported("query, key and value must have one element type"), Attended();
  if (!n.unify(getDims(q)[0], getDims(k)[0], "the batches of query and key") ||
      !n.unify(getDims(q)[0], getDims(v)[0], "the batches of query and value") ||
      !n.unify(getDims(q)[3], getDims(k)[3], "the head sizes of query and key") ||
      !n.unify(getDims(k)[2], getDims(v)[2], "the lengths of key and value") ||
      !n.unify(getDims(k)[1], getDims(v)[1], "the heads of key and value"))
    return (void)n.malformed("query, key and value do not fit together"), Attended();
  auto heads = dim::asConstant(getDims(q)[1]), own = dim::asConstant(getDims(k)[1]);
  if (!heads || !own || *own < 1 || *heads % *own != 0)
    return (void)n.malformed("the number of query heads is not a multiple of the number of key heads"),
           Attended();
  int64_t shared = *heads / *own;
  SmallVector<DimAttr> dims = getDims(q);
  if (shared > 1) {
    // The query heads that share a key head are one more batch dim, along which keys and values are only repeated.
    auto split = [&](Value x) {
      SmallVector<DimAttr> wide = getDims(x);
      bool one = dim::isConstant(wide[1], 1);
      wide.insert(wide.begin() + 2, dimOf(n, one ? 1 : shared));
      wide[1] = dimOf(n, one ? 1 : *own);
      return n.reshape(x, wide);
    };
    auto repeat = [&](Value x) {
      SmallVector<DimAttr> wide = getDims(x);
      wide.insert(wide.begin() + 2, dimOf(n, 1));
      x = n.reshape(x, wide);
      wide[2] = dimOf(n, shared);
      return n.broadcastTo(x, wide);
    };
    q = split(q);
    k = repeat(k);
    v = repeat(v);
    mask = mask ? split(mask) : mask;
  }
  Attended result;
  if (scoring.softcap > 0 || scoring.sink || scoring.keepScores)
    result = compose(n, q, k, v, mask, scoring);
  else
    result.y = n.create<AttentionOp>(q, k, v, mask, llvm::APFloat(scoring.scale), scoring.causal);
  if (!result.y || shared == 1)
    return result;
  auto join = [&](Value x) {
    SmallVector<DimAttr> wide = getDims(x);
    return n.reshape(x, {wide[0], dims[1], wide[3], wide[4]});
  };
  result.y = join(result.y);
  if (result.scores) {
    result.scores = join(result.scores);
    result.weights = join(result.weights);
  }
  return result;
}

} // namespace torsh::onnx::microsoft
