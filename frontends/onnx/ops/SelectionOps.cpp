//===-- SelectionOps.cpp - Ops whose number of results is known at run time only --------------------------------===//
//
// NonZero, Compress, NonMaxSuppression and Unique all end in the positions of the true elements of a list of flags. The
// number of these positions is the one size that is born at run time (positionsOf); everything before has sizes that are
// known, and everything behind gathers by the positions.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/SuppressBoxes.h"
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/Topics.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

using Dims = SmallVector<DimAttr>;

DimAttr number(NodeImport &n, int64_t value) { return dim::constant(n.context(), value); }

Value compare(NodeImport &n, Value a, Value b, ComparePredicate predicate) {
  auto type = withElementType(cast<RankedTensorType>(a.getType()), n.builder.getI1Type());
  return n.create<CompareOp>(type, a, b, predicate);
}
/// 0, 1, .. as a list of i64.
Value count(NodeImport &n, DimAttr size) {
  return n.create<IotaOp>(makeTensorType({size}, n.builder.getI64Type()), int64_t(0));
}
Value flatten(NodeImport &n, Value x) { return n.reshape(x, {dim::product(n.context(), getDims(x))}); }
/// The result of writing `updates` at `indices` into a list of `size` times `initial`.
Value scatterInto(NodeImport &n, DimAttr size, double initial, Value indices, Value updates,
                  ScatterKind kind) {
  Value x = n.splat(makeTensorType({size}, elementTypeOf(updates)), initial);
  return ScatterElementsOp::create(n.builder, n.loc, x.getType(), x, indices, updates, int64_t(0), kind);
}

/// The positions of the true elements of a list, in their order. Each is written at the number of true ones before it, what
/// is false behind the end.
Value positionsOf(NodeImport &n, Value flags, StringRef hint) {
  mlir::Type i64 = n.builder.getI64Type();
  DimAttr size = getDims(flags)[0];
  Value ones = n.cast(flags, i64), all = n.fromDims({size}, true);
  Value found = n.create<ReduceOp>(ones, ReduceKind::sum, SmallVector<int64_t>{0}, false);
  DimAttr total = n.bindSizes(found, hint).front();
  Value place = CumSumOp::create(n.builder, n.loc, ones.getType(), ones, int64_t(0), true, false);
  place = n.create<SelectOp>(flags, place, n.broadcastTo(all, {size}));
  Value positions =
      scatterInto(n, dim::add(size, number(n, 1)), 0, place, count(n, size), ScatterKind::replace);
  return sliceAxis(n, positions, 0, number(n, 0), total);
}

//===-- NonZero and Compress
//---------------------------------------------------------------------------------------===//

