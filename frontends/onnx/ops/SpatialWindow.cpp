//===-- SpatialWindow.cpp - Strides, dilations and padding of convolutions and pools
//------------------------===//
#include "frontends/onnx/ops/SpatialWindow.h"
#include "frontends/onnx/ops/Compose.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

FailureOr<SmallVector<int64_t>> readList(NodeImport &n, StringRef name, size_t size, int64_t otherwise,
                                         int64_t least) {
  std::optional<SmallVector<int64_t>> given = n.intsAttr(name);
  if (!given || given->empty())
    return SmallVector<int64_t>(size, otherwise);
  if (given->size() != size)
    return n.malformed(name + " has " + Twine(given->size()) + " entries, " + Twine(size) + " are needed");
  for (int64_t value : *given) {
    if (value < least)
      return n.unsupported(name + " has the entry " + Twine(value) + ", at least " + Twine(least) +
                           " is needed");
    if (value > INT32_MAX)
      return n.malformed(name + " has the entry " + Twine(value));
  }
  return *given;
}

} // namespace

void SpatialWindow::setPadding(size_t i, int64_t total) {
  int64_t half = total / 2;
  low[i] = sameLower ? total - half : half;
  high[i] = total - low[i];
}

FailureOr<SpatialWindow> readWindow(NodeImport &n, int64_t spatialRank, ArrayRef<int64_t> kernel) {
  SpatialWindow w;
  if (spatialRank < 1)
    return n.malformed("the operand has no spatial dims");
  if (kernel.empty()) {
    if (!n.intsAttr("kernel_shape"))
      return n.malformed("kernel_shape is missing");
    FailureOr<SmallVector<int64_t>> shape = readList(n, "kernel_shape", spatialRank, 1, 1);
    if (failed(shape))
      return failure();
    w.kernel = *shape;
  } else {
    w.kernel.assign(kernel.begin(), kernel.end());
    std::optional<SmallVector<int64_t>> shape = n.intsAttr("kernel_shape");
    if (shape && !shape->empty() && *shape != w.kernel)
      return n.malformed("kernel_shape is not the shape of the weights");
  }
  FailureOr<SmallVector<int64_t>> strides = readList(n, "strides", spatialRank, 1, 1);
  FailureOr<SmallVector<int64_t>> dilations = readList(n, "dilations", spatialRank, 1, 1);
  FailureOr<SmallVector<int64_t>> pads = readList(n, "pads", 2 * spatialRank, 0, 0);
  if (failed(strides) || failed(dilations) || failed(pads))
    return failure();
  w.strides = *strides;
  w.dilations = *dilations;
  StringRef autoPad = n.stringAttr("auto_pad", "NOTSET");
  w.sameUpper = autoPad == "SAME_UPPER";
  w.sameLower = autoPad == "SAME_LOWER";
  if (!w.isSame() && autoPad != "NOTSET" && autoPad != "VALID" && !autoPad.empty())
    return n.malformed("auto_pad has an unknown value");
  bool explicitPads = autoPad == "NOTSET" || autoPad.empty();
  for (int64_t i = 0; i < spatialRank; ++i) {
    w.low.push_back(explicitPads ? (*pads)[i] : 0);
    w.high.push_back(explicitPads ? (*pads)[spatialRank + i] : 0);
  }
  return w;
}

LogicalResult resolveSame(NodeImport &n, SpatialWindow &w, Value &x, std::optional<double> fill) {
  if (!w.isSame())
    return success();
  SmallVector<DimAttr> dims = getDims(x);
  DimAttr zero = dim::constant(n.context(), 0);
  SmallVector<DimAttr> low(dims.size(), zero), high(dims.size(), zero);
  bool symbolic = false;
  for (size_t i = 0; i < w.size(); ++i) {
    int64_t stride = w.strides[i], extent = w.extent(i);
    std::optional<int64_t> size = dim::asConstant(dims[i + 2]);
    if (size || stride == 1) {
      int64_t steps = size ? (*size + stride - 1) / stride - 1 : 0;
      w.setPadding(i, std::max<int64_t>(0, size ? steps * stride + extent - *size : extent - 1));
      continue;
    }
    symbolic = true;
    DimAttr step = dim::constant(n.context(), stride);
    DimAttr covered =
        dim::mul(dim::sub(dim::ceilDiv(dims[i + 2], step), dim::constant(n.context(), 1)), step);
    DimAttr total = dim::sub(dim::add(covered, dim::constant(n.context(), extent)), dims[i + 2]);
    total = dim::max(total, zero);
    DimAttr half = dim::floorDiv(total, dim::constant(n.context(), 2));
    low[i + 2] = w.sameLower ? dim::sub(total, half) : half;
    high[i + 2] = dim::sub(total, low[i + 2]);
  }
  if (!symbolic)
    return success();
  if (!fill)
    return n.unsupported(
        "auto_pad SAME with a stride above 1 needs static spatial sizes (give them with --dim)");
  x = n.create<PadOp>(x, n.scalar(elementTypeOf(x), *fill), DimsAttr::get(n.context(), low),
                      DimsAttr::get(n.context(), high), PadMode::constant);
  return success();
}

} // namespace torsh::onnx
