//===-- TileSizes.h - Tile sizes from a model of the caches -------------------------------------------------===//
#ifndef TORSH_PASSES_POLYHEDRAL_TILESIZES_H
#define TORSH_PASSES_POLYHEDRAL_TILESIZES_H

#include "passes/polyhedral/Machine.h"
#include "passes/polyhedral/Scop.h"

namespace torsh::poly {

/// A statement under a band of the schedule: how far each loop runs, and which loops each member of the band adds up.
struct BandStatement {
  const Statement *statement;
  llvm::SmallVector<int64_t> trips;
  llvm::SmallVector<llvm::SmallVector<int64_t>> members; ///< [member][loop] coefficients
};

/// Estimated numbers of iterations of a statement's loops; a parameter counts as 1000.
llvm::SmallVector<int64_t> estimateTrips(const Statement &statement);

/// Sizes for the members of a permutable band, 0 for a member that is better not cut. Empty when the original order
/// moves about as few bytes: then tiles would only cost.
llvm::SmallVector<int64_t> chooseTileSizes(llvm::ArrayRef<BandStatement> statements, unsigned members,
                                           const Machine &machine);

} // namespace torsh::poly

#endif // TORSH_PASSES_POLYHEDRAL_TILESIZES_H
