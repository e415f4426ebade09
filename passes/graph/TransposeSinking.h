//===-- TransposeSinking.h - Moves transposes down the graph ------------------------------------------------===//
#ifndef TORSH_PASSES_GRAPH_TRANSPOSESINKING_H
#define TORSH_PASSES_GRAPH_TRANSPOSESINKING_H

#include "dialects/torsh/Torsh.h"
#include "mlir/IR/PatternMatch.h"

namespace torsh {

/// op(transpose(x)) -> transpose(op'(x)) for ops that treat all dims alike or name their axes. An op with several
/// operands moves when more of them are transposed by one permutation than would have to be transposed back.
void populateTransposeSinkingPatterns(mlir::RewritePatternSet &patterns);

} // namespace torsh

#endif // TORSH_PASSES_GRAPH_TRANSPOSESINKING_H
