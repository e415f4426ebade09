//===-- ObjectPlan.cpp - Calls of the host's objects in the host plan ---------------------------------------===//
#include "compiler/PlanBuilder.h"
#include "dialects/torsh/Objects.h"
#include "torsh/artifact.h"

using namespace llvm;
using mlir::cast;
using mlir::dyn_cast;

namespace torsh {

/// The source node behind a location.
static std::string nodeOf(mlir::Location loc) {
  std::string name;
  loc->walk([&](mlir::Location part) {
    if (auto named = dyn_cast<mlir::NameLoc>(part); named && name.empty())
      name = named.getName().str();
    return name.empty() ? mlir::WalkResult::advance() : mlir::WalkResult::interrupt();
  });
  return name;
}

/// The torsh_object_call of an op.
static Constant *describeCall(ObjectOp op, mlir::RankedTensorType tensor, LLVMContext &context,
                              function_ref<Constant *(llvm::Type *, ArrayRef<Constant *>)> table,
                              function_ref<Constant *(StringRef)> text) {
  auto *i8 = llvm::Type::getInt8Ty(context), *i16 = llvm::Type::getInt16Ty(context),
       *i32 = llvm::Type::getInt32Ty(context), *i64 = llvm::Type::getInt64Ty(context);
  auto number = [](llvm::Type *type, uint64_t value) -> Constant * { return ConstantInt::get(type, value); };
  std::pair<uint8_t, uint8_t> dtype{0, 0};
  uint64_t rank = 0;
  uint32_t function = *object::numberOf(op.getFunction());
  if (tensor) {
    dtype = dlpackType(tensor.getElementType());
    rank = tensor.getRank();
  } else if (function == TORSH_OBJECT_DIMS) {
    rank = cast<mlir::RankedTensorType>(op.getYs()[0].getType()).getNumElements();
  }
  SmallVector<Constant *> numbers, offsets{number(i64, 0)};
  if (op.getNumbers())
    for (int64_t value : op.getNumbers().value_or(ArrayRef<int64_t>()))
      numbers.push_back(number(i64, value));
  std::string bytes;
  if (op.getStrings())
    for (auto string : op.getStrings()->getAsRange<mlir::StringAttr>()) {
      bytes += string.getValue();
      offsets.push_back(number(i64, bytes.size()));
    }
  return ConstantStruct::getAnon({number(i32, function), number(i32, op.getInputs().size()),
                                  number(i32, op.getNumResults()), number(i8, dtype.first),
                                  number(i8, dtype.second), number(i16, rank), number(i32, numbers.size()),
                                  number(i32, offsets.size() - 1), table(i64, numbers), table(i64, offsets),
                                  text(bytes), text(nodeOf(op.getLoc()))});
}

Error PlanBuilder::buildObject(ObjectOp op) {
  uint32_t function = *object::numberOf(op.getFunction());
  mlir::RankedTensorType tensor;
  if (function == TORSH_OBJECT_BOX)
    tensor = cast<mlir::RankedTensorType>(op.getInputs()[0].getType());
  else if (function == TORSH_OBJECT_UNBOX)
    tensor = cast<mlir::RankedTensorType>(op.getYs()[0].getType());
  Constant *data = describeCall(
      op, tensor, module.getContext(),
      [&](llvm::Type *type, ArrayRef<Constant *> entries) { return table(type, entries, "object_numbers"); },
      [&](StringRef text) { return string(text); });
  auto *call =
      new GlobalVariable(module, data->getType(), true, GlobalValue::PrivateLinkage, data, "object_call");

  Value *ins = allocate(pointer, op.getInputs().size()), *outs = allocate(pointer, op.getNumResults());
  for (auto [values, into] :
       {std::pair(mlir::ValueRange(op.getInputs()), ins), std::pair(mlir::ValueRange(op.getYs()), outs)})
    for (auto [index, value] : enumerate(values)) {
      Expected<Value *> at = address(value);
      if (!at)
        return at.takeError();
      store(*at, into, index);
    }
  SmallVector<DimAttr> sizes;
  if (tensor)
    sizes = getDims(tensor);
  Value *dims = allocate(i64, sizes.size());
  for (auto [axis, size] : enumerate(sizes))
    store(dim(size), dims, axis);
  returnUnlessOk(callHost(offsetof(torsh_host, object), {call, ins, outs, dims}));
  return Error::success();
}

} // namespace torsh
