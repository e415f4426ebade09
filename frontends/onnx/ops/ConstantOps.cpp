//===-- ConstantOps.cpp - Ops that make tensors from nothing or from a shape
//--------------------------------===//
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"
#include <cmath>

using namespace mlir;

namespace torsh::onnx {
namespace {

using Dims = SmallVector<DimAttr>;

torsh::Tensor listOf(mlir::Type elementType, ArrayRef<int64_t> shape) {
  return torsh::Tensor::zeros(elementType, shape);
}

LogicalResult importConstant(NodeImport &node) {
  if (const Attribute *value = node.attribute("value"); value && value->t) {
    // As with initializers no op is built before the value is used.
    NamedValue named;
    named.kind = NamedValue::Kind::Initializer;
    named.initializer = value->t;
    if (!node.graph.typeOf(named))
      return node.unsupported("tensors of " + dataTypeName(value->t->dataType) + " are not supported");
    if (node.numOutputs() > 0)
      node.graph.define(node.node.outputs[0], named);
    return success();
  }
  if (const Attribute *value = node.attribute("value_string")) {
    node.setResult(0, node.graph.constant({value->s}, {}, node.loc));
    return success();
  }
  if (const Attribute *value = node.attribute("value_strings")) {
    node.setResult(0, node.graph.constant(value->strings, {int64_t(value->strings.size())}, node.loc));
    return success();
  }
  mlir::Type f32 = node.builder.getF32Type(), i64 = node.builder.getI64Type();
  torsh::Tensor tensor;
  if (const Attribute *value = node.attribute("value_float")) {
    tensor = listOf(f32, {});
    tensor.floats[0] = value->f;
  } else if (const Attribute *value = node.attribute("value_int")) {
    tensor = listOf(i64, {});
    tensor.ints[0] = value->i;
  } else if (const Attribute *value = node.attribute("value_floats")) {
    tensor = listOf(f32, {int64_t(value->floats.size())});
    tensor.floats.assign(value->floats.begin(), value->floats.end());
  } else if (const Attribute *value = node.attribute("value_ints")) {
    tensor = listOf(i64, {int64_t(value->ints.size())});
    tensor.ints.assign(value->ints.begin(), value->ints.end());
  } else {
    return node.unsupported("only dense tensors and numbers are supported as constants");
  }
  node.setResult(0, node.graph.constant(tensor, node.loc));
  return success();
}

/// `scalar`, a rank-0 constant, repeated over `type`.
Value repeat(NodeImport &node, Value scalar, RankedTensorType type) {
  if (type.getRank() == 0)
    return scalar;
  if (!type.hasStaticShape())
    return BroadcastOp::create(node.builder, node.loc, type, scalar, node.builder.getDenseI64ArrayAttr({}));
  if (type.getNumElements() == 0)
    return node.graph.constant(torsh::Tensor::zeros(type.getElementType(), type.getShape()), node.loc);
  auto dense = cast<DenseElementsAttr>(scalar.getDefiningOp<ConstantOp>().getValue());
  return node.graph.constant(dense.resizeSplat(type), type, node.loc);
}

LogicalResult importConstantOfShape(NodeImport &node) {
  auto dims = node.shapeValue(0);
  if (!dims)
    return node.unsupported("the shape must be computed from constants and from sizes of the inputs");
  for (DimAttr dim : *dims)
    if (dim::asConstant(dim).value_or(0) < 0)
      return node.malformed("the shape has a negative size");
  Value scalar;
  if (const Attribute *value = node.attribute("value"); value && value->t) {
    std::string why;
    scalar = node.graph.constant(*value->t, node.loc, why);
    if (!scalar)
      return node.unsupported(why);
    if (cast<RankedTensorType>(scalar.getType()).getNumElements() != 1)
      return node.malformed("the value must have one element");
    auto dense = cast<DenseElementsAttr>(scalar.getDefiningOp<ConstantOp>().getValue());
    auto type = RankedTensorType::get({}, dense.getElementType());
    scalar = node.graph.constant(dense.reshape(type), type, node.loc);
  } else {
    scalar = node.scalar(node.builder.getF32Type(), 0);
  }
  node.setResult(0, repeat(node, scalar, makeTensorType(*dims, getElementTypeOrSelf(scalar.getType()))));
  return success();
}

//===-- Range
//--------------------------------------------------------------------------------------------------===//

/// Range over constants.
LogicalResult importConstantRange(NodeImport &node, double start, double limit, double delta) {
  double count = std::max(0.0, std::ceil((limit - start) / delta));
  if (!(count <= double(int64_t(1) << 24)))
    return node.unsupported("a constant range of more than 2^24 elements");
  mlir::Type elementType = node.typeOf(0).getElementType();
  torsh::Tensor tensor = torsh::Tensor::zeros(elementType, {int64_t(count)});
  for (int64_t i = 0; i < int64_t(count); ++i) {
    if (tensor.isFloat())
      tensor.floats[i] = roundTo(elementType, start + roundTo(elementType, double(i) * delta));
    else
      tensor.ints[i] = wrapTo(elementType, int64_t(start) + i * int64_t(delta));
  }
  node.setResult(0, node.graph.constant(tensor, node.loc));
  return success();
}

/// Range of numbers that only the run knows: max(0, ceil((limit - start) / delta)) elements.
LogicalResult importRunTimeRange(NodeImport &node) {
  SmallVector<Value> operands;
  for (size_t i = 0; i < 3; ++i)
    operands.push_back(node.reshape(node.operand(i), {}));
  mlir::Type elementType = getElementTypeOrSelf(operands[0].getType()), i64 = node.builder.getI64Type();
  const bool isFloat = isa<FloatType>(elementType);
  auto wide = [&](Value x) { return node.cast(x, isFloat ? mlir::Type(node.builder.getF64Type()) : i64); };
  Value span = node.create<SubOp>(wide(operands[1]), wide(operands[0])), step = wide(operands[2]);
  Value zero = node.splatLike(span, 0), one = node.splatLike(span, 1), count;
  if (isFloat) {
    count = node.create<MaximumOp>(node.create<CeilOp>(node.create<DivOp>(span, step)), zero);
  } else {
    auto condition = withElementType(cast<RankedTensorType>(span.getType()), node.builder.getI1Type());
    Value back = CompareOp::create(node.builder, node.loc, condition, step, zero, ComparePredicate::lt);
    span = SelectOp::create(node.builder, node.loc, span.getType(), back, node.create<NegOp>(span), span);
    Value stride = node.create<MaximumOp>(node.create<AbsOp>(step), one);
    Value rounded = node.create<SubOp>(node.create<AddOp>(node.create<MaximumOp>(span, zero), stride), one);
    count = node.create<DivOp>(rounded, stride);
  }
  SmallVector<DimAttr> size = node.bindSizes(node.cast(count, i64), "count");
  Value result = IotaOp::create(node.builder, node.loc, makeTensorType(size, elementType), 0);
  result = node.create<MulOp>(result, node.broadcastTo(operands[2], size));
  node.setResult(0, node.create<AddOp>(result, node.broadcastTo(operands[0], size)));
  return success();
}

LogicalResult importRange(NodeImport &node) {
  auto start = node.constantFloats(0), limit = node.constantFloats(1), delta = node.constantFloats(2);
  if (delta && delta->size() == 1 && delta->front() == 0)
    return node.malformed("delta is 0");
  if (start && limit && delta && start->size() == 1 && limit->size() == 1 && delta->size() == 1)
    return importConstantRange(node, start->front(), limit->front(), delta->front());

  // Each may be a size of an input or a whole number, of a float type too.
  auto whole = [&](size_t i) -> std::optional<SmallVector<DimAttr>> {
    auto known = node.constantFloats(i);
    if (known && known->size() == 1 && std::floor(known->front()) == known->front() &&
        std::abs(known->front()) < 1e15)
      return SmallVector<DimAttr>{dim::constant(node.context(), int64_t(known->front()))};
    return node.knownValue(i);
  };
  auto from = whole(0), to = whole(1), by = whole(2);
  auto step = by && by->size() == 1 ? dim::asConstant(by->front()) : std::nullopt;
  if (!from || !to || !step || from->size() != 1 || to->size() != 1)
    return importRunTimeRange(node);
  mlir::Type elementType = node.typeOf(0).getElementType();
  DimAttr span = dim::sub(to->front(), from->front());
  if (*step < 0)
    span = dim::neg(span);
  DimAttr zero = dim::constant(node.context(), 0);
  DimAttr size =
      node.graph.dims.max(zero, dim::ceilDiv(span, dim::constant(node.context(), std::abs(*step))));
  RankedTensorType type = makeTensorType({size}, elementType);
  Value result = IotaOp::create(node.builder, node.loc, type, 0);
  if (*step != 1)
    result = node.create<MulOp>(result, node.splat(type, double(*step)));
  if (!dim::isConstant(from->front(), 0))
    result = node.create<AddOp>(result, node.broadcastTo(node.reshape(node.operand(0), {}), {size}));
  node.setResult(0, result);
  return success();
}

//===-- Masks
//--------------------------------------------------------------------------------------------------===//

/// column - row >= offset, or == offset: a mask over the last two dims of `dims`.
Value diagonalMask(NodeImport &node, ArrayRef<DimAttr> dims, Value offset, ComparePredicate predicate) {
  mlir::Type i64 = node.builder.getI64Type();
  RankedTensorType plane = makeTensorType(dims.take_back(2), i64);
  Value rows = IotaOp::create(node.builder, node.loc, plane, 0);
  Value columns = IotaOp::create(node.builder, node.loc, plane, 1);
  Value difference = node.create<SubOp>(columns, rows);
  Value limit = node.broadcastTo(offset, dims.take_back(2));
  return CompareOp::create(node.builder, node.loc, withElementType(plane, node.builder.getI1Type()),
                           difference, limit, predicate);
}

LogicalResult importEyeLike(NodeImport &node) {
  RankedTensorType type = node.typeOf(0);
  if (type.getRank() != 2)
    return node.malformed("the input must have rank 2");
  mlir::Type elementType = type.getElementType();
  if (const Attribute *dtype = node.attribute("dtype")) {
    elementType = elementTypeOf(node.context(), int32_t(dtype->i));
    if (!elementType)
      return node.unsupported("elements of " + dataTypeName(int32_t(dtype->i)) + " are not supported");
  }
  Value offset = node.scalar(node.builder.getI64Type(), double(node.intAttr("k", 0)));
  Value mask = diagonalMask(node, getDims(type), offset, ComparePredicate::eq);
  node.setResult(0, node.cast(mask, elementType));
  return success();
}

LogicalResult importTrilu(NodeImport &node) {
  Value x = node.operand(0);
  Dims dims = getDims(x);
  if (dims.size() < 2)
    return node.malformed("the input must have rank 2 or more");
  bool upper = node.intAttr("upper", 1) != 0;
  Value offset = node.hasInput(1) ? node.cast(node.reshape(node.operand(1), {}), node.builder.getI64Type())
                                  : node.scalar(node.builder.getI64Type(), 0);
  Value mask = diagonalMask(node, dims, offset, upper ? ComparePredicate::ge : ComparePredicate::le);
  mask = node.broadcastTo(mask, dims);
  node.setResult(0, SelectOp::create(node.builder, node.loc, x.getType(), mask, x, node.splatLike(x, 0)));
  return success();
}

} // namespace

void addConstantOps(OpTable &table) {
  table.add("", "Constant", 1, importConstant);
  table.add("", "ConstantOfShape", 9, importConstantOfShape);
  table.add("", "Range", 11, importRange);
  table.add("", "EyeLike", 9, importEyeLike);
  table.add("", "Trilu", 14, importTrilu);
  table.add("com.microsoft", "Trilu", 1, importTrilu);
}

} // namespace torsh::onnx
