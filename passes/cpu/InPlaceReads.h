//===-- InPlaceReads.h - When a result may lie on an operand ------------------------------------------------===//
#ifndef TORSH_PASSES_CPU_INPLACEREADS_H
#define TORSH_PASSES_CPU_INPLACEREADS_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/StringRef.h"

namespace torsh {

/// Whether the body of a kernel or group with this anchor reads an input only at the index that it is about to store,
/// each element once and first: then its result may lie on the input.
bool readsWhereItStores(llvm::StringRef anchor, mlir::BlockArgument input, mlir::Value yielded);

/// The value whose buffer a value shares, through reshapes.
mlir::Value bufferOf(mlir::Value value);

} // namespace torsh

#endif // TORSH_PASSES_CPU_INPLACEREADS_H
