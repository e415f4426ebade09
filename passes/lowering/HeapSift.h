//===-- HeapSift.h - Binary heaps in a kernel's buffers ---------------------------------------------------------===//
#ifndef TORSH_PASSES_LOWERING_HEAPSIFT_H
#define TORSH_PASSES_LOWERING_HEAPSIFT_H

#include "passes/lowering/KernelBuilder.h"

namespace torsh {

/// A binary heap over the entries 0 .. size - 1 of somebody's list. `above(a, b)` is whether entry a must not lie below
/// entry b; `swap` exchanges two entries. Both build code.
struct Heap {
  KernelBuilder &kb;
  llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> above;
  llvm::function_ref<void(mlir::Value, mlir::Value)> swap;

  /// Moves the entry at `root` down to where it belongs; all others are in order.
  void sift(mlir::Value root, mlir::Value size);
  /// Brings `size` entries into order.
  void build(mlir::Value size);
};

} // namespace torsh

#endif // TORSH_PASSES_LOWERING_HEAPSIFT_H
