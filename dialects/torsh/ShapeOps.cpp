//===-- ShapeOps.cpp - Shape functions and verifiers of ops that move elements --------------------------===//
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;

namespace torsh {

//===-- broadcast, reshape
//-----------------------------------------------------------------------------------===//

LogicalResult BroadcastOp::verify() {
  SmallVector<DimAttr> x = getDims(getX()), y = getDims(getY());
  ArrayRef<int64_t> axes = getAxes();
  if (axes.size() != x.size())
    return emitOpError("broadcast_c1: there are ")
           << axes.size() << " axes for an operand of rank " << x.size();
  int64_t previous = -1;
  for (auto [index, axis] : llvm::enumerate(axes)) {
    if (axis <= previous || axis >= static_cast<int64_t>(y.size()))
      return emitOpError("broadcast_c1: axes are increasing and less than the result's rank ") << y.size();
    previous = axis;
    if (!dim::isConstant(x[index], 1) && !dimsMayBeEqual(x[index], y[axis]))
      return emitOpError("broadcast_c2: operand dim ")
             << index << " is " << dim::toString(x[index]) << ", result dim " << axis << " is "
             << dim::toString(y[axis]);
  }
  if (getX().getType().getElementType() != getY().getType().getElementType())
    return emitOpError("broadcast_c3: operand and result have one element type");
  return success();
}

LogicalResult ReshapeOp::verify() {
  if (getX().getType().getElementType() != getY().getType().getElementType())
    return emitOpError("reshape_c2: operand and result have one element type");
  DimAttr x = getNumElements(getX().getType()), y = getNumElements(getY().getType());
  if (!dimsMayBeEqual(x, y))
    return emitOpError("reshape_c1: the operand has ")
           << dim::toString(x) << " elements, the result " << dim::toString(y);
  return success();
}

//===-- transpose, slice, pad, concat
//------------------------------------------------------------------------===//

LogicalResult TransposeOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  auto type = cast<RankedTensorType>(adaptor.getX().getType());
  SmallVector<DimAttr> x = getDims(type), dims;
  llvm::SmallBitVector seen(x.size());
  for (int64_t axis : adaptor.getPermutation()) {
    if (axis < 0 || axis >= type.getRank() || seen.test(axis))
      break;
    seen.set(axis);
    dims.push_back(x[axis]);
  }
  if (dims.size() != x.size() || adaptor.getPermutation().size() != x.size())
    return emitOptionalError(location, "transpose_c1: [", adaptor.getPermutation(),
                             "] is not a permutation of the dims of rank ", x.size());
  return addInferredTensor(location, "transpose_c1", dims, type.getElementType(), types);
}

LogicalResult SliceOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                        SmallVectorImpl<Type> &types) {
  auto type = cast<RankedTensorType>(adaptor.getX().getType());
  if (static_cast<int64_t>(adaptor.getSizes().size()) != type.getRank())
    return emitOptionalError(location, "slice_c1: there are ", adaptor.getSizes().size(), " sizes for rank ",
                             type.getRank());
  return addInferredTensor(location, "slice_c3", adaptor.getSizes().getDims(), type.getElementType(), types);
}

LogicalResult SliceOp::verify() {
  SmallVector<DimAttr> x = getDims(getX());
  if (getStarts().size() != x.size() || getSizes().size() != x.size() || getSteps().size() != x.size())
    return emitOpError("slice_c1: starts, sizes and steps have ") << x.size() << " entries";
  auto outside = [&](DimAttr position, DimAttr size) {
    std::optional<int64_t> value = dim::asConstant(position),
                           room = dim::asConstant(dim::sub(size, position));
    return (value && *value < 0) || (room && *room <= 0);
  };
  for (auto [index, size] : llvm::enumerate(x)) {
    int64_t step = getSteps()[index];
    if (step == 0)
      return emitOpError("slice_c2: step ") << index << " is 0";
    DimAttr start = getStarts()[index], count = getSizes()[index];
    // An empty slice reads nothing; where it starts does not matter. A symbolic count may be 0 in a run.
    std::optional<int64_t> known = dim::asConstant(count);
    if (!known || *known < 1)
      continue;
    DimAttr last = dim::add(start, dim::constant(getContext(), (*known - 1) * step));
    if (outside(start, size) || outside(last, size))
      return emitOpError("slice_c3: elements ")
             << dim::toString(start) << " to " << dim::toString(last) << " leave dim " << index << " of size "
             << dim::toString(size);
  }
  return success();
}

