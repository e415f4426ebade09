// Running products. In a file of its own: few files need it.
#ifndef TORSH_CUMPROD_TD
#define TORSH_CUMPROD_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"

def Torsh_CumProdOp : Torsh_Op<"cumprod", [Pure, SameOperandsAndResultType, Torsh_NotDifferentiable]> {
  let summary = "running product along an axis";
  let description = [{
    `exclusive` leaves out the element itself, so that the first product is 1; `reverse` runs from the end. Integers wrap.
    cumprod_c1: 0 <= axis < rank.
  }];
  let arguments = (ins Torsh_NumberTensor:$x, I64Attr:$axis, DefaultValuedAttr<BoolAttr, "false">:$exclusive,
                       DefaultValuedAttr<BoolAttr, "false">:$reverse);
  let results = (outs Torsh_NumberTensor:$y);
  let assemblyFormat = "$x `axis` `=` $axis attr-dict `:` type($y)";
  let hasVerifier = 1;
}

#endif // TORSH_CUMPROD_TD
