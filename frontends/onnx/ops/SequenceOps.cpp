//===-- SequenceOps.cpp - Sequences of tensors --------------------------------------------------------------===//
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ObjectValues.h"
#include "frontends/onnx/reader/DataType.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// A boxed operand, and what is known of it.
struct Object {
  Value handle;
  ArrayAttr type;
};

/// A sequence operand; an optional that holds one is taken as that.
FailureOr<Object> sequenceOperand(NodeImport &node, size_t i) {
  Value value = node.operand(i);
  ArrayAttr type = object::describe(value.getType());
  if (!type || !object::isSequence(type))
    return LogicalResult(node.malformed("input " + Twine(i) + " must be a sequence"));
  return Object{value, type};
}

FailureOr<Object> itemOperand(NodeImport &node, size_t i) {
  Value value = ObjectBuilder(node).box(node.operand(i));
  if (!value)
    return failure();
  return Object{value, object::describe(value.getType())};
}

/// A number that counts items, as a rank-0 i64.
Value position(NodeImport &node, size_t i) {
  return node.cast(node.reshape(node.operand(i), {}), node.builder.getI64Type());
}

/// An item of a sequence as an op sees it: a tensor of numbers, or an object of another kind.
LogicalResult setItem(NodeImport &node, size_t i, Value handle) {
  if (object::isTensor(object::describe(handle.getType())))
    handle = ObjectBuilder(node).unbox(handle);
  if (!handle)
    return failure();
  node.setResult(i, handle);
  return success();
}

LogicalResult importSequenceEmpty(NodeImport &node) {
  int32_t dtype = int32_t(node.intAttr("dtype", int64_t(DataType::Float)));
  ArrayAttr item;
  if (dtype == int32_t(DataType::String))
    item = object::strings(node.context(), -1);
  else if (mlir::Type element = elementTypeOf(node.context(), dtype))
    item = object::tensor(element, -1);
  else
    return node.unsupported("sequences of " + dataTypeName(dtype) + " are not supported");
  node.setResult(0, ObjectBuilder(node).call("list", {}, object::sequence(item)));
  return success();
}

LogicalResult importSequenceConstruct(NodeImport &node) {
  SmallVector<Value> items;
  ArrayAttr item;
  for (size_t i = 0; i < node.numInputs(); ++i) {
    FailureOr<Object> operand = itemOperand(node, i);
    if (failed(operand))
      return failure();
    items.push_back(operand->handle);
    item = item ? object::join(item, operand->type) : operand->type;
    if (!item)
      return node.malformed("the items differ in type");
  }
  if (!item)
    return node.malformed("there must be an input");
  node.setResult(0, ObjectBuilder(node).call("list", items, object::sequence(item)));
  return success();
}

LogicalResult importSequenceInsert(NodeImport &node) {
  FailureOr<Object> list = sequenceOperand(node, 0);
  FailureOr<Object> item = failed(list) ? FailureOr<Object>() : itemOperand(node, 1);
  if (failed(item))
    return failure();
  // Of an empty sequence nothing is known but the element type.
  bool isEmpty = false;
  if (auto made = list->handle.getDefiningOp<ObjectOp>())
    isEmpty = made.getFunction() == "list" && made.getInputs().empty();
  ArrayAttr held = object::itemOf(list->type), joined = object::join(held, item->type);
  if (!joined)
    return node.malformed("the item's type differs from that of the sequence's items");
  ArrayAttr result = object::sequence(isEmpty ? item->type : joined);
  ObjectBuilder objects(node);
  if (node.hasInput(2))
    node.setResult(0, objects.call("insert", {list->handle, item->handle, position(node, 2)}, result));
  else
    node.setResult(0, objects.call("append", {list->handle, item->handle}, result));
  return success();
}

LogicalResult importSequenceErase(NodeImport &node) {
  FailureOr<Object> list = sequenceOperand(node, 0);
  if (failed(list))
    return failure();
  Value at = node.hasInput(1) ? position(node, 1) : node.scalar(node.builder.getI64Type(), -1);
  node.setResult(0, ObjectBuilder(node).call("erase", {list->handle, at}, list->type));
  return success();
}

LogicalResult importSequenceAt(NodeImport &node) {
  FailureOr<Object> list = sequenceOperand(node, 0);
  if (failed(list))
    return failure();
  ArrayAttr item = object::itemOf(list->type);
  return setItem(node, 0, ObjectBuilder(node).call("at", {list->handle, position(node, 1)}, item));
}

LogicalResult importSequenceLength(NodeImport &node) {
  FailureOr<Object> list = sequenceOperand(node, 0);
  if (failed(list))
    return failure();
  auto scalar = RankedTensorType::get({}, node.builder.getI64Type());
  node.setResult(0, ObjectBuilder(node).create("length", list->handle, TypeRange(scalar))->getResult(0));
  return success();
}

LogicalResult importConcatFromSequence(NodeImport &node) {
  FailureOr<Object> list = sequenceOperand(node, 0);
  if (failed(list))
    return failure();
  const Attribute *axis = node.attribute("axis");
  if (!axis)
    return node.malformed("the attribute 'axis' is missing");
  ArrayAttr item = object::itemOf(list->type);
  if (!object::isTensor(item))
    return node.unsupported("only sequences of tensors of numbers are joined");
  int64_t isNew = node.intAttr("new_axis", 0), rank = object::rankOf(item);
  ArrayAttr joined = object::tensor(object::elementOf(item), rank < 0 ? -1 : rank + (isNew ? 1 : 0));
  return setItem(node, 0, ObjectBuilder(node).call("concat", list->handle, joined, {axis->i, isNew}));
}

