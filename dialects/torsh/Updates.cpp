//===-- Updates.cpp - Results that replace arguments --------------------------------------------------------===//
#include "dialects/torsh/Updates.h"

using namespace mlir;

namespace torsh {

std::optional<unsigned> getUpdatedArgument(func::FuncOp function, unsigned result) {
  auto attribute = function.getResultAttrOfType<IntegerAttr>(result, updatesAttrName);
  if (!attribute || attribute.getInt() < 0 || attribute.getInt() >= int64_t(function.getNumArguments()))
    return std::nullopt;
  return unsigned(attribute.getInt());
}

bool isUpdated(func::FuncOp function, unsigned argument) {
  for (unsigned result = 0; result < function.getNumResults(); ++result)
    if (getUpdatedArgument(function, result) == argument)
      return true;
  return false;
}

llvm::SmallVector<unsigned> getOutputResults(func::FuncOp function) {
  llvm::SmallVector<unsigned> outputs;
  for (unsigned result = 0; result < function.getNumResults(); ++result)
    if (!getUpdatedArgument(function, result))
      outputs.push_back(result);
  return outputs;
}

llvm::StringRef getRole(func::FuncOp function, unsigned argument) {
  auto role = function.getArgAttrOfType<StringAttr>(argument, roleAttrName);
  return role ? role.getValue() : llvm::StringRef();
}

} // namespace torsh
