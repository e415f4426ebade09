//===-- TypePromotion.cpp - Element types of PyTorch --------------------------------------------------------===//
#include "frontends/torch/aten/Call.h"

using namespace mlir;

namespace torsh::torch {

Type elementTypeOf(MLIRContext *context, int64_t scalarType) {
  Builder builder(context);
  switch (static_cast<ScalarType>(scalarType)) {
  case ScalarType::U8:
    return builder.getIntegerType(8, /*isSigned=*/false);
  case ScalarType::I8:
    return builder.getIntegerType(8);
  case ScalarType::I16:
    return builder.getIntegerType(16);
  case ScalarType::I32:
    return builder.getIntegerType(32);
  case ScalarType::I64:
    return builder.getIntegerType(64);
  case ScalarType::F16:
    return builder.getF16Type();
  case ScalarType::F32:
    return builder.getF32Type();
  case ScalarType::F64:
    return builder.getF64Type();
  case ScalarType::Bool:
    return builder.getI1Type();
  case ScalarType::BF16:
    return builder.getBF16Type();
  case ScalarType::F8E5M2:
    return Float8E5M2Type::get(context);
  case ScalarType::F8E4M3:
    return Float8E4M3FNType::get(context);
  default:
    return {};
  }
}

int64_t scalarTypeOf(Type elementType) {
  for (int64_t number = 0; number <= int64_t(ScalarType::F8E4M3); ++number)
    if (elementTypeOf(elementType.getContext(), number) == elementType)
      return number;
  return -1;
}

/// 0 for bool, 1 for integers, 2 for floats.
static int kindOf(Type type) { return isa<FloatType>(type) ? 2 : type.isInteger(1) ? 0 : 1; }

/// The type of two tensors that count alike.
static Type join(Type a, Type b) {
  if (!a || a == b)
    return b;
  if (!b)
    return a;
  if (kindOf(a) != kindOf(b))
    return kindOf(a) > kindOf(b) ? a : b;
  unsigned widthA = a.getIntOrFloatBitWidth(), widthB = b.getIntOrFloatBitWidth();
  Builder builder(a.getContext());
  if (kindOf(a) == 2 && widthA == widthB)
    return builder.getF32Type(); // f16 and bf16
  if (kindOf(a) == 1 && widthA == widthB)
    return builder.getIntegerType(16); // i8 and u8
  return widthA > widthB ? a : b;
}

Type promote(TensorBuilder &b, ArrayRef<Val> operands) {
  Type byLevel[3]; // tensors with dims, tensors of rank 0, numbers
  for (const Val &operand : operands) {
    if (operand.isTensor() && operand.asCell()->isNumber) {
      Type type = elementTypeOf(b.read(operand));
      byLevel[2] = join(byLevel[2], isa<FloatType>(type) ? Type(b.builder.getF32Type()) : type);
    } else if (operand.isTensor()) {
      auto type = cast<RankedTensorType>(b.read(operand).getType());
      Type &level = byLevel[type.getRank() == 0];
      level = join(level, type.getElementType());
    } else {
      Type type = operand.kind() == Val::Kind::Float  ? Type(b.builder.getF32Type())
                  : operand.kind() == Val::Kind::Bool ? Type(b.builder.getI1Type())
                                                      : Type(b.builder.getI64Type());
      byLevel[2] = join(byLevel[2], type);
    }
  }
  Type result;
  for (Type type : byLevel)
    if (type && (!result || kindOf(type) > kindOf(result)))
      result = type;
  return result;
}

Value asTensor(TensorBuilder &b, const Val &value, Type type) {
  Value result;
  if (value.isTensor() || value.isDynamic()) {
    result = b.read(value);
  } else {
    if (!type)
      type = promote(b, value);
    if (std::optional<double> known = value.knownDouble();
        known && (isa<FloatType>(type) || type.isInteger(1)))
      return b.scalar(type, *known);
    if (std::optional<int64_t> known = value.knownInt()) {
      torsh::Tensor tensor = torsh::Tensor::zeros(type, {});
      tensor.ints[0] = wrapTo(type, *known);
      return b.constant(tensor);
    }
    if (value.kind() == Val::Kind::Float)
      return b.scalar(type, value.asDouble());
    if (!value.isKnownInt()) {
      (void)b.fail(Twine("a tensor or number is needed, not ") + kindName(value));
      return b.scalar(type, 0);
    }
    result = b.fromDims({value.asDim()}, true);
  }
  return type ? b.cast(result, type) : result;
}

SmallVector<Value> promoted(TensorBuilder &b, ArrayRef<Val> operands, Type type) {
  if (!type)
    type = promote(b, operands);
  SmallVector<Value> result;
  for (const Val &operand : operands)
    result.push_back(asTensor(b, operand, type));
  b.broadcastTogether(result);
  return result;
}

} // namespace torsh::torch
