//===-- EmitLoops.h - From a planned tree of loops to scf and vector code -----------------------------------===//
#ifndef TORSH_PASSES_POLYHEDRAL_EMITLOOPS_H
#define TORSH_PASSES_POLYHEDRAL_EMITLOOPS_H

#include "passes/polyhedral/LoopTree.h"
#include "passes/polyhedral/Machine.h"

namespace torsh::poly {

/// Writes the loops of the tree at the builder's place.
void emitLoops(mlir::OpBuilder &builder, mlir::Location loc, const Scop &scop, const LoopNode &tree,
               const Machine &machine);

} // namespace torsh::poly

#endif // TORSH_PASSES_POLYHEDRAL_EMITLOOPS_H
