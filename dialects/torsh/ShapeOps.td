// Ops that move elements without computing: broadcast, reshape, transpose, slice, pad, concat, iota.
#ifndef TORSH_SHAPE_OPS_TD
#define TORSH_SHAPE_OPS_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"

def Torsh_BroadcastOp : Torsh_Op<"broadcast", [Pure]> {
  let summary = "repeats the operand along new or unit dims";
  let description = [{
    Operand dim `i` becomes result dim `axes[i]`; `axes` is strictly increasing. y[j] = x[k] with k[i] = 0 where
    operand dim i is 1, else j[axes[i]].
    - broadcast_c1: size(axes) = rank(x). - broadcast_c2: an operand dim is 1 or equals the result dim.
    - broadcast_c3: one element type.
  }];
  let arguments = (ins Torsh_Tensor:$x, DenseI64ArrayAttr:$axes);
  let results = (outs Torsh_Tensor:$y);
  let assemblyFormat = "$x `axes` `=` $axes attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Torsh_ReshapeOp : Torsh_Op<"reshape", [Pure]> {
  let summary = "the same elements in row-major order under another shape";
  let description = "reshape_c1: both shapes have the same number of elements where both are known; reshape_c2: one element type.";
  let arguments = (ins Torsh_Tensor:$x);
  let results = (outs Torsh_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Torsh_TransposeOp : Torsh_Op<"transpose", [Pure, Torsh_InferType]> {
  let summary = "permutes dims";
  let description = "Result dim i is operand dim permutation[i]. transpose_c1: permutation is a permutation.";
  let arguments = (ins Torsh_Tensor:$x, DenseI64ArrayAttr:$permutation);
  let results = (outs Torsh_Tensor:$y);
  let assemblyFormat = "$x `perm` `=` $permutation attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Torsh_SliceOp : Torsh_Op<"slice", [Pure, Torsh_InferType]> {
  let summary = "every step-th element of a box";
  let description = [{
    y[i] = x[starts + i * steps], with i < sizes. A negative step walks backwards from `starts`.
    slice_c1: starts, sizes and steps have rank(x) entries; slice_c2: steps are not 0;
    slice_c3: known starts and ends lie inside the operand.
  }];
  let arguments = (ins Torsh_Tensor:$x, Torsh_DimsAttr:$starts, Torsh_DimsAttr:$sizes, DenseI64ArrayAttr:$steps);
  let results = (outs Torsh_Tensor:$y);
  let assemblyFormat = "$x `starts` `=` $starts `sizes` `=` $sizes `steps` `=` $steps attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Torsh_PadOp : Torsh_Op<"pad", [Pure, Torsh_InferType]> {
  let summary = "adds elements before and after each dim";
  let description = [{
    Modes: constant (`value`, a rank-0 tensor), edge (repeat the border), reflect (mirror without the border),
    wrap (periodic). pad_c1: low and high have rank(x) entries, none negative; pad_c2: `value` is present exactly for
    constant.
  }];
  let arguments = (ins Torsh_Tensor:$x, Optional<Torsh_Tensor>:$value, Torsh_DimsAttr:$low, Torsh_DimsAttr:$high,
                       DefaultValuedAttr<Torsh_PadModeAttr, "::torsh::PadMode::constant">:$mode);
  let results = (outs Torsh_Tensor:$y);
  let assemblyFormat = "$x (`value` $value^)? `low` `=` $low `high` `=` $high attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Torsh_ConcatOp : Torsh_Op<"concat", [Pure, Torsh_InferType]> {
  let summary = "joins tensors along an axis";
  let description = "concat_c1: operands agree in element type and in all dims but `axis`; axis is not negative.";
  let arguments = (ins Variadic<Torsh_Tensor>:$xs, I64Attr:$axis);
  let results = (outs Torsh_Tensor:$y);
  let assemblyFormat = "$xs `axis` `=` $axis attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

def Torsh_IotaOp : Torsh_Op<"iota", [Pure, Torsh_ZeroGradient]> {
  let summary = "the index along an axis";
  let description = "y[i] = i[axis], converted to the element type. iota_c1: 0 <= axis < rank.";
  let arguments = (ins I64Attr:$axis);
  let results = (outs Torsh_NumberTensor:$y);
  let assemblyFormat = "`axis` `=` $axis attr-dict `:` type($y)";
  let hasVerifier = 1;
}

def Torsh_FromDimsOp : Torsh_Op<"from_dims", [Pure, Torsh_ZeroGradient]> {
  let summary = "dim expressions as an integer tensor";
  let description = [{
    The values of a shape tensor that is needed as data. The result has rank 1 (one element a dim) or rank 0 (one
    dim). It runs in the host plan, never as a kernel. from_dims_c1: the result has one of these shapes.
  }];
  let arguments = (ins Torsh_DimsAttr:$dims);
  let results = (outs Torsh_IndexTensor:$y);
  let assemblyFormat = "$dims attr-dict `:` type($y)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

#endif // TORSH_SHAPE_OPS_TD
