//===-- TensorBuilder.cpp - Builds torsh ops for ATen calls -------------------------------------------------===//
#include "frontends/torch/aten/TensorBuilder.h"
#include "dialects/torsh/Splat.h"
#include <cmath>

using namespace mlir;

namespace torsh::torch {

std::string typeText(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

void TensorBuilder::setFunction(func::FuncOp f) {
  function = f;
  dims.setFunction(f);
  builder.setInsertionPointToEnd(&function.front());
}

LogicalResult TensorBuilder::fail(const Twine &what) {
  if (problem.empty())
    problem = what.str();
  return failure();
}

//===-- Constants --------------------------------------------------------------------------------------------===//

Value TensorBuilder::constant(Attribute value, RankedTensorType type) {
  OpBuilder::InsertionGuard guard(builder);
  if (lastConstant)
    builder.setInsertionPointAfter(lastConstant);
  else
    builder.setInsertionPointToStart(&function.front());
  auto op = ConstantOp::create(builder, loc, type, value);
  lastConstant = op;
  return op.getResult();
}

Value TensorBuilder::constant(const torsh::Tensor &tensor) {
  return constant(toConstantAttr(tensor, weights()), RankedTensorType::get(tensor.shape, tensor.elementType));
}

Value TensorBuilder::scalar(Type elementType, double value) {
  torsh::Tensor tensor = torsh::Tensor::zeros(elementType, {});
  if (tensor.isFloat())
    tensor.floats[0] = roundTo(elementType, value);
  else
    // A number beyond 64 bits has no integer value; casts saturate as well.
    tensor.ints[0] = elementType.isInteger(1) ? value != 0
                     : value >= 0x1p63        ? INT64_MAX
                     : value <= -0x1p63       ? INT64_MIN
                                              : wrapTo(elementType, int64_t(value));
  return constant(tensor);
}

Value TensorBuilder::splat(ArrayRef<DimAttr> sizes, Type elementType, double value) {
  Value one = scalar(elementType, value);
  if (sizes.empty())
    return one;
  SmallVector<DimAttr> target;
  for (DimAttr size : sizes)
    target.push_back(dims.canonical(size));
  RankedTensorType type = makeTensorType(target, elementType);
  if (type.hasStaticShape()) {
    if (type.getNumElements() == 0)
      return constant(torsh::Tensor::zeros(elementType, type.getShape()));
    auto dense = llvm::cast<DenseElementsAttr>(one.getDefiningOp<ConstantOp>().getValue());
    return constant(dense.resizeSplat(type), type);
  }
  return BroadcastOp::create(builder, loc, type, one, builder.getDenseI64ArrayAttr({}));
}

Value TensorBuilder::splatLike(Value like, double value) {
  return splat(getDims(like), elementTypeOf(like), value);
}

Value TensorBuilder::fromDims(ArrayRef<DimAttr> values, bool isScalar) {
  SmallVector<DimAttr> sizes;
  SmallVector<int64_t> constants;
  for (DimAttr value : values) {
    sizes.push_back(dims.canonical(value));
    if (std::optional<int64_t> known = dim::asConstant(sizes.back()))
      constants.push_back(*known);
  }
  SmallVector<int64_t> shape;
  if (!isScalar)
    shape.push_back(int64_t(values.size()));
  if (constants.size() == values.size()) {
    torsh::Tensor tensor = torsh::Tensor::zeros(builder.getI64Type(), shape);
    tensor.ints.assign(constants.begin(), constants.end());
    return constant(tensor);
  }
  return FromDimsOp::create(builder, loc, RankedTensorType::get(shape, builder.getI64Type()),
                            DimsAttr::get(context(), sizes));
}

//===-- Shapes -----------------------------------------------------------------------------------------------===//

Value TensorBuilder::reshape(Value x, ArrayRef<DimAttr> sizes) {
  SmallVector<DimAttr> target;
  for (DimAttr size : sizes)
    target.push_back(dims.canonical(size));
  RankedTensorType type = makeTensorType(target, elementTypeOf(x));
  return type == x.getType() ? x : create<ReshapeOp>(type, x);
}

Value TensorBuilder::transpose(Value x, ArrayRef<int64_t> permutation) {
  bool moves = false;
  for (size_t i = 0; i < permutation.size(); ++i)
    moves |= permutation[i] != int64_t(i);
  return moves ? create<TransposeOp>(x, permutation) : x;
}

Value TensorBuilder::broadcastTo(Value x, ArrayRef<DimAttr> sizes) {
  if (rankOf(x) > int64_t(sizes.size())) {
    (void)fail("a tensor of rank " + Twine(rankOf(x)) + " does not broadcast to rank " + Twine(sizes.size()));
    return x;
  }
  size_t lead = sizes.size() - rankOf(x);
  for (size_t i = 0; lead + i < sizes.size(); ++i) {
    DimAttr from = getDims(x)[i];
    if (dim::isConstant(from, 1) || unify(from, sizes[lead + i], "broadcasts along dim " + Twine(lead + i)))
      continue;
    (void)fail("dim " + Twine(i) + " of size " + dim::toString(from) + " does not broadcast to " +
               dim::toString(sizes[lead + i]));
    return x;
  }
  SmallVector<DimAttr> target;
  SmallVector<int64_t> axes;
  for (DimAttr size : sizes)
    target.push_back(dims.canonical(size));
  RankedTensorType type = makeTensorType(target, elementTypeOf(x));
  if (type == x.getType())
    return x;
  for (int64_t i = 0; i < rankOf(x); ++i)
    axes.push_back(int64_t(lead) + i);
  return BroadcastOp::create(builder, loc, type, x, builder.getDenseI64ArrayAttr(axes));
}

void TensorBuilder::broadcastTogether(MutableArrayRef<Value> values) {
  int64_t rank = 0;
  for (Value value : values)
    rank = std::max(rank, rankOf(value));
  SmallVector<DimAttr> result(rank, dim(1));
  for (Value value : values) {
    int64_t lead = rank - rankOf(value);
    for (int64_t i = 0; lead + i < rank; ++i) {
      // Unifying two symbols rewrites the types of all values, so dims are read again each time.
      DimAttr size = getDims(value)[i], &target = result[lead + i];
      target = dims.canonical(target);
      if (dim::isConstant(size, 1) || size == target)
        continue;
      if (dim::isConstant(target, 1)) {
        target = size;
        continue;
      }
      if (!unify(target, size, "the operands are broadcast to one shape")) {
        (void)fail("sizes " + dim::toString(target) + " and " + dim::toString(size) +
                   " do not broadcast together");
        return;
      }
    }
  }
  for (Value &value : values)
    value = broadcastTo(value, result);
}

Value TensorBuilder::sliceAxis(Value x, int64_t axis, DimAttr start, DimAttr size, int64_t step) {
  SmallVector<DimAttr> sizes = getDims(x), starts(sizes.size(), dim(0));
  if (step == 1 && dim::isConstant(start, 0) && sizes[axis] == size)
    return x;
  starts[axis] = start;
  sizes[axis] = size;
  SmallVector<int64_t> steps(sizes.size(), 1);
  steps[axis] = step;
  return create<SliceOp>(x, DimsAttr::get(context(), starts), DimsAttr::get(context(), sizes), steps);
}

Value TensorBuilder::concat(ArrayRef<Value> values, int64_t axis) {
  return values.size() == 1 ? values[0] : create<ConcatOp>(values, axis);
}

Value TensorBuilder::expandDim(Value x, int64_t axis) {
  SmallVector<DimAttr> sizes = getDims(x);
  sizes.insert(sizes.begin() + axis, dim(1));
  return reshape(x, sizes);
}

Value TensorBuilder::dropDim(Value x, int64_t axis) {
  SmallVector<DimAttr> sizes = getDims(x);
  sizes.erase(sizes.begin() + axis);
  return reshape(x, sizes);
}

Value TensorBuilder::toRank(Value x, int64_t rank) {
  SmallVector<DimAttr> sizes = getDims(x);
  if (int64_t(sizes.size()) < rank)
    sizes.insert(sizes.begin(), rank - sizes.size(), dim(1));
  return reshape(x, sizes);
}

//===-- Elements ---------------------------------------------------------------------------------------------===//

Value TensorBuilder::cast(Value x, Type elementType) {
  auto type = llvm::cast<RankedTensorType>(x.getType());
  if (type.getElementType() == elementType)
    return x;
  return create<CastOp>(withElementType(type, elementType), x);
}

Value TensorBuilder::compare(Value a, Value b, ComparePredicate predicate) {
  auto type = withElementType(llvm::cast<RankedTensorType>(a.getType()), builder.getI1Type());
  return create<CompareOp>(type, a, b, predicate);
}

Value TensorBuilder::compareNumber(Value x, ComparePredicate predicate, double number) {
  return compare(x, splatLike(x, number), predicate);
}

Value TensorBuilder::addNumber(Value x, double number) {
  return number == 0 ? x : create<AddOp>(x, splatLike(x, number));
}

Value TensorBuilder::scale(Value x, double number) {
  return number == 1 ? x : create<MulOp>(x, splatLike(x, number));
}

Value TensorBuilder::clamp(Value x, double low, double high) {
  if (!std::isinf(low))
    x = create<MaximumOp>(x, splatLike(x, low));
  if (!std::isinf(high))
    x = create<MinimumOp>(x, splatLike(x, high));
  return x;
}

Value TensorBuilder::reduce(Value x, ReduceKind kind, ArrayRef<int64_t> axes, bool keepDims) {
  return axes.empty() ? x : create<ReduceOp>(x, kind, axes, keepDims);
}

Value TensorBuilder::iota(DimAttr size, Type elementType) {
  return create<IotaOp>(makeTensorType({dims.canonical(size)}, elementType), int64_t(0));
}

//===-- Sizes ------------------------------------------------------------------------------------------------===//

int64_t TensorBuilder::axis(int64_t value, int64_t rank) {
  // A tensor of rank 0 has an axis 0 in PyTorch.
  int64_t bound = std::max<int64_t>(rank, 1);
  if (value >= -bound && value < bound)
    return value < 0 ? value + bound : value;
  (void)fail("dim " + Twine(value) + " is out of range for rank " + Twine(rank));
  return 0;
}

bool TensorBuilder::unify(DimAttr a, DimAttr b, const Twine &why) {
  if (a == b)
    return true;
  std::string name = isa<NameLoc>(loc) ? llvm::cast<NameLoc>(loc).getName().str() : std::string();
  return dims.unify(a, b,
                    "'" + name + "': " + dim::toString(a) + " and " + dim::toString(b) + " must be equal (" +
                        why + ")");
}

} // namespace torsh::torch
