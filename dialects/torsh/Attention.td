// Scaled dot-product attention.
#ifndef TORSH_ATTENTION_TD
#define TORSH_ATTENTION_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"

def Torsh_AttentionOp : Torsh_Op<"attention", [Pure, Torsh_InferType]> {
  let summary = "softmax(scale * q k^T + mask) v";
  let description = [{
    q [batch..., Sq, D], k [batch..., Sk, D], v [batch..., Sk, Dv], y [batch..., Sq, Dv]; heads are a batch dim.
    `mask` is added to the scores and has their shape, [batch..., Sq, Sk], or 1 in any of its dims;
    `causal` hides keys after position i + Sk - Sq. A row whose keys are all hidden is 0.
    attention_c1: batch dims of q, k and v agree; attention_c2: D of q and k agree, Sk of k and v agree;
    attention_c3: each mask dim is 1 or that of the scores.
  }];
  let arguments = (ins Torsh_FloatTensor:$q, Torsh_FloatTensor:$k, Torsh_FloatTensor:$v,
                       Optional<Torsh_FloatTensor>:$mask, F64Attr:$scale, DefaultValuedAttr<BoolAttr, "false">:$causal);
  let results = (outs Torsh_FloatTensor:$y);
  let assemblyFormat = "$q `,` $k `,` $v (`mask` $mask^)? `scale` `=` $scale attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // TORSH_ATTENTION_TD
