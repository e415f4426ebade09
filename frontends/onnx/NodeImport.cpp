//===-- NodeImport.cpp - Operands, attributes and results of a node
//-----------------------------------------===//
#include "frontends/onnx/NodeImport.h"
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"

using namespace mlir;

namespace torsh::onnx {

//===-- Operands
//---------------------------------------------------------------------------------------------===//

size_t NodeImport::numInputs() const { return node.inputs.size(); }
size_t NodeImport::numOutputs() const { return node.outputs.size(); }

bool NodeImport::hasInput(size_t i) const { return i < node.inputs.size() && !node.inputs[i].empty(); }

Value NodeImport::operand(size_t i) {
  NamedValue *named = hasInput(i) ? graph.find(node.inputs[i]) : nullptr;
  if (named)
    if (Value value = graph.materialize(*named, builder, loc))
      return value;
  // The function goes on with a placeholder, so that no op topic needs a check; the node fails afterwards. Why a value
  // failed has been reported where it arose.
  bool reported = named && named->kind == NamedValue::Kind::Failed;
  if (!invalid && !reported)
    (void)malformed("input " + Twine(i) + " is missing");
  invalid = true;
  return graph.constant(torsh::Tensor::zeros(builder.getF32Type(), {}), loc);
}

Value NodeImport::optionalOperand(size_t i) { return hasInput(i) ? operand(i) : Value(); }

RankedTensorType NodeImport::typeOf(size_t i) {
  if (NamedValue *named = hasInput(i) ? graph.find(node.inputs[i]) : nullptr)
    if (RankedTensorType type = graph.typeOf(*named))
      return type;
  return mlir::cast<RankedTensorType>(operand(i).getType());
}

std::optional<SmallVector<DimAttr>> NodeImport::knownValue(size_t i) {
  NamedValue *named = hasInput(i) ? graph.find(node.inputs[i]) : nullptr;
  if (!named)
    return std::nullopt;
  // A fraction of a size is not a size.
  if (std::optional<ShapeValue> shape = graph.shapeOf(*named); shape && shape->denominator == 1)
    return shape->dims;
  return std::nullopt;
}

std::optional<SmallVector<int64_t>> NodeImport::constantInts(size_t i) {
  NamedValue *named = hasInput(i) ? graph.find(node.inputs[i]) : nullptr;
  if (!named)
    return std::nullopt;
  if (named->kind == NamedValue::Kind::Shape)
    if (std::optional<ShapeValue> shape = graph.shapeOf(*named))
      return shape->constants();
  std::optional<torsh::Tensor> tensor = graph.constantOf(*named);
  if (!tensor || tensor->isFloat())
    return std::nullopt;
  return SmallVector<int64_t>(tensor->ints.begin(), tensor->ints.end());
}

std::optional<SmallVector<double>> NodeImport::constantFloats(size_t i) {
  NamedValue *named = hasInput(i) ? graph.find(node.inputs[i]) : nullptr;
  if (!named)
    return std::nullopt;
  std::optional<torsh::Tensor> tensor = graph.constantOf(*named);
  if (!tensor)
    return std::nullopt;
  if (tensor->isFloat())
    return SmallVector<double>(tensor->floats.begin(), tensor->floats.end());
  return SmallVector<double>(tensor->ints.begin(), tensor->ints.end());
}

//===-- Attributes
//-------------------------------------------------------------------------------------------===//

const Attribute *NodeImport::attribute(StringRef name) const {
  const Attribute *found = node.attribute(name);
  if (!found || found->refAttrName.empty())
    return found;
  auto it = graph.frame->attributes.find(found->refAttrName);
  return it == graph.frame->attributes.end() ? nullptr : it->second;
}

int64_t NodeImport::intAttr(StringRef name, int64_t otherwise) const {
  const Attribute *found = attribute(name);
  return found ? found->i : otherwise;
}

double NodeImport::floatAttr(StringRef name, double otherwise) const {
  const Attribute *found = attribute(name);
  // The attributes of the specification are f32, and so are their defaults.
  return found ? double(found->f) : double(float(otherwise));
}

StringRef NodeImport::stringAttr(StringRef name, StringRef otherwise) const {
  const Attribute *found = attribute(name);
  return found ? found->s : otherwise;
}

std::optional<SmallVector<int64_t>> NodeImport::intsAttr(StringRef name) const {
  if (const Attribute *found = attribute(name))
    return SmallVector<int64_t>(found->ints.begin(), found->ints.end());
  return std::nullopt;
}

//===-- Results
//----------------------------------------------------------------------------------------------===//

void NodeImport::setResult(size_t i, Value value) {
  if (i >= node.outputs.size() || node.outputs[i].empty())
    return;
  NamedValue named;
  named.kind = NamedValue::Kind::Value;
  named.value = value;
  graph.define(node.outputs[i], std::move(named));
}

void NodeImport::setShapeResult(size_t i, ArrayRef<DimAttr> values, bool scalar, mlir::Type elementType) {
  if (i >= node.outputs.size() || node.outputs[i].empty())
    return;
  NamedValue named;
  named.kind = NamedValue::Kind::Shape;
  named.shape = {SmallVector<DimAttr>(values), scalar, elementType};
  graph.define(node.outputs[i], std::move(named));
}

LogicalResult NodeImport::unsupported(const Twine &constraint) { return graph.refuse(*this, constraint); }
LogicalResult NodeImport::malformed(const Twine &reason) { return graph.reject(*this, reason); }

} // namespace torsh::onnx
