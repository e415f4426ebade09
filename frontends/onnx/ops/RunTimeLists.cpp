//===-- RunTimeLists.cpp - Axes, bounds and shapes that only the run knows ----------------------------------===//
#include "frontends/onnx/ops/RunTimeLists.h"
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ops/Compose.h"

using namespace mlir;

namespace torsh::onnx {

using Dims = SmallVector<DimAttr>;

//===-- Lists ------------------------------------------------------------------------------------------------===//

Value Lists::operand(size_t i) {
  RankedTensorType type = n.typeOf(i);
  if (type.getRank() > 1 || !type.hasStaticShape() || !isa<IntegerType>(type.getElementType())) {
    (void)n.unsupported("the length of operand " + Twine(i) + " must be known");
    return {};
  }
  return n.cast(n.reshape(n.operand(i), {dim::constant(n.context(), type.getNumElements())}),
                n.builder.getI64Type());
}

Value Lists::constant(ArrayRef<int64_t> values) {
  torsh::Tensor tensor = torsh::Tensor::zeros(n.builder.getI64Type(), {int64_t(values.size())});
  tensor.ints.assign(values.begin(), values.end());
  return n.graph.constant(tensor, n.loc);
}

Value Lists::iota(int64_t count) { return constant(range(0, count)); }

Value Lists::compare(Value a, ComparePredicate predicate, Value b) {
  auto type = withElementType(mlir::cast<RankedTensorType>(a.getType()), n.builder.getI1Type());
  return CompareOp::create(n.builder, n.loc, type, a, b, predicate);
}

Value Lists::select(Value condition, Value a, Value b) {
  return SelectOp::create(n.builder, n.loc, a.getType(), condition, a, b);
}

Value Lists::gather(Value list, Value indices) { return n.create<GatherOp>(list, indices, int64_t(0)); }

Value Lists::put(Value whole, Value indices, Value values) {
  return ScatterElementsOp::create(n.builder, n.loc, whole.getType(), whole, indices, values, int64_t(0),
                                   ScatterKind::replace);
}

Value Lists::at(Value list, int64_t i) {
  DimAttr one = dim::constant(n.context(), 1);
  return n.reshape(sliceAxis(n, list, 0, dim::constant(n.context(), i), one), {});
}

int64_t Lists::length(Value list) { return mlir::cast<RankedTensorType>(list.getType()).getDimSize(0); }

Value Lists::axes(Value list, int64_t rank) {
  Value zero = n.splatLike(list, 0);
  return select(compare(list, ComparePredicate::lt, zero), add(list, rank), list);
}

Value Lists::mask(Value list, int64_t rank) {
  Value hit = put(constant(SmallVector<int64_t>(rank, 0)), axes(list, rank), n.splatLike(list, 1));
  return compare(hit, ComparePredicate::ne, n.splatLike(hit, 0));
}

//===-- Reductions -------------------------------------------------------------------------------------------===//

/// The elements of `list` where `mask` is false, in order; `count` of them.
static Value withoutMasked(NodeImport &n, Value list, Value mask, int64_t count) {
  Lists l(n);
  Value kept = l.select(mask, n.splatLike(list, 0), n.splatLike(list, 1));
  // What goes is written behind the last place.
  Value place = CumSumOp::create(n.builder, n.loc, kept.getType(), kept, int64_t(0), true, false);
  place = l.select(mask, n.splatLike(place, double(count)), place);
  Value all = l.put(l.constant(SmallVector<int64_t>(count + 1, 0)), place, list);
  return sliceAxis(n, all, 0, dim::constant(n.context(), 0), dim::constant(n.context(), count));
}

SplitReduction splitReduction(NodeImport &n, Value x, Value axes, bool keepDims) {
  Lists l(n);
  Dims from = getDims(x);
  int64_t rank = from.size();
  Value sizes = n.fromDims(from), mask = l.mask(axes, rank), one = n.splatLike(sizes, 1);
  Value outer = l.select(mask, one, sizes), inner = l.select(mask, sizes, one);
  Dims kept = n.bindSizes(outer, "kept"), reduced = n.bindSizes(inner, "reduced");
  SplitReduction result;
  for (int64_t i = 0; i < rank; ++i) {
    n.unify(dim::mul(kept[i], reduced[i]), from[i], "a dim is reduced or kept");
    result.pairs.append({kept[i], reduced[i]});
  }
  result.kept = kept;
  if (!keepDims) {
    int64_t count = rank - l.length(axes);
    result.kept = count > 0 ? n.bindSizes(withoutMasked(n, sizes, mask, count), "kept") : Dims();
    n.unify(dim::product(n.context(), result.kept), dim::product(n.context(), kept),
            "the axes of a reduction are different");
  }
  return result;
}

Dims splitAt(NodeImport &n, Value x, Value axis) {
  Lists l(n);
  Dims from = getDims(x), result;
  int64_t rank = from.size();
  Value at = n.broadcastTo(l.axes(axis, rank), {dim::constant(n.context(), rank)});
  Value sizes = n.fromDims(from), one = n.splatLike(sizes, 1), places = l.iota(rank);
  for (ComparePredicate where : {ComparePredicate::lt, ComparePredicate::eq, ComparePredicate::gt}) {
    Value factors = l.select(l.compare(places, where, at), sizes, one);
    result.append(
        n.bindSizes(n.create<ReduceOp>(factors, ReduceKind::prod, ArrayRef<int64_t>{0}, true), "size"));
  }
  if (!n.unify(dim::product(n.context(), from), dim::product(n.context(), result), "an axis parts the dims"))
    (void)n.malformed("the axis does not part the dims");
  return result;
}

//===-- Squeeze and Unsqueeze --------------------------------------------------------------------------------===//

static Value reshapeTo(NodeImport &n, Value x, Dims dims, const Twine &why) {
  if (!n.unify(dim::product(n.context(), getDims(x)), dim::product(n.context(), dims), why))
    (void)n.malformed("the shapes have different numbers of elements");
  return n.reshape(x, dims);
}

Value squeeze(NodeImport &n, Value x, Value axes) {
  Lists l(n);
  Dims from = getDims(x);
  int64_t count = int64_t(from.size()) - l.length(axes);
  if (count <= 0)
    return reshapeTo(n, x, {}, "Squeeze removes unit dims");
  Value sizes = n.fromDims(from);
  Value kept = withoutMasked(n, sizes, l.mask(axes, from.size()), count);
  return reshapeTo(n, x, n.bindSizes(kept, "kept"), "Squeeze removes unit dims");
}

Value unsqueeze(NodeImport &n, Value x, Value axes) {
  Lists l(n);
  Dims from = getDims(x);
  int64_t rank = int64_t(from.size()) + l.length(axes);
  if (from.empty())
    return n.reshape(x, Dims(rank, dim::constant(n.context(), 1)));
  Value mask = l.mask(axes, rank), zero = l.constant(SmallVector<int64_t>(rank, 0));
  Value kept = l.select(mask, zero, l.add(zero, 1));
  Value source = CumSumOp::create(n.builder, n.loc, kept.getType(), kept, int64_t(0), true, false);
  source = l.min(source, l.add(zero, int64_t(from.size()) - 1));
  Value sizes = l.select(mask, l.add(zero, 1), l.gather(n.fromDims(from), source));
  return reshapeTo(n, x, n.bindSizes(sizes, "size"), "Unsqueeze adds unit dims");
}

//===-- Slice and Reshape ------------------------------------------------------------------------------------===//

Value sliceByLists(NodeImport &n, Value x, Value starts, Value ends, Value axes, Value steps) {
  Lists l(n);
  Dims from = getDims(x);
  int64_t rank = from.size(), count = l.length(starts);
  if (rank == 0 || count == 0)
    return x;
  Value axisList = axes ? l.axes(axes, rank) : l.iota(count);
  if (!steps)
    steps = n.splatLike(starts, 1);
  Value sizes = l.gather(n.fromDims(from), axisList), zero = n.splatLike(starts, 0),
        one = n.splatLike(starts, 1);
  auto forward = l.compare(steps, ComparePredicate::gt, zero);
  // A bound counts from the end when negative, and is cut to [0, size] forwards and [-1, size - 1] backwards.
  auto bound = [&](Value list) {
    Value last = l.sub(sizes, one);
    Value wrapped = l.select(l.compare(list, ComparePredicate::lt, zero), l.add(list, sizes), list);
    Value ahead = l.min(l.max(wrapped, zero), sizes),
          back = l.min(l.max(wrapped, n.splatLike(list, -1)), last);
    return l.select(forward, ahead, back);
  };
  // The largest integers stand for "to the end"; their sums with sizes must not wrap.
  auto cut = [&](Value list) {
    double most = double(int64_t(1) << 40);
    return l.min(l.max(list, n.splatLike(list, -most)), n.splatLike(list, most));
  };
  Value start = bound(cut(starts)), end = bound(cut(ends));
  Value step = l.select(l.compare(steps, ComparePredicate::eq, zero), one, cut(steps));
  Value span = l.select(forward, l.sub(end, start), l.sub(start, end));
  Value stride = n.create<AbsOp>(step);
  // ceil(span / stride) of what is not negative.
  Value size = n.create<DivOp>(l.add(l.max(span, zero), l.sub(stride, one)), stride);
  Value allSizes = n.fromDims(from), allStarts = n.splatLike(allSizes, 0),
        allSteps = n.splatLike(allSizes, 1);
  allSizes = l.put(allSizes, axisList, size);
  allStarts = l.put(allStarts, axisList, start);
  allSteps = l.put(allSteps, axisList, step);
  Dims result = n.bindSizes(allSizes, "size");
  for (int64_t axis = 0; axis < rank; ++axis) {
    if (!axes && axis >= count) // no bounds were given
      continue;
    auto type = makeTensorType({result[axis]}, n.builder.getI64Type());
    Value at = IotaOp::create(n.builder, n.loc, type, 0);
    at = l.add(l.mul(at, n.broadcastTo(l.at(allSteps, axis), {result[axis]})),
               n.broadcastTo(l.at(allStarts, axis), {result[axis]}));
    x = n.create<GatherOp>(x, at, axis);
  }
  return x;
}

Dims resolveReshape(NodeImport &n, ArrayRef<DimAttr> from, ArrayRef<DimAttr> target, bool allowZero) {
  DimAttr one = dim::constant(n.context(), 1), zero = dim::constant(n.context(), 0);
  // -1 stands as 1 until the others are known.
  Dims fixed, inferred;
  for (auto [i, value] : llvm::enumerate(target)) {
    DimAttr negative = dim::max(zero, dim::neg(value));
    DimAttr size = dim::add(value, dim::mul(negative, dim::constant(n.context(), 2)));
    if (!allowZero && i < from.size()) {
      DimAttr isZero =
          dim::sub(one, dim::min(one, dim::add(value, dim::mul(negative, dim::constant(n.context(), 2)))));
      size = dim::add(size, dim::mul(isZero, from[i]));
    }
    fixed.push_back(size);
    inferred.push_back(negative);
  }
  fixed = n.nameSizes(fixed, "size");
  inferred = n.nameSizes(inferred, "inferred");
  DimAttr total = dim::product(n.context(), from);
  DimAttr rest = dim::floorDiv(total, dim::max(one, dim::product(n.context(), fixed)));
  Dims result;
  for (auto [size, isInferred] : llvm::zip_equal(fixed, inferred))
    result.push_back(dim::add(size, dim::mul(isInferred, dim::sub(rest, one))));
  return n.nameSizes(result, "size");
}

} // namespace torsh::onnx
