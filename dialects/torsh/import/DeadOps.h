//===-- DeadOps.h - Ops that an import built and did not need -----------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_IMPORT_DEADOPS_H
#define TORSH_DIALECTS_TORSH_IMPORT_DEADOPS_H

#include "mlir/IR/Block.h"

namespace torsh {

/// Erases ops that were built on the way and turned out to be unneeded, last uses first, in regions as well.
void eraseDead(mlir::Block &block);

} // namespace torsh

#endif // TORSH_DIALECTS_TORSH_IMPORT_DEADOPS_H
