//===-- PoolingOps.cpp - Window and global pools
//------------------------------------------------------------===//
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/MaxIndices.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

FailureOr<SpatialWindow> readPool(NodeImport &n) { return readWindow(n, n.typeOf(0).getRank() - 2, {}); }

//===-- Maxima with their places
//-----------------------------------------------------------------------------------===//

/// The output size of a pool along one dim, as torsh.max_pool has it.
DimAttr pooledSize(NodeImport &n, const SpatialWindow &w, size_t i, DimAttr size, bool ceilMode) {
  auto number = [&](int64_t value) { return dim::constant(n.context(), value); };
  DimAttr room = dim::sub(dim::add(size, number(w.low[i] + w.high[i])), number(w.extent(i)));
  DimAttr stride = number(w.strides[i]);
  if (!ceilMode)
    return dim::add(dim::floorDiv(room, stride), number(1));
  // The last window must start inside the input or its low padding.
  DimAttr inside = dim::ceilDiv(dim::add(size, number(w.low[i])), stride);
  return n.graph.dims.min(dim::add(dim::ceilDiv(room, stride), number(1)), inside);
}

/// The maxima of windows and where they are, one dim after the other: of equal maxima the first in row-major order wins
/// either way. `place` is the linear place of each element in its plane, -1 for padding, which never wins.
void poolWithPlaces(NodeImport &n, const SpatialWindow &w, bool ceilMode, Value &x, Value &place) {
  mlir::Type i1 = n.builder.getI1Type();
  for (size_t i = w.size(); i-- > 0;) {
    int64_t axis = i + 2;
    DimAttr size = getDims(x)[axis], pooled = pooledSize(n, w, i, size, ceilMode);
    auto number = [&](int64_t value) { return dim::constant(n.context(), value); };
    // What the last window needs beyond the input, with all dims of a tap inside.
    DimAttr last = dim::add(dim::mul(dim::sub(pooled, number(1)), number(w.strides[i])), number(w.extent(i)));
    SmallVector<DimAttr> low(rankOf(x), number(0)), high = low;
    low[axis] = number(w.low[i]);
    high[axis] = n.graph.dims.max(number(0), dim::sub(last, dim::add(size, low[axis])));
    auto padded = [&](Value value, double fill) {
      return n.create<PadOp>(value, n.scalar(elementTypeOf(value), fill), DimsAttr::get(n.context(), low),
                             DimsAttr::get(n.context(), high), PadMode::constant);
    };
    Value values = padded(x, 0), places = padded(place, -1), best, where;
    for (int64_t tap = 0; tap < w.kernel[i]; ++tap) {
      auto take = [&](Value value) {
        SmallVector<DimAttr> starts(rankOf(value), number(0)), sizes = getDims(value);
        SmallVector<int64_t> steps(rankOf(value), 1);
        starts[axis] = number(tap * w.dilations[i]);
        sizes[axis] = pooled;
        steps[axis] = w.strides[i];
        return n.create<SliceOp>(value, DimsAttr::get(n.context(), starts), DimsAttr::get(n.context(), sizes),
                                 steps);
      };
      Value value = take(values), at = take(places);
      if (!best) {
        best = value;
        where = at;
        continue;
      }
      auto flags = withElementType(cast<RankedTensorType>(value.getType()), i1);
      Value wins = n.create<CompareOp>(flags, value, best, ComparePredicate::gt);
      if (isa<FloatType>(elementTypeOf(value))) {
        Value isNan = n.create<IsNanOp>(flags, value), wasNan = n.create<IsNanOp>(flags, best);
        wins = n.create<OrOp>(wins, n.create<SelectOp>(wasNan, n.splat(flags, 0), isNan));
      }
      wins = n.create<OrOp>(wins, compareNumber(n, where, ComparePredicate::lt, 0));
      wins = n.create<AndOp>(wins, compareNumber(n, at, ComparePredicate::ge, 0));
      best = n.create<SelectOp>(wins, value, best);
      where = n.create<SelectOp>(wins, at, where);
    }
    x = best;
    place = where;
  }
}

/// The linear index of each element of x in the whole tensor; `columnMajor` counts along the first spatial dim first.
Value linearPlaces(NodeImport &n, Value x, bool columnMajor) {
  SmallVector<DimAttr> dims = getDims(x);
  RankedTensorType type = makeTensorType(dims, n.builder.getI64Type());
  SmallVector<int64_t> order = range(0, rankOf(x));
  if (columnMajor)
    std::reverse(order.begin() + 2, order.end());
  Value index = n.create<IotaOp>(type, order[0]);
  for (int64_t axis : ArrayRef(order).drop_front()) {
    Value size = n.broadcastTo(n.fromDims({dims[axis]}, true), dims);
    index = n.create<AddOp>(n.create<MulOp>(index, size), n.create<IotaOp>(type, axis));
  }
  return index;
}

LogicalResult importMaxPoolWithIndices(NodeImport &n) {
  FailureOr<SpatialWindow> window = readPool(n);
  if (failed(window))
    return failure();
  Value x = n.operand(0);
  if (window->isSame())
    for (size_t i = 0; i < window->size(); ++i)
      if (window->strides[i] != 1 && !dim::asConstant(getDims(x)[i + 2]))
        return n.unsupported("auto_pad SAME with Indices needs static spatial sizes (give them with --dim)");
  if (failed(resolveSame(n, *window, x, std::nullopt)))
    return failure();
  Value place = linearPlaces(n, x, n.intAttr("storage_order", 0) != 0);
  poolWithPlaces(n, *window, n.intAttr("ceil_mode", 0) != 0, x, place);
  n.setResult(0, x);
  n.setResult(1, place);
  return success();
}

