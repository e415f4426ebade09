//===-- StatefulOps.cpp - LinearAttention and CausalConvWithState -----------------------------------------------===//
#include "frontends/onnx/ops/AttentionHeads.h"
#include "frontends/onnx/ops/Topics.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

DimAttr number(NodeImport &n, int64_t value) { return dim::constant(n.context(), value); }

//===-- LinearAttention
//------------------------------------------------------------------------------------------===//

/// The operands in f32 with time first: q [T, B, H, group, Dk], k [T, B, H, Dk], v [T, B, H, Dv], decay [T, B, H, Dk or 1],
/// beta [T, B, H or 1, 1]; H counts key/value heads.
struct Recurrence {
  Value q, k, v, decay, beta;
  double scale = 1;

  Recurrence at(NodeImport &n, Value step) const {
    auto take = [&](Value x) { return x ? n.create<GatherOp>(x, step, int64_t(0)) : x; };
    return {take(q), take(k), take(v), take(decay), take(beta), scale};
  }
};

/// [B, T, heads * D] -> [T, B, heads, D] in f32; null after a failure.
Value timeFirst(NodeImport &n, Value x, int64_t heads, StringRef attribute) {
  FailureOr<DimAttr> size = headSize(n, getDims(x)[2], heads, attribute);
  if (failed(size))
    return {};
  SmallVector<DimAttr> dims = getDims(x);
  Value split = n.reshape(n.cast(x, n.builder.getF32Type()), {dims[0], dims[1], number(n, heads), *size});
  return n.transpose(split, {1, 0, 2, 3});
}

/// x whose dim `axis` is 1 or `size`. Where only the run knows which, the last entry stands for those that are not there, so
/// that the dim is `size` in any case. Null when it can be neither.
Value oneOrAll(NodeImport &n, Value x, int64_t axis, DimAttr size) {
  DimAttr have = getDims(x)[axis];
  if (have == size || dim::isConstant(have, 1))
    return x;
  if (dim::asConstant(have) && dim::asConstant(size))
    return {};
  Value last = n.broadcastTo(n.fromDims({dim::sub(have, number(n, 1))}, true), {size});
  Value index = n.create<IotaOp>(makeTensorType({size}, n.builder.getI64Type()), int64_t(0));
  return n.create<GatherOp>(x, n.create<MinimumOp>(index, last), axis);
}

/// One token: the new state [B, H, Dk, Dv] and what the queries read, [B, H, group, Dv].
std::pair<Value, Value> stepState(NodeImport &n, const Recurrence &r, Value state) {
  SmallVector<int64_t> heads = {0, 1}, two = {2}, three = {3};
  SmallVector<DimAttr> dims = getDims(state);
  auto spread = [&](Value x, bool alongKeys) {
    SmallVector<DimAttr> unit = getDims(x);
    unit.insert(unit.begin() + (alongKeys ? 2 : 3), number(n, 1));
    return n.broadcastTo(n.reshape(x, unit), dims);
  };
  if (r.decay)
    state = n.create<MulOp>(state, spread(n.create<ExpOp>(r.decay), false));
  Value v = r.v;
  if (r.beta) {
    // What the state gives for this key is replaced, not added to.
    Value known = n.create<DotGeneralOp>(state, r.k, heads, heads, two, two);
    Value rest = n.create<SubOp>(v, known);
    v = n.create<MulOp>(n.broadcastTo(r.beta, getDims(rest)), rest);
  }
  state = n.create<AddOp>(state, n.create<MulOp>(spread(r.k, false), spread(v, true)));
  Value y = n.create<DotGeneralOp>(r.q, state, heads, heads, three, two);
  return {state, scale(n, y, r.scale)};
}

/// All tokens in turn: the last state and the outputs [T, B, H, group, Dv].
std::pair<Value, Value> runSteps(NodeImport &n, const Recurrence &r, Value state) {
  DimAttr length = getDims(r.k)[0];
  SmallVector<DimAttr> out = getDims(r.q);
  out.back() = getDims(r.v).back();
  if (dim::isConstant(length, 1)) {
    auto [next, y] = stepState(n, r.at(n, n.scalar(n.builder.getI64Type(), 0)), state);
    return {next, n.reshape(y, out)};
  }
  mlir::Type f32 = n.builder.getF32Type();
  SmallVector<mlir::Type> types = {state.getType(), makeTensorType(out, f32)};
  SmallVector<Value> initial = {state};
  auto loop = ForOp::create(n.builder, n.loc, types, length, initial);
  OpBuilder::InsertionGuard guard(n.builder);
  Block *body = n.builder.createBlock(&loop.getBody());
  Value step = body->addArgument(RankedTensorType::get({}, n.builder.getI64Type()), n.loc);
  Value carried = body->addArgument(state.getType(), n.loc);
  auto [next, y] = stepState(n, r.at(n, step), carried);
  SmallVector<Value> yielded = {next, y};
  YieldOp::create(n.builder, n.loc, yielded);
  return {loop->getResult(0), loop->getResult(1)};
}