LogicalResult importSplitToSequence(NodeImport &node) {
  FailureOr<Object> whole = itemOperand(node, 0);
  if (failed(whole))
    return failure();
  if (!object::isTensor(whole->type))
    return node.unsupported("only tensors of numbers are split");
  int64_t keep = node.hasInput(1) ? 1 : node.intAttr("keepdims", 1), rank = object::rankOf(whole->type);
  SmallVector<Value> operands{whole->handle};
  if (node.hasInput(1)) {
    Value lengths = node.cast(node.operand(1), node.builder.getI64Type());
    operands.push_back(ObjectBuilder(node).box(lengths));
  }
  ArrayAttr item = object::tensor(object::elementOf(whole->type), rank < 0 ? -1 : rank - (keep ? 0 : 1));
  node.setResult(0, ObjectBuilder(node).call("split", operands, object::sequence(item),
                                             {node.intAttr("axis", 0), keep}));
  return success();
}

//===-- SequenceMap ----------------------------------------------------------------------------------------===//

/// The rank that a body declares for an input, -1 when it says nothing.
int64_t declaredRank(const Graph &body, size_t i) {
  const Type *type = i < body.inputs.size() ? body.inputs[i].type : nullptr;
  return type && type->kind == Type::Kind::Tensor && type->hasShape ? int64_t(type->dims.size()) : -1;
}

/// The body's inputs in an iteration: items of sequences, and other values as they are.
FailureOr<SmallVector<NamedValue>> mapInputs(NodeImport &node, const Graph &body, Value iteration,
                                             OpBuilder &builder) {
  ObjectBuilder objects(node, builder);
  SmallVector<NamedValue> inputs;
  for (size_t i = 0; i < node.numInputs(); ++i) {
    if (!node.hasInput(i))
      return LogicalResult(node.malformed("input " + Twine(i) + " is missing"));
    NamedValue named = *node.graph.find(node.node.inputs[i]);
    ArrayAttr type = object::describe(node.typeOf(i));
    if (type && object::isSequence(type)) {
      Value item = objects.call("at", {node.operand(i), iteration}, object::itemOf(type));
      if (object::isTensor(object::itemOf(type)))
        item = objects.unbox(item, declaredRank(body, i));
      if (!item)
        return failure();
      named = NamedValue();
      named.kind = NamedValue::Kind::Value;
      named.value = item;
    }
    inputs.push_back(named);
  }
  return inputs;
}

LogicalResult importSequenceMap(NodeImport &node) {
  const Attribute *attribute = node.attribute("body");
  FailureOr<Object> list = sequenceOperand(node, 0);
  if (failed(list))
    return failure();
  if (!attribute || !attribute->g || attribute->g->inputs.size() != node.numInputs() ||
      attribute->g->outputs.size() < node.numOutputs())
    return node.malformed("the body's inputs and outputs do not match the node's");
  const Graph &body = *attribute->g;
  mlir::Type i64 = node.builder.getI64Type();
  auto scalar = RankedTensorType::get({}, i64);
  ObjectBuilder objects(node);
  Value length = objects.create("length", list->handle, TypeRange(scalar))->getResult(0);
  DimAttr trips = node.bindSizes(length, "items").front();

  // The types of the outputs are known after the body.
  OperationState state(node.loc, ForOp::getOperationName());
  state.addAttribute("trip_count", trips);
  state.addRegion();
  Operation *trial = node.builder.create(state);
  Block *block = &trial->getRegion(0).emplaceBlock();
  Value iteration = block->addArgument(scalar, node.loc);
  OpBuilder inner = OpBuilder::atBlockEnd(block);
  LogicalResult result = failure();
  FailureOr<SmallVector<NamedValue>> inputs = mapInputs(node, body, iteration, inner);
  FailureOr<SmallVector<NamedValue>> outputs =
      failed(inputs) ? FailureOr<SmallVector<NamedValue>>() : node.graph.importSubgraph(body, *inputs, inner);
  SmallVector<Value> initial, longer;
  if (succeeded(outputs)) {
    ObjectBuilder inside(node, inner);
    result = success();
    for (NamedValue &output : *outputs) {
      Value value = node.graph.materialize(output, inner, node.loc);
      Value item = value ? inside.box(value) : Value();
      if (!item) {
        result = failure();
        break;
      }
      ArrayAttr type = object::sequence(object::describe(item.getType()));
      initial.push_back(objects.call("list", {}, type));
      Value grown = block->addArgument(object::handle(type), node.loc);
      longer.push_back(inside.call("append", {grown, item}, type));
    }
  }
  if (succeeded(result)) {
    YieldOp::create(inner, node.loc, longer);
    auto loop = ForOp::create(node.builder, node.loc, ValueRange(initial).getTypes(),
                              node.graph.dims.canonical(trips), initial);
    loop.getBody().takeBody(trial->getRegion(0));
    for (size_t i = 0; i < node.numOutputs(); ++i)
      node.setResult(i, loop->getResult(i));
  }
  trial->erase();
  return result;
}

} // namespace

void addSequenceOps(OpTable &table) {
  table.add("", "SequenceEmpty", 11, importSequenceEmpty);
  table.add("", "SequenceConstruct", 11, importSequenceConstruct);
  table.add("", "SequenceInsert", 11, importSequenceInsert);
  table.add("", "SequenceErase", 11, importSequenceErase);
  table.add("", "SequenceAt", 11, importSequenceAt);
  table.add("", "SequenceLength", 11, importSequenceLength);
  table.add("", "ConcatFromSequence", 11, importConcatFromSequence);
  table.add("", "SplitToSequence", 11, importSplitToSequence);
  table.add("", "SequenceMap", 17, importSequenceMap);
}

} // namespace torsh::onnx
