//===-- RegionPoolKernel.h - Kernels of pooling over boxes --------------------------------------------------===//
#ifndef TORSH_PASSES_LOWERING_REGIONPOOLKERNEL_H
#define TORSH_PASSES_LOWERING_REGIONPOOLKERNEL_H

#include "dialects/torsh/RegionPool.h"
#include "passes/lowering/KernelBuilder.h"

namespace torsh {

llvm::LogicalResult emitRoiAlign(KernelBuilder &kb, RoiAlignOp op);
llvm::LogicalResult emitRoiMaxPool(KernelBuilder &kb, RoiMaxPoolOp op);

} // namespace torsh

#endif // TORSH_PASSES_LOWERING_REGIONPOOLKERNEL_H
