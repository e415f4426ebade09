//===-- FoldedMoves.cpp - Moves of elements that fold while they are built ----------------------------------===//
#include "passes/graph/FoldedMoves.h"

using namespace mlir;

namespace torsh {

bool isIdentityPermutation(ArrayRef<int64_t> permutation) {
  for (size_t i = 0; i < permutation.size(); ++i)
    if (permutation[i] != int64_t(i))
      return false;
  return true;
}

SmallVector<int64_t> invertPermutation(ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> inverse(permutation.size());
  for (auto [index, axis] : llvm::enumerate(permutation))
    inverse[axis] = index;
  return inverse;
}

bool movesOnlyUnitDims(ArrayRef<DimAttr> dims, ArrayRef<int64_t> permutation) {
  int64_t previous = -1;
  for (int64_t axis : permutation) {
    if (dim::isConstant(dims[axis], 1))
      continue;
    if (axis < previous)
      return false;
    previous = axis;
  }
  return true;
}

Attribute getConstantAttr(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  return constant ? constant.getValue() : Attribute();
}

bool isSplatConstant(Value value) {
  auto dense = dyn_cast_or_null<DenseElementsAttr>(getConstantAttr(value));
  return dense && dense.isSplat();
}

Value createTranspose(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> whole(permutation);
  // transpose(transpose(x)) -> transpose(x)
  if (auto inner = value.getDefiningOp<TransposeOp>()) {
    for (int64_t &axis : whole)
      axis = inner.getPermutation()[axis];
    value = inner.getX();
  }
  if (isIdentityPermutation(whole))
    return value;
  return builder.createOrFold<TransposeOp>(loc, value, whole);
}

Value createReshape(OpBuilder &builder, Location loc, Value value, ArrayRef<DimAttr> dims) {
  // reshape(reshape(x)) -> reshape(x)
  if (auto inner = value.getDefiningOp<ReshapeOp>())
    value = inner.getX();
  auto from = cast<RankedTensorType>(value.getType());
  RankedTensorType type = makeTensorType(dims, from.getElementType());
  if (type == from)
    return value;
  return builder.createOrFold<ReshapeOp>(loc, type, value);
}

Value createReshape(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> shape) {
  SmallVector<DimAttr> dims;
  for (int64_t size : shape)
    dims.push_back(dim::constant(builder.getContext(), size));
  return createReshape(builder, loc, value, dims);
}

Value appendStep(OpBuilder &builder, Location loc, Value weight, StringRef kind, ArrayRef<int64_t> ints,
                 RankedTensorType type) {
  auto recipe = cast<WeightAttr>(getConstantAttr(weight));
  auto step = WeightStepAttr::get(builder.getContext(), builder.getStringAttr(kind), ints,
                                  builder.getStringAttr(""), type);
  return ConstantOp::create(builder, loc, type, recipe.append(step));
}

Value asWeight(OpBuilder &builder, Value value) {
  Attribute attribute = getConstantAttr(value);
  if (!attribute)
    return Value();
  auto type = cast<RankedTensorType>(value.getType());
  unsigned bits = type.getElementTypeBitWidth();
  if (bits < 8)
    return Value();
  if (isa<WeightAttr>(attribute))
    return value;
  auto dense = cast<DenseElementsAttr>(attribute);
  ArrayRef<char> raw = dense.getRawData();
  std::string bytes(raw.data(), raw.size());
  if (dense.isSplat()) {
    int64_t count = type.getNumElements();
    if (count * int64_t(bits / 8) > (int64_t(64) << 20))
      return Value();
    std::string one = bytes.substr(0, bits / 8);
    bytes.clear();
    for (int64_t i = 0; i < count; ++i)
      bytes += one;
  }
  WeightStore &store = builder.getContext()->getLoadedDialect<TorshDialect>()->getWeightStore();
  auto key = builder.getStringAttr(store.addCopy(ArrayRef<char>(bytes.data(), bytes.size())));
  return ConstantOp::create(builder, value.getLoc(), type,
                            WeightAttr::get(builder.getContext(), key, type, {}));
}

} // namespace torsh
