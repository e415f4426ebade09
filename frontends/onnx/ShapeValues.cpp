//===-- ShapeValues.cpp - Computing with sizes at import: structure
//-----------------------------------------===//
//
// Exporters compute the operands of Reshape, Expand, Slice and Resize from Shape. These nodes are evaluated
// here over dim expressions, so that every dim of the imported module is an expression over the dims of the
// inputs.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ShapeValues.h"
#include "dialects/torsh/import/SliceBounds.h"
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/ShapeArithmetic.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

using Dims = SmallVector<DimAttr>;

std::optional<ShapeValue> known(NodeImport &node, size_t i) {
  NamedValue *named = node.hasInput(i) ? node.graph.find(node.node.inputs[i]) : nullptr;
  return named ? node.graph.shapeOf(*named) : std::nullopt;
}

bool record(NodeImport &node, size_t output, ShapeValue value) {
  if (int64_t(value.dims.size()) > maxShapeElements || output >= node.node.outputs.size())
    return false;
  if (node.node.outputs[output].empty())
    return true;
  NamedValue named;
  named.kind = NamedValue::Kind::Shape;
  named.shape = std::move(value);
  node.graph.define(node.node.outputs[output], std::move(named));
  return true;
}

/// The same kind of value with other elements.
ShapeValue with(const ShapeValue &like, Dims dims, bool scalar) {
  return {std::move(dims), scalar, like.elementType, like.denominator};
}

/// Any value is passed on under another name, constants and sizes included.
bool evaluateIdentity(NodeImport &node) {
  if (!node.hasInput(0) || node.numOutputs() != 1 || node.node.outputs[0].empty())
    return false;
  node.graph.define(node.node.outputs[0], NamedValue(*node.graph.find(node.node.inputs[0])));
  return true;
}

bool evaluateGather(NodeImport &node) {
  auto data = known(node, 0), indices = known(node, 1);
  auto positions = indices ? indices->constants() : std::nullopt;
  if (!data || data->scalar || !positions)
    return false;
  Dims result;
  for (int64_t position : *positions) {
    int64_t size = data->dims.size(), wrapped = position < 0 ? position + size : position;
    if (wrapped < 0 || wrapped >= size)
      return false;
    result.push_back(data->dims[wrapped]);
  }
  return record(node, 0, with(*data, result, indices->scalar));
}

bool evaluateSlice(NodeImport &node) {
  auto data = known(node, 0);
  if (!data || data->scalar)
    return false;
  std::optional<SmallVector<int64_t>> starts, ends, axes, steps;
  if (node.opset < 10) {
    starts = node.intsAttr("starts");
    ends = node.intsAttr("ends");
    axes = node.intsAttr("axes");
  } else {
    starts = node.constantInts(1);
    ends = node.constantInts(2);
    steps = node.constantInts(4);
    if ((node.hasInput(3) && !node.constantInts(3)) || (node.hasInput(4) && !steps))
      return false;
  }
  if (!starts || !ends || starts->size() != 1 || ends->size() != 1 || (steps && steps->size() != 1))
    return false;
  int64_t size = data->dims.size(), step = steps ? steps->front() : 1;
  if (step == 0)
    return false;
  StaticSlice slice = clampSlice(starts->front(), ends->front(), step, size);
  Dims result;
  for (int64_t i = 0; i < slice.size; ++i)
    result.push_back(data->dims[slice.start + i * step]);
  return record(node, 0, with(*data, result, false));
}

bool evaluateConcat(NodeImport &node) {
  ShapeValue result;
  for (size_t i = 0; i < node.numInputs(); ++i) {
    auto part = known(node, i);
    if (!part || part->scalar || (i && part->denominator != result.denominator))
      return false;
    result.elementType = part->elementType;
    result.denominator = part->denominator;
    result.dims.append(part->dims);
  }
  return node.numInputs() > 0 && record(node, 0, result);
}

