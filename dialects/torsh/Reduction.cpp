//===-- Reduction.cpp - Shape functions and verifiers of reductions and scans ---------------------------===//
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"

using namespace mlir;

namespace torsh {

/// The dims of x with the sorted `axes` removed or set to 1.
static SmallVector<DimAttr> reduceDims(ArrayRef<DimAttr> x, ArrayRef<int64_t> axes, bool keepDims,
                                       MLIRContext *context) {
  SmallVector<DimAttr> dims;
  for (auto [index, size] : llvm::enumerate(x)) {
    if (!llvm::is_contained(axes, static_cast<int64_t>(index)))
      dims.push_back(size);
    else if (keepDims)
      dims.push_back(dim::constant(context, 1));
  }
  return dims;
}

LogicalResult ReduceOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location,
                                         Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto type = cast<RankedTensorType>(adaptor.getX().getType());
  int64_t previous = -1;
  for (int64_t axis : adaptor.getAxes()) {
    if (axis <= previous || axis >= type.getRank())
      return emitOptionalError(location, "reduce_c1: axes are sorted, distinct and less than the rank ",
                               type.getRank());
    previous = axis;
  }
  return addInferredTensor(location, "reduce_c1",
                           reduceDims(getDims(type), adaptor.getAxes(), adaptor.getKeepDims(), context),
                           type.getElementType(), types);
}

LogicalResult ReduceOp::verify() {
  bool logical = getKind() == ReduceKind::any || getKind() == ReduceKind::all;
  Type element = getX().getType().getElementType();
  if (logical != element.isInteger(1))
    return emitOpError("reduce_c2: ") << stringifyReduceKind(getKind()) << " does not take " << element;
  if (getKind() == ReduceKind::logsumexp && !isa<FloatType>(element))
    return emitOpError("reduce_c2: logsumexp does not take ") << element;
  return success();
}

LogicalResult ArgReduceOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location,
                                            Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto type = cast<RankedTensorType>(adaptor.getX().getType());
  int64_t axis = adaptor.getAxis();
  if (axis < 0 || axis >= type.getRank())
    return emitOptionalError(location, "arg_reduce_c1: axis ", axis, " is out of range for rank ",
                             type.getRank());
  return addInferredTensor(location, "arg_reduce_c1",
                           reduceDims(getDims(type), axis, adaptor.getKeepDims(), context),
                           IntegerType::get(context, 64), types);
}

LogicalResult ArgReduceOp::verify() {
  if (getKind() != ReduceKind::max && getKind() != ReduceKind::min)
    return emitOpError("arg_reduce_c3: kind is ") << stringifyReduceKind(getKind()) << ", not max or min";
  SmallVector<DimAttr> dims = getDims(getX());
  if (getAxis() < dims.size() && dim::isConstant(dims[getAxis()], 0))
    return emitOpError("arg_reduce_c2: axis ") << getAxis() << " has no elements";
  return success();
}

template <typename OpTy> static LogicalResult verifyAxis(OpTy op, StringRef label) {
  int64_t axis = op.getAxis(), rank = op.getX().getType().getRank();
  if (axis < 0 || axis >= rank)
    return op.emitOpError(label) << ": axis " << axis << " is out of range for rank " << rank;
  return success();
}

LogicalResult CumSumOp::verify() { return verifyAxis(*this, "cumsum_c1"); }

LogicalResult SoftmaxOp::verify() { return verifyAxis(*this, "softmax_c1"); }

LogicalResult LogSoftmaxOp::verify() { return verifyAxis(*this, "log_softmax_c1"); }

} // namespace torsh
