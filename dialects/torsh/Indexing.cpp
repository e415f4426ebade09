//===-- Indexing.cpp - Shape functions and verifiers of ops with computed indices -----------------------===//
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"

using namespace mlir;

namespace torsh {

static LogicalResult checkAxis(std::optional<Location> location, StringRef label, int64_t axis,
                               int64_t rank) {
  if (axis < 0 || axis >= rank)
    return emitOptionalError(location, label, ": axis ", axis, " is out of range for rank ", rank);
  return success();
}

//===-- Gathers
//----------------------------------------------------------------------------------------------===//

LogicalResult GatherOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  auto type = cast<RankedTensorType>(adaptor.getX().getType());
  int64_t axis = adaptor.getAxis();
  if (failed(checkAxis(location, "gather_c1", axis, type.getRank())))
    return failure();
  SmallVector<DimAttr> x = getDims(type), dims(ArrayRef(x).take_front(axis));
  llvm::append_range(dims, getDims(adaptor.getIndices()));
  llvm::append_range(dims, ArrayRef(x).drop_front(axis + 1));
  return addInferredTensor(location, "gather_c1", dims, type.getElementType(), types);
}

LogicalResult GatherElementsOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                                 Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto type = cast<RankedTensorType>(adaptor.getX().getType());
  SmallVector<DimAttr> dims = getDims(adaptor.getIndices());
  if (static_cast<int64_t>(dims.size()) != type.getRank())
    return emitOptionalError(location, "gather_elements_c1: x has rank ", type.getRank(),
                             ", indices have rank ", dims.size());
  return addInferredTensor(location, "gather_elements_c1", dims, type.getElementType(), types);
}

LogicalResult GatherElementsOp::verify() {
  return checkAxis(getLoc(), "gather_elements_c1", getAxis(), getX().getType().getRank());
}

LogicalResult GatherNdOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                           SmallVectorImpl<Type> &types) {
  auto type = cast<RankedTensorType>(adaptor.getX().getType());
  SmallVector<DimAttr> x = getDims(type), indices = getDims(adaptor.getIndices());
  int64_t batchDims = adaptor.getBatchDims();
  if (indices.empty())
    return emitOptionalError(location, "gather_nd_c1: indices have rank 0");
  std::optional<int64_t> tuple = dim::asConstant(indices.back());
  if (!tuple)
    return emitOptionalError(location, "gather_nd_c1: the last dim of indices is not a constant");
  if (batchDims < 0 || batchDims >= static_cast<int64_t>(indices.size()) || batchDims > type.getRank() ||
      *tuple > type.getRank() - batchDims)
    return emitOptionalError(location, "gather_nd_c1: tuples of ", *tuple, " after ", batchDims,
                             " batch dims do not fit rank ", type.getRank());
  SmallVector<DimAttr> dims(ArrayRef(indices).drop_back());
  llvm::append_range(dims, ArrayRef(x).drop_front(batchDims + *tuple));
  return addInferredTensor(location, "gather_nd_c1", dims, type.getElementType(), types);
}

LogicalResult GatherNdOp::verify() {
  SmallVector<DimAttr> x = getDims(getX()), indices = getDims(getIndices());
  for (size_t i = 0, e = std::min<size_t>({getBatchDims(), x.size(), indices.size()}); i < e; ++i)
    if (!dimsMayBeEqual(x[i], indices[i]))
      return emitOpError("gather_nd_c2: batch dim ") << i << " is " << dim::toString(x[i]) << " in x and "
                                                     << dim::toString(indices[i]) << " in indices";
  return success();
}

//===-- Scatters
//---------------------------------------------------------------------------------------------===//

