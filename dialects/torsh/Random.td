// Counter-based random numbers (Philox 4x32-10, Salmon et al. 2011): equal seed and counter give equal numbers.
#ifndef TORSH_RANDOM_TD
#define TORSH_RANDOM_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"

class Torsh_RandomOp<string mnemonic, string semantics> : Torsh_Op<mnemonic, [Pure, Torsh_ZeroGradient]> {
  let summary = semantics;
  let description = [{
    `state` is [2] i64: key and first counter. Element i (row-major) uses word i % 4 of block counter + i / 4.
    c1: state has shape [2].
  }];
  let arguments = (ins RankedTensorOf<[I64]>:$state);
  let results = (outs Torsh_FloatTensor:$y);
  let assemblyFormat = "$state attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}
def Torsh_RandomUniformOp : Torsh_RandomOp<"random_uniform", "uniform numbers in [0, 1)">;
def Torsh_RandomNormalOp : Torsh_RandomOp<"random_normal", "standard normal numbers (Box-Muller of pairs of blocks)">;

#endif // TORSH_RANDOM_TD
