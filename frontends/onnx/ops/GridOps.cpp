//===-- GridOps.cpp - GridSample and AffineGrid -------------------------------------------------------------===//
#include "frontends/onnx/ops/SampleRows.h"
#include "frontends/onnx/ops/TopicTables.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// An image [N, C, spatial..] as a table with one row of C channels an element.
Value channelRows(NodeImport &n, Value x) {
  SmallVector<DimAttr> dims = getDims(x);
  SmallVector<int64_t> order{0};
  order.append(range(2, dims.size()));
  order.push_back(1);
  DimAttr rows = dim::mul(dims[0], dim::product(n.context(), ArrayRef(dims).drop_front(2)));
  return n.reshape(n.transpose(x, order), {rows, dims[1]});
}

/// Opset 16 names the modes after two dims, opset 20 for any number of them.
std::optional<SampleMode> readMode(StringRef mode) {
  return llvm::StringSwitch<std::optional<SampleMode>>(mode)
      .Cases({"linear", "bilinear"}, SampleMode::linear)
      .Cases({"cubic", "bicubic"}, SampleMode::cubic)
      .Case("nearest", SampleMode::nearest)
      .Default(std::nullopt);
}

std::optional<SamplePadding> readPadding(StringRef padding) {
  return llvm::StringSwitch<std::optional<SamplePadding>>(padding)
      .Case("zeros", SamplePadding::zeros)
      .Case("border", SamplePadding::border)
      .Case("reflection", SamplePadding::reflection)
      .Default(std::nullopt);
}

LogicalResult importGridSample(NodeImport &n) {
  if (failed(requireInputs(n, 2)) || failed(requireRank(n, 0, 3)) || failed(requireFloat(n, 1)))
    return failure();
  Value x = n.operand(0), grid = n.operand(1);
  int64_t spatial = rankOf(x) - 2;
  if (rankOf(grid) != rankOf(x) ||
      !n.unify(getDims(grid).back(), dim::constant(n.context(), spatial), "a coordinate a spatial dim"))
    return n.malformed("the grid must have the rank of x and " + Twine(spatial) + " coordinates a point");
  if (!n.unify(getDims(x)[0], getDims(grid)[0], "batches of GridSample"))
    return n.malformed("x and the grid have different batches");
  SamplePlan plan;
  std::optional<SampleMode> mode = readMode(n.stringAttr("mode", n.opset < 20 ? "bilinear" : "linear"));
  std::optional<SamplePadding> padding = readPadding(n.stringAttr("padding_mode", "zeros"));
  if (!mode || !padding)
    return n.malformed("mode or padding_mode has an unknown value");
  mlir::Type element = elementTypeOf(x);
  if (*mode != SampleMode::nearest && !isa<FloatType>(element))
    return n.unsupported("elements of " + typeText(element) + " are sampled in mode nearest only");
  plan.mode = *mode;
  plan.padding = *padding;
  plan.alignCorners = n.intAttr("align_corners", 0) != 0;

  SmallVector<DimAttr> dims = getDims(x), gridDims = getDims(grid);
  DimAttr points = dim::product(n.context(), ArrayRef(gridDims).drop_front().drop_back());
  TermSpace space{n, {dims[0], points}, coordinateType(n, {x, grid})};
  Value flat = n.reshape(grid, {dims[0], points, gridDims.back()});
  for (int64_t i = 0; i < spatial; ++i) {
    // The coordinates of a point stand in reverse order: the last dim's first.
    Value own =
        sliceAxis(n, flat, 2, dim::constant(n.context(), spatial - 1 - i), dim::constant(n.context(), 1));
    Term at = Term(n, n.reshape(own, space.dims)).to(space.element);
    Term size = Term::size(space, dims[i + 2]);
    at = plan.alignCorners ? (at + 1) / 2 * (size - 1) : ((at + 1) * size - 1) / 2;
    plan.coordinates.push_back(at.value());
    plan.sizes.push_back(dims[i + 2]);
  }
  TermSpace batches{n, {dims[0]}, n.builder.getI64Type()};
  DimAttr image = dim::product(n.context(), plan.sizes);
  plan.firstRow = (Term::iota(batches, 0) * Term::size(batches, image)).value();
  Value sampled = sampleRows(n, channelRows(n, x), plan);
  // [N, P, C] -> [N, C, out..]
  SmallVector<DimAttr> result{dims[0], dims[1]};
  result.append(gridDims.begin() + 1, gridDims.end() - 1);
  n.setResult(0, n.reshape(n.transpose(sampled, {0, 2, 1}), result));
  return success();
}

/// theta [N, r, r + 1] times the homogeneous coordinates of the centers of a grid that spans -1 to 1.
LogicalResult importAffineGrid(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireInputs(n, 2)))
    return failure();
  std::optional<SmallVector<DimAttr>> size = n.shapeValue(1);
  if (!size)
    return n.unsupported("the size must be computed from constants and from sizes of the inputs");
  Value theta = n.operand(0);
  int64_t spatial = int64_t(size->size()) - 2;
  if (rankOf(theta) != 3 || (spatial != 2 && spatial != 3))
    return n.malformed("theta must have rank 3 and the size 4 or 5 entries");
  DimAttr rows = dim::constant(n.context(), spatial), columns = dim::constant(n.context(), spatial + 1);
  if (!n.unify(getDims(theta)[1], rows, "rows of theta") ||
      !n.unify(getDims(theta)[2], columns, "columns of theta") ||
      !n.unify(getDims(theta)[0], size->front(), "batches of AffineGrid"))
    return n.malformed("theta must be [" + dim::toString(size->front()) + ", " + Twine(spatial) + ", " +
                       Twine(spatial + 1) + "]");
  mlir::Type type = coordinateType(n, {theta});
  TermSpace space{n, {getDims(theta)[0], rows}, type};
  space.dims.append(size->begin() + 2, size->end());
  auto column = [&](int64_t i) {
    Value own = sliceAxis(n, theta, 2, dim::constant(n.context(), i), dim::constant(n.context(), 1));
    return Term::spread(space, n.cast(n.reshape(own, ArrayRef(space.dims).take_front(2)), type), {0, 1});
  };
  Term sum = column(spatial);
  bool align = n.intAttr("align_corners", 0) != 0;
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t axis = spatial + 1 - i;
    Term index = Term::iota(space, axis), extent = Term::size(space, space.dims[axis]);
    // One position stands in the middle.
    Term at = align ? (index * 2 - (extent - 1)) / (extent - 1).max(1) : (index * 2 + 1 - extent) / extent;
    sum = sum + column(i) * at;
  }
  SmallVector<int64_t> order{0};
  order.append(range(2, spatial + 2));
  order.push_back(1);
  n.setResult(0, n.transpose(n.cast(sum.value(), elementTypeOf(theta)), order));
  return success();
}

} // namespace

void addGridOps(OpTable &table) {
  table.add("", "GridSample", 16, importGridSample);
  table.add("", "AffineGrid", 20, importAffineGrid);
}

} // namespace torsh::onnx
