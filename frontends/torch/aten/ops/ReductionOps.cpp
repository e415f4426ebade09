//===-- ReductionOps.cpp - Sums, means, extrema, variances and scans ----------------------------------------===//
#include "frontends/torch/aten/Table.h"
#include <cmath>

using namespace mlir;

namespace torsh::torch {
namespace {

/// Sums of integers and booleans are i64; `dtype` is applied before.
Value reductionInput(Call &c, bool asFloat) {
  Value x = c.tensor("self");
  if (Type type = c.elementType("dtype"))
    return c.b.cast(x, type);
  if (isa<FloatType>(elementTypeOf(x)))
    return x;
  if (asFloat) {
    (void)c.fail("a mean needs floats, not " + typeText(elementTypeOf(x)));
    return x;
  }
  return c.b.cast(x, c.b.builder.getI64Type());
}

template <ReduceKind kind> LogicalResult importReduce(Call &c) {
  Value x = reductionInput(c, kind == ReduceKind::mean);
  return c.give(c.b.reduce(x, kind, c.axes("dim", rankOf(x)), c.flag("keepdim")));
}

/// amax, amin, and max and min without a dim.
template <ReduceKind kind> LogicalResult importExtreme(Call &c) {
  Value x = c.tensor("self");
  if (elementTypeOf(x).isInteger(1))
    return c.fail("max and min of booleans are not supported; use any or all");
  return c.give(c.b.reduce(x, kind, c.axes("dim", rankOf(x)), c.flag("keepdim")));
}

/// max(a, b) is maximum.
template <typename Op> LogicalResult importPairwise(Call &c) {
  SmallVector<Value> x = promoted(c.b, {c.value("self"), c.value("other")});
  return c.give(c.b.create<Op>(x[0], x[1]));
}

/// max and min with a dim give values and indices.
template <ReduceKind kind> LogicalResult importExtremeAlong(Call &c) {
  Value x = c.tensor("self");
  if (rankOf(x) == 0 || elementTypeOf(x).isInteger(1))
    return c.fail("max and min along a dim need numbers of rank 1 or more");
  int64_t axis = c.axis("dim", rankOf(x));
  bool keep = c.flag("keepdim");
  return c.giveAll({c.b.reduce(x, kind, {axis}, keep), c.b.create<ArgReduceOp>(x, kind, axis, keep)});
}

template <ReduceKind kind> LogicalResult importArgReduce(Call &c) {
  Value x = c.tensor("self");
  if (c.has("dim") && rankOf(x) > 0)
    return c.give(c.b.create<ArgReduceOp>(x, kind, c.axis("dim", rankOf(x)), c.flag("keepdim")));
  Value flat = c.b.reshape(x, {dim::product(c.b.context(), getDims(x))});
  return c.give(c.b.create<ArgReduceOp>(flat, kind, int64_t(0), false));
}

template <ReduceKind kind> LogicalResult importTruth(Call &c) {
  Value x = c.b.cast(c.tensor("self"), c.b.builder.getI1Type());
  return c.give(c.b.reduce(x, kind, c.axes("dim", rankOf(x)), c.flag("keepdim")));
}

LogicalResult importLogSumExp(Call &c) {
  Value x = reductionInput(c, true);
  return c.give(c.b.reduce(x, ReduceKind::logsumexp, c.axes("dim", rankOf(x)), c.flag("keepdim")));
}

/// The mean of squared distances from the mean, with `correction` taken off the divisor.
Value variance(Call &c, double correction) {
  TensorBuilder &b = c.b;
  Value x = c.tensor("self");
  if (!isa<FloatType>(elementTypeOf(x))) {
    (void)c.fail("a variance needs floats");
    return x;
  }
  SmallVector<int64_t> axes = c.axes("dim", rankOf(x));
  double count = 1;
  for (int64_t axis : axes) {
    std::optional<int64_t> size = dim::asConstant(getDims(x)[axis]);
    if (!size && correction != 0)
      (void)c.fail("a variance with correction needs constant sizes; fix them with --dim");
    count *= double(size.value_or(1));
  }
  Value mean = b.reduce(x, ReduceKind::mean, axes, true);
  Value distance = b.create<SubOp>(x, b.broadcastTo(mean, getDims(x)));
  Value squares = b.create<MulOp>(distance, distance);
  Value result = b.reduce(squares, ReduceKind::mean, axes, c.flag("keepdim"));
  return correction == 0 ? result : b.scale(result, count / std::max(0.0, count - correction));
}

double correctionOf(Call &c) {
  if (c.has("correction"))
    return c.number("correction");
  return c.value("unbiased").isNone() || c.flag("unbiased") ? 1 : 0;
}

LogicalResult importVar(Call &c) { return c.give(variance(c, correctionOf(c))); }
LogicalResult importStd(Call &c) { return c.give(c.b.create<SqrtOp>(variance(c, correctionOf(c)))); }

LogicalResult importNorm(Call &c) {
  Value x = c.tensor("self");
  if (!isa<FloatType>(elementTypeOf(x)))
    return c.fail("a norm needs floats");
  double p = c.has("p") ? c.number("p") : 2;
  SmallVector<int64_t> axes = c.axes("dim", rankOf(x));
  bool keep = c.flag("keepdim");
  Value magnitude = c.b.create<AbsOp>(x);
  if (std::isinf(p))
    return c.give(c.b.reduce(magnitude, p > 0 ? ReduceKind::max : ReduceKind::min, axes, keep));
  if (p == 1)
    return c.give(c.b.reduce(magnitude, ReduceKind::sum, axes, keep));
  if (p == 2)
    return c.give(c.b.create<SqrtOp>(c.b.reduce(c.b.create<MulOp>(x, x), ReduceKind::sum, axes, keep)));
  if (p <= 0)
    return c.fail("a norm needs a positive p");
  Value sum =
      c.b.reduce(c.b.create<PowOp>(magnitude, c.b.splatLike(magnitude, p)), ReduceKind::sum, axes, keep);
  return c.give(c.b.create<PowOp>(sum, c.b.splatLike(sum, 1 / p)));
}

LogicalResult importCumsum(Call &c) {
  Value x = reductionInput(c, false);
  if (rankOf(x) == 0)
    return c.give(x);
  return c.give(c.b.create<CumSumOp>(x.getType(), x, c.axis("dim", rankOf(x))));
}

} // namespace

void addReductionOps(Table &table) {
  table.add("sum(Tensor self, *, int? dtype=None)", importReduce<ReduceKind::sum>);
  table.add("sum(Tensor self, int[]? dim, bool keepdim=False, *, int? dtype=None)",
            importReduce<ReduceKind::sum>);
  table.add("mean(Tensor self, *, int? dtype=None)", importReduce<ReduceKind::mean>);
  table.add("mean(Tensor self, int[]? dim, bool keepdim=False, *, int? dtype=None)",
            importReduce<ReduceKind::mean>);
  table.add("prod(Tensor self, *, int? dtype=None)", importReduce<ReduceKind::prod>);
  table.add("prod(Tensor self, int dim, bool keepdim=False, *, int? dtype=None)",
            importReduce<ReduceKind::prod>);
  table.add("amax(Tensor self, int[] dim=[], bool keepdim=False)", importExtreme<ReduceKind::max>);
  table.add("amin(Tensor self, int[] dim=[], bool keepdim=False)", importExtreme<ReduceKind::min>);
  table.add("max(Tensor self, Tensor other)", importPairwise<MaximumOp>);
  table.add("min(Tensor self, Tensor other)", importPairwise<MinimumOp>);
  table.add("max(Tensor self)", importExtreme<ReduceKind::max>);
  table.add("min(Tensor self)", importExtreme<ReduceKind::min>);
  table.add("max(Tensor self, int dim, bool keepdim=False)", importExtremeAlong<ReduceKind::max>);
  table.add("min(Tensor self, int dim, bool keepdim=False)", importExtremeAlong<ReduceKind::min>);
  table.add("argmax(Tensor self, int? dim=None, bool keepdim=False)", importArgReduce<ReduceKind::max>);
  table.add("argmin(Tensor self, int? dim=None, bool keepdim=False)", importArgReduce<ReduceKind::min>);
  table.add("any(Tensor self)", importTruth<ReduceKind::any>);
  table.add("any(Tensor self, int dim, bool keepdim=False)", importTruth<ReduceKind::any>);
  table.add("all(Tensor self)", importTruth<ReduceKind::all>);
  table.add("all(Tensor self, int dim, bool keepdim=False)", importTruth<ReduceKind::all>);
  table.add("logsumexp(Tensor self, int[] dim, bool keepdim=False)", importLogSumExp);
  for (auto [name, function] : {std::pair<StringRef, ImportFunction>("var", importVar), {"std", importStd}}) {
    table.add((name + "(Tensor self, bool unbiased=True)").str(), function);
    table.add((name + "(Tensor self, int[]? dim, bool unbiased=True, bool keepdim=False)").str(), function);
    table.add((name + "(Tensor self, int[]? dim=None, *, Scalar? correction=None, bool keepdim=False)").str(),
              function);
  }
  table.add("norm(Tensor self, Scalar p=2)", importNorm);
  table.add("norm(Tensor self, Scalar? p, int[] dim, bool keepdim=False)", importNorm);
  table.add(
      "linalg_vector_norm(Tensor self, Scalar p=2, int[]? dim=None, bool keepdim=False, *, int? dtype=None)",
      importNorm);
  table.add("cumsum(Tensor self, int dim, *, int? dtype=None)", importCumsum);
}

} // namespace torsh::torch
