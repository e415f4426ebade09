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
  std::vector<llvm::SmallVector<Subscript>> accesses;    ///< [access][dimension]
  llvm::SmallVector<llvm::SmallVector<int64_t>> members; ///< [member][loop] coefficients
};

/// A statement without a band: trips are estimated, a parameter counts as 1000.
BandStatement describeStatement(const Statement &statement);

/// Tile sizes and what they are estimated to cost.
struct TileChoice {
  llvm::SmallVector<int64_t> sizes; ///< a member, 0 for one that is better not cut; empty without tiles
  double cycles;                    ///< of memory traffic and the ends of rows
};

/// Sizes for the members of a permutable band. None when the original order moves about as few bytes: then tiles would
/// only cost.
TileChoice chooseTileSizes(llvm::ArrayRef<BandStatement> statements, unsigned members,
                           const Machine &machine);

} // namespace torsh::poly

#endif // TORSH_PASSES_POLYHEDRAL_TILESIZES_H
