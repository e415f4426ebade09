//===-- DeformConvOps.cpp - Convolution whose taps move ----------------------------------------------------===//
//
// The taps of each output position are sampled from x where the offsets put them; what is left is a matrix product of
// these columns with the weights.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/SampleRows.h"
#include "frontends/onnx/ops/SpatialWindow.h"
#include "frontends/onnx/ops/TopicTables.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

using Dims = SmallVector<DimAttr>;

/// Strides, dilations and pads. The window's extent may be symbolic, which none of these needs.
FailureOr<SpatialWindow> readDeformWindow(NodeImport &n, int64_t spatial) {
  if (std::optional<SmallVector<int64_t>> shape = n.intsAttr("kernel_shape"); shape && !shape->empty()) {
    for (int64_t i = 0; i < std::min<int64_t>(spatial, shape->size()); ++i)
      if (!n.unify(getDims(n.operand(1))[i + 2], dim::constant(n.context(), (*shape)[i]), "kernel_shape"))
        return LogicalResult(n.malformed("kernel_shape is not the shape of the weights"));
    return readWindow(n, spatial, *shape);
  }
  return readWindow(n, spatial, SmallVector<int64_t>(spatial, 1));
}

struct DeformConv {
  NodeImport &n;
  SpatialWindow window;
  Value x, w, offset;
  int64_t spatial, groups, offsetGroups;
  Dims xDims, wDims, taps, outs;
  DimAttr share, outputs; ///< channels of an offset group, and of a group of the result

  explicit DeformConv(NodeImport &n) : n(n) {}
  DimAttr number(int64_t value) { return dim::constant(n.context(), value); }
  DimAttr product(ArrayRef<DimAttr> dims) { return dim::product(n.context(), dims); }
  Dims joined(std::initializer_list<ArrayRef<DimAttr>> parts) {
    Dims all;
    for (ArrayRef<DimAttr> part : parts)
      llvm::append_range(all, part);
    return all;
  }

  /// A `parts`-th of a size, which must divide it; none after a refusal.
  std::optional<DimAttr> partOf(DimAttr size, int64_t parts);
  LogicalResult read();
  Value columns();
  Value convolve(Value columns);
};

std::optional<DimAttr> DeformConv::partOf(DimAttr size, int64_t parts) {
  if (std::optional<DimAttr> exact = dim::exactQuotient(size, number(parts)))
    return exact;
  DimAttr part = dim::floorDiv(size, number(parts));
  if (n.unify(dim::mul(part, number(parts)), size, "channels are divided into groups"))
    return part;
  (void)n.malformed("the channels are not divisible by the groups");
  return std::nullopt;
}

LogicalResult DeformConv::read() {
  if (failed(requireFloat(n, 0)) || failed(requireInputs(n, 3)) || failed(requireRank(n, 0, 3)))
    return failure();
  x = n.operand(0);
  w = n.operand(1);
  offset = n.operand(2);
  spatial = rankOf(x) - 2;
  if (rankOf(w) != spatial + 2 || rankOf(offset) != spatial + 2)
    return n.malformed("x, w and the offsets must have one rank");
  FailureOr<SpatialWindow> read = readDeformWindow(n, spatial);
  if (failed(read))
    return failure();
  window = *read;
  groups = n.intAttr("group", 1);
  offsetGroups = n.intAttr("offset_group", 1);
  if (groups < 1 || offsetGroups < 1)
    return n.malformed("group and offset_group must be positive");
  if (!n.unify(getDims(x)[1], dim::mul(getDims(w)[1], number(groups)), "the channels of x and w"))
    return n.malformed("the channels of x and w do not belong together");
  DimAttr kernel = product(ArrayRef<DimAttr>(getDims(w)).drop_front(2));
  if (!n.unify(getDims(offset)[1], dim::mul(kernel, number(offsetGroups * spatial)), "offsets of the taps") ||
      !n.unify(getDims(offset)[0], getDims(x)[0], "batches of x and the offsets"))
    return n.malformed("there must be " + Twine(spatial) + " offsets a tap and offset group");
  std::optional<DimAttr> each = partOf(getDims(x)[1], offsetGroups), output = partOf(getDims(w)[0], groups);
  if (!each || !output)
    return failure();
  share = *each;
  outputs = *output;
  xDims = getDims(x);
  wDims = getDims(w);
  taps.assign(wDims.begin() + 2, wDims.end());
  Dims offsetDims = getDims(offset);
  outs.assign(offsetDims.begin() + 2, offsetDims.end());
  return success();
}

