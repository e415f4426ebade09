//===-- IndexKernels.h - Kernels of ops that read or write at computed places -------------------------------===//
#ifndef TORSH_PASSES_LOWERING_INDEXKERNELS_H
#define TORSH_PASSES_LOWERING_INDEXKERNELS_H

#include "dialects/torsh/SuppressBoxes.h"
#include "passes/lowering/KernelBuilder.h"

namespace torsh {

// Each topic has its code and its tile space; IndexKernel.cpp chooses by the op in the body.
llvm::LogicalResult emitArgReduce(KernelBuilder &kb, ArgReduceOp op);
TileSpace getArgReduceTiles(ArgReduceOp op);
llvm::LogicalResult emitTopK(KernelBuilder &kb, TopKOp op);
TileSpace getTopKTiles(TopKOp op);
llvm::LogicalResult emitGatherElements(KernelBuilder &kb, GatherElementsOp op);
llvm::LogicalResult emitGatherNd(KernelBuilder &kb, GatherNdOp op);
llvm::LogicalResult emitScatterElements(KernelBuilder &kb, ScatterElementsOp op);
TileSpace getScatterElementsTiles(ScatterElementsOp op);
llvm::LogicalResult emitScatterNd(KernelBuilder &kb, ScatterNdOp op);
llvm::LogicalResult emitGroupNorm(KernelBuilder &kb, GroupNormOp op);
TileSpace getGroupNormTiles(GroupNormOp op);
llvm::LogicalResult emitBatchNorm(KernelBuilder &kb, BatchNormOp op);
llvm::LogicalResult emitSuppressBoxes(KernelBuilder &kb, SuppressBoxesOp op);
TileSpace getSuppressBoxesTiles(SuppressBoxesOp op);

/// The tile space of kernels that write one row of the last dim a tile.
TileSpace getRowTiles(mlir::Value y);
/// The tile of a row: the indices of all dims but the last, and the length of the row (1 for rank 0).
struct RowOfTile {
  llvm::SmallVector<mlir::Value> outer;
  mlir::Value length;
  RowOfTile(KernelBuilder &kb, mlir::Value y, mlir::Value tile);
  /// The index of an element, without the last entry for rank 0.
  llvm::SmallVector<mlir::Value> at(mlir::Value column) const;

private:
  bool isScalar;
};

/// An index into a dim: i64, negative ones count from the end, and what is out of range is clamped.
mlir::Value clampIndex(KernelBuilder &kb, mlir::Value index, mlir::Value size);
/// The position of a result among the kernel's outputs.
std::optional<unsigned> findOutput(KernelOp kernel, mlir::Value value);

} // namespace torsh

#endif // TORSH_PASSES_LOWERING_INDEXKERNELS_H
