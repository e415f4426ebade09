// Ensembles of decision trees. The ops have a header of their own (TreeEnsemble.h).
#ifndef TORSH_TREE_ENSEMBLE_TD
#define TORSH_TREE_ENSEMBLE_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"

def Torsh_KeyTensor : RankedTensorOf<[UI32, UI64]>;

def Torsh_SortKeyOp : Torsh_Op<"sort_key", [Pure, Torsh_Elementwise, Torsh_ZeroGradient, SameOperandsAndResultShape]> {
  let summary = "unsigned integers in the order of floats";
  let description = [{
    a < b exactly when the key of a is less than that of b; -0 has the key of 0; every NaN has the greatest key (all
    bits one). The key of -inf is above 0, so 0 and the greatest key but one stand for no number.
    sort_key_c1: the keys have the width of the floats.
  }];
  let arguments = (ins RankedTensorOf<[F32, F64]>:$x);
  let results = (outs Torsh_KeyTensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Torsh_TreeEnsembleOp : Torsh_Op<"tree_ensemble", [Pure, Torsh_ZeroGradient]> {
  let summary = "walks every row through decision trees and combines what their leaves hold";
  let description = [{
    `keys` is [rows, columns]; its last column is 0. `nodes` is [count, 2]: a node's first word is its threshold (or
    what a leaf holds), its second one has the column in its lower half and the distance to the left child in its upper
    half. A row at node i goes on at i + distance, or at the node behind that one when threshold < keys[row, column].
    A leaf has the last column and distance 0, so a row stays there. `trees` is [trees, 4]: the root, how many
    steps every row takes, how many more it may need to reach a leaf, and the target of the tree's leaves.

    y is [chunks, rows, targets]. A chunk combines ceildiv(trees, chunks) trees in their order by `kind` (sum, min or
    max) on top of the neutral element. With `leaves`, [count, targets], a leaf holds the number of a row of it,
    which has a value for every target; without, a leaf holds the bits of its value for the tree's target.

    tree_ensemble_c1: ranks and widths are as above; nodes, trees and leaves are of known size; the words are as wide as
    the elements of y. tree_ensemble_c2: kind is sum, min or max. tree_ensemble_c3: rows and targets agree.

    An op of its own: what decides its speed is that the nodes of several rows or trees are in flight at once.
  }];
  let arguments = (ins Torsh_KeyTensor:$keys, Torsh_KeyTensor:$nodes, RankedTensorOf<[I32]>:$trees,
                       Optional<RankedTensorOf<[F32, F64]>>:$leaves, Torsh_ReduceKindAttr:$kind);
  let results = (outs RankedTensorOf<[F32, F64]>:$y);
  let assemblyFormat = "$kind $keys `nodes` $nodes `trees` $trees (`leaves` $leaves^)? attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // TORSH_TREE_ENSEMBLE_TD
