//===-- TreeKernel.h - Kernels of tree ensembles ------------------------------------------------------------===//
#ifndef TORSH_PASSES_LOWERING_TREEKERNEL_H
#define TORSH_PASSES_LOWERING_TREEKERNEL_H

#include "passes/lowering/KernelBuilder.h"

namespace torsh {

llvm::LogicalResult emitTreeKernel(KernelBuilder &kb);
TileSpace getTreeTiles(KernelOp kernel);

} // namespace torsh

#endif // TORSH_PASSES_LOWERING_TREEKERNEL_H
