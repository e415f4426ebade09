//===-- VectorPlan.h - Which loops become vectors -----------------------------------------------------------===//
#ifndef TORSH_PASSES_POLYHEDRAL_VECTORPLAN_H
#define TORSH_PASSES_POLYHEDRAL_VECTORPLAN_H

#include "passes/polyhedral/LoopTree.h"
#include "passes/polyhedral/Machine.h"

namespace torsh::poly {

/// How an access moves with a loop that becomes a vector.
enum class Motion { Uniform, Contiguous, Reversed, EverySecond, Scattered };

Motion motionOf(llvm::ArrayRef<LinearForm> subscripts, llvm::StringRef iterator);

/// Elements of a vector for the statements below a node: what the widest of their arrays leaves room for.
unsigned lanesOf(const LoopNode &node, const Machine &machine);

/// Chooses a plan for every loop of the tree. Returns the estimated cost of one iteration of everything in it.
double planVectors(LoopNode &tree, const Machine &machine);

/// True if a leaf adds up to a place that does not move with the loop.
bool isPartialSum(const LoopNode &leaf, llvm::StringRef iterator);

} // namespace torsh::poly

#endif // TORSH_PASSES_POLYHEDRAL_VECTORPLAN_H
