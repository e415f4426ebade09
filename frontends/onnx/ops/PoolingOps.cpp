//===-- PoolingOps.cpp - Window and global pools
//------------------------------------------------------------===//
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/MaxIndices.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

FailureOr<SpatialWindow> readPool(NodeImport &n) { return readWindow(n, n.typeOf(0).getRank() - 2, {}); }

LogicalResult importMaxPool(NodeImport &n) {
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
