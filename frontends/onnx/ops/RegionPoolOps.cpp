//===-- RegionPoolOps.cpp - RoiAlign and MaxRoiPool ---------------------------------------------------------===//
#include "dialects/torsh/RegionPool.h"
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/TopicTables.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// Checks x [N, C, H, W] and the boxes [R, `width`].
LogicalResult checkBoxes(NodeImport &n, int64_t width) {
  if (failed(requireFloat(n, 0)) || failed(requireFloat(n, 1)))
    return failure();
  Value x = n.operand(0), rois = n.operand(1);
  if (rankOf(x) != 4 || rankOf(rois) != 2 ||
      !n.unify(getDims(rois)[1], dim::constant(n.context(), width), "the numbers of a box"))
    return n.malformed("x must be [N, C, H, W] and the boxes [R, " + Twine(width) + "]");
  if (elementTypeOf(x) != elementTypeOf(rois))
    return n.malformed("x and the boxes must have one element type");
  return success();
}

/// [R, `height`, `width`, C] for x [N, C, H, W]: pooling runs with the channels last.
RankedTensorType pooledType(NodeImport &n, int64_t height, int64_t width) {
  SmallVector<DimAttr> dims{getDims(n.operand(1))[0], dim::constant(n.context(), height),
                            dim::constant(n.context(), width), getDims(n.operand(0))[1]};
  return makeTensorType(dims, elementTypeOf(n.operand(0)));
}

Value channelsLast(NodeImport &n, Value x) { return n.transpose(x, {0, 2, 3, 1}); }
Value channelsFirst(NodeImport &n, Value y) { return n.transpose(y, {0, 3, 1, 2}); }

LogicalResult importRoiAlign(NodeImport &n) {
  if (failed(checkBoxes(n, 4)) || failed(requireInputs(n, 3)))
    return failure();
  Value images = n.operand(2);
  if (rankOf(images) != 1 || !isa<IntegerType>(elementTypeOf(images)) ||
      !n.unify(getDims(images)[0], getDims(n.operand(1))[0], "an image a box"))
    return n.malformed("batch_indices must have one integer a box");
  StringRef mode = n.stringAttr("mode", "avg");
  // Before opset 16 boxes were never shifted.
  StringRef map =
      n.stringAttr("coordinate_transformation_mode", n.opset < 16 ? "output_half_pixel" : "half_pixel");
  if ((mode != "avg" && mode != "max") || (map != "half_pixel" && map != "output_half_pixel"))
    return n.malformed("mode or coordinate_transformation_mode has an unknown value");
  int64_t height = n.intAttr("output_height", 1), width = n.intAttr("output_width", 1);
  int64_t samples = n.intAttr("sampling_ratio", 0);
  if (height < 1 || width < 1 || samples < 0 || height > INT32_MAX || width > INT32_MAX || samples > 1 << 16)
    return n.malformed("output_height, output_width or sampling_ratio is not usable");
  double offset = map == "half_pixel" ? 0.5 : 0;
  Value y = n.create<RoiAlignOp>(pooledType(n, height, width), channelsLast(n, n.operand(0)), n.operand(1),
                                 n.cast(images, n.builder.getI64Type()),
                                 llvm::APFloat(n.floatAttr("spatial_scale", 1)), llvm::APFloat(offset),
                                 samples, mode == "max");
  n.setResult(0, channelsFirst(n, y));
  return success();
}

LogicalResult importMaxRoiPool(NodeImport &n) {
  if (failed(checkBoxes(n, 5)))
    return failure();
  std::optional<SmallVector<int64_t>> shape = n.intsAttr("pooled_shape");
  if (!shape || shape->size() != 2 || (*shape)[0] < 1 || (*shape)[1] < 1 || (*shape)[0] > INT32_MAX ||
      (*shape)[1] > INT32_MAX)
    return n.malformed("pooled_shape must be a positive height and width");
  Value y = n.create<RoiMaxPoolOp>(pooledType(n, (*shape)[0], (*shape)[1]), channelsLast(n, n.operand(0)),
                                   n.operand(1), llvm::APFloat(n.floatAttr("spatial_scale", 1)));
  n.setResult(0, channelsFirst(n, y));
  return success();
}

} // namespace

void addRegionPoolOps(OpTable &table) {
  table.add("", "RoiAlign", 10, importRoiAlign);
  table.add("", "MaxRoiPool", 1, importMaxRoiPool);
}

} // namespace torsh::onnx
