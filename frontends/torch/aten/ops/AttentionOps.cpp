//===-- AttentionOps.cpp - Scaled dot-product attention -----------------------------------------------------===//
#include "frontends/torch/aten/Table.h"
#include <cmath>

using namespace mlir;

namespace torsh::torch {
namespace {

/// The mask as numbers that are added: false hides.
Value additiveMask(Call &c, Value mask, Type type) {
  if (!elementTypeOf(mask).isInteger(1))
    return c.b.cast(mask, type);
  Value shown = c.b.splat(getDims(mask), type, 0), hidden = c.b.splat(getDims(mask), type, -HUGE_VAL);
  return c.b.create<SelectOp>(mask, shown, hidden);
}

LogicalResult importAttention(Call &c) {
  TensorBuilder &b = c.b;
  Value q = c.tensor("query"), k = c.tensor("key"), v = c.tensor("value");
  int64_t rank = rankOf(q);
  if (c.number("dropout_p") != 0)
    return c.fail("dropout inside attention is random; call model.eval() before saving");
  if (rank < 2 || rankOf(k) != rank || rankOf(v) != rank || !isa<FloatType>(elementTypeOf(q)) ||
      elementTypeOf(k) != elementTypeOf(q) || elementTypeOf(v) != elementTypeOf(q))
    return c.fail("attention needs three float tensors of one rank, 2 or more");
  if (c.flag("enable_gqa")) {
    // Each head of k and v serves several heads of q.
    if (rank < 3)
      return c.fail("grouped attention needs a head dim");
    std::optional<DimAttr> share = dim::exactQuotient(getDims(q)[rank - 3], getDims(k)[rank - 3]);
    if (!share)
      return c.fail("the heads of q are no multiple of those of k");
    for (Value *x : {&k, &v}) {
      SmallVector<DimAttr> wide = getDims(*x), merged = wide;
      wide.insert(wide.begin() + rank - 2, *share);
      merged[rank - 3] = dim::mul(merged[rank - 3], *share);
      *x = b.reshape(b.broadcastTo(b.expandDim(*x, rank - 2), wide), merged);
    }
  }
  for (int64_t i = 0; i < rank - 2; ++i) {
    DimAttr heads = getDims(q)[i];
    for (Value *x : {&k, &v})
      if (dim::isConstant(getDims(*x)[i], 1) && !dim::isConstant(heads, 1)) {
        SmallVector<DimAttr> wide = getDims(*x);
        wide[i] = heads;
        *x = b.broadcastTo(*x, wide);
      } else if (!b.unify(heads, getDims(*x)[i], "the batch dims of attention")) {
        return c.fail("the batch dims of attention differ");
      }
  }
  if (!b.unify(getDims(q)[rank - 1], getDims(k)[rank - 1], "the features of q and k") ||
      !b.unify(getDims(k)[rank - 2], getDims(v)[rank - 2], "the lengths of k and v"))
    return c.fail("q, k and v do not fit together");
  double scale;
  if (c.has("scale")) {
    scale = c.number("scale");
  } else {
    std::optional<int64_t> width = dim::asConstant(getDims(q)[rank - 1]);
    if (!width || *width < 1)
      return c.fail("attention without a scale needs a constant feature dim");
    scale = 1 / std::sqrt(double(*width));
  }
  bool causal = c.flag("is_causal");
  // PyTorch aligns the causal mask at the first row, the op at the last; with equal lengths they are the same.
  if (causal && !b.unify(getDims(q)[rank - 2], getDims(k)[rank - 2], "a causal mask is square"))
    return c.fail("causal attention with more keys than queries is not supported");
  Value mask;
  if (c.has("attn_mask")) {
    mask = additiveMask(c, c.tensor("attn_mask"), elementTypeOf(q));
    if (rankOf(mask) > rank)
      return c.fail("the mask of attention has more dims than the scores");
    mask = b.toRank(mask, rank);
  }
  if (b.hasFailed())
    return failure();
  return c.give(b.create<AttentionOp>(q, k, v, mask, llvm::APFloat(scale), causal));
}

} // namespace

void addAttentionOps(Table &table) {
  table.add("scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, "
            "float dropout_p=0., bool is_causal=False, *, float? scale=None, bool enable_gqa=False)",
            importAttention);
}

} // namespace torsh::torch
