// Window reductions over spatial dims, and their gradients.
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

def Torsh_MaxPoolGradOp : Torsh_Op<"max_pool_grad", [Pure, AllTypesMatch<["x", "dx"]>]> {
  let summary = "the gradient of max_pool: each window gives its part of dy to its maximum";
  let description = [{
    dx[i] is the sum of dy over the windows whose maximum is x[i]; the first of equal maxima in row-major order of the
    window wins, and the first NaN wins before all. Attributes are those of the max_pool, dy has the shape of its result.
    max_pool_grad_c1: as max_pool_c1; max_pool_grad_c2: dy has the shape and element type of max_pool's result.
  }];
  let arguments = (ins Torsh_FloatTensor:$x, Torsh_FloatTensor:$dy, DenseI64ArrayAttr:$window,
                       DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$low,
                       DenseI64ArrayAttr:$high, DefaultValuedAttr<BoolAttr, "false">:$ceil_mode,
                       DefaultValuedAttr<Torsh_LayoutAttr, "::torsh::Layout::channels_first">:$layout);
  let results = (outs Torsh_FloatTensor:$dx);
  let assemblyFormat = [{ $x `,` $dy `window` `=` $window `strides` `=` $strides `dilations` `=` $dilations
                          `low` `=` $low `high` `=` $high attr-dict `:` functional-type(operands, results) }];
  let hasVerifier = 1;
}

def Torsh_AvgPoolGradOp : Torsh_Op<"avg_pool_grad", [Pure]> {
  let summary = "the gradient of avg_pool: each window shares its part of dy among its elements";
  let description = [{
    dx[i] is the sum of dy / divisor over the windows that hold i, with avg_pool's divisors. avg_pool is linear, so its
    input is no operand: the result type gives the sizes of the input. Attributes are those of the avg_pool.
    avg_pool_grad_c1: as avg_pool_c1; avg_pool_grad_c2: dy has the shape and element type of avg_pool's result on dx.
  }];
  let arguments = (ins Torsh_FloatTensor:$dy, DenseI64ArrayAttr:$window, DenseI64ArrayAttr:$strides,
                       DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high,
                       DefaultValuedAttr<BoolAttr, "false">:$count_include_pad,
                       DefaultValuedAttr<BoolAttr, "false">:$ceil_mode,
                       DefaultValuedAttr<Torsh_LayoutAttr, "::torsh::Layout::channels_first">:$layout);
  let results = (outs Torsh_FloatTensor:$dx);
  let assemblyFormat = [{ $dy `window` `=` $window `strides` `=` $strides `dilations` `=` $dilations
                          `low` `=` $low `high` `=` $high attr-dict `:` functional-type(operands, results) }];
  let hasVerifier = 1;
}

#endif // TORSH_POOLING_TD