bool evaluateSplit(NodeImport &node) {
  auto data = known(node, 0);
  if (!data || data->scalar)
    return false;
  std::optional<SmallVector<int64_t>> sizes =
      node.opset >= 13 ? node.constantInts(1) : node.intsAttr("split");
  if (!sizes && node.hasInput(1))
    return false;
  int64_t total = data->dims.size(), count = node.numOutputs(), chunk = (total + count - 1) / count,
          offset = 0;
  for (int64_t i = 0; i < count; ++i) {
    int64_t size = sizes ? (i < int64_t(sizes->size()) ? (*sizes)[i] : -1) : std::min(chunk, total - offset);
    if (size < 0 || offset + size > total)
      return false;
    if (!record(node, i, with(*data, Dims(ArrayRef(data->dims).slice(offset, size)), false)))
      return false;
    offset += size;
  }
  return true;
}

bool evaluateUnsqueeze(NodeImport &node) {
  auto data = known(node, 0);
  auto axes = node.opset >= 13 ? node.constantInts(1) : node.intsAttr("axes");
  if (!data || !data->scalar || !axes || axes->size() != 1 || (axes->front() != 0 && axes->front() != -1))
    return false;
  return record(node, 0, with(*data, data->dims, false));
}

bool evaluateSqueeze(NodeImport &node) {
  auto data = known(node, 0);
  if (!data || data->scalar || data->dims.size() != 1 ||
      (node.opset >= 13 && node.hasInput(1) && !node.constantInts(1)))
    return false;
  return record(node, 0, with(*data, data->dims, true));
}

/// The rank that a constant target shape asks for, when the number of elements fits.
std::optional<bool> scalarTarget(const SmallVector<int64_t> &target, size_t elements) {
  if (target.empty() && elements == 1)
    return true;
  if (target.size() == 1 &&
      (target[0] == -1 || target[0] == int64_t(elements) || (target[0] == 0 && elements)))
    return false;
  return std::nullopt;
}

bool evaluateReshape(NodeImport &node) {
  auto data = known(node, 0);
  auto target = node.constantInts(1);
  auto scalar = data && target ? scalarTarget(*target, data->dims.size()) : std::nullopt;
  return scalar && record(node, 0, with(*data, data->dims, *scalar));
}

bool evaluateConstantOfShape(NodeImport &node) {
  auto target = node.constantInts(0);
  const Attribute *value = node.attribute("value");
  if (!target || target->size() > 1 || !value || !value->t)
    return false;
  mlir::Type elementType = elementTypeOf(node.context(), value->t->dataType);
  if (!elementType || !elementType.isInteger())
    return false;
  int64_t size = target->empty() ? 1 : target->front();
  if (size < 0 || size > maxShapeElements)
    return false;
  std::string why;
  Value constant = node.graph.constant(*value->t, node.loc, why);
  auto op = constant ? constant.getDefiningOp<ConstantOp>() : ConstantOp();
  auto tensor = op ? fromConstantAttr(op.getValue(), node.graph.weights()) : std::nullopt;
  if (!tensor || tensor->ints.size() != 1)
    return false;
  DimAttr element = dim::constant(node.context(), tensor->ints[0]);
  return record(node, 0, {Dims(size, element), target->empty(), elementType});
}

bool evaluateExpand(NodeImport &node) {
  auto data = known(node, 0);
  auto target = node.constantInts(1);
  if (!data || !target || target->size() > 1)
    return false;
  if (target->empty() || (!data->scalar && target->front() == 1))
    return record(node, 0, *data);
  int64_t size = target->front();
  if (data->dims.size() == 1 && size >= 0 && size <= maxShapeElements)
    return record(node, 0, with(*data, Dims(size, data->dims[0]), false));
  return int64_t(data->dims.size()) == size && record(node, 0, *data);
}

