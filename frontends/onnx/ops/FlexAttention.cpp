//===-- FlexAttention.cpp - Attention with subgraphs on scores and weights --------------------------------------===//
//
// The subgraphs are imported where they stand, between two contractions and a softmax: grouping finds attention by these
// pieces, so what a subgraph computes elementwise becomes part of the streamed kernel.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/FlexAttention.h"
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ops/AttentionHeads.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// x through the subgraph of an attribute, x itself without one; null after a failure.
Value modified(NodeImport &n, StringRef attribute, Value x) {
  const Attribute *given = n.attribute(attribute);
  if (!given)
    return x;
  if (!given->g || given->g->inputs.size() != 1 || given->g->outputs.size() != 1)
    return (void)n.malformed(attribute + " must be a graph with one input and one output"), Value();
  NamedValue named;
  named.kind = NamedValue::Kind::Value;
  named.value = x;
  FailureOr<SmallVector<NamedValue>> results = n.graph.importSubgraph(*given->g, {named}, n.builder);
  Value y = failed(results) ? Value() : n.graph.materialize(results->front(), n.builder, n.loc);
  if (!y)
    return {};
  auto type = cast<RankedTensorType>(x.getType());
  SmallVector<DimAttr> dims = getDims(x), got = getDims(y);
  bool fits = elementTypeOf(y) == type.getElementType() && got.size() == dims.size();
  for (size_t i = 0; fits && i < dims.size(); ++i)
    fits = n.unify(got[i], dims[i], "the shape that " + attribute + " keeps");
  if (!fits)
    return (void)n.malformed(attribute + " gives " + typeText(y.getType()) + " for " + typeText(type)),
           Value();
  return y;
}

} // namespace

LogicalResult importFlexAttention(NodeImport &n) {
  if (failed(requireInputs(n, 3)) || failed(requireFloat(n, 0)))
    return failure();
  Value q = n.operand(0), k = n.operand(1), v = n.operand(2);
  mlir::Type element = elementTypeOf(q);
  if (rankOf(q) != 4 || rankOf(k) != 4 || rankOf(v) != 4)
    return n.malformed("Q, K and V must have rank 4");
  if (elementTypeOf(k) != element || elementTypeOf(v) != element)
    return n.malformed("Q, K and V must have one element type");
  mlir::Type precise = element.isF64() ? element : mlir::Type(n.builder.getF32Type());
  if (n.attribute("softmax_precision")) {
    precise = elementTypeOf(n.context(), int32_t(n.intAttr("softmax_precision", 0)));
    if (!isa_and_nonnull<FloatType>(precise))
      return n.malformed("softmax_precision must be a float type");
  }
  // Unifying renames dims everywhere, so they are read anew each time.
  if (!n.unify(getDims(k)[1], getDims(v)[1], "the heads of K and V") ||
      !n.unify(getDims(k)[2], getDims(v)[2], "the lengths of K and V") ||
      !n.unify(getDims(q)[3], getDims(k)[3], "the head sizes of Q and K") ||
      !n.unify(getDims(q)[0], getDims(k)[0], "the batches of Q and K") ||
      !n.unify(getDims(k)[0], getDims(v)[0], "the batches of K and V"))
    return n.malformed("Q, K and V do not fit together");
  DimAttr heads = getDims(q)[1];
  k = repeatHeads(n, k, heads);
  v = k ? repeatHeads(n, v, heads) : k;
  if (!v)
    return failure();
  double factor = n.floatAttr("scale", 1);
  if (!n.attribute("scale")) {
    HeadScale scale(n, getDims(q)[3], element);
    factor = scale.number;
    q = scale.apply(n, q);
  }
  if (!n.attribute("score_mod") && !n.attribute("prob_mod")) {
    // The streamed kernel computes in f32 at least.
    n.setResult(0, n.create<AttentionOp>(q, k, v, Value(), llvm::APFloat(factor), false));
    return success();
  }
  SmallVector<int64_t> batch = {0, 1}, last = {3}, keys = {2};
  Value scores = n.create<DotGeneralOp>(n.cast(q, precise), n.cast(k, precise), batch, batch, last, last);
  scores = modified(n, "score_mod", scale(n, scores, factor));
  Value weights = scores ? modified(n, "prob_mod", n.create<SoftmaxOp>(scores, int64_t(3))) : Value();
  if (!weights)
    return failure();
  Value y = n.create<DotGeneralOp>(weights, n.cast(v, precise), batch, batch, last, keys);
  n.setResult(0, n.cast(y, element));
  return success();
}

} // namespace torsh::onnx