/// [N, offset groups, taps, outs, channels of a group].
Value DeformConv::columns() {
  DimAttr og = number(offsetGroups);
  TermSpace space{n, joined({{xDims[0], og}, taps, outs}), coordinateType(n, {x, offset})};
  Dims lead{xDims[0], og, product(taps)}, points = lead;
  points.push_back(product(outs));
  Value moves = n.reshape(offset, joined({{xDims[0], og}, taps, {number(spatial)}, outs}));
  SamplePlan plan;
  plan.alignCorners = true;
  for (int64_t i = 0; i < spatial; ++i) {
    Value own = n.reshape(sliceAxis(n, moves, 2 + spatial, number(i), number(1)), space.dims);
    Term tap = Term::iota(space, 2 + i) * double(window.dilations[i]);
    Term start = Term::iota(space, 2 + spatial + i) * double(window.strides[i]) - double(window.low[i]);
    Term at = start + tap + Term(n, own).to(space.element);
    plan.coordinates.push_back(n.reshape(at.value(), points));
    plan.sizes.push_back(xDims[i + 2]);
  }
  if (Value mask = n.optionalOperand(4))
    plan.factor = n.reshape(mask, points);
  // A row for each element of an image has the channels of one offset group.
  DimAttr image = product(plan.sizes);
  Value table = n.reshape(x, {xDims[0], og, share, image});
  table = n.reshape(n.transpose(table, {0, 1, 3, 2}), {dim::mul(dim::mul(xDims[0], og), image), share});
  TermSpace starts{n, lead, n.builder.getI64Type()};
  Term image0 = Term::iota(starts, 0) * double(offsetGroups) + Term::iota(starts, 1);
  plan.firstRow = (image0 * Term::size(starts, image)).value();
  return sampleRows(n, table, plan);
}

/// The columns times the weights: [N, O, outs..].
Value DeformConv::convolve(Value sampled) {
  DimAttr g = number(groups), kernel = product(taps), points = product(outs);
  DimAttr depth = dim::mul(wDims[1], kernel);
  // [N, og, taps, P, c] -> [N, og, c, taps, P]: channels in order, their taps behind them.
  Value columns = n.reshape(n.transpose(sampled, {0, 1, 4, 2, 3}), {xDims[0], g, depth, points});
  Value weights = n.reshape(w, {g, outputs, depth});
  Value y = n.create<DotGeneralOp>(weights, columns, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{1},
                                   ArrayRef<int64_t>{2}, ArrayRef<int64_t>{2});
  // [g, o, N, P] -> [N, g, o, P]
  return n.reshape(n.transpose(y, {2, 0, 1, 3}), joined({{xDims[0], wDims[0]}, outs}));
}

LogicalResult importDeformConv(NodeImport &n) {
  DeformConv conv(n);
  if (failed(conv.read()))
    return failure();
  Value y = conv.convolve(conv.columns());
  if (Value bias = n.optionalOperand(3)) {
    if (rankOf(bias) != 1 || !n.unify(getDims(bias)[0], getDims(y)[1], "the bias of DeformConv"))
      return n.malformed("the bias must have one entry an output channel");
    y = n.create<AddOp>(y, alongAxis(n, bias, 1, y));
  }
  n.setResult(0, y);
  return success();
}

} // namespace

void addDeformConvOps(OpTable &table) { table.add("", "DeformConv", 19, importDeformConv); }

} // namespace torsh::onnx
