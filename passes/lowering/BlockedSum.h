//===-- BlockedSum.h - Long sums of products in pieces that stay in the cache -------------------------------===//
#ifndef TORSH_PASSES_LOWERING_BLOCKEDSUM_H
#define TORSH_PASSES_LOWERING_BLOCKEDSUM_H

#include "passes/lowering/MicroKernel.h"

namespace torsh {

/// A sum of `outer * run` steps (products, or pairs of them) for a block of rows and a group of weight panels [outer * run][16], cut along k.
///
/// Of each panel a piece is read that stays in the first-level cache while all rows of the block use it, and the next
/// piece is fetched meanwhile; between pieces the sums lie on the stack. Without the cut a long panel (K = 3072: 192
/// KiB) is read again from the second-level cache, or from memory, by every register tile of rows.
struct BlockedSum {
  KernelBuilder &kb;
  MicroKernel &micro;
  int64_t outer;     ///< runs, which lie beside each other in the weights only
  int64_t run;       ///< steps whose left elements are contiguous
  int64_t blockRows; ///< the most rows of a block
  RegisterTile tile;
  mlir::Type weightType;
  mlir::Value partial = {}; ///< set by prepare()
  mlir::Value widened = {}; ///< a piece of weights in the accumulator's type, when they are stored in another

  /// Whether the cut pays: many products, or weights to widen, and enough rows to use a piece often.
  bool pays() const;
  /// Takes the stack memory; once a kernel.
  void prepare();

  /// The rows [from, to) and the columns of `panels` (pointers at k = 0), of which `vectors` are used.
  struct Place {
    mlir::Value from, to;
    llvm::ArrayRef<mlir::Value> panels;
    int64_t vectors;
  };
  /// Pointers to the left elements of `count` rows from `row` on, at k = 0.
  using LeftOf = llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value row, int64_t count)>;
  /// The offset of run `index` from the first, in elements (not pairs of them).
  using OffsetOf = llvm::function_ref<mlir::Value(mlir::Value index)>;
  /// Receives the finished sums of `count` rows from `row` on.
  using Finish = llvm::function_ref<void(mlir::Value row, int64_t count, llvm::ArrayRef<mlir::Value> sums)>;
  void emit(const Place &place, LeftOf leftOf, OffsetOf offsetOf, Finish finish);

private:
  bool widens() const { return !micro.pairs && weightType != micro.accumulator; }
  int64_t piecesOfRun() const;
  int64_t pieceSize() const;
};

} // namespace torsh

#endif // TORSH_PASSES_LOWERING_BLOCKEDSUM_H
