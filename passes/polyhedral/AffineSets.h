//===-- AffineSets.h - Domains and relations of statements in isl -------------------------------------------===//
#ifndef TORSH_PASSES_POLYHEDRAL_AFFINESETS_H
#define TORSH_PASSES_POLYHEDRAL_AFFINESETS_H

#include "passes/polyhedral/Scop.h"
#include "llvm/ADT/MapVector.h"

namespace torsh::poly {

/// Numbers the index values that are no loop variables, in order of appearance.
class Parameters {
public:
  /// The affine map with its operands as functions of the loops (dims) and the parameters (symbols). Collects
  /// parameters; fails if an operand is no loop variable of `loops` and is computed inside of the function's loops.
  std::optional<mlir::AffineMap> normalise(mlir::AffineMap map, mlir::ValueRange operands,
                                           llvm::ArrayRef<mlir::Operation *> loops);
  llvm::ArrayRef<mlir::Value> values() const { return list; }

private:
  llvm::SmallVector<mlir::Value> list;
};

/// A space of statement instances: a tuple of a name over loops, with the parameters.
isl::space statementSpace(IslContext &context, llvm::StringRef name, unsigned loops, unsigned parameters);

/// The instances of a statement: loop bounds, steps and conditions around it. Fails with a reason.
std::optional<isl::set> statementDomain(const isl::space &space, llvm::ArrayRef<mlir::Operation *> around,
                                        Parameters &parameters, std::string &why);

/// The elements of an array that an instance touches.
isl::map accessRelation(const isl::space &space, mlir::AffineMap map, llvm::StringRef array);

} // namespace torsh::poly

#endif // TORSH_PASSES_POLYHEDRAL_AFFINESETS_H
