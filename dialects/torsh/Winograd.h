//===-- Winograd.h - The matrices of Winograd's minimal filtering -------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_WINOGRAD_H
#define TORSH_DIALECTS_TORSH_WINOGRAD_H

#include "dialects/torsh/Dim.h"

namespace torsh {

/// F(tile x tile, 3 x 3): output = A^T [(G w G^T) * (B^T d B)] A. All matrices are row-major; those that are applied at
/// run time are exact in f32.
struct WinogradTransform {
  int64_t tile, patch;            ///< patch = tile + 2
  llvm::ArrayRef<double> input;   ///< B^T, patch x patch
  llvm::ArrayRef<double> weights; ///< G, patch x 3
  llvm::ArrayRef<double> output;  ///< A^T, tile x patch
};

/// The transform for tiles of 2 or 4 pixels, null for other sizes.
const WinogradTransform *getWinogradTransform(int64_t tile);

/// The tiles of some output images of a size.
DimAttr getWinogradTiles(DimAttr images, DimAttr height, DimAttr width, int64_t tile);

/// The matrix (rows x depth) applied along both dims of a square: result[i, j] = sum of m[i, a] * square(a, b) * m[j, b].
template <typename Square>
llvm::SmallVector<double> transformBothDims(llvm::ArrayRef<double> matrix, int64_t rows, int64_t depth,
                                            Square square) {
  llvm::SmallVector<double> half(rows * depth, 0), result(rows * rows, 0);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t b = 0; b < depth; ++b)
      for (int64_t a = 0; a < depth; ++a)
        half[i * depth + b] += matrix[i * depth + a] * square(a, b);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < rows; ++j)
      for (int64_t b = 0; b < depth; ++b)
        result[i * rows + j] += half[i * depth + b] * matrix[j * depth + b];
  return result;
}

} // namespace torsh

#endif // TORSH_DIALECTS_TORSH_WINOGRAD_H