LogicalResult ScatterElementsOp::verify() {
  RankedTensorType x = getX().getType(), indices = getIndices().getType(), updates = getUpdates().getType();
  if (indices.getRank() != x.getRank() || updates.getRank() != x.getRank())
    return emitOpError("scatter_elements_c1: x has rank ")
           << x.getRank() << ", indices " << indices.getRank() << ", updates " << updates.getRank();
  if (failed(checkAxis(getLoc(), "scatter_elements_c1", getAxis(), x.getRank())))
    return failure();
  if (!shapesMayBeEqual(getDims(indices), getDims(updates)))
    return emitOpError("scatter_elements_c2: indices and updates differ in shape");
  if (x.getElementType() != updates.getElementType())
    return emitOpError("scatter_elements_c3: x and updates differ in element type");
  return success();
}

LogicalResult ScatterNdOp::verify() {
  SmallVector<DimAttr> x = getDims(getX()), indices = getDims(getIndices()), updates = getDims(getUpdates());
  std::optional<int64_t> tuple = indices.empty() ? std::nullopt : dim::asConstant(indices.back());
  if (!tuple || *tuple > static_cast<int64_t>(x.size()))
    return emitOpError("scatter_nd_c1: the last dim of indices is not a constant of at most ") << x.size();
  SmallVector<DimAttr> expected(ArrayRef(indices).drop_back());
  llvm::append_range(expected, ArrayRef(x).drop_front(*tuple));
  Type element = getX().getType().getElementType();
  if (!shapesMayBeEqual(updates, expected) || getUpdates().getType().getElementType() != element)
    return emitOpError("scatter_nd_c1: updates are ")
           << getUpdates().getType() << ", not " << makeTensorType(expected, element);
  return success();
}

//===-- Selection
//--------------------------------------------------------------------------------------------===//

LogicalResult TopKOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location,
                                       Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto type = cast<RankedTensorType>(adaptor.getX().getType());
  if (failed(checkAxis(location, "topk_c1", adaptor.getAxis(), type.getRank())))
    return failure();
  SmallVector<DimAttr> dims = getDims(type);
  dims[adaptor.getAxis()] = adaptor.getK();
  return success(
      succeeded(addInferredTensor(location, "topk_c1", dims, type.getElementType(), types)) &&
      succeeded(addInferredTensor(location, "topk_c1", dims, IntegerType::get(context, 64), types)));
}

LogicalResult TopKOp::verify() {
  SmallVector<DimAttr> dims = getDims(getX());
  if (getAxis() >= dims.size())
    return success(); // reported by the shape function
  std::optional<int64_t> rest = dim::asConstant(dim::sub(dims[getAxis()], getK()));
  if (rest && *rest < 0)
    return emitOpError("topk_c1: k is ")
           << dim::toString(getK()) << ", the axis has " << dim::toString(dims[getAxis()]) << " elements";
  return success();
}

LogicalResult NonZeroOp::verify() {
  SmallVector<DimAttr> dims = getDims(getY());
  if (dims.size() != 2 || !dim::isConstant(dims[0], getX().getType().getRank()) || !dim::asSymbol(dims[1]))
    return emitOpError("non_zero_c1: y is [")
           << getX().getType().getRank() << ", n] with a symbol n, not " << getY().getType();
  return success();
}

LogicalResult NonMaxSuppressionOp::verify() {
  SmallVector<DimAttr> boxes = getDims(getBoxes()), scores = getDims(getScores()), y = getDims(getY());
  MLIRContext *context = getContext();
  if (boxes.size() != 3 || scores.size() != 3 || !dimsMayBeEqual(boxes[2], dim::constant(context, 4)) ||
      !dimsMayBeEqual(boxes[0], scores[0]) || !dimsMayBeEqual(boxes[1], scores[2]))
    return emitOpError("non_max_suppression_c1: boxes are [B, n, 4] and scores are [B, C, n]");
  if (y.size() != 2 || !dim::asSymbol(y[0]) || !dim::isConstant(y[1], 3))
    return emitOpError("non_max_suppression_c1: y is [m, 3] with a symbol m");
  return success();
}

} // namespace torsh
