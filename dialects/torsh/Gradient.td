// Derivatives that a model asks for. In a file of its own: few files need it.
#ifndef TORSH_GRADIENT_TD
#define TORSH_GRADIENT_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"

def Torsh_GradientOp : Torsh_Op<"gradient", [Pure]> {
  let summary = "the derivatives of the sum of y's elements by tensors that y is computed from";
  let description = [{
    Result i has the type of xs[i] and is zero where y does not depend on it. The xs are independent: none of them is
    computed from another one. torsh-expand-gradients replaces the op; nothing else gives it a meaning.
    gradient_c1: there is one result for each of xs, of its type.
  }];
  let arguments = (ins Torsh_FloatTensor:$y, Variadic<Torsh_FloatTensor>:$xs);
  let results = (outs Variadic<Torsh_FloatTensor>:$dxs);
  let assemblyFormat = "$y `by` `(` $xs `)` attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // TORSH_GRADIENT_TD