LogicalResult importLinearAttention(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireInputs(n, 3)))
    return failure();
  StringRef rule = n.stringAttr("update_rule", "gated_delta");
  bool gated = rule == "gated" || rule == "gated_delta", delta = rule == "delta" || rule == "gated_delta";
  if (!gated && !delta && rule != "linear")
    return n.malformed("the update_rule '" + rule + "' is not known");
  if (gated != n.hasInput(4) || delta != n.hasInput(5))
    return n.malformed("update_rule '" + rule + "' takes " + (gated ? "" : "no ") + "decay and " +
                       (delta ? "" : "no ") + "beta");
  int64_t heads = n.intAttr("q_num_heads", 0), kept = n.intAttr("kv_num_heads", 0);
  if (heads < 1 || kept < 1 || heads % kept != 0)
    return n.malformed("q_num_heads must be a positive multiple of kv_num_heads");
  for (size_t i : {0, 1, 2, 4, 5})
    if (n.hasInput(i) && n.typeOf(i).getRank() != 3)
      return n.malformed("operand " + Twine(i) + " must have rank 3");
  for (size_t i : {1, 2, 4, 5})
    for (int64_t axis : {0, 1})
      if (n.hasInput(i) && !n.unify(getDims(n.typeOf(i))[axis], getDims(n.typeOf(0))[axis], "batch and time"))
        return n.malformed("the operands differ in batch or time");

  Recurrence r;
  mlir::Type f32 = n.builder.getF32Type(), element = n.typeOf(0).getElementType();
  Value q = timeFirst(n, n.operand(0), heads, "q_num_heads");
  r.k = q ? timeFirst(n, n.operand(1), kept, "kv_num_heads") : q;
  r.v = r.k ? timeFirst(n, n.operand(2), kept, "kv_num_heads") : r.k;
  if (!r.v)
    return failure();
  if (!n.unify(getDims(q)[3], getDims(r.k)[3], "the head sizes of query and key"))
    return n.malformed("query and key differ in their head sizes");
  if (gated) {
    Value decay = timeFirst(n, n.operand(4), kept, "kv_num_heads");
    if (!decay)
      return failure();
    r.decay = oneOrAll(n, decay, 3, getDims(r.k)[3]);
    if (!r.decay)
      return n.malformed("decay must have one entry a head or one a key element");
  }
  if (delta) {
    Value beta = oneOrAll(n, n.operand(5), 2, number(n, kept));
    if (!beta)
      return n.malformed("beta must have one entry a head or one for all");
    std::optional<int64_t> rates = dim::asConstant(getDims(beta)[2]);
    r.beta = timeFirst(n, beta, rates.value_or(kept), "kv_num_heads");
    if (!r.beta)
      return failure();
  }
  SmallVector<DimAttr> dims = getDims(q);
  r.q = n.reshape(q, {dims[0], dims[1], number(n, kept), number(n, heads / kept), dims[3]});
  SmallVector<DimAttr> stateDims = {dims[1], number(n, kept), dims[3], getDims(r.v)[3]};
  mlir::Type stateElement = element;
  Value state;
  if (n.hasInput(3)) {
    Value past = n.operand(3);
    if (rankOf(past) != 4)
      return n.malformed("past_state must have rank 4");
    for (int64_t i = 0; i < 4; ++i)
      if (!n.unify(getDims(past)[i], stateDims[i], "the shape of past_state"))
        return n.malformed("past_state must be [batch, kv_num_heads, key size, value size]");
    stateElement = elementTypeOf(past);
    state = n.cast(past, f32);
  } else {
    state = n.splat(makeTensorType(stateDims, f32), 0);
  }
  r.scale = n.floatAttr("scale", 0);
  if (r.scale == 0) {
    HeadScale own(n, getDims(r.k)[3], f32);
    r.scale = own.number;
    r.q = own.apply(n, r.q);
  }
  auto [last, y] = runSteps(n, r, state);
  dims = getDims(y);
  y = n.transpose(y, {1, 0, 2, 3, 4});
  y = n.reshape(y, {dims[1], dims[0], dim::mul(number(n, heads), dims[4])});
  n.setResult(0, n.cast(y, element));
  n.setResult(1, n.cast(last, stateElement));
  return success();
}

//===-- CausalConvWithState
//--------------------------------------------------------------------------------------===//

/// Taps that are written out one by one.
constexpr int64_t mostTaps = 16;