LogicalResult PadOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                      SmallVectorImpl<Type> &types) {
  auto type = cast<RankedTensorType>(adaptor.getX().getType());
  SmallVector<DimAttr> dims = getDims(type);
  if (adaptor.getLow().size() != dims.size() || adaptor.getHigh().size() != dims.size())
    return emitOptionalError(location, "pad_c1: low and high have ", dims.size(), " entries");
  for (auto [index, size] : llvm::enumerate(dims))
    size = dim::add(size, dim::add(adaptor.getLow()[index], adaptor.getHigh()[index]));
  return addInferredTensor(location, "pad_c1", dims, type.getElementType(), types);
}

LogicalResult PadOp::verify() {
  for (DimAttr amount : llvm::concat<const DimAttr>(getLow().getDims(), getHigh().getDims()))
    if (std::optional<int64_t> constant = dim::asConstant(amount); constant && *constant < 0)
      return emitOpError("pad_c1: an amount is ") << *constant;
  if ((getMode() == PadMode::constant) != static_cast<bool>(getValue()))
    return emitOpError("pad_c2: value is present exactly for the mode constant");
  if (!getValue())
    return success();
  auto value = cast<RankedTensorType>(getValue().getType());
  if (value.getRank() != 0 || value.getElementType() != getX().getType().getElementType())
    return emitOpError("pad_c2: value is ") << value << ", not a rank-0 tensor of the operand's element type";
  return success();
}

LogicalResult ConcatOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  if (adaptor.getXs().empty())
    return emitOptionalError(location, "concat_c1: there are no operands");
  auto first = cast<RankedTensorType>(adaptor.getXs().front().getType());
  int64_t axis = adaptor.getAxis();
  if (axis < 0 || axis >= first.getRank())
    return emitOptionalError(location, "concat_c1: axis ", axis, " is out of range for rank ",
                             first.getRank());
  SmallVector<DimAttr> dims = getDims(first);
  for (Value x : adaptor.getXs().drop_front()) {
    SmallVector<DimAttr> other = getDims(x);
    if (other.size() != dims.size() ||
        cast<RankedTensorType>(x.getType()).getElementType() != first.getElementType())
      return emitOptionalError(location, "concat_c1: ", x.getType(), " and ", first,
                               " differ in rank or element type");
    for (auto [index, size] : llvm::enumerate(dims)) {
      if (static_cast<int64_t>(index) == axis)
        size = dim::add(size, other[index]);
      else if (!dimsMayBeEqual(size, other[index]))
        return emitOptionalError(location, "concat_c1: dim ", index, " is ", dim::toString(size), " and ",
                                 dim::toString(other[index]));
      else if (dim::asConstant(other[index]))
        size = other[index]; // a constant says more than a symbol
    }
  }
  return addInferredTensor(location, "concat_c1", dims, first.getElementType(), types);
}

//===-- iota, from_dims
//--------------------------------------------------------------------------------------===//

LogicalResult IotaOp::verify() {
  int64_t axis = getAxis(), rank = getY().getType().getRank();
  if (axis < 0 || axis >= rank)
    return emitOpError("iota_c1: axis ") << axis << " is out of range for rank " << rank;
  return success();
}

LogicalResult FromDimsOp::verify() {
  RankedTensorType type = getY().getType();
  int64_t count = getDims().size();
  bool fits = type.getRank() == 0 ? count == 1 : type.getRank() == 1 && type.getDimSize(0) == count;
  if (!fits)
    return emitOpError("from_dims_c1: ") << count << " dims do not make a " << type;
  return success();
}

} // namespace torsh
