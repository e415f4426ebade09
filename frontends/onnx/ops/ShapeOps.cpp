//===-- ShapeOps.cpp - Reshape, Transpose and other ops that keep the elements
//------------------------===//
#include "dialects/torsh/Bitcast.h"
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ops/CastOps.h"
#include "frontends/onnx/ops/RunTimeLists.h"
#include "frontends/onnx/ops/SliceOps.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

using Dims = SmallVector<DimAttr>;

LogicalResult importIdentity(NodeImport &node) {
  node.setResult(0, node.operand(0));
  return success();
}

//===-- Sizes as values
//----------------------------------------------------------------------------------------===//

LogicalResult importShape(NodeImport &node) {
  Dims dims = getDims(node.typeOf(0));
  int64_t rank = dims.size(), start = node.intAttr("start", 0), end = node.intAttr("end", rank);
  start = std::clamp<int64_t>(start < 0 ? start + rank : start, 0, rank);
  end = std::clamp<int64_t>(end < 0 ? end + rank : end, start, rank);
  node.setShapeResult(0, ArrayRef(dims).slice(start, end - start), false, node.builder.getI64Type());
  return success();
}

LogicalResult importSize(NodeImport &node) {
  node.setShapeResult(0, {getNumElements(node.typeOf(0))}, true, node.builder.getI64Type());
  return success();
}

LogicalResult importBitCast(NodeImport &node) {
  const Attribute *to = node.attribute("to");
  if (!to)
    return node.malformed("the attribute 'to' is missing");
  mlir::Type target = elementTypeOf(node.context(), int32_t(to->i));
  if (!target)
    return node.unsupported("bits as " + dataTypeName(int32_t(to->i)) + " are not supported");
  Value x = node.operand(0);
  auto type = cast<RankedTensorType>(x.getType());
  bool same = type.getElementType() == target;
  node.setResult(0, same ? x : node.create<BitcastOp>(withElementType(type, target), x));
  return success();
}

//===-- Reshape
//------------------------------------------------------------------------------------------------===//

LogicalResult importReshape(NodeImport &node) {
  auto target = node.integerValue(1);
  if (!target)
    return node.unsupported("the length of the shape must be known");
  Dims from = getDims(node.typeOf(0)), dims = *target;
  if (!node.knownValue(1))
    dims = resolveReshape(node, from, dims, node.intAttr("allowzero", 0) != 0);
  DimAttr total = dim::product(node.context(), from), others = dim::constant(node.context(), 1);
  std::optional<size_t> inferred;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dim::isConstant(dims[i], -1)) {
      if (inferred)
        return node.malformed("the shape has more than one -1");
      inferred = i;
      continue;
    }
    if (dim::isConstant(dims[i], 0) && !node.intAttr("allowzero", 0)) {
      if (i >= from.size())
        return node.malformed("entry " + Twine(i) +
                              " of the shape copies a dim that the input does not have");
      dims[i] = from[i];
    }
    others = dim::mul(others, dims[i]);
  }
  if (inferred) {
    if (dim::isConstant(others, 0))
      return node.malformed("a dim cannot be inferred beside a dim of size 0");
    auto quotient = dim::exactQuotient(total, others);
    dims[*inferred] = quotient ? *quotient : dim::floorDiv(total, others);
    others = dim::mul(others, dims[*inferred]);
  }
  if (!node.unify(total, others, "Reshape keeps the number of elements"))
    return node.malformed("a tensor of " + dim::toString(total) + " elements cannot be reshaped to " +
                          dim::toString(others) + " elements");
  node.setResult(0, node.reshape(node.operand(0), dims));
  return success();
}

LogicalResult importFlatten(NodeImport &node) {
  Dims dims = getDims(node.typeOf(0));
  int64_t rank = dims.size(), axis = node.intAttr("axis", 1);
  axis = axis < 0 ? axis + rank : axis;
  if (axis < 0 || axis > rank)
    return node.malformed("axis is out of range");
  ArrayRef<DimAttr> all(dims);
  node.setResult(0, node.reshape(node.operand(0), {dim::product(node.context(), all.take_front(axis)),
                                                   dim::product(node.context(), all.drop_front(axis))}));
  return success();
}

/// The axes of Squeeze and Unsqueeze: an attribute up to opset 12, an input since.
std::optional<SmallVector<int64_t>> axesOf(NodeImport &node) {
  std::optional<SmallVector<int64_t>> axes = node.opset >= 13 ? node.constantInts(1) : node.intsAttr("axes");
  return axes;
}

/// The axes as a list that only the run knows; null where they are known or not given.
Value runTimeAxes(NodeImport &node) {
  if (node.opset < 13 || !node.hasInput(1) || node.constantInts(1))
    return {};
  return Lists(node).operand(1);
}