/// y[b, c, t] = sum of w[c, j] * x[b, c, t + j], in the element type of both; x has all its padding.
Value slidingSum(NodeImport &n, Value x, Value w, DimAttr length) {
  SmallVector<DimAttr> dims = getDims(x), out = {dims[0], dims[1], length};
  DimAttr taps = getDims(w)[1];
  std::optional<int64_t> known = dim::asConstant(taps);
  if (known && *known >= 1 && *known <= mostTaps) {
    Value sum;
    for (int64_t j = 0; j < *known; ++j) {
      Value tap = n.reshape(sliceAxis(n, w, 1, number(n, j), number(n, 1)), {dims[1]});
      Value part = n.create<MulOp>(
          sliceAxis(n, x, 2, number(n, j), length),
          n.create<BroadcastOp>(makeTensorType(out, elementTypeOf(w)), tap, SmallVector<int64_t>{1}));
      sum = sum ? n.create<AddOp>(sum, part) : part;
    }
    return sum;
  }
  RankedTensorType places = makeTensorType({length, taps}, n.builder.getI64Type());
  Value index = n.create<AddOp>(n.create<IotaOp>(places, int64_t(0)), n.create<IotaOp>(places, int64_t(1)));
  Value patches = n.create<GatherOp>(x, index, int64_t(2));
  Value weights =
      n.create<BroadcastOp>(cast<RankedTensorType>(patches.getType()), w, SmallVector<int64_t>{1, 3});
  return n.create<ReduceOp>(n.create<MulOp>(patches, weights), ReduceKind::sum, SmallVector<int64_t>{3},
                            false);
}

LogicalResult importCausalConv(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireInputs(n, 2)))
    return failure();
  StringRef activation = n.stringAttr("activation", "none");
  if (activation != "none" && activation != "silu" && activation != "swish")
    return n.malformed("the activation '" + activation + "' is not known");
  Value x = n.operand(0), w = n.operand(1), past = n.optionalOperand(3), bias = n.optionalOperand(2);
  if (rankOf(x) != 3 || rankOf(w) != 3 || (past && rankOf(past) != 3) || (bias && rankOf(bias) != 1))
    return n.malformed("input, weight and past_state must have rank 3, bias rank 1");
  mlir::Type element = elementTypeOf(x);
  mlir::Type precise = element.isF64() ? element : mlir::Type(n.builder.getF32Type());
  if (!n.unify(getDims(w)[1], number(n, 1), "the weights are those of a depthwise convolution") ||
      !n.unify(getDims(x)[1], getDims(w)[0], "the channels of input and weight"))
    return n.malformed("the weights must be [channels, 1, k]");
  DimAttr before = dim::sub(getDims(w)[2], number(n, 1));
  if (past && (!n.unify(getDims(past)[0], getDims(x)[0], "the batch of past_state") ||
               !n.unify(getDims(past)[1], getDims(x)[1], "the channels of past_state") ||
               !n.unify(getDims(past)[2], before, "past_state has k - 1 positions")))
    return n.malformed("past_state must be [batch, channels, k - 1]");
  if (bias && !n.unify(getDims(bias)[0], getDims(x)[1], "the channels of bias"))
    return n.malformed("bias must be [channels]");
  SmallVector<DimAttr> dims = getDims(x);
  before = dim::sub(getDims(w)[2], number(n, 1));
  Value padded;
  if (past) {
    SmallVector<Value> parts = {past, x};
    padded = n.create<ConcatOp>(ValueRange(parts), int64_t(2));
  } else {
    SmallVector<DimAttr> low(3, number(n, 0)), high = low;
    low[2] = before;
    padded = n.create<PadOp>(x, n.scalar(element, 0), DimsAttr::get(n.context(), low),
                             DimsAttr::get(n.context(), high), PadMode::constant);
  }
  Value kernel = n.cast(n.reshape(w, {getDims(w)[0], getDims(w)[2]}), precise);
  Value y = slidingSum(n, n.cast(padded, precise), kernel, dims[2]);
  if (bias)
    y = n.create<AddOp>(y, alongAxis(n, n.cast(bias, precise), 1, y));
  if (activation != "none") {
    // The sum is rounded to the element type first.
    y = n.cast(n.cast(y, element), precise);
    y = n.create<MulOp>(y, n.create<SigmoidOp>(y));
  }
  n.setResult(0, n.cast(y, element));
  n.setResult(1, sliceAxis(n, padded, 2, dims[2], before));
  return success();
}

} // namespace

void addStatefulOps(OpTable &table) {
  table.add("", "LinearAttention", 27, importLinearAttention);
  table.add("", "CausalConvWithState", 27, importCausalConv);
}

} // namespace torsh::onnx
