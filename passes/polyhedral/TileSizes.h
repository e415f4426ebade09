//===-- TileSizes.h - Tile sizes from a model of the caches -------------------------------------------------===//
#ifndef TORSH_PASSES_POLYHEDRAL_TILESIZES_H
#define TORSH_PASSES_POLYHEDRAL_TILESIZES_H

#include "passes/polyhedral/Machine.h"
#include "passes/polyhedral/Scop.h"

namespace torsh::poly {

/// Coefficients of a statement's loops in a subscript, and its constant. Quotients and remainders count as nothing.
struct Subscript {
  llvm::SmallVector<int64_t> loops;
  int64_t constant = 0;
};

/// A statement under a band of the schedule: how far each loop runs, and which loops each member of the band adds up.
struct BandStatement {
  const Statement *statement;
  llvm::SmallVector<int64_t> trips;
  std::vector<llvm::SmallVector<Subscript>> accesses; ///< [access][dimension]
  llvm::SmallVector<llvm::SmallVector<int64_t>> members; ///< [member][loop] coefficients
};

/// A statement without a band: trips are estimated, a parameter counts as 1000.
BandStatement describeStatement(const Statement &statement);

/// Sizes for the members of a permutable band, 0 for a member that is better not cut. Empty when the original order
/// moves about as few bytes: then tiles would only cost.
llvm::SmallVector<int64_t> chooseTileSizes(llvm::ArrayRef<BandStatement> statements, unsigned members,
                                           const Machine &machine);

} // namespace torsh::poly

#endif // TORSH_PASSES_POLYHEDRAL_TILESIZES_H
