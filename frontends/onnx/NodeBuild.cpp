//===-- NodeBuild.cpp - What import functions build with
//----------------------------------------------------===//
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"

using namespace mlir;

namespace torsh::onnx {

Value NodeImport::scalar(mlir::Type elementType, double value) {
  torsh::Tensor tensor = torsh::Tensor::zeros(elementType, {});
  if (tensor.isFloat())
    tensor.floats[0] = roundTo(elementType, value);
  else
    tensor.ints[0] = wrapTo(elementType, int64_t(value));
  return graph.constant(tensor, loc);
}

Value NodeImport::splat(RankedTensorType type, double value) {
  mlir::Type elementType = type.getElementType();
  Value one = scalar(elementType, value);
  if (type.getRank() == 0)
    return one;
  if (type.hasStaticShape()) {
    auto constant = one.getDefiningOp<ConstantOp>();
    auto dense = mlir::cast<DenseElementsAttr>(constant.getValue());
    if (type.getNumElements() == 0)
      return graph.constant(torsh::Tensor::zeros(elementType, type.getShape()), loc);
    return graph.constant(dense.resizeSplat(type), type, loc);
  }
  return BroadcastOp::create(builder, loc, type, one, builder.getDenseI64ArrayAttr({}));
}

Value NodeImport::splatLike(Value like, double value) {
  return splat(mlir::cast<RankedTensorType>(like.getType()), value);
}

Value NodeImport::fromDims(ArrayRef<DimAttr> dims, bool scalar) {
  ShapeValue shape{SmallVector<DimAttr>(dims), scalar, builder.getI64Type()};
  return graph.materializeShape(shape, builder, loc);
}

Value NodeImport::reshape(Value x, ArrayRef<DimAttr> dims) {
  SmallVector<DimAttr> target;
  for (DimAttr dim : dims)
    target.push_back(graph.dims.canonical(dim));
  auto type = makeTensorType(target, getElementTypeOrSelf(x.getType()));
  return type == x.getType() ? x : ReshapeOp::create(builder, loc, type, x).getResult();
}

Value NodeImport::transpose(Value x, ArrayRef<int64_t> permutation) {
  bool identity = true;
  for (size_t i = 0; i < permutation.size(); ++i)
    identity &= permutation[i] == int64_t(i);
  return identity ? x : create<TransposeOp>(x, permutation);
}

Value NodeImport::broadcastTo(Value x, ArrayRef<DimAttr> dims) {
  SmallVector<DimAttr> from = getDims(x);
  if (from.size() > dims.size()) {
    if (!invalid)
      (void)malformed("a tensor of rank " + Twine(from.size()) + " does not broadcast to rank " +
                      Twine(dims.size()));
    invalid = true;
    return x;
  }
  size_t lead = dims.size() - from.size();
  for (size_t i = 0; i < from.size(); ++i) {
    if (dim::isConstant(from[i], 1) ||
        unify(from[i], dims[lead + i], "broadcasts along dim " + Twine(lead + i)))
      continue;
    if (!invalid)
      (void)malformed("dim " + Twine(i) + " of size " + dim::toString(from[i]) + " does not broadcast to " +
                      dim::toString(dims[lead + i]));
    invalid = true;
    return x;
  }
  SmallVector<DimAttr> target;
  for (DimAttr dim : dims)
    target.push_back(graph.dims.canonical(dim));
  auto type = makeTensorType(target, getElementTypeOrSelf(x.getType()));
  if (type == x.getType())
    return x;
  SmallVector<int64_t> axes;
  for (size_t i = 0; i < from.size(); ++i)
    axes.push_back(lead + i);
  return BroadcastOp::create(builder, loc, type, x, builder.getDenseI64ArrayAttr(axes));
}

Value NodeImport::cast(Value x, mlir::Type elementType) {
  auto type = mlir::cast<RankedTensorType>(x.getType());
  if (type.getElementType() == elementType)
    return x;
  return CastOp::create(builder, loc, withElementType(type, elementType), x);
}

LogicalResult NodeImport::broadcastTogether(MutableArrayRef<Value> values) {
  size_t rank = 0;
  for (Value value : values)
    rank = std::max<size_t>(rank, getDims(value).size());
  DimAttr one = dim::constant(context(), 1);
  SmallVector<DimAttr> result(rank, one);
  for (Value value : values) {
    SmallVector<DimAttr> dims = getDims(value);
    size_t lead = rank - dims.size();
    for (size_t i = 0; i < dims.size(); ++i) {
      DimAttr &target = result[lead + i];
      if (dim::isConstant(dims[i], 1) || dims[i] == target)
        continue;
      if (dim::isConstant(target, 1)) {
        target = dims[i];
        continue;
      }
      if (!unify(target, dims[i], "the operands are broadcast to one shape"))
        return malformed("operand dims " + dim::toString(target) + " and " + dim::toString(dims[i]) +
                         " do not broadcast together");
    }
  }
  for (Value &value : values)
    value = broadcastTo(value, result);
  return failure(invalid);
}

bool NodeImport::unify(DimAttr a, DimAttr b, const Twine &why) {
  if (a == b)
    return true;
  std::string name = isa<NameLoc>(loc) ? mlir::cast<NameLoc>(loc).getName().str() : node.opType.str();
  return graph.dims.unify(a, b,
                          "node " + quoted(name) + ": " + dim::toString(a) + " and " + dim::toString(b) +
                              " must be equal (" + why + ")");
}

FailureOr<int64_t> NodeImport::axis(int64_t value, int64_t rank) {
  if (value >= -rank && value < rank)
    return value < 0 ? value + rank : value;
  return LogicalResult(malformed("axis " + Twine(value) + " is out of range for rank " + Twine(rank)));
}

DimAttr NodeImport::freshSymbol(StringRef hint) { return graph.dims.bornAtRun(hint); }

} // namespace torsh::onnx
