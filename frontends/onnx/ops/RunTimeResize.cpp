//===-- RunTimeResize.cpp - Resizing by scales or sizes that only the run knows -----------------------------===//
#include "frontends/onnx/ops/RunTimeResize.h"
#include "frontends/onnx/ops/RunTimeLists.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// The sizes of the axes as numbers of a type.
Value sizesOf(NodeImport &n, Value x, ArrayRef<int64_t> axes, mlir::Type type) {
  SmallVector<DimAttr> sizes;
  for (int64_t axis : axes)
    sizes.push_back(getDims(x)[axis]);
  return n.cast(n.fromDims(sizes), type);
}

/// The scale of each axis as f64, from the operand of scales or of sizes.
Value scalesOf(NodeImport &n, Value x, const RunTimeResize &resize) {
  mlir::Type f64 = n.builder.getF64Type();
  if (resize.scales)
    return n.cast(n.operand(*resize.scales), f64);
  Value ratios = n.create<DivOp>(n.cast(n.operand(*resize.sizes), f64), sizesOf(n, x, resize.axes, f64));
  StringRef policy = n.stringAttr("keep_aspect_ratio_policy", "stretch");
  if (policy == "stretch")
    return ratios;
  ReduceKind kind = policy == "not_larger" ? ReduceKind::min : ReduceKind::max;
  Value one = n.create<ReduceOp>(ratios, kind, ArrayRef<int64_t>{0}, true);
  return n.broadcastTo(one, getDims(ratios));
}

/// The new size of each axis: the given one, or the scaled size rounded as the specification says.
SmallVector<DimAttr> outputSizes(NodeImport &n, Value x, const RunTimeResize &resize, Value scales) {
  mlir::Type f64 = n.builder.getF64Type(), i64 = n.builder.getI64Type();
  if (resize.sizes && n.stringAttr("keep_aspect_ratio_policy", "stretch") == "stretch")
    return n.bindSizes(n.cast(n.operand(*resize.sizes), i64), "size");
  // Scales are f32 in a model, and so is their product with a size.
  mlir::Type type = resize.scales ? mlir::Type(n.builder.getF32Type()) : f64;
  Term scaled = Term(n, n.cast(scales, type)) * Term(n, sizesOf(n, x, resize.axes, type));
  return n.bindSizes((resize.sizes ? scaled + 0.5 : scaled).floor().to(i64).value(), "size");
}

} // namespace

LogicalResult resizeAtRun(NodeImport &n, const RunTimeResize &resize) {
  Value x = n.operand(0);
  size_t operand = resize.scales ? *resize.scales : *resize.sizes;
  if (resize.needsScales)
    return n.unsupported("antialias and tf_crop_and_resize need scales that are known at compile time");
  RankedTensorType type = n.typeOf(operand);
  if (type.getRank() != 1 || !type.hasStaticShape() || type.getNumElements() != int64_t(resize.axes.size()))
    return n.malformed("there must be one scale or size an axis");
  if (resize.axes.empty()) {
    n.setResult(0, x);
    return success();
  }
  AxisKernel kernel = resize.kernel;
  if (!resize.coordinates) {
    kernel.mode = n.stringAttr("mode", "nearest") == "nearest" ? ResizeMode::nearest : ResizeMode::linear;
    kernel.nearest = NearestMode::floor;
  }
  mlir::Type element = elementTypeOf(x);
  if (kernel.mode != ResizeMode::nearest && isa<IntegerType>(element))
    x = n.cast(x, n.builder.getF64Type());
  Value scales = scalesOf(n, x, resize);
  SmallVector<DimAttr> sizes = outputSizes(n, x, resize, scales);
  Lists lists(n);
  for (auto [i, axis] : llvm::enumerate(resize.axes)) {
    TermSpace space{n, {sizes[i]}, n.builder.getF64Type()};
    Term scale = Term::spread(space, lists.at(scales, i), {});
    Term at = resizeCoordinates(n, resize.coordinates.value_or(ResizeCoordinates::asymmetric),
                                getDims(x)[axis], sizes[i], scale);
    if (!resize.coordinates && kernel.mode == ResizeMode::nearest)
      at = (scale < 1).choose(at.ceil(), at.floor());
    x = resampleAxis(n, x, axis, at.value(), kernel);
  }
  n.setResult(0, n.cast(x, element));
  return success();
}

} // namespace torsh::onnx
