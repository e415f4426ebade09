// Reductions and scans along axes.
#ifndef TORSH_REDUCTION_TD
#define TORSH_REDUCTION_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"

def Torsh_ReduceOp : Torsh_Op<"reduce", [Pure, Torsh_InferType]> {
  let summary = "combines the elements along axes";
  let description = [{
    An empty reduction gives the neutral element (max: -inf or the smallest integer; mean: NaN). NaN wins in max and
    min. `any` and `all` take i1. reduce_c1: axes are sorted, distinct, in range; reduce_c2: any and all take i1, the
    others numbers.
  }];
  let arguments = (ins Torsh_Tensor:$x, Torsh_ReduceKindAttr:$kind, DenseI64ArrayAttr:$axes, BoolAttr:$keep_dims);
  let results = (outs Torsh_Tensor:$y);
  let assemblyFormat = "$kind $x `axes` `=` $axes `keep_dims` `=` $keep_dims attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Torsh_ArgReduceOp : Torsh_Op<"arg_reduce", [Pure, Torsh_InferType, Torsh_ZeroGradient]> {
  let summary = "index (i64) of the largest or smallest element along an axis";
  let description = [{
    `kind` is max or min. The first index wins among equals, the last one when `last`. NaN wins.
    arg_reduce_c1: 0 <= axis < rank; arg_reduce_c2: the axis is not empty; arg_reduce_c3: kind is max or min.
  }];
  let arguments = (ins Torsh_NumberTensor:$x, Torsh_ReduceKindAttr:$kind, I64Attr:$axis, BoolAttr:$keep_dims,
                       DefaultValuedAttr<BoolAttr, "false">:$last);
  let results = (outs RankedTensorOf<[I64]>:$y);
  let assemblyFormat = "$kind $x `axis` `=` $axis `keep_dims` `=` $keep_dims attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Torsh_CumSumOp : Torsh_Op<"cumsum", [Pure, SameOperandsAndResultType]> {
  let summary = "running sum along an axis";
  let description = "`exclusive` leaves out the element itself; `reverse` runs from the end. cumsum_c1: 0 <= axis < rank.";
  let arguments = (ins Torsh_NumberTensor:$x, I64Attr:$axis, DefaultValuedAttr<BoolAttr, "false">:$exclusive,
                       DefaultValuedAttr<BoolAttr, "false">:$reverse);
  let results = (outs Torsh_NumberTensor:$y);
  let assemblyFormat = "$x `axis` `=` $axis attr-dict `:` type($y)";
  let hasVerifier = 1;
}

class Torsh_SoftmaxLikeOp<string mnemonic, string semantics> : Torsh_Op<mnemonic, [Pure, SameOperandsAndResultType]> {
  let summary = semantics;
  let description = "The maximum along the axis is subtracted first. c1: 0 <= axis < rank.";
  let arguments = (ins Torsh_FloatTensor:$x, I64Attr:$axis);
  let results = (outs Torsh_FloatTensor:$y);
  let assemblyFormat = "$x `axis` `=` $axis attr-dict `:` type($y)";
  let hasVerifier = 1;
}
def Torsh_SoftmaxOp : Torsh_SoftmaxLikeOp<"softmax", "e^x / sum(e^x) along an axis">;
def Torsh_LogSoftmaxOp : Torsh_SoftmaxLikeOp<"log_softmax", "x - log(sum(e^x)) along an axis">;

#endif // TORSH_REDUCTION_TD
