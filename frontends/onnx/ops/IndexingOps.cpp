//===-- IndexingOps.cpp - Gather, Scatter, TopK and their kin
//--------------------------------------===//
#include "dialects/torsh/CumProd.h"
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/RunTimeLists.h"
#include "frontends/onnx/ops/SliceOps.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

using Dims = SmallVector<DimAttr>;

/// Indices as i32 or i64.
Value indexOperand(NodeImport &node, size_t i) {
  Value indices = node.operand(i);
  mlir::Type type = getElementTypeOrSelf(indices.getType());
  return type.isSignlessInteger(32) || type.isSignlessInteger(64)
             ? indices
             : node.cast(indices, node.builder.getI64Type());
}

LogicalResult importGather(NodeImport &node) {
  FailureOr<int64_t> axis = node.axis(node.intAttr("axis", 0), node.typeOf(0).getRank());
  if (failed(axis))
    return failure();
  node.setResult(0, node.create<GatherOp>(node.operand(0), indexOperand(node, 1), *axis));
  return success();
}

LogicalResult importGatherElements(NodeImport &node) {
  FailureOr<int64_t> axis = node.axis(node.intAttr("axis", 0), node.typeOf(0).getRank());
  if (failed(axis))
    return failure();
  if (node.typeOf(0).getRank() != node.typeOf(1).getRank())
    return node.malformed("data and indices differ in rank");
  node.setResult(0, node.create<GatherElementsOp>(node.operand(0), indexOperand(node, 1), *axis));
  return success();
}

/// The length of the tuples in `indices`, checked against `rank`.
FailureOr<int64_t> tupleLength(NodeImport &node, int64_t batchDims) {
  RankedTensorType data = node.typeOf(0), indices = node.typeOf(1);
  if (indices.getRank() < 1 || indices.isDynamicDim(indices.getRank() - 1))
    return LogicalResult(node.unsupported("the last dim of the indices must be known"));
  int64_t length = indices.getShape().back();
  if (length < 1 || batchDims < 0 || batchDims >= indices.getRank() || length + batchDims > data.getRank())
    return LogicalResult(node.malformed("index tuples of length " + Twine(length) + " do not fit the data"));
  return length;
}

LogicalResult importGatherNd(NodeImport &node) {
  int64_t batchDims = node.intAttr("batch_dims", 0);
  if (failed(tupleLength(node, batchDims)))
    return failure();
  node.setResult(0, node.create<GatherNdOp>(node.operand(0), indexOperand(node, 1), batchDims));
  return success();
}

FailureOr<ScatterKind> scatterKind(NodeImport &node) {
  auto kind = llvm::StringSwitch<std::optional<ScatterKind>>(node.stringAttr("reduction", "none"))
                  .Case("none", ScatterKind::replace)
                  .Case("add", ScatterKind::add)
                  .Case("mul", ScatterKind::mul)
                  .Case("max", ScatterKind::max)
                  .Case("min", ScatterKind::min)
                  .Default(std::nullopt);
  if (!kind)
    return LogicalResult(
        node.unsupported("the reduction '" + node.stringAttr("reduction", "") + "' is not known"));
  return *kind;
}

/// Sums and products of booleans are their maximum and minimum; scatters of them run on bytes.
struct ScatterTypes {
  mlir::Type element;
  ScatterKind kind;
  ScatterTypes(NodeImport &node, Value &x, Value &updates, ScatterKind wanted)
      : element(cast<RankedTensorType>(x.getType()).getElementType()), kind(wanted) {
    if (!element.isInteger(1) || wanted == ScatterKind::replace)
      return;
    mlir::Type byte = node.builder.getIntegerType(8, false);
    x = node.cast(x, byte);
    updates = node.cast(updates, byte);
    kind = wanted == ScatterKind::add   ? ScatterKind::max
           : wanted == ScatterKind::mul ? ScatterKind::min
                                        : wanted;
  }
};

LogicalResult importScatterElements(NodeImport &node) {
  FailureOr<int64_t> axis = node.axis(node.intAttr("axis", 0), node.typeOf(0).getRank());
  FailureOr<ScatterKind> kind = scatterKind(node);
  if (failed(axis) || failed(kind))
    return failure();
  Value x = node.operand(0), updates = node.operand(2);
  ScatterTypes types(node, x, updates, *kind);
  Value y = ScatterElementsOp::create(node.builder, node.loc, x.getType(), x, indexOperand(node, 1), updates,
                                      *axis, types.kind);
  node.setResult(0, node.cast(y, types.element));
  return success();
}