LogicalResult importSqueeze(NodeImport &node) {
  if (Value list = runTimeAxes(node)) {
    node.setResult(0, squeeze(node, node.operand(0), list));
    return success();
  }
  auto axes = axesOf(node);
  Dims dims = getDims(node.typeOf(0)), result;
  llvm::SmallBitVector removed(dims.size());
  if (axes) {
    for (int64_t value : *axes) {
      FailureOr<int64_t> axis = node.axis(value, dims.size());
      if (failed(axis))
        return failure();
      if (!node.unify(dims[*axis], dim::constant(node.context(), 1), "Squeeze removes the dim"))
        return node.malformed("dim " + Twine(*axis) + " has size " + dim::toString(dims[*axis]) + ", not 1");
      removed.set(*axis);
    }
  } else {
    for (size_t i = 0; i < dims.size(); ++i) {
      if (!dim::asConstant(dims[i]))
        return node.unsupported("without axes all dims must be known, but dim " + Twine(i) + " is " +
                                dim::toString(dims[i]));
      removed[i] = dim::isConstant(dims[i], 1);
    }
  }
  Value x = node.operand(0);
  dims = getDims(x);
  for (size_t i = 0; i < dims.size(); ++i)
    if (!removed[i])
      result.push_back(dims[i]);
  node.setResult(0, node.reshape(x, result));
  return success();
}

LogicalResult importUnsqueeze(NodeImport &node) {
  if (Value list = runTimeAxes(node)) {
    node.setResult(0, unsqueeze(node, node.operand(0), list));
    return success();
  }
  auto axes = axesOf(node);
  if (!axes)
    return node.malformed("the axes are missing");
  Dims dims = getDims(node.typeOf(0)), result;
  size_t rank = dims.size() + axes->size();
  llvm::SmallBitVector added(rank);
  for (int64_t value : *axes) {
    FailureOr<int64_t> axis = node.axis(value, rank);
    if (failed(axis))
      return failure();
    if (added[*axis])
      return node.malformed("axis " + Twine(*axis) + " appears twice");
    added.set(*axis);
  }
  for (size_t i = 0, next = 0; i < rank; ++i)
    result.push_back(added[i] ? dim::constant(node.context(), 1) : dims[next++]);
  node.setResult(0, node.reshape(node.operand(0), result));
  return success();
}

//===-- Transpose, Expand, Tile
//--------------------------------------------------------------------------------===//

LogicalResult importTranspose(NodeImport &node) {
  int64_t rank = node.typeOf(0).getRank();
  SmallVector<int64_t> permutation;
  if (auto given = node.intsAttr("perm")) {
    permutation = *given;
  } else {
    for (int64_t i = rank; i-- > 0;)
      permutation.push_back(i);
  }
  llvm::SmallBitVector seen(rank);
  for (int64_t &axis : permutation) {
    axis = axis < 0 ? axis + rank : axis;
    if (axis < 0 || axis >= rank || seen[axis])
      return node.malformed("perm is not a permutation of the dims");
    seen.set(axis);
  }
  if (int64_t(permutation.size()) != rank)
    return node.malformed("perm has " + Twine(permutation.size()) + " entries for rank " + Twine(rank));
  node.setResult(0, node.transpose(node.operand(0), permutation));
  return success();
}

LogicalResult importExpand(NodeImport &node) {
  auto target = node.shapeValue(1);
  if (!target)
    return node.unsupported("the length of the shape must be known");
  Value x = node.operand(0);
  Dims from = getDims(x), result = *target;
  const bool isKnown = node.knownValue(1).has_value();
  while (result.size() < from.size())
    result.insert(result.begin(), dim::constant(node.context(), 1));
  size_t lead = result.size() - from.size();
  DimAttr one = dim::constant(node.context(), 1);
  for (size_t i = 0; i < from.size(); ++i) {
    DimAttr &size = result[lead + i];
    if (size == one) {
      size = from[i];
    } else if (!isKnown && from[i] != one) {
      // Only the run tells whether the size is 1 or that of the operand.
      DimAttr neither = dim::mul(dim::sub(size, one), dim::sub(size, from[i]));
      node.unify(neither, dim::constant(node.context(), 0), "Expand keeps a dim that is not 1");
      size = from[i];
    }
  }
  node.setResult(0, node.broadcastTo(x, result));
  return success();
}

LogicalResult importTile(NodeImport &node) {
  auto repeats = node.shapeValue(1);
  if (!repeats)
    return node.unsupported("the length of the repeats must be known");
  Value x = node.operand(0);
  Dims from = getDims(x);
  if (repeats->size() != from.size())
    return node.malformed("there must be one repeat for each dim");
  // Each repeated dim gets a unit dim before it, which is broadcast and then merged.
  Dims split, repeated, merged;
  for (auto [size, count] : llvm::zip(from, *repeats)) {
    if (!dim::isConstant(count, 1)) {
      split.push_back(dim::constant(node.context(), 1));
      repeated.push_back(count);
    }
    split.push_back(size);
    repeated.push_back(size);
    merged.push_back(dim::mul(size, count));
  }
  node.setResult(0, node.reshape(node.broadcastTo(node.reshape(x, split), repeated), merged));
  return success();
}

} // namespace

void addShapeOps(OpTable &table) {
  table.add("", "Identity", 1, importIdentity);
  table.add("", "Shape", 1, importShape);
  table.add("", "Size", 1, importSize);
  table.add("", "BitCast", 26, importBitCast);
  table.add("", "Reshape", 5, importReshape);
  table.add("", "Flatten", 1, importFlatten);
  table.add("", "Squeeze", 1, importSqueeze);
  table.add("", "Unsqueeze", 1, importUnsqueeze);
  table.add("", "Transpose", 1, importTranspose);
  table.add("", "Expand", 8, importExpand);
  table.add("", "Tile", 6, importTile);
  addCastOps(table);
  addSliceOps(table);
}

} // namespace torsh::onnx