bool evaluateTile(NodeImport &node) {
  auto data = known(node, 0);
  auto repeats = node.constantInts(1);
  if (!data || data->scalar || !repeats || repeats->size() != 1 || repeats->front() < 0 ||
      repeats->front() * int64_t(data->dims.size()) > maxShapeElements)
    return false;
  Dims result;
  for (int64_t i = 0; i < repeats->front(); ++i)
    result.append(data->dims);
  return record(node, 0, with(*data, result, false));
}

bool evaluateTranspose(NodeImport &node) {
  auto data = known(node, 0);
  return data && record(node, 0, *data);
}

/// ScatterND and ScatterElements along the only dim.
bool evaluateScatter(NodeImport &node) {
  auto data = known(node, 0), updates = known(node, 2);
  auto indices = node.constantInts(1);
  if (!data || data->scalar || !updates || !indices || indices->size() != updates->dims.size() ||
      node.stringAttr("reduction", "none") != "none" || data->denominator != updates->denominator)
    return false;
  if (node.node.opType == "ScatterND") {
    RankedTensorType type = node.typeOf(1);
    if (type.getRank() == 0 || type.getShape().back() != 1)
      return false;
  }
  Dims result = data->dims;
  for (auto [index, update] : llvm::zip(*indices, updates->dims)) {
    int64_t position = index < 0 ? index + int64_t(result.size()) : index;
    if (position < 0 || position >= int64_t(result.size()))
      return false;
    result[position] = update;
  }
  return record(node, 0, with(*data, result, false));
}

bool evaluateRange(NodeImport &node) {
  auto start = known(node, 0), limit = known(node, 1), delta = known(node, 2);
  if (!start || !limit || !delta || start->dims.size() != 1 || limit->dims.size() != 1 ||
      delta->dims.size() != 1 || !start->elementType.isInteger())
    return false;
  auto step = dim::asConstant(delta->dims[0]);
  auto span = dim::asConstant(dim::sub(limit->dims[0], start->dims[0]));
  if (!step || *step == 0 || !span)
    return false;
  int64_t count = std::max<int64_t>(0, (*span + *step + (*step > 0 ? -1 : 1)) / *step);
  if (count > maxShapeElements)
    return false;
  Dims result;
  for (int64_t i = 0; i < count; ++i)
    result.push_back(dim::add(start->dims[0], dim::constant(node.context(), i * *step)));
  return record(node, 0, with(*start, result, false));
}

/// Ops that combine elements (ShapeArithmetic.cpp).
bool evaluateArithmetic(NodeImport &node) {
  std::optional<ShapeValue> result = shapeArithmetic(node);
  return result && record(node, 0, std::move(*result));
}

using Evaluation = bool (*)(NodeImport &);

Evaluation evaluationOf(StringRef op) {
  return llvm::StringSwitch<Evaluation>(op)
      .Case("Identity", evaluateIdentity)
      .Case("Gather", evaluateGather)
      .Case("Slice", evaluateSlice)
      .Case("Concat", evaluateConcat)
      .Case("Split", evaluateSplit)
      .Case("Unsqueeze", evaluateUnsqueeze)
      .Case("Squeeze", evaluateSqueeze)
      .Case("Reshape", evaluateReshape)
      .Case("ConstantOfShape", evaluateConstantOfShape)
      .Case("Expand", evaluateExpand)
      .Case("Tile", evaluateTile)
      .Case("Transpose", evaluateTranspose)
      .Cases({"ScatterND", "ScatterElements", "Scatter"}, evaluateScatter)
      .Case("Range", evaluateRange)
      .Default(isShapeArithmetic(op) ? evaluateArithmetic : nullptr);
}

} // namespace

bool evaluateShapeNode(NodeImport &node) {
  if (!node.node.domain.empty())
    return false;
  Evaluation evaluation = evaluationOf(node.node.opType);
  return evaluation && evaluation(node);
}

} // namespace torsh::onnx
