//===-- OptionalOps.cpp - Values that may be absent, and ops that take any kind of value ---------------------===//
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ObjectValues.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

LogicalResult importOptional(NodeImport &node) {
  ObjectBuilder objects(node);
  if (node.hasInput(0)) {
    Value value = objects.box(node.operand(0));
    if (!value)
      return failure();
    node.setResult(0, objects.call("as", value, object::optional(object::describe(value.getType()))));
    return success();
  }
  const Attribute *type = node.attribute("type");
  std::string why = "the attribute 'type' is missing";
  ArrayAttr held = type ? describeObject(node.context(), type->type, why) : ArrayAttr();
  if (!held)
    return node.unsupported(why);
  node.setResult(0, objects.call("none", {}, object::isOptional(held) ? held : object::optional(held)));
  return success();
}

LogicalResult importOptionalHasElement(NodeImport &node) {
  mlir::Type flag = node.builder.getI1Type();
  ArrayAttr type = node.hasInput(0) ? object::describe(node.typeOf(0)) : ArrayAttr();
  if (!type || !object::isOptional(type)) {
    node.setResult(0, node.scalar(flag, node.hasInput(0) ? 1 : 0));
    return success();
  }
  auto scalar = RankedTensorType::get({}, flag);
  node.setResult(0, ObjectBuilder(node).create("is_some", node.operand(0), TypeRange(scalar))->getResult(0));
  return success();
}

LogicalResult importOptionalGetElement(NodeImport &node) {
  Value value = node.operand(0);
  ArrayAttr type = object::describe(value.getType());
  if (!type || !object::isOptional(type)) {
    node.setResult(0, value);
    return success();
  }
  ObjectBuilder objects(node);
  Value held = objects.call("get", value, object::itemOf(type));
  if (object::isTensor(object::itemOf(type)))
    held = objects.unbox(held);
  if (!held)
    return failure();
  node.setResult(0, held);
  return success();
}

LogicalResult importIdentity(NodeImport &node) {
  node.setResult(0, node.operand(0));
  return success();
}

} // namespace

void addOptionalOps(OpTable &table) {
  table.add("", "Optional", 15, importOptional);
  table.add("", "OptionalHasElement", 15, importOptionalHasElement);
  table.add("", "OptionalGetElement", 15, importOptionalGetElement);
}

void addOpsOnObjects(OpTable &table) {
  table.add("", "Identity", 1, importIdentity);
  for (int64_t version : {1, 11, 13, 16})
    table.add("", "Loop", version, OpTable::get().lookup("", "Loop", version));
}

} // namespace torsh::onnx
