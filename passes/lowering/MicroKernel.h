//===-- MicroKernel.h - Register-tiled sums of products -----------------------------------------------------===//
#ifndef TORSH_PASSES_LOWERING_MICROKERNEL_H
#define TORSH_PASSES_LOWERING_MICROKERNEL_H

#include "passes/lowering/KernelBuilder.h"

namespace torsh {

/// The shape of a register tile: rows x panels of 16 columns, each panel in `vectors` registers.
struct RegisterTile {
  int64_t rows;
  int64_t panels;
};

/// Registers that a panel of the accumulator's type takes.
int64_t registersOfPanel(const KernelTarget &target, mlir::Type accumulator);

/// Panels beside each other for `rows` rows: doubled while the accumulators fit the registers, up to `most`.
int64_t choosePanels(const KernelTarget &target, mlir::Type accumulator, int64_t rows, int64_t most);

/// The tile for a contraction with `rows` rows and `columns` columns (none when unknown): rows * vectors accumulators, the vectors of the right
/// operand and one broadcast fit the registers, and small row counts take more panels to hide the FMA latency. The kernel's
/// choices have the last word.
RegisterTile chooseTile(const KernelBuilder &kb, mlir::Type accumulator, std::optional<int64_t> rows,
                        std::optional<int64_t> columns = std::nullopt);

/// Columns of a tile of the tile space of the contraction `op`.
int64_t chooseColumns(mlir::Operation *op);

/// Whether the panels hold pairs of bf16 that are neighbours along k: [.., panels, K/2, 16, 2].
bool holdsPairs(UnpackOp unpack);

/// One step of the sum: where the operands of index k lie.
struct MicroKernel {
  KernelBuilder &kb;
  mlir::Type accumulator; ///< element type of the sum
  mlir::Type leftType, rightType;
  int64_t lanes; ///< of one vector of the right operand
  /// A step adds two products: an element of either operand is a pair of bf16, whose type here is i32.
  bool pairs = false;
  /// Where element k of a left row lies, for rows that are not contiguous; k is then a constant, all steps are unrolled.
  std::function<mlir::Value(int64_t)> leftOffset = {};

  /// acc[row * vectors + v] += sum over k < size of left[row][k] * right(k, v). `left` points at k = 0 of each row.
  /// `right` loads vector v of index k in the accumulator's type. `multiple` divides a size that is not a constant.
  llvm::SmallVector<mlir::Value> run(llvm::ArrayRef<mlir::Value> left, int64_t vectors, mlir::Value size,
                                     mlir::ValueRange acc,
                                     llvm::function_ref<mlir::Value(mlir::Value, int64_t)> right,
                                     int64_t multiple = 1);
  /// Accumulators of zeros.
  llvm::SmallVector<mlir::Value> zeros(int64_t count);
  /// x + y of vectors of the accumulator's type.
  mlir::Value plus(mlir::Value x, mlir::Value y);
  /// Widens a loaded element or vector to the accumulator's type.
  mlir::Value widen(mlir::Value value, mlir::Type elementType);

private:
  mlir::Value loadLeft(mlir::Value pointer, mlir::Value k);
  llvm::SmallVector<mlir::Value> step(llvm::ArrayRef<mlir::Value> left, int64_t vectors, mlir::Value k,
                                      mlir::ValueRange acc,
                                      llvm::function_ref<mlir::Value(mlir::Value, int64_t)> right);
};

/// Calls `body(row, count)` for blocks of `tile` rows in [from, to), then for the rest: a static count when the number
/// of rows is known to be `known` (from is a multiple), else a switch over all counts below `tile`.
void forRowBlocks(KernelBuilder &kb, mlir::Value from, mlir::Value to, int64_t tile,
                  llvm::function_ref<void(mlir::Value, int64_t)> body);

/// Asks for a share of the weights that come next while the rows from `row` on are computed: of `elements` from each
/// pointer on, what one of the register tiles of a block of `blockRows` rows, which starts at `from`, has to ask for.
struct WeightsAhead {
  llvm::ArrayRef<mlir::Value> pointers;
  mlir::Type type;
  int64_t elements, blockRows, tileRows;
  unsigned hint = 3; ///< the cache that they come to: 3 the first level, 2 the second

  void prefetch(KernelBuilder &kb, mlir::Value row, mlir::Value from) const;
};

/// Rows of a tile of the tile space for a known number of rows: about 72, in whole register tiles, so that no block is
/// a sliver. A choice of the kernel around `op` goes before.
int64_t chooseRowBlock(mlir::Operation *op, Knob knob, std::optional<int64_t> rows, int64_t preferred);

} // namespace torsh

#endif // TORSH_PASSES_LOWERING_MICROKERNEL_H
