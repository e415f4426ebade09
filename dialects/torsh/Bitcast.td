// Bits of one element type read as another. In a file of its own: few files need it.
#ifndef TORSH_BITCAST_TD
#define TORSH_BITCAST_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"

def Torsh_BitcastOp : Torsh_Op<"bitcast", [Pure, Torsh_Elementwise, Torsh_NotDifferentiable, SameOperandsAndResultShape]> {
  let summary = "the bits of x as another element type of the same width";
  let description = [{
    Nothing is converted: NaN payloads and the sign of zero stay. A boolean counts as 8 bits, 0 or 1; bits that are not 0
    are true. bitcast_c1: both element types have one width.
  }];
  let arguments = (ins Torsh_Tensor:$x);
  let results = (outs Torsh_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // TORSH_BITCAST_TD
