//===-- StreamedAttention.h - Which softmax is computed between two products --------------------------------===//
#ifndef TORSH_PASSES_GRAPH_STREAMEDATTENTION_H
#define TORSH_PASSES_GRAPH_STREAMEDATTENTION_H

#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"

namespace torsh {

/// softmax(f(q k^T)) v with any elementwise f.
struct StreamedAttention {
  DotGeneralOp scores, sum;
  llvm::SmallVector<mlir::Operation *> ops; ///< the two products, the softmax and f
};

/// The attention around a softmax when nobody else reads its scores or weights, there are enough queries, and queries,
/// keys and values lie as the streaming kernel reads them; else none, and the ops become kernels of their own.
std::optional<StreamedAttention> matchStreamedAttention(SoftmaxOp softmax);

} // namespace torsh

#endif // TORSH_PASSES_GRAPH_STREAMEDATTENTION_H
