//===-- LoopTree.h - The loops of a schedule, as isl generates them -----------------------------------------===//
#ifndef TORSH_PASSES_POLYHEDRAL_LOOPTREE_H
#define TORSH_PASSES_POLYHEDRAL_LOOPTREE_H

#include "passes/polyhedral/Dependences.h"
#include <memory>

namespace torsh::poly {

/// What may be done with the iterations of a loop.
enum class LoopKind {
  Parallel,  ///< any order, also at once
  Reduction, ///< any order, but for partial results of reductions
  Sequential
};

/// How a loop is emitted; chosen by planVectors.
enum class LoopPlan {
  Scalar,
  Vector, ///< each step executes one vector of iterations
  Jam     ///< each step executes some iterations side by side
};

/// An integer expression as a sum of loop iterators and parameters. Names in `opaque` occur in other ways, too.
struct LinearForm {
  std::map<std::string, int64_t> terms;
  int64_t constant = 0;
  std::vector<std::string> opaque;
  bool exact = true; ///< nothing but terms and constant

  int64_t coefficient(llvm::StringRef name) const;
  bool mentions(llvm::StringRef name) const;
  bool operator==(const LinearForm &other) const;
};

LinearForm linearForm(const isl::ast_expr &expression);

struct LoopNode {
  enum Kind { Block, For, If, Leaf } kind = Block;
  std::vector<std::unique_ptr<LoopNode>> children; ///< of a block; one of a loop; one or two of a condition
  // Loop
  std::string iterator;
  isl::ast_expr low, high, condition; ///< high is inclusive; condition belongs to If
  int64_t step = 1;
  LoopKind freedom = LoopKind::Sequential;
  LoopPlan plan = LoopPlan::Scalar;
  // Leaf
  const Statement *statement = nullptr;
  std::vector<isl::ast_expr> iterators;            ///< values of the statement's loops
  std::vector<std::vector<LinearForm>> subscripts; ///< [access][dimension]
};

/// Generates loops for a schedule. Returns null when the loops have a form that the emitter does not know.
std::unique_ptr<LoopNode> buildLoops(const Scop &scop, const Dependences &dependences,
                                     const isl::schedule &schedule);

/// Calls the function for every leaf below a node.
void forEachLeaf(const LoopNode &node, llvm::function_ref<void(const LoopNode &)> visit);

} // namespace torsh::poly

#endif // TORSH_PASSES_POLYHEDRAL_LOOPTREE_H
