//===-- Normalization.cpp - Verifiers of normalisations -------------------------------------------------===//
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/SpatialDims.h"
#include "dialects/torsh/Torsh.h"

using namespace mlir;

namespace torsh {

/// A parameter has the given dims and the element type of x, or a wider float type (statistics of f16 models
/// are f32).
static LogicalResult verifyParameter(Operation *op, StringRef label, StringRef name, Value parameter,
                                     ArrayRef<DimAttr> dims) {
  if (!parameter || shapesMayBeEqual(getDims(parameter), dims))
    return success();
  Type expected = makeTensorType(dims, cast<RankedTensorType>(parameter.getType()).getElementType());
  return op->emitOpError(label) << ": " << name << " is " << parameter.getType() << ", not " << expected;
}

template <typename OpTy> static LogicalResult verifyTrailing(OpTy op, StringRef label, Value bias) {
  int64_t axis = op.getAxis(), rank = op.getX().getType().getRank();
  if (axis < 0 || axis >= rank)
    return op.emitOpError(label) << ": axis " << axis << " is out of range for rank " << rank;
  SmallVector<DimAttr> x = getDims(op.getX());
  ArrayRef<DimAttr> dims = ArrayRef(x).drop_front(axis);
  return success(succeeded(verifyParameter(op, label, "scale", op.getScale(), dims)) &&
                 succeeded(verifyParameter(op, label, "bias", bias, dims)));
}

LogicalResult LayerNormOp::verify() { return verifyTrailing(*this, "layer_norm_c1", getBias()); }

LogicalResult RmsNormOp::verify() { return verifyTrailing(*this, "rms_norm_c1", Value()); }

LogicalResult BatchNormOp::verify() {
  int64_t axis = getAxis(), rank = getX().getType().getRank();
  if (axis < 0 || axis >= rank)
    return emitOpError("batch_norm_c1: axis ") << axis << " is out of range for rank " << rank;
  DimAttr features = getDims(getX())[axis];
  std::pair<StringRef, Value> parameters[] = {
      {"scale", getScale()}, {"bias", getBias()}, {"mean", getMean()}, {"variance", getVariance()}};
  for (auto [name, value] : parameters)
    if (failed(verifyParameter(*this, "batch_norm_c1", name, value, features)))
      return failure();
  return success();
}

LogicalResult GroupNormOp::verify() {
  SmallVector<DimAttr> x = getDims(getX());
  if (x.size() < 2)
    return emitOpError("group_norm_c1: x has no channel dim");
  DimAttr channels = x[SpatialDims(getLayout(), x.size()).channel()];
  int64_t groups = getGroups();
  std::optional<int64_t> constant = dim::asConstant(channels);
  if (groups < 1 || (constant && *constant % groups != 0))
    return emitOpError("group_norm_c1: ")
           << dim::toString(channels) << " channels are not divisible by " << groups << " groups";
  return success(succeeded(verifyParameter(*this, "group_norm_c2", "scale", getScale(), channels)) &&
                 succeeded(verifyParameter(*this, "group_norm_c2", "bias", getBias(), channels)));
}

} // namespace torsh
