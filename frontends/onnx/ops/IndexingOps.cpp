//===-- IndexingOps.cpp - Gather, Scatter, TopK, NonZero and their kin
//--------------------------------------===//
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"
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

LogicalResult importScatterElements(NodeImport &node) {
  FailureOr<int64_t> axis = node.axis(node.intAttr("axis", 0), node.typeOf(0).getRank());
  FailureOr<ScatterKind> kind = scatterKind(node);
  if (failed(axis) || failed(kind))
    return failure();
  Value x = node.operand(0);
  node.setResult(0, ScatterElementsOp::create(node.builder, node.loc, x.getType(), x, indexOperand(node, 1),
                                              node.operand(2), *axis, *kind));
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
  node.setResult(0, ScatterNdOp::create(node.builder, node.loc, x.getType(), x, indices, updates, *kind));
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

/// Coordinates of the elements of a constant that are not zero.
Value constantNonZero(NodeImport &node, const torsh::Tensor &tensor) {
  SmallVector<int64_t> positions;
  for (int64_t i = 0; i < tensor.numElements(); ++i)
    if (tensor.isFloat() ? tensor.floats[i] != 0 : tensor.ints[i] != 0)
      positions.push_back(i);
  int64_t rank = tensor.rank(), count = positions.size();
  torsh::Tensor result = torsh::Tensor::zeros(node.builder.getI64Type(), {rank, count});
  for (int64_t n = 0; n < count; ++n) {
    int64_t rest = positions[n];
    for (int64_t d = rank; d-- > 0; rest /= tensor.shape[d])
      result.ints[d * count + n] = rest % tensor.shape[d];
  }
  return node.graph.constant(result, node.loc);
}

/// True everywhere by construction: ones of a size known only at run time.
bool isNonZeroSplat(Value x) {
  auto broadcast = x.getDefiningOp<BroadcastOp>();
  auto constant = broadcast ? broadcast.getX().getDefiningOp<ConstantOp>() : ConstantOp();
  auto dense = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : DenseElementsAttr();
  if (!dense || !dense.isSplat())
    return false;
  if (isa<FloatType>(dense.getElementType()))
    return !dense.getSplatValue<APFloat>().isZero();
  return !dense.getSplatValue<APInt>().isZero();
}

LogicalResult importNonZero(NodeImport &node) {
  if (NamedValue *named = node.graph.find(node.node.inputs.empty() ? StringRef() : node.node.inputs[0]))
    if (auto tensor = node.graph.constantOf(*named)) {
      node.setResult(0, constantNonZero(node, *tensor));
      return success();
    }
  Value x = node.operand(0);
  Dims dims = getDims(x);
  mlir::Type i64 = node.builder.getI64Type();
  // Old exporters write arange(n) as NonZero(ConstantOfShape([n], 1)); its size is n, not a size born at run
  // time.
  if (dims.size() == 1 && isNonZeroSplat(x)) {
    node.setResult(0, IotaOp::create(node.builder, node.loc,
                                     makeTensorType({dim::constant(node.context(), 1), dims[0]}, i64), 1));
    return success();
  }
  auto type = makeTensorType({dim::constant(node.context(), dims.size()), node.freshSymbol("nonzero")}, i64);
  node.setResult(0, NonZeroOp::create(node.builder, node.loc, type, x));
  return success();
}

LogicalResult importNonMaxSuppression(NodeImport &node) {
  auto number = [&](size_t i, double otherwise) -> std::optional<double> {
    if (!node.hasInput(i))
      return otherwise;
    auto value = node.constantFloats(i);
    return value && value->size() == 1 ? std::optional<double>(value->front()) : std::nullopt;
  };
  auto most = number(2, 0), overlap = number(3, 0), score = number(4, 0);
  if (!most || !overlap || !score)
    return node.unsupported("the number of boxes and the thresholds must be constant");
  Value boxes = node.operand(0), scores = node.operand(1);
  if (getDims(boxes).size() != 3 || getDims(scores).size() != 3)
    return node.malformed("boxes and scores must have rank 3");
  if (!node.unify(getDims(boxes)[0], getDims(scores)[0], "batches of NonMaxSuppression") ||
      !node.unify(getDims(boxes)[1], getDims(scores)[2], "boxes of NonMaxSuppression"))
    return node.malformed("boxes and scores do not belong together");
  auto type = makeTensorType({node.freshSymbol("selected"), dim::constant(node.context(), 3)},
                             node.builder.getI64Type());
  Builder &b = node.builder;
  FloatAttr threshold = node.hasInput(4) ? b.getF64FloatAttr(*score) : FloatAttr();
  int64_t limit = *most >= 9e18 ? INT64_MAX : int64_t(*most);
  node.setResult(0, NonMaxSuppressionOp::create(node.builder, node.loc, type, boxes, scores,
                                                b.getI64IntegerAttr(limit), b.getF64FloatAttr(*overlap),
                                                threshold,
                                                b.getBoolAttr(node.intAttr("center_point_box", 0) != 0)));
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

LogicalResult importCumSum(NodeImport &node) {
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
    y = CumSumOp::create(node.builder, node.loc, y.getType(), y, int64_t(1), exclusive, reverse);
    node.setResult(0, node.reshape(y, dims));
    return success();
  }
  if (given->size() != 1)
    return node.malformed("the axis must be one number");
  FailureOr<int64_t> axis = node.axis(given->front(), getDims(x).size());
  if (failed(axis))
    return failure();
  node.setResult(0, CumSumOp::create(node.builder, node.loc, x.getType(), x, *axis, exclusive, reverse));
  return success();
}

LogicalResult importCompress(NodeImport &node) {
  Value x = node.operand(0), condition = node.operand(1);
  int64_t rank = getDims(x).size(), axis = 0;
  if (node.attribute("axis")) {
    FailureOr<int64_t> given = node.axis(node.intAttr("axis", 0), rank);
    if (failed(given))
      return failure();
    axis = *given;
  } else {
    x = node.reshape(x, {dim::product(node.context(), getDims(x))});
  }
  if (getDims(condition).size() != 1)
    return node.malformed("the condition must have rank 1");
  Value indices;
  auto tensor = node.graph.constantOf(*node.graph.find(node.node.inputs[1]));
  if (tensor) {
    indices = constantNonZero(node, *tensor);
  } else {
    auto type = makeTensorType({dim::constant(node.context(), 1), node.freshSymbol("compressed")},
                               node.builder.getI64Type());
    indices = NonZeroOp::create(node.builder, node.loc, type, condition);
  }
  indices = node.reshape(indices, {getDims(indices)[1]});
  node.setResult(0, node.create<GatherOp>(x, indices, axis));
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
  table.add("", "NonZero", 9, importNonZero);
  table.add("", "NonMaxSuppression", 10, importNonMaxSuppression);
  table.add("", "OneHot", 9, importOneHot);
  table.add("", "CumSum", 11, importCumSum);
  table.add("", "Compress", 9, importCompress);
  table.add("", "ReverseSequence", 10, importReverseSequence);
}

} // namespace torsh::onnx
