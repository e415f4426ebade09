//===-- ObjectValues.cpp - Sequences, optionals and strings while a graph is imported -----------------------===//
#include "frontends/onnx/ObjectValues.h"
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/reader/DataType.h"

using namespace mlir;

namespace torsh::onnx {

ArrayAttr describeObject(MLIRContext *context, const Type *type, std::string &why) {
  if (!type) {
    why = "it has no type";
    return {};
  }
  switch (type->kind) {
  case Type::Kind::Tensor: {
    int64_t rank = type->hasShape ? int64_t(type->dims.size()) : -1;
    if (type->elemType == int32_t(DataType::String))
      return object::strings(context, rank);
    mlir::Type element = elementTypeOf(context, type->elemType);
    if (element && (element.isInteger(1) || element.getIntOrFloatBitWidth() >= 8))
      return object::tensor(element, rank);
    why = "tensors of " + dataTypeName(type->elemType) + " are not supported in it";
    return {};
  }
  case Type::Kind::Sequence:
  case Type::Kind::Optional: {
    ArrayAttr item = describeObject(context, type->element, why);
    if (!item)
      return {};
    return type->kind == Type::Kind::Sequence ? object::sequence(item) : object::optional(item);
  }
  default:
    why = "only tensors, strings, sequences and optionals are supported";
    return {};
  }
}

Operation *ObjectBuilder::create(StringRef function, ValueRange operands, TypeRange results,
                                 ArrayRef<int64_t> numbers, ArrayRef<StringRef> strings) {
  return ObjectOp::create(builder, node.loc, results, function, operands,
                          numbers.empty() ? DenseI64ArrayAttr() : builder.getDenseI64ArrayAttr(numbers),
                          strings.empty() ? ArrayAttr() : builder.getStrArrayAttr(strings));
}

Value ObjectBuilder::call(StringRef function, ValueRange operands, ArrayAttr result,
                          ArrayRef<int64_t> numbers, ArrayRef<StringRef> strings) {
  return create(function, operands, object::handle(result), numbers, strings)->getResult(0);
}

Value ObjectBuilder::box(Value x) {
  if (object::describe(x.getType()))
    return x;
  auto type = cast<RankedTensorType>(x.getType());
  mlir::Type element = type.getElementType();
  if (!element.isInteger(1) && element.getIntOrFloatBitWidth() < 8) {
    (void)node.unsupported("elements of less than a byte cannot be in sequences and optionals");
    return {};
  }
  return call("box", x, object::tensor(element, type.getRank()));
}

Value ObjectBuilder::unbox(Value handle, int64_t rank) {
  ArrayAttr description = object::describe(handle.getType());
  if (!description || !object::isTensor(description)) {
    (void)node.unsupported("a dense tensor of numbers is needed");
    return {};
  }
  if (object::rankOf(description) >= 0)
    rank = object::rankOf(description);
  if (rank < 0) {
    (void)node.unsupported(
        "the rank of the tensor inside is not known; declare the shape of the sequence's or "
        "optional's type (sizes may be symbolic)");
    return {};
  }
  SmallVector<DimAttr> dims;
  if (rank) {
    auto listType = RankedTensorType::get({rank}, builder.getI64Type());
    Value list = create("dims", handle, TypeRange(listType))->getResult(0);
    SmallVector<StringRef> names;
    for (int64_t axis = 0; axis < rank; ++axis) {
      dims.push_back(node.freshSymbol("item"));
      names.push_back(*dim::asSymbol(dims.back()));
    }
    BindSizesOp::create(builder, node.loc, list, builder.getStrArrayAttr(names), UnitAttr());
  }
  return create("unbox", handle, TypeRange(makeTensorType(dims, object::elementOf(description))))
      ->getResult(0);
}

Value ObjectBuilder::convert(Value value, mlir::Type form) {
  if (value.getType() == form)
    return value;
  ArrayAttr wanted = object::describe(form);
  if (!wanted)
    return {};
  Value boxed = box(value);
  if (!boxed || boxed.getType() == form)
    return boxed;
  if (object::join(object::describe(boxed.getType()), wanted) != wanted)
    return {};
  return call("as", boxed, wanted);
}

/// What a value's box is.
static ArrayAttr describeBox(mlir::Type type) {
  if (ArrayAttr description = object::describe(type))
    return description;
  auto tensor = cast<RankedTensorType>(type);
  return object::tensor(tensor.getElementType(), tensor.getRank());
}

mlir::Type joinForms(mlir::Type a, mlir::Type b) {
  if (a == b)
    return a;
  ArrayAttr joined = object::join(describeBox(a), describeBox(b));
  return joined ? object::handle(joined) : mlir::Type();
}

const OpTable &objectOps() {
  static const OpTable table = [] {
    OpTable result;
    addSequenceOps(result);
    addOptionalOps(result);
    addStringOps(result);
    addOpsOnObjects(result);
    addOpsOnStrings(result);
    return result;
  }();
  return table;
}

} // namespace torsh::onnx
