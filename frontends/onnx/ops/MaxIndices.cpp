//===-- MaxIndices.cpp - Where the maxima of pooling windows are --------------------------------------------===//
//
// A tap outside of x reads the nearest tap of its window that is inside. That element is in the window anyway and the
// order of the taps stays, so the first maximum is the one that a search without those taps finds, whatever the values.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/MaxIndices.h"
#include "frontends/onnx/ops/Term.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

using Dims = SmallVector<DimAttr>;

/// The position along dim i of x of a window's tap.
Term placeOf(const SpatialWindow &w, size_t i, DimAttr size, const Term &output, const Term &tap) {
  Term start = output * double(w.strides[i]) - double(w.low[i]);
  double step = w.dilations[i];
  // The first tap at 0 or later, and the last one before the end; a window has at least one between them.
  Term first = (start.negated().max(0) + (step - 1)) / step;
  Term last = (Term::size(start.space(), size) - 1 - start).max(0) / step;
  return start + tap.max(first).min(last) * step;
}

} // namespace

Value maxIndices(NodeImport &n, Value x, const SpatialWindow &w, Value y, bool columnMajor) {
  Dims dims = getDims(x), outs = getDims(y);
  int64_t spatial = w.size();
  mlir::Type i64 = n.builder.getI64Type();
  ArrayRef<DimAttr> sizes = ArrayRef(dims).drop_front(2);
  DimAttr planes = dim::mul(dims[0], dims[1]), image = dim::product(n.context(), sizes),
          points = dim::product(n.context(), ArrayRef(outs).drop_front(2));
  int64_t count = 1;
  TermSpace windows{n, {}, i64};
  for (int64_t size : w.kernel) {
    windows.dims.push_back(dim::constant(n.context(), size));
    count *= size;
  }
  windows.dims.append(outs.begin() + 2, outs.end());
  SmallVector<Term> places;
  for (int64_t i = 0; i < spatial; ++i)
    places.push_back(placeOf(w, i, sizes[i], Term::iota(windows, spatial + i), Term::iota(windows, i)));
  Value rows = n.reshape(linearPosition(places, sizes).value(), {dim::constant(n.context(), count), points});
  Value read = n.create<GatherOp>(n.reshape(x, {planes, image}), rows, 1);
  Value best = n.create<ArgReduceOp>(read, ReduceKind::max, 1, false, false);

  // Back from the number of the tap to its position.
  TermSpace result{n, outs, i64};
  Term rest(n, n.reshape(best, outs));
  SmallVector<Term> found(spatial, rest);
  for (int64_t i = spatial; i-- > 0;) {
    found[i] = placeOf(w, i, sizes[i], Term::iota(result, i + 2), rest.mod(double(w.kernel[i])));
    rest = rest / double(w.kernel[i]);
  }
  Dims order(sizes);
  if (columnMajor) {
    std::reverse(found.begin(), found.end());
    std::reverse(order.begin(), order.end());
  }
  Term plane = Term::iota(result, 0) * Term::size(result, dims[1]) + Term::iota(result, 1);
  return (plane * Term::size(result, image) + linearPosition(found, order)).value();
}

} // namespace torsh::onnx
