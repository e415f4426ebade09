// Window reductions over spatial dims.
#ifndef TORSH_POOLING_TD
#define TORSH_POOLING_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"

class Torsh_PoolOp<string mnemonic> : Torsh_Op<mnemonic, [Pure, Torsh_InferType]> {
  let hasVerifier = 1;
}

def Torsh_MaxPoolOp : Torsh_PoolOp<"max_pool"> {
  let summary = "maximum over windows; padding never wins";
  let description = [{
    x [N, C, spatial...] or [N, spatial..., C]. Output sizes are floor((x + low + high - dilation*(window-1) - 1) / stride)
    + 1, with ceil instead of floor when `ceil_mode` (the last window must start inside the input or its low padding).
    NaN wins. max_pool_c1: lists have one entry a spatial dim.
  }];
  let arguments = (ins Torsh_NumberTensor:$x, DenseI64ArrayAttr:$window, DenseI64ArrayAttr:$strides,
                       DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high,
                       DefaultValuedAttr<BoolAttr, "false">:$ceil_mode,
                       DefaultValuedAttr<Torsh_LayoutAttr, "::torsh::Layout::channels_first">:$layout);
  let results = (outs Torsh_NumberTensor:$y);
  let assemblyFormat = [{ $x `window` `=` $window `strides` `=` $strides `dilations` `=` $dilations `low` `=` $low
                          `high` `=` $high attr-dict `:` functional-type(operands, results) }];
}

def Torsh_AvgPoolOp : Torsh_PoolOp<"avg_pool"> {
  let summary = "mean over windows";
  let description = [{
    As max_pool. The divisor counts the elements of the window that lie in the input, or in the padded input when
    `count_include_pad` (never what `ceil_mode` adds beyond the padding). avg_pool_c1: lists have one entry a spatial dim.
  }];
  let arguments = (ins Torsh_FloatTensor:$x, DenseI64ArrayAttr:$window, DenseI64ArrayAttr:$strides,
                       DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high,
                       DefaultValuedAttr<BoolAttr, "false">:$count_include_pad,
                       DefaultValuedAttr<BoolAttr, "false">:$ceil_mode,
                       DefaultValuedAttr<Torsh_LayoutAttr, "::torsh::Layout::channels_first">:$layout);
  let results = (outs Torsh_FloatTensor:$y);
  let assemblyFormat = [{ $x `window` `=` $window `strides` `=` $strides `dilations` `=` $dilations `low` `=` $low
                          `high` `=` $high attr-dict `:` functional-type(operands, results) }];
}

#endif // TORSH_POOLING_TD
