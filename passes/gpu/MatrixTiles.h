//===-- MatrixTiles.h - Tiles of a matrix product in shared memory ------------------------------------------===//
#ifndef TORSH_PASSES_GPU_MATRIXTILES_H
#define TORSH_PASSES_GPU_MATRIXTILES_H

#include "passes/gpu/DeviceBuilder.h"

namespace torsh {

/// A block computes 64 x 64 sums in steps of 32 along k: four warps of 32 x 32 each.
constexpr int64_t tileRows = 64, tileColumns = 64, tileDepth = 32;
constexpr unsigned threadsOfTile = 128;
constexpr int64_t rowsOfWarp = 32, columnsOfWarp = 32;

/// Where an operand's tile lies in shared memory: rows of `stride` elements. The padding of 16 (left) or 32 bytes spreads
/// the rows that a warp reads at once over all banks.
struct TileLayout {
  int64_t bytesOfElement, leftStride, rightStride;

  static TileLayout of(MatrixType type);
  int64_t leftBytes() const { return tileRows * leftStride * bytesOfElement; }
  int64_t rightBytes() const { return tileDepth * rightStride * bytesOfElement; }
  int64_t bytes() const { return leftBytes() + rightBytes(); }
};

/// Sums of a warp on the tensor cores: what a thread holds of 32 x 32 sums, four in each tile of 16 x 8.
class WarpTile {
public:
  WarpTile(DeviceBuilder &db, MatrixType type) : db(db), type(type), layout(TileLayout::of(type)) {}

  static constexpr unsigned rowTiles = rowsOfWarp / 16, columnTiles = columnsOfWarp / 8;
  static constexpr unsigned sumsOfThread = rowTiles * columnTiles * 4;

  /// Adds the products of the tiles in shared memory: left [64][32], right [32][64].
  llvm::SmallVector<mlir::Value> add(mlir::Value left, mlir::Value right, mlir::ValueRange sums);
  /// Calls back with the row and the column in the block's tile of each sum.
  void forEachSum(mlir::ValueRange sums,
                  llvm::function_ref<void(mlir::Value sum, mlir::Value row, mlir::Value column)> body);

private:
  using Fragment = llvm::SmallVector<mlir::Value, 4>;
  mlir::Value warpRow() { return db.mul(db.div(db.warp, db.constant(2)), db.constant(rowsOfWarp)); }
  mlir::Value warpColumn() { return db.mul(db.rem(db.warp, db.constant(2)), db.constant(columnsOfWarp)); }
  Fragment loadLeft(mlir::Value tile, unsigned rowTile, int64_t depth);
  llvm::SmallVector<Fragment> loadRight(mlir::Value tile, int64_t depth);
  void multiply(const Fragment &left, const Fragment &right, mlir::Value *sums);
  void multiplyF32(const Fragment &left, const Fragment &right, mlir::Value *sums);

  DeviceBuilder &db;
  MatrixType type;
  TileLayout layout;
};

} // namespace torsh

#endif // TORSH_PASSES_GPU_MATRIXTILES_H
