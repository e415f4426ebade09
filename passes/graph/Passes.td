// Graph passes: torsh -> torsh.
#ifndef TORSH_PASSES_GRAPH_PASSES_TD
#define TORSH_PASSES_GRAPH_PASSES_TD

include "mlir/Pass/PassBase.td"

def FormGroupsPass : Pass<"torsh-form-groups", "::mlir::func::FuncOp"> {
  let summary = "Collects ops into fusion groups, each of which becomes one kernel";
  let description = [{
    An anchor (contraction, convolution, pooling, reduction, normalisation, ...) takes the elementwise ops that follow
    it at the same shape as its epilogue, reductions and row normalisations also those that feed only them; what is
    left over forms elementwise groups. Windows on a group's inputs (transpose, slice, broadcast, reshape of an input)
    and splat constants are cloned into the group, because there they are addresses and registers.

    Before: `%1 = torsh.dot_general ..; %2 = torsh.broadcast %bias ..; %3 = torsh.add %1, %2; %4 = torsh.tanh %3`
    After:  `%4 = torsh.group "dot"(%x, %w, %bias) { ... }`

    Precondition: contractions are in the form of torsh-normalize-contractions, weights are packed. Afterwards the
    function holds groups, reshapes (aliases of buffers), constants, from_dims, guards and control flow only.
    Rationale: what a kernel computes is decided here, where it can be read.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

#endif // TORSH_PASSES_GRAPH_PASSES_TD
