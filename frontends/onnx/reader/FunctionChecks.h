//===- FunctionChecks.h - Calls among model-local functions -----*- C++ -*-===//
#ifndef TORSH_FRONTENDS_ONNX_READER_FUNCTIONCHECKS_H
#define TORSH_FRONTENDS_ONNX_READER_FUNCTIONCHECKS_H

#include "frontends/onnx/reader/Checks.h"

namespace torsh::onnx {

/// Finds the function that a node calls, or null when the node is an operator.
///
/// The key is domain, name and overload. Build once a model.
class FunctionTable {
public:
  explicit FunctionTable(const Model &model);
  const Function *find(const Node &node) const;
  /// Functions whose key an earlier function has already.
  ArrayRef<const Function *> duplicates() const { return repeated; }

private:
  using Key = std::pair<std::pair<StringRef, StringRef>, StringRef>;
  llvm::DenseMap<Key, const Function *> functions;
  llvm::SmallVector<const Function *, 0> repeated;
};

/// Reports functions defined twice, recursion, and expansion beyond the limit.
void checkFunctionCalls(const Model &model, const ReadLimits &limits, CheckedModel &result);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_READER_FUNCTIONCHECKS_H