LogicalResult importScatterNd(NodeImport &node) {
  FailureOr<ScatterKind> kind = scatterKind(node);
  if (failed(kind) || failed(tupleLength(node, 0)))
    return failure();
  Value x = node.operand(0), indices = indexOperand(node, 1), updates = node.operand(2);
  // Sizes of updates that differ in name only become equal.
  Dims wanted = getDims(indices), data = getDims(x);
  int64_t length = cast<RankedTensorType>(indices.getType()).getShape().back();
  wanted.pop_back();
  wanted.append(data.begin() + length, data.end());
  if (getDims(updates).size() != wanted.size())
    return node.malformed("the updates have the wrong rank");
  for (size_t i = 0; i < wanted.size(); ++i)
    if (!node.unify(getDims(updates)[i], wanted[i], "updates of ScatterND"))
      return node.malformed("dim " + Twine(i) + " of the updates is " + dim::toString(getDims(updates)[i]) +
                            ", not " + dim::toString(wanted[i]));
  ScatterTypes types(node, x, updates, *kind);
  Value y = ScatterNdOp::create(node.builder, node.loc, x.getType(), x, indices, updates, types.kind);
  node.setResult(0, node.cast(y, types.element));
  return success();
}

//===-- Sorting and selecting
//----------------------------------------------------------------------------------===//

LogicalResult importTopK(NodeImport &node) {
  std::optional<DimAttr> k;
  if (node.opset < 10) {
    k = dim::constant(node.context(), node.intAttr("k", 0));
  } else if (auto given = node.shapeValue(1); given && given->size() == 1) {
    k = given->front();
  }
  if (!k)
    return node.unsupported("k must be one number");
  Value x = node.operand(0);
  FailureOr<int64_t> axis = node.axis(node.intAttr("axis", -1), getDims(x).size());
  if (failed(axis))
    return failure();
  auto size = dim::asConstant(getDims(x)[*axis]), count = dim::asConstant(*k);
  if (count && (*count < 0 || (size && *count > *size)))
    return node.malformed("k is not between 0 and the size of the axis");
  auto topk = TopKOp::create(node.builder, node.loc, x, *k, *axis, node.intAttr("largest", 1) != 0);
  node.setResult(0, topk.getValues());
  node.setResult(1, topk.getIndices());
  return success();
}

//===-- Composed ops
//-------------------------------------------------------------------------------------------===//

LogicalResult importOneHot(NodeImport &node) {
  auto depth = node.shapeValue(1);
  if (!depth) {
    // The depth may be given as a float.
    if (auto value = node.constantFloats(1))
      depth =
          llvm::map_to_vector(*value, [&](double d) { return dim::constant(node.context(), int64_t(d)); });
    else if (RankedTensorType type = node.typeOf(1); type.hasStaticShape() && type.getNumElements() == 1)
      depth =
          node.bindSizes(node.reshape(node.cast(node.operand(1), node.builder.getI64Type()), {}), "depth");
  }
  if (!depth || depth->size() != 1)
    return node.unsupported("the depth must be one number");
  Value indices = node.cast(node.operand(0), node.builder.getI64Type()), values = node.operand(2);
  Dims dims = getDims(indices);
  FailureOr<int64_t> axis = node.axis(node.intAttr("axis", -1), dims.size() + 1);
  if (failed(axis))
    return failure();
  // A negative index counts from the end; one that is out of range matches nothing.
  Value length = node.broadcastTo(node.fromDims(*depth, true), dims);
  Value isNegative =
      CompareOp::create(node.builder, node.loc,
                        withElementType(cast<RankedTensorType>(indices.getType()), node.builder.getI1Type()),
                        indices, node.splatLike(indices, 0), ComparePredicate::lt);
  indices = SelectOp::create(node.builder, node.loc, indices.getType(), isNegative,
                             node.create<AddOp>(indices, length), indices);
  Dims unit = dims, result = dims;
  unit.insert(unit.begin() + *axis, dim::constant(node.context(), 1));
  result.insert(result.begin() + *axis, depth->front());
  indices = node.broadcastTo(node.reshape(indices, unit), result);
  Value positions = IotaOp::create(node.builder, node.loc, indices.getType(), *axis);
  auto type = cast<RankedTensorType>(indices.getType());
  Value hit = CompareOp::create(node.builder, node.loc, withElementType(type, node.builder.getI1Type()),
                                indices, positions, ComparePredicate::eq);
  DimAttr zero = dim::constant(node.context(), 0), one = dim::constant(node.context(), 1);
  if (cast<RankedTensorType>(values.getType()).getShape() != ArrayRef<int64_t>{2})
    return node.malformed("the values must be [off, on]");
  Value off = node.broadcastTo(node.reshape(sliceAlong(node, values, 0, zero, one), {}), result);
  Value on = node.broadcastTo(node.reshape(sliceAlong(node, values, 0, one, one), {}), result);
  node.setResult(0, SelectOp::create(node.builder, node.loc, on.getType(), hit, on, off));
  return success();
}

