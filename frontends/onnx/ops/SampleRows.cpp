//===-- SampleRows.cpp - Interpolation at computed coordinates ----------------------------------------------===//
//
// A sample is a weighted sum over taps: 1, 2 or 4 neighbours along each spatial dim. The taps of a dim are an axis of
// their own, so that one formula gives all rows and all weights, and one reduction over these axes the result:
//   y[lead.., p, c] = sum over taps t.. of weight[lead.., t.., p] * table[row[lead.., t.., p], c].
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/SampleRows.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

int64_t tapsOf(SampleMode mode) {
  return mode == SampleMode::nearest ? 1 : mode == SampleMode::linear ? 2 : 4;
}

/// Mirrors what lies outside of [low, high], any number of times.
Term reflected(const Term &x, const Term &low, const Term &high) {
  // An extent of 0 has one place.
  Term extent = (high - low).max(0.5), offset = (x - low).mod(extent * 2);
  return low + offset.min(extent * 2 - offset).min(high - low);
}

/// A coordinate brought into the image, as far as the padding asks for that before interpolation.
Term inImage(const SamplePlan &plan, const Term &x, const Term &low, const Term &high, const Term &last) {
  if (plan.padding == SamplePadding::zeros)
    return x;
  Term outside = (x < low) | (x > high);
  Term moved = plan.padding == SamplePadding::border ? x.max(0).min(last) : reflected(x, low, high);
  return outside.choose(moved, x);
}

} // namespace

Term cubicKernel(const Term &x, double a) {
  Term inner = (x * (a + 2) - (a + 3)) * x * x + 1;
  Term outer = ((x * a - 5 * a) * x + 8 * a) * x - 4 * a;
  Term none = Term::number(x.space(), 0);
  return (x <= 1).choose(inner, (x < 2).choose(outer, none));
}

mlir::Type coordinateType(NodeImport &n, ArrayRef<Value> values) {
  bool wide = llvm::any_of(values, [](Value value) { return elementTypeOf(value).isF64(); });
  return wide ? mlir::Type(n.builder.getF64Type()) : mlir::Type(n.builder.getF32Type());
}

Value sampleRows(NodeImport &n, Value table, const SamplePlan &plan) {
  int64_t spatial = plan.coordinates.size(), taps = tapsOf(plan.mode);
  SmallVector<DimAttr> pointDims = getDims(plan.coordinates.front());
  int64_t lead = pointDims.size() - 1;
  mlir::Type element = elementTypeOf(plan.coordinates.front()), i64 = n.builder.getI64Type();
  TermSpace space{n, pointDims, element};
  space.dims.insert(space.dims.begin() + lead, spatial, dim::constant(n.context(), taps));
  SmallVector<int64_t> pointAxes = range(0, lead);
  pointAxes.push_back(lead + spatial);

  std::optional<Term> weight, inside;
  SmallVector<Term> places;
  for (int64_t i = 0; i < spatial; ++i) {
    Term size = Term::size(space, plan.sizes[i]), last = size - 1, zero = Term::number(space, 0);
    Term low = plan.alignCorners ? zero : zero - 0.5, high = plan.alignCorners ? last : size - 0.5;
    Term x = Term::spread(space, plan.coordinates[i], pointAxes);
    if (plan.mode == SampleMode::nearest)
      x = x.round();
    x = inImage(plan, x, low, high, last);
    Term place = x;
    if (plan.mode != SampleMode::nearest) {
      Term base = x.floor();
      place = base + (plan.mode == SampleMode::linear ? Term::iota(space, lead + i)
                                                      : Term::iota(space, lead + i) - 1);
      Term distance = (x - place).abs();
      Term own = plan.mode == SampleMode::linear ? (Term::number(space, 1) - distance).max(0)
                                                 : cubicKernel(distance, -0.75);
      weight = weight ? *weight * own : own;
    }
    if (plan.padding == SamplePadding::zeros) {
      Term within = (place >= 0) & (place <= last);
      inside = inside ? *inside & within : within;
    } else if (plan.padding == SamplePadding::reflection) {
      place = ((place < low) | (place > high)).choose(reflected(place, low, high), place);
    }
    // Converting truncates, as the specification does with reflected places.
    places.push_back(place.max(0).min(last).to(i64));
  }
  Term row = linearPosition(places, plan.sizes);
  if (plan.firstRow)
    row = row + Term::spread(row.space(), plan.firstRow, range(0, lead));
  if (plan.factor) {
    Term factor = Term::spread(space, n.cast(plan.factor, element), pointAxes);
    weight = weight ? *weight * factor : factor;
  }
  if (weight && inside)
    weight = inside->choose(*weight, Term::number(space, 0));

  Value rows = n.create<GatherOp>(table, row.value(), 0);
  mlir::Type tableType = elementTypeOf(table);
  TermSpace samples{n, getDims(rows), tableType};
  SmallVector<int64_t> allAxes = range(0, lead + spatial + 1);
  if (!weight) {
    if (inside)
      rows = Term::spread(samples, inside->value(), allAxes)
                 .choose(Term(n, rows), Term::number(samples, 0))
                 .value();
  } else {
    Term wide = Term(n, rows).to(element);
    rows = (wide * Term::spread(samples.with(element), weight->value(), allAxes)).value();
  }
  if (plan.mode == SampleMode::nearest) {
    SmallVector<DimAttr> dims = pointDims;
    dims.push_back(samples.dims.back());
    return n.cast(n.reshape(rows, dims), tableType);
  }
  Value sum = n.create<ReduceOp>(rows, ReduceKind::sum, range(lead, lead + spatial), false);
  return n.cast(sum, tableType);
}

} // namespace torsh::onnx