/// Coordinates of the elements of a constant that are not zero.
Value constantNonZero(NodeImport &n, const torsh::Tensor &tensor) {
  SmallVector<int64_t> positions;
  for (int64_t i = 0; i < tensor.numElements(); ++i)
    if (tensor.isFloat() ? tensor.floats[i] != 0 : tensor.ints[i] != 0)
      positions.push_back(i);
  int64_t rank = tensor.rank(), total = positions.size();
  torsh::Tensor result = torsh::Tensor::zeros(n.builder.getI64Type(), {rank, total});
  for (int64_t i = 0; i < total; ++i) {
    int64_t rest = positions[i];
    for (int64_t d = rank; d-- > 0; rest /= tensor.shape[d])
      result.ints[d * total + i] = rest % tensor.shape[d];
  }
  return n.graph.constant(result, n.loc);
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

LogicalResult importNonZero(NodeImport &n) {
  if (failed(requireInputs(n, 1)))
    return failure();
  if (NamedValue *named = n.graph.find(n.node.inputs[0]))
    if (auto tensor = n.graph.constantOf(*named)) {
      n.setResult(0, constantNonZero(n, *tensor));
      return success();
    }
  Value x = n.operand(0);
  Dims dims = getDims(x);
  mlir::Type i64 = n.builder.getI64Type();
  // Old exporters write arange(n) as NonZero(ConstantOfShape([n], 1)); its size is n, not a size born at run time.
  if (dims.size() == 1 && isNonZeroSplat(x)) {
    n.setResult(0, IotaOp::create(n.builder, n.loc, makeTensorType({number(n, 1), dims[0]}, i64), 1));
    return success();
  }
  Value positions = positionsOf(n, n.cast(flatten(n, x), n.builder.getI1Type()), "nonzero");
  Dims found = getDims(positions);
  // A scalar has no coordinates, but it is there or not.
  if (dims.empty()) {
    n.setResult(0, n.splat(makeTensorType({number(n, 0), found[0]}, i64), 0));
    return success();
  }
  SmallVector<Value> rows(dims.size());
  Value rest = positions;
  for (size_t axis = dims.size(); axis-- > 0;) {
    Value size = n.broadcastTo(n.fromDims({dims[axis]}, true), found);
    rows[axis] = n.reshape(axis ? n.create<ModOp>(rest, size) : rest, {number(n, 1), found[0]});
    rest = axis ? n.create<DivOp>(rest, size) : rest;
  }
  n.setResult(0, rows.size() == 1 ? rows[0] : n.create<ConcatOp>(ValueRange(rows), int64_t(0)));
  return success();
}

LogicalResult importCompress(NodeImport &n) {
  if (failed(requireInputs(n, 2)))
    return failure();
  Value x = n.operand(0), condition = n.operand(1);
  int64_t axis = 0;
  if (n.attribute("axis")) {
    FailureOr<int64_t> given = n.axis(n.intAttr("axis", 0), rankOf(x));
    if (failed(given))
      return failure();
    axis = *given;
  } else {
    x = flatten(n, x);
  }
  if (rankOf(condition) != 1)
    return n.malformed("the condition must have rank 1");
  Value positions;
  if (auto tensor = n.graph.constantOf(*n.graph.find(n.node.inputs[1]))) {
    positions = constantNonZero(n, *tensor);
    positions = n.reshape(positions, {getDims(positions)[1]});
  } else {
    positions = positionsOf(n, n.cast(condition, n.builder.getI1Type()), "compressed");
  }
  n.setResult(0, n.create<GatherOp>(x, positions, axis));
  return success();
}

//===-- NonMaxSuppression
//------------------------------------------------------------------------------------------===//

LogicalResult importNonMaxSuppression(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireFloat(n, 1)))
    return failure();
  mlir::Type i64 = n.builder.getI64Type(), element = n.typeOf(0).getElementType();
  if (n.typeOf(0).getRank() != 3 || n.typeOf(1).getRank() != 3 || n.typeOf(1).getElementType() != element)
    return n.malformed("boxes and scores must have rank 3 and one element type");
  if (!n.unify(getDims(n.typeOf(0))[0], getDims(n.typeOf(1))[0], "batches of NonMaxSuppression") ||
      !n.unify(getDims(n.typeOf(0))[1], getDims(n.typeOf(1))[2], "boxes of NonMaxSuppression") ||
      !n.unify(getDims(n.typeOf(0))[2], number(n, 4), "boxes have four coordinates"))
    return n.malformed("boxes and scores do not belong together");
  auto scalarOperand = [&](size_t i, mlir::Type type) {
    return n.hasInput(i) ? n.cast(n.reshape(n.operand(i), {}), type) : n.scalar(type, 0);
  };
  Value boxes = n.operand(0), scores = n.operand(1);
  Value most = scalarOperand(2, i64), overlap = scalarOperand(3, element);
  Value least = n.hasInput(4) ? scalarOperand(4, element) : Value();
  Value selected =
      n.create<SuppressBoxesOp>(boxes, scores, most, overlap, least, n.intAttr("center_point_box", 0) != 0);
  Dims dims = getDims(selected);
  // No more than the number of boxes asked for can be there.
  if (auto limit = n.constantInts(2); limit && limit->size() == 1) {
    DimAttr kept = n.graph.dims.min(dims[2], number(n, std::max<int64_t>(limit->front(), 0)));
    selected = sliceAxis(n, selected, 2, number(n, 0), kept);
    dims = getDims(selected);
  }
  RankedTensorType type = makeTensorType(dims, i64);
  Dims column = dims;
  column.push_back(number(n, 1));
  SmallVector<Value> columns = {n.create<IotaOp>(type, int64_t(0)), n.create<IotaOp>(type, int64_t(1)),
                                selected};
  for (Value &part : columns)
    part = n.reshape(part, column);
  Value rows = n.create<ConcatOp>(ValueRange(columns), int64_t(3));
  rows = n.reshape(rows, {dim::product(n.context(), dims), number(n, 3)});
  Value flags = compareNumber(n, flatten(n, selected), ComparePredicate::ge, 0);
  n.setResult(0, n.create<GatherOp>(rows, positionsOf(n, flags, "selected"), int64_t(0)));
  return success();
}

//===-- Unique
//-----------------------------------------------------------------------------------------------------===//

/// The positions that sort `keys` [n], equal ones in their order.
Value sortedOrder(NodeImport &n, Value keys) {
  if (elementTypeOf(keys).isInteger(1))
    keys = n.cast(keys, n.builder.getI32Type());
  return TopKOp::create(n.builder, n.loc, keys, getDims(keys)[0], int64_t(0), false).getIndices();
}

