//===-- Pooling.cpp - Shape functions and verifiers of window reductions --------------------------------===//
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/SpatialDims.h"
#include "dialects/torsh/Torsh.h"

using namespace mlir;

namespace torsh {

/// The result type of a pooling with the attributes of `adaptor` on a tensor of `type`.
template <typename Adaptor>
static LogicalResult inferPool(std::optional<Location> location, StringRef label, Adaptor adaptor,
                               RankedTensorType type, SmallVectorImpl<Type> &types) {
  SmallVector<DimAttr> x = getDims(type), dims(x);
  if (x.size() < 3)
    return emitOptionalError(location, label, ": x has rank ", x.size(), ", at least 3 is needed");
  SpatialDims at(adaptor.getLayout(), x.size());
  ArrayRef<int64_t> window = adaptor.getWindow(), strides = adaptor.getStrides(),
                    dilations = adaptor.getDilations();
  ArrayRef<int64_t> low = adaptor.getLow(), high = adaptor.getHigh();
  for (ArrayRef<int64_t> list : {window, strides, dilations, low, high})
    if (list.size() != at.numSpatial())
      return emitOptionalError(location, label, ": a list has ", list.size(), " entries for ",
                               at.numSpatial(), " spatial dims");
  MLIRContext *context = type.getContext();
  for (size_t i = 0; i < at.numSpatial(); ++i) {
    if (window[i] < 1 || strides[i] < 1 || dilations[i] < 1)
      return emitOptionalError(location, label, ": window, strides and dilations are positive");
    DimAttr size = x[at.spatial(i)];
    DimAttr &count = dims[at.spatial(i)];
    count = windowCount(paddedExtent(size, low[i], high[i]), dim::constant(context, window[i]), strides[i],
                        dilations[i], adaptor.getCeilMode());
    // The last window must start inside the input or its low padding: (count - 1) * stride < size + low.
    if (adaptor.getCeilMode())
      count =
          dim::min(count, dim::ceilDiv(paddedExtent(size, low[i], 0), dim::constant(context, strides[i])));
  }
  return addInferredTensor(location, label, dims, type.getElementType(), types);
}

/// Negative padding would crop, which no pooling of a model means.
template <typename OpTy> static LogicalResult verifyPool(OpTy op, StringRef label) {
  for (auto [low, high] : llvm::zip(op.getLow(), op.getHigh()))
    if (low < 0 || high < 0)
      return op.emitOpError(label) << ": padding is not negative";
  return success();
}

LogicalResult MaxPoolOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  return inferPool(location, "max_pool_c1", adaptor, cast<RankedTensorType>(adaptor.getX().getType()), types);
}

LogicalResult MaxPoolOp::verify() { return verifyPool(*this, "max_pool_c1"); }

LogicalResult AvgPoolOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  return inferPool(location, "avg_pool_c1", adaptor, cast<RankedTensorType>(adaptor.getX().getType()), types);
}

LogicalResult AvgPoolOp::verify() { return verifyPool(*this, "avg_pool_c1"); }

/// Checks the gradient of a pooling: its windows on the tensor that it makes, and that dy is what they give.
template <typename OpTy> static LogicalResult verifyPoolGrad(OpTy op, StringRef label) {
  std::string lists = (label + "_c1").str();
  SmallVector<Type> pooled;
  if (failed(inferPool(op.getLoc(), lists, op, op.getDx().getType(), pooled)) ||
      failed(verifyPool(op, lists)))
    return failure();
  if (!typesMayBeEqual(pooled.front(), op.getDy().getType()))
    return op.emitOpError(label) << "_c2: dy should be " << pooled.front() << ", not "
                                 << op.getDy().getType();
  return success();
}

LogicalResult MaxPoolGradOp::verify() { return verifyPoolGrad(*this, "max_pool_grad"); }

LogicalResult AvgPoolGradOp::verify() { return verifyPoolGrad(*this, "avg_pool_grad"); }

} // namespace torsh
