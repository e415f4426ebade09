//===-- PackTransposed.h - Rows of a buffer as columns of a packed block ------------------------------------===//
#ifndef TORSH_PASSES_LOWERING_PACKTRANSPOSED_H
#define TORSH_PASSES_LOWERING_PACKTRANSPOSED_H

#include "passes/lowering/KernelBuilder.h"

namespace torsh {

/// What is packed: `depth` neighbours in each of some rows.
struct PackSource {
  mlir::Value pointer;
  mlir::Type elementType;
  mlir::Value offset;    ///< of the first row, in elements
  mlir::Value rowStride; ///< in elements
  mlir::Value depth;
};

/// packed[d * columns + r] = source[r][d] in compute type, for all d < depth and r < columns. Rows from `rows` on repeat
/// the last one, so nothing past the source is read. `columns` is a multiple of the target's lanes; rows is at least 1.
void packTransposed(KernelBuilder &kb, const PackSource &source, mlir::Value rows, mlir::Value packed,
                    int64_t columns);

} // namespace torsh

#endif // TORSH_PASSES_LOWERING_PACKTRANSPOSED_H