LogicalResult importMaxPool(NodeImport &n) {
  if (wantsOutput(n, 1))
    return importMaxPoolWithIndices(n);
  FailureOr<SpatialWindow> window = readPool(n);
  if (failed(window))
    return failure();
  Value x = n.operand(0);
  std::optional<double> fill;
  // Indices count in x as it is, so then x is not padded.
  if (isa<FloatType>(elementTypeOf(x)) && !wantsOutput(n, 1))
    fill = -std::numeric_limits<double>::infinity();
  if (failed(resolveSame(n, *window, x, fill)))
    return failure();
  Value y = n.create<MaxPoolOp>(x, window->kernel, window->strides, window->dilations, window->low,
                                window->high, n.intAttr("ceil_mode", 0) != 0, Layout::channels_first);
  n.setResult(0, y);
  if (wantsOutput(n, 1))
    n.setResult(1, maxIndices(n, x, *window, y, n.intAttr("storage_order", 0) != 0));
  return success();
}

LogicalResult importAveragePool(NodeImport &n) {
  if (failed(requireFloat(n, 0)))
    return failure();
  FailureOr<SpatialWindow> window = readPool(n);
  if (failed(window))
    return failure();
  Value x = n.operand(0);
  if (failed(resolveSame(n, *window, x, std::nullopt)))
    return failure();
  n.setResult(0, n.create<AvgPoolOp>(x, window->kernel, window->strides, window->dilations, window->low,
                                     window->high, n.intAttr("count_include_pad", 0) != 0,
                                     n.intAttr("ceil_mode", 0) != 0, Layout::channels_first));
  return success();
}

/// |x|^p and its inverse, without powers for the usual p.
Value raise(NodeImport &n, Value x, double p) {
  if (p == 2)
    return n.create<MulOp>(x, x);
  x = n.create<AbsOp>(x);
  return p == 1 ? x : n.create<PowOp>(x, n.splatLike(x, p));
}
Value takeRoot(NodeImport &n, Value x, double p) {
  if (p == 2)
    return n.create<SqrtOp>(x);
  return p == 1 ? x : n.create<PowOp>(x, n.splatLike(x, 1 / p));
}

/// p is a float in opset 1 and an int from 2 on.
double readP(NodeImport &n) {
  const Attribute *p = n.attribute("p");
  if (!p)
    return 2;
  return p->kind == Attribute::Kind::Float ? p->f : static_cast<double>(p->i);
}

/// The p-norm of windows: a mean over zero-padded windows times their size.
LogicalResult importLpPool(NodeImport &n) {
  if (failed(requireFloat(n, 0)))
    return failure();
  FailureOr<SpatialWindow> window = readPool(n);
  if (failed(window))
    return failure();
  SpatialWindow &w = *window;
  Value x = n.operand(0);
  double p = readP(n);
  if (p <= 0)
    return n.malformed("p must be positive");
  if (failed(resolveSame(n, w, x, 0.0)))
    return failure();
  double size = 1;
  for (size_t i = 0; i < w.size(); ++i) {
    size *= w.kernel[i];
    if (!n.intAttr("ceil_mode", 0))
      continue;
    std::optional<int64_t> extent = dim::asConstant(getDims(x)[i + 2]);
    if (!extent)
      return n.unsupported("ceil_mode needs static spatial sizes (give them with --dim)");
    int64_t room = *extent + w.low[i] + w.high[i] - w.extent(i);
    int64_t last = room < 0 ? 0 : (room + w.strides[i] - 1) / w.strides[i] * w.strides[i];
    if (last >= *extent + w.low[i])
      last -= w.strides[i];
    w.high[i] += std::max<int64_t>(0, last - room);
  }
  Value mean = n.create<AvgPoolOp>(raise(n, x, p), w.kernel, w.strides, w.dilations, w.low, w.high, true,
                                   false, Layout::channels_first);
  n.setResult(0, takeRoot(n, scale(n, mean, size), p));
  return success();
}

template <ReduceKind kind> LogicalResult importGlobalPool(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireRank(n, 0, 2)))
    return failure();
  Value x = n.operand(0);
  SmallVector<int64_t> axes = range(2, rankOf(x));
  n.setResult(0, axes.empty() ? x : n.create<ReduceOp>(x, kind, axes, true));
  return success();
}

LogicalResult importGlobalLpPool(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireRank(n, 0, 3)))
    return failure();
  Value x = n.operand(0);
  double p = readP(n);
  if (p <= 0)
    return n.malformed("p must be positive");
  Value sum = n.create<ReduceOp>(raise(n, x, p), ReduceKind::sum, range(2, rankOf(x)), true);
  n.setResult(0, takeRoot(n, sum, p));
  return success();
}

} // namespace

void addPoolingOps(OpTable &table) {
  table.add("", "MaxPool", 1, importMaxPool);
  table.add("", "AveragePool", 1, importAveragePool);
  table.add("", "LpPool", 1, importLpPool);
  table.add("", "GlobalMaxPool", 1, importGlobalPool<ReduceKind::max>);
  table.add("", "GlobalAveragePool", 1, importGlobalPool<ReduceKind::mean>);
  table.add("", "GlobalLpPool", 1, importGlobalLpPool);
}

} // namespace torsh::onnx
