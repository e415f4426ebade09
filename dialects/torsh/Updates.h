//===-- Updates.h - Results that replace arguments: parameters and state of a train step --------------------===//
//
// A train step is a function whose arguments carry `torsh.role` ("parameter", "state", "step", "lr", "input", "label").
// A result with `torsh.updates = i` is the new value of argument i and is written to its buffer; every other result is an
// output. `torsh.initial` holds what a parameter or state is before the first step.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_UPDATES_H
#define TORSH_DIALECTS_TORSH_UPDATES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <optional>

namespace torsh {

/// Names of the attributes of arguments and results.
constexpr llvm::StringLiteral updatesAttrName = "torsh.updates";
constexpr llvm::StringLiteral roleAttrName = "torsh.role";
constexpr llvm::StringLiteral initialAttrName = "torsh.initial";

/// The argument that a result is the new value of, none for an output.
std::optional<unsigned> getUpdatedArgument(mlir::func::FuncOp function, unsigned result);
/// Whether a result replaces the argument.
bool isUpdated(mlir::func::FuncOp function, unsigned argument);
/// The results that are outputs, in their order.
llvm::SmallVector<unsigned> getOutputResults(mlir::func::FuncOp function);
/// The role of an argument, empty for one without.
llvm::StringRef getRole(mlir::func::FuncOp function, unsigned argument);

} // namespace torsh

#endif // TORSH_DIALECTS_TORSH_UPDATES_H