/// A running sum or product; the axis may be known at run time only.
template <typename OpTy> LogicalResult importScanOf(NodeImport &node) {
  auto given = node.constantInts(1);
  Value x = node.operand(0);
  const bool exclusive = node.intAttr("exclusive", 0) != 0, reverse = node.intAttr("reverse", 0) != 0;
  if (!given) {
    Value axis = Lists(node).operand(1);
    if (!axis)
      return failure();
    if (Lists::length(axis) != 1 || getDims(x).empty())
      return node.malformed("the axis must be one number, and the input have a dim");
    Dims dims = getDims(x);
    Value y = node.reshape(x, splitAt(node, x, axis));
    y = OpTy::create(node.builder, node.loc, y.getType(), y, int64_t(1), exclusive, reverse);
    node.setResult(0, node.reshape(y, dims));
    return success();
  }
  if (given->size() != 1)
    return node.malformed("the axis must be one number");
  FailureOr<int64_t> axis = node.axis(given->front(), getDims(x).size());
  if (failed(axis))
    return failure();
  node.setResult(0, OpTy::create(node.builder, node.loc, x.getType(), x, *axis, exclusive, reverse));
  return success();
}

/// y[t, b] = x[len(b) - 1 - t, b] for t < len(b), x[t, b] after.
LogicalResult importReverseSequence(NodeImport &node) {
  Value x = node.operand(0), lengths = node.operand(1);
  Dims dims = getDims(x);
  int64_t batchAxis = node.intAttr("batch_axis", 1), timeAxis = node.intAttr("time_axis", 0);
  if (dims.size() < 2 || batchAxis + timeAxis != 1 || batchAxis < 0 || timeAxis < 0 ||
      getDims(lengths).size() != 1)
    return node.malformed("batch_axis and time_axis must be the first two dims");
  mlir::Type i64 = node.builder.getI64Type();
  RankedTensorType type = makeTensorType(dims, i64);
  Dims spread(dims.size(), dim::constant(node.context(), 1));
  spread[batchAxis] = getDims(lengths)[0];
  Value length = node.broadcastTo(node.reshape(node.cast(lengths, i64), spread), dims);
  Value time = IotaOp::create(node.builder, node.loc, type, timeAxis);
  Value inside = CompareOp::create(node.builder, node.loc, withElementType(type, node.builder.getI1Type()),
                                   time, length, ComparePredicate::lt);
  Value mirrored = node.create<SubOp>(node.create<SubOp>(length, node.splat(type, 1)), time);
  Value index = SelectOp::create(node.builder, node.loc, type, inside, mirrored, time);
  node.setResult(0, node.create<GatherElementsOp>(x, index, timeAxis));
  return success();
}

} // namespace

void addIndexingOps(OpTable &table) {
  table.add("", "Gather", 1, importGather);
  table.add("", "GatherElements", 11, importGatherElements);
  table.add("", "GatherND", 11, importGatherNd);
  table.add("", "Scatter", 9, importScatterElements);
  table.add("", "ScatterElements", 11, importScatterElements);
  table.add("", "ScatterND", 11, importScatterNd);
  table.add("", "TopK", 1, importTopK);
  table.add("", "OneHot", 9, importOneHot);
  table.add("", "CumSum", 11, importScanOf<CumSumOp>);
  table.add("", "CumProd", 26, importScanOf<CumProdOp>);
  table.add("", "ReverseSequence", 10, importReverseSequence);
}

} // namespace torsh::onnx