/// The positions that sort the rows of x [n, m] by their first element, then their second one, and so on: the columns sort
/// one after the other from the last on, and each sort keeps the order of what it finds equal.
Value sortedRows(NodeImport &n, Value x) {
  Dims dims = getDims(x);
  if (dim::isConstant(dims[1], 1))
    return sortedOrder(n, n.reshape(x, {dims[0]}));
  Value order = count(n, dims[0]);
  SmallVector<mlir::Type> types = {order.getType()};
  SmallVector<Value> initial = {order};
  auto loop = ForOp::create(n.builder, n.loc, types, dims[1], initial);
  OpBuilder::InsertionGuard guard(n.builder);
  Block *body = n.builder.createBlock(&loop.getBody());
  Value step = body->addArgument(RankedTensorType::get({}, n.builder.getI64Type()), n.loc);
  Value carried = body->addArgument(order.getType(), n.loc);
  Value last = n.fromDims({dim::sub(dims[1], number(n, 1))}, true);
  Value column = n.create<GatherOp>(x, n.create<SubOp>(last, step), int64_t(1));
  Value next = sortedOrder(n, n.create<GatherOp>(column, carried, int64_t(0)));
  SmallVector<Value> yielded = {n.create<GatherOp>(carried, next, int64_t(0))};
  YieldOp::create(n.builder, n.loc, yielded);
  return loop->getResult(0);
}

/// Whether each row of x [n, m] differs from the one before it; the first one does. NaN is equal to NaN.
Value startsGroup(NodeImport &n, Value x) {
  Dims dims = getDims(x);
  // Row 0 is compared with itself and taken out below.
  Value before = addNumber(n, count(n, dims[0]), -1);
  before = n.create<MaximumOp>(before, n.splatLike(before, 0));
  Value previous = n.create<GatherOp>(x, before, int64_t(0));
  Value differs = compare(n, x, previous, ComparePredicate::ne);
  if (isa<FloatType>(elementTypeOf(x))) {
    auto flags = cast<RankedTensorType>(differs.getType());
    Value bothNan = n.create<AndOp>(n.create<IsNanOp>(flags, x), n.create<IsNanOp>(flags, previous));
    differs = n.create<SelectOp>(bothNan, n.splat(flags, 0), differs);
  }
  Value any = n.create<ReduceOp>(differs, ReduceKind::any, SmallVector<int64_t>{1}, false);
  return n.create<OrOp>(any, compareNumber(n, count(n, dims[0]), ComparePredicate::eq, 0));
}

LogicalResult importUnique(NodeImport &n) {
  if (failed(requireInputs(n, 1)))
    return failure();
  Value x = n.operand(0);
  int64_t axis = 0;
  if (n.attribute("axis")) {
    FailureOr<int64_t> given = n.axis(n.intAttr("axis", 0), rankOf(x));
    if (failed(given))
      return failure();
    axis = *given;
  } else {
    x = flatten(n, x);
  }
  // Rows [n, m] of what is compared.
  SmallVector<int64_t> permutation = range(0, rankOf(x));
  permutation.erase(permutation.begin() + axis);
  permutation.insert(permutation.begin(), axis);
  Value moved = n.transpose(x, permutation);
  DimAttr size = getDims(x)[axis];
  Value rows = n.reshape(moved, {size, dim::product(n.context(), ArrayRef(getDims(moved)).drop_front())});

  Value order = sortedRows(n, rows);
  Value starts = startsGroup(n, n.create<GatherOp>(rows, order, int64_t(0)));
  mlir::Type i64 = n.builder.getI64Type();
  Value group = n.cast(starts, i64);
  group =
      addNumber(n, CumSumOp::create(n.builder, n.loc, group.getType(), group, int64_t(0), false, false), -1);
  // Sorting keeps the order of equals, so a group starts with its first occurrence.
  Value isFirst = scatterInto(n, size, 0, order, starts, ScatterKind::replace);
  Value first, inverse;
  if (n.intAttr("sorted", 1)) {
    first = n.create<GatherOp>(order, positionsOf(n, starts, "unique"), int64_t(0));
    inverse = scatterInto(n, size, 0, order, group, ScatterKind::replace);
  } else {
    first = positionsOf(n, isFirst, "unique");
    Value rank = n.cast(isFirst, i64);
    rank =
        addNumber(n, CumSumOp::create(n.builder, n.loc, rank.getType(), rank, int64_t(0), false, false), -1);
    // The first occurrence of each group, then of each sorted row, then the rank of that.
    Value firsts = scatterInto(n, size, static_cast<double>(INT32_MAX), group, order, ScatterKind::min);
    Value own = n.create<GatherOp>(firsts, group, int64_t(0));
    inverse = scatterInto(n, size, 0, order, n.create<GatherOp>(rank, own, int64_t(0)), ScatterKind::replace);
  }
  n.setResult(0, n.create<GatherOp>(x, first, axis));
  n.setResult(1, first);
  n.setResult(2, inverse);
  if (wantsOutput(n, 3)) {
    Value ones = n.splat(makeTensorType({size}, i64), 1);
    Value counts = scatterInto(n, size, 0, inverse, ones, ScatterKind::add);
    n.setResult(3, sliceAxis(n, counts, 0, number(n, 0), getDims(first)[0]));
  }
  return success();
}

} // namespace

void addSelectionOps(OpTable &table) {
  table.add("", "NonZero", 9, importNonZero);
  table.add("", "Compress", 9, importCompress);
  table.add("", "NonMaxSuppression", 10, importNonMaxSuppression);
  table.add("", "Unique", 11, importUnique);
}

} // namespace torsh::onnx
