// Contractions: dot_general, convolution, transposed convolution, the gradient of convolution's weights.
#ifndef TORSH_CONTRACTION_TD
#define TORSH_CONTRACTION_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"

def Torsh_DotGeneralOp : Torsh_Op<"dot_general", [Pure]> {
  let summary = "sum of products over paired dims";
  let description = [{
    Result dims: batch dims, then the free dims of lhs, then the free dims of rhs, each in operand order. Integer
    operands accumulate in the result's element type.
    dot_general_c1: batch and contracting lists pair dims of equal size; dot_general_c2: no dim appears twice;
    dot_general_c3: floats multiply floats of the same type into floats, integers integers; dot_general_c4: the result
    dims are as above.
  }];
  let arguments = (ins Torsh_NumberTensor:$lhs, Torsh_NumberTensor:$rhs,
                       DenseI64ArrayAttr:$lhs_batch, DenseI64ArrayAttr:$rhs_batch,
                       DenseI64ArrayAttr:$lhs_contract, DenseI64ArrayAttr:$rhs_contract);
  let results = (outs Torsh_NumberTensor:$y);
  let assemblyFormat = [{ $lhs `,` $rhs `batch` `=` $lhs_batch `x` $rhs_batch `contract` `=` $lhs_contract `x` $rhs_contract
                          attr-dict `:` functional-type(operands, results) }];
  let builders = [OpBuilder<(ins "::mlir::Value":$lhs, "::mlir::Value":$rhs, "::llvm::ArrayRef<int64_t>":$lhsBatch,
      "::llvm::ArrayRef<int64_t>":$rhsBatch, "::llvm::ArrayRef<int64_t>":$lhsContract,
      "::llvm::ArrayRef<int64_t>":$rhsContract)>];
  let hasVerifier = 1;
}

def Torsh_ConvOp : Torsh_Op<"conv", [Pure, Torsh_InferType]> {
  let summary = "convolution (cross-correlation) with any number of spatial dims";
  let description = [{
    channels_first: x [N, C, spatial...], w [O, C/groups, spatial...], y [N, O, spatial...].
    channels_last:  x [N, spatial..., C], w [spatial..., C/groups, O], y [N, spatial..., O].
    Padding is with zeros. y spatial = floor((x + low + high - dilation * (k - 1) - 1) / stride) + 1.
    conv_c1: lists have one entry a spatial dim; conv_c2: C = groups * (channels of w), O divisible by groups;
    conv_c3: bias is [O], x and w have one element type, and bias has the result's, which is that of x or, for bf16, f32.
  }];
  let arguments = (ins Torsh_NumberTensor:$x, Torsh_NumberTensor:$w, Optional<Torsh_NumberTensor>:$bias,
                       DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$low,
                       DenseI64ArrayAttr:$high, I64Attr:$groups,
                       DefaultValuedAttr<Torsh_LayoutAttr, "::torsh::Layout::channels_first">:$layout);
  let results = (outs Torsh_NumberTensor:$y);
  let assemblyFormat = [{ $x `,` $w (`bias` $bias^)? `strides` `=` $strides `dilations` `=` $dilations `low` `=` $low
                          `high` `=` $high `groups` `=` $groups attr-dict `:` functional-type(operands, results) }];
  let hasVerifier = 1;
}

def Torsh_ConvTransposeOp : Torsh_Op<"conv_transpose", [Pure, Torsh_InferType]> {
  let summary = "the transpose of convolution with respect to its input";
  let description = [{
    channels_first: x [N, C, spatial...], w [C, O/groups, spatial...]. channels_last: x [N, spatial..., C],
    w [spatial..., C, O/groups]. y spatial = (x - 1) * stride + dilation * (k - 1) + 1 + output_padding - low - high.
    conv_transpose_c1..c3: as conv, with one element type for all.
  }];
  let arguments = (ins Torsh_NumberTensor:$x, Torsh_NumberTensor:$w, Optional<Torsh_NumberTensor>:$bias,
                       DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$low,
                       DenseI64ArrayAttr:$high, DenseI64ArrayAttr:$output_padding, I64Attr:$groups,
                       DefaultValuedAttr<Torsh_LayoutAttr, "::torsh::Layout::channels_first">:$layout);
  let results = (outs Torsh_NumberTensor:$y);
  let assemblyFormat = [{ $x `,` $w (`bias` $bias^)? `strides` `=` $strides `dilations` `=` $dilations `low` `=` $low
                          `high` `=` $high `output_padding` `=` $output_padding `groups` `=` $groups attr-dict `:`
                          functional-type(operands, results) }];
  let hasVerifier = 1;
}

def Torsh_ConvWeightGradOp : Torsh_Op<"conv_weight_grad", [Pure, Torsh_InferType]> {
  let summary = "the transpose of convolution with respect to its weights";
  let description = [{
    dw[tap] = sum over batch and output positions p of x[p * stride + tap * dilation - low] times dy[p]; x, dy and the
    result have the layouts of conv's x, y and w, and every list but `kernel`, the spatial sizes of w, is conv's.
    conv_weight_grad_c1: lists have one entry a spatial dim, kernel sizes are positive; conv_weight_grad_c2: the channels
    of x and of dy are divisible by groups; conv_weight_grad_c3: one element type; conv_weight_grad_c4: dy has conv's
    result shape.
  }];
  let arguments = (ins Torsh_FloatTensor:$x, Torsh_FloatTensor:$dy, DenseI64ArrayAttr:$kernel,
                       DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$low,
                       DenseI64ArrayAttr:$high, I64Attr:$groups,
                       DefaultValuedAttr<Torsh_LayoutAttr, "::torsh::Layout::channels_first">:$layout);
  let results = (outs Torsh_FloatTensor:$dw);
  let assemblyFormat = [{ $x `,` $dy `kernel` `=` $kernel `strides` `=` $strides `dilations` `=` $dilations
                          `low` `=` $low `high` `=` $high `groups` `=` $groups attr-dict `:`
                          functional-type(operands, results) }];
  let hasVerifier = 1;
}

#endif // TORSH_CONTRACTION_TD
