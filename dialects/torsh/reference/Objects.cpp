//===-- Objects.cpp - Reference semantics of torsh.object ---------------------------------------------------===//
#include "dialects/torsh/reference/Objects.h"
#include "dialects/torsh/Objects.h"
#include "dialects/torsh/reference/Interpreter.h"

using namespace llvm;
using namespace mlir;

namespace torsh::reference {
namespace {

/// DLPack's (code, bits) of the element types that boxes hold.
std::pair<uint8_t, uint8_t> boxType(Type type) {
  if (type.isInteger(1))
    return {TORSH_DTYPE_BOOL, 8};
  if (auto integer = dyn_cast<IntegerType>(type))
    return {uint8_t(integer.isUnsigned() ? TORSH_DTYPE_UINT : TORSH_DTYPE_INT), uint8_t(integer.getWidth())};
  if (type.isBF16())
    return {TORSH_DTYPE_BFLOAT, 16};
  if (isa<Float8E4M3FNType>(type))
    return {TORSH_DTYPE_FLOAT8_E4M3FN, 8};
  if (isa<Float8E5M2Type>(type))
    return {TORSH_DTYPE_FLOAT8_E5M2, 8};
  return {TORSH_DTYPE_FLOAT, uint8_t(type.getIntOrFloatBitWidth())};
}

Results evaluateObject(ObjectOp op, Call &call) {
  // Handles mean nothing outside of one evaluation, so no op is folded alone.
  ObjectTable *objects = call.interpreter.objects;
  if (!objects)
    return call.error(Code::NoReferenceSemantics, "objects live only while a whole function is evaluated");
  SmallVector<std::vector<char>> in, out;
  SmallVector<const void *> inputs;
  SmallVector<void *> outputs;
  SmallVector<Tensor> results;
  for (const Tensor *operand : call.operands)
    in.push_back(operand->toBytes());
  for (const std::vector<char> &bytes : in)
    inputs.push_back(bytes.data());
  for (unsigned i = 0; i < op->getNumResults(); ++i) {
    Expected<Tensor> result = call.allocateResult(i);
    if (!result)
      return result.takeError();
    out.push_back(result->toBytes());
    results.push_back(std::move(*result));
  }
  for (std::vector<char> &bytes : out)
    outputs.push_back(bytes.data());

  torsh_object_call description = {};
  description.function = *object::numberOf(op.getFunction());
  description.num_in = inputs.size();
  description.num_out = outputs.size();
  SmallVector<int64_t> dims;
  bool isBox = description.function == TORSH_OBJECT_BOX, isUnbox = description.function == TORSH_OBJECT_UNBOX;
  if (isBox || isUnbox) {
    const Tensor &tensor = isBox ? *call.operands[0] : results[0];
    std::tie(description.dtype_code, description.dtype_bits) = boxType(tensor.elementType);
    description.rank = tensor.rank();
    dims = tensor.shape;
    if (description.dtype_bits < 8)
      return call.misfit("elements of less than a byte cannot be boxed");
  } else if (description.function == TORSH_OBJECT_DIMS) {
    description.rank = results[0].numElements();
  }
  if (op.getNumbers()) {
    description.num_numbers = op.getNumbers()->size();
    description.numbers = op.getNumbers()->data();
  }
  std::vector<uint64_t> offsets{0};
  std::string text;
  if (op.getStrings())
    for (auto string : op.getStrings()->getAsRange<StringAttr>()) {
      text += string.getValue();
      offsets.push_back(text.size());
    }
  description.num_strings = offsets.size() - 1;
  description.offsets = offsets.data();
  description.bytes = text.data();

  torsh_error error = {};
  objects->table.error = &error;
  torsh_status status =
      torsh_rt_object_do(&objects->table, &description, inputs.data(), outputs.data(), dims.data());
  objects->table.error = nullptr;
  if (status)
    return call.misfit(error.message);
  for (auto [result, bytes] : zip_equal(results, out)) {
    Expected<Tensor> read = Tensor::fromBytes(result.elementType, result.shape, bytes);
    if (!read)
      return read.takeError();
    result = std::move(*read);
  }
  return results;
}

} // namespace

void addObjects(HandlerTable &table) { table.add<ObjectOp>(evaluateObject); }

} // namespace torsh::reference
