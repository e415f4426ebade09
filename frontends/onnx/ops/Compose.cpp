//===-- Compose.cpp - Small compositions that several op files share
//----------------------------------------===//
#include "frontends/onnx/ops/Compose.h"

using namespace mlir;

namespace torsh::onnx {

//===-- Checks
//---------------------------------------------------------------------------------------------------===//

std::string typeText(mlir::Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

LogicalResult requireInputs(NodeImport &n, size_t count) {
  for (size_t i = 0; i < count; ++i)
    if (!n.hasInput(i))
      return n.malformed("operand " + Twine(i) + " is missing");
  return success();
}

LogicalResult requireFloat(NodeImport &n, size_t i) {
  if (failed(requireInputs(n, i + 1)))
    return failure();
  mlir::Type element = n.typeOf(i).getElementType();
  if (isa<FloatType>(element))
    return success();
  return n.unsupported("operand " + Twine(i) + " has element type " + typeText(element) +
                       ", a float type is needed");
}

LogicalResult requireRank(NodeImport &n, size_t i, int64_t least) {
  int64_t rank = n.typeOf(i).getRank();
  if (rank >= least)
    return success();
  return n.malformed("operand " + Twine(i) + " has rank " + Twine(rank) + ", at least " + Twine(least) +
                     " is needed");
}

bool wantsOutput(const NodeImport &n, size_t i) { return i < n.numOutputs() && !n.node.outputs[i].empty(); }

std::optional<SmallVector<int64_t>> staticDims(Value value, int64_t begin, int64_t end) {
  SmallVector<DimAttr> dims = getDims(value);
  SmallVector<int64_t> sizes;
  for (int64_t i = begin; i < end; ++i) {
    std::optional<int64_t> size = dim::asConstant(dims[i]);
    if (!size)
      return std::nullopt;
    sizes.push_back(*size);
  }
  return sizes;
}

//===-- Values
//---------------------------------------------------------------------------------------------------===//

Value addNumber(NodeImport &n, Value x, double number) {
  return number == 0 ? x : n.create<AddOp>(x, n.splatLike(x, number));
}

Value scale(NodeImport &n, Value x, double number) {
  return number == 1 ? x : n.create<MulOp>(x, n.splatLike(x, number));
}

Value compareNumber(NodeImport &n, Value x, ComparePredicate predicate, double number) {
  auto type = withElementType(cast<RankedTensorType>(x.getType()), n.builder.getI1Type());
  return n.create<CompareOp>(type, x, n.splatLike(x, number), predicate);
}

Value clamp(NodeImport &n, Value x, double low, double high) {
  if (!std::isinf(low))
    x = n.create<MaximumOp>(x, n.splatLike(x, low));
  if (!std::isinf(high))
    x = n.create<MinimumOp>(x, n.splatLike(x, high));
  return x;
}

Value reduceInPlace(NodeImport &n, Value x, ReduceKind kind, ArrayRef<int64_t> axes) {
  Value reduced = n.create<ReduceOp>(x, kind, axes, true);
  return n.broadcastTo(reduced, getDims(x));
}

Value alongAxis(NodeImport &n, Value vector, int64_t axis, Value like) {
  SmallVector<DimAttr> dims = getDims(like);
  SmallVector<int64_t> axes;
  if (rankOf(vector) == 1)
    axes.push_back(axis);
  return n.create<BroadcastOp>(makeTensorType(dims, elementTypeOf(vector)), vector, axes);
}

SmallVector<int64_t> range(int64_t first, int64_t last) {
  SmallVector<int64_t> values;
  for (int64_t i = first; i < last; ++i)
    values.push_back(i);
  return values;
}

LogicalResult broadcastDims(NodeImport &n, Value &a, Value &b, int64_t begin, int64_t end) {
  // Unifying two symbols rewrites the types of all values, so the dims are read again afterwards.
  for (int64_t i = begin; i < end; ++i) {
    DimAttr left = getDims(a)[i], right = getDims(b)[i];
    if (!dim::isConstant(left, 1) && !dim::isConstant(right, 1) &&
        !n.unify(left, right, "dim " + Twine(i) + " of the operands"))
      return n.malformed("the operands cannot be broadcast together: dim " + Twine(i) + " is " +
                         dim::toString(left) + " and " + dim::toString(right));
  }
  SmallVector<DimAttr> left = getDims(a), right = getDims(b);
  bool leftGrows = false, rightGrows = false;
  for (int64_t i = begin; i < end; ++i) {
    if (left[i] == right[i])
      continue;
    bool unit = dim::isConstant(left[i], 1);
    (unit ? leftGrows : rightGrows) = true;
    (unit ? left[i] : right[i]) = unit ? right[i] : left[i];
  }
  if (leftGrows)
    a = n.broadcastTo(a, left);
  if (rightGrows)
    b = n.broadcastTo(b, right);
  return success();
}

Value toRank(NodeImport &n, Value x, int64_t rank) {
  SmallVector<DimAttr> dims = getDims(x);
  if (static_cast<int64_t>(dims.size()) >= rank)
    return x;
  dims.insert(dims.begin(), rank - dims.size(), dim::constant(n.context(), 1));
  return n.reshape(x, dims);
}

Value sliceAxis(NodeImport &n, Value x, int64_t axis, DimAttr start, DimAttr size) {
  SmallVector<DimAttr> sizes = getDims(x), starts(sizes.size(), dim::constant(n.context(), 0));
  starts[axis] = start;
  sizes[axis] = size;
  SmallVector<int64_t> steps(sizes.size(), 1);
  return n.create<SliceOp>(x, DimsAttr::get(n.context(), starts), DimsAttr::get(n.context(), sizes), steps);
}

Value matmul(NodeImport &n, Value a, Value b, mlir::Type elementType) {
  int64_t rankA = rankOf(a), rankB = rankOf(b);
  if (rankA == 0 || rankB == 0)
    return (void)n.malformed("an operand of a matrix product has rank 0"), Value();
  int64_t contractB = rankB == 1 ? 0 : rankB - 2;
  DimAttr inner = getDims(a).back(), other = getDims(b)[contractB];
  if (!n.unify(inner, other, "the inner dims of a matrix product"))
    return (void)n.malformed("the inner dims " + dim::toString(inner) + " and " + dim::toString(other) +
                             " differ"),
           Value();

  SmallVector<int64_t> batch;
  if (rankA >= 2 && rankB > 2) {
    int64_t rank = std::max(rankA, rankB);
    a = toRank(n, a, rank);
    b = toRank(n, b, rank);
    if (failed(broadcastDims(n, a, b, 0, rank - 2)))
      return {};
    batch = range(0, rank - 2);
    rankA = rankB = rank;
    contractB = rank - 2;
  } else if (rankA == 1 && rankB > 2) {
    // [K] x [batch..., K, N]: the free dims of the result are those of b.
    contractB = rankB - 2;
  }
  SmallVector<int64_t> left = {rankA - 1}, right = {contractB};
  if (!elementType)
    return n.create<DotGeneralOp>(a, b, batch, batch, left, right);
  SmallVector<DimAttr> dims;
  SmallVector<DimAttr> dimsA = getDims(a), dimsB = getDims(b);
  dims.append(dimsA.begin(), dimsA.end() - 1);
  for (int64_t i = batch.size(); i < rankB; ++i)
    if (i != contractB)
      dims.push_back(dimsB[i]);
  return n.create<DotGeneralOp>(makeTensorType(dims, elementType), a, b, batch, batch, left, right);
}

} // namespace torsh::onnx
