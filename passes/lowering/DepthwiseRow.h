//===-- DepthwiseRow.h - A row of pixels of a depthwise convolution ------------------------------------------===//
#ifndef TORSH_PASSES_LOWERING_DEPTHWISEROW_H
#define TORSH_PASSES_LOWERING_DEPTHWISEROW_H

#include "passes/lowering/KernelBuilder.h"
#include "passes/lowering/WindowBounds.h"

namespace torsh {

/// Pixels that a block of the convolution holds in registers, and vectors of channels.
int64_t choosePixels(std::optional<int64_t> width, const KernelBuilder &kb);
int64_t chooseVectors(std::optional<int64_t> width, const KernelBuilder &kb);

/// Builds the code for a row of pixels, channels last. `x` and `w` are contiguous along the channels.
struct DepthwiseRow {
  KernelBuilder &kb;
  ConvOp op;
  View x, w;
  mlir::Type xType, wType, sum;
  llvm::SmallVector<WindowDim> window;
  llvm::SmallVector<mlir::Value> xSizes, ySizes;
  int64_t channelsOfTile; ///< at most; a tile begins at a multiple
  /// Set when x holds only the last rows of the image: row i lies at i % rowsOfRing, a power of two.
  std::optional<int64_t> rowsOfRing = std::nullopt;
  llvm::LogicalResult result = llvm::success();

  /// Where a block of pixels lies.
  struct Place {
    llvm::SmallVector<mlir::Value> outer;   ///< image and positions of all spatial dims but the last
    llvm::SmallVector<WindowBounds> bounds; ///< of those spatial dims
    mlir::Value pixel;                      ///< first position in the row
    mlir::Value channel;
  };
  size_t spatial() const { return window.size(); }
  /// The place of a row at the position `outer`.
  Place placeOf(llvm::ArrayRef<mlir::Value> outer) const;
  /// The channels [from, to) of the row at a place.
  void build(Place &place, mlir::Value from, mlir::Value to);

private:
  const WindowDim &row() const { return window.back(); }
  mlir::Value multiplyAdd(mlir::Value a, mlir::Value b, mlir::Value c);
  using RowSum =
      llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value, mlir::Value, mlir::ValueRange)>;
  /// Loops over the kernel's outer dims; `body` gets the pointers to the input row and the weights' row.
  llvm::SmallVector<mlir::Value> overRows(const Place &place, mlir::ValueRange initial, RowSum body);
  /// `vectors` vectors of channels for `pixels` pixels. With `known` the block starts at that pixel of a row whose
  /// length is known; without it the block touches no border.
  void block(const Place &place, int64_t pixels, int64_t vectors, unsigned lanes, mlir::Value mask,
             std::optional<int64_t> known);
  /// One pixel near a border.
  void borderPixel(const Place &place, unsigned lanes, mlir::Value mask);
  void finish(const Place &place, llvm::ArrayRef<mlir::Value> sums, int64_t vectors, unsigned lanes,
              mlir::Value mask);
  llvm::SmallVector<mlir::Value> startSums(const Place &place, int64_t pixels, int64_t vectors,
                                           unsigned lanes, mlir::Value mask);
  /// Calls `body(vectors, lanes, mask)` with place.channel set, over the channels of the tile.
  void overChannels(Place &place, mlir::Value from, mlir::Value to,
                    llvm::function_ref<void(int64_t vectors, unsigned lanes, mlir::Value mask)> body);
};

} // namespace torsh

#endif // TORSH_PASSES_LOWERING_DEPTHWISEROW_H
