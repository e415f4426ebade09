// Normalisations. They stay whole at the import level; folding them is a step of the inference pipeline.
#ifndef TORSH_NORMALIZATION_TD
#define TORSH_NORMALIZATION_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"

def Torsh_LayerNormOp : Torsh_Op<"layer_norm", [Pure, AllTypesMatch<["x", "y"]>]> {
  let summary = "normalises the dims from `axis` on to mean 0 and variance 1, then scales and shifts";
  let description = [{
    y = (x - mean) / sqrt(var + epsilon) * scale + bias, with the biased variance (Ba et al. 2016).
    layer_norm_c1: scale and bias have the shape of the normalised dims.
  }];
  let arguments = (ins Torsh_FloatTensor:$x, Torsh_FloatTensor:$scale, Optional<Torsh_FloatTensor>:$bias, I64Attr:$axis,
                       F64Attr:$epsilon);
  let results = (outs Torsh_FloatTensor:$y);
  let assemblyFormat = "$x `scale` $scale (`bias` $bias^)? `axis` `=` $axis `epsilon` `=` $epsilon attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Torsh_RmsNormOp : Torsh_Op<"rms_norm", [Pure, AllTypesMatch<["x", "y"]>]> {
  let summary = "divides by the root mean square of the dims from `axis` on, then scales";
  let description = "y = x / sqrt(mean(x^2) + epsilon) * scale (Zhang and Sennrich 2019). rms_norm_c1: as layer_norm.";
  let arguments = (ins Torsh_FloatTensor:$x, Torsh_FloatTensor:$scale, I64Attr:$axis, F64Attr:$epsilon);
  let results = (outs Torsh_FloatTensor:$y);
  let assemblyFormat = "$x `scale` $scale `axis` `=` $axis `epsilon` `=` $epsilon attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Torsh_BatchNormOp : Torsh_Op<"batch_norm", [Pure, AllTypesMatch<["x", "y"]>]> {
  let summary = "normalises with given statistics for each feature";
  let description = [{
    y = (x - mean) / sqrt(variance + epsilon) * scale + bias along the feature `axis` (Ioffe and Szegedy 2015).
    batch_norm_c1: scale, bias, mean and variance are [size of axis].
  }];
  let arguments = (ins Torsh_FloatTensor:$x, Torsh_FloatTensor:$scale, Torsh_FloatTensor:$bias, Torsh_FloatTensor:$mean,
                       Torsh_FloatTensor:$variance, I64Attr:$axis, F64Attr:$epsilon);
  let results = (outs Torsh_FloatTensor:$y);
  let assemblyFormat = "$x `scale` $scale `bias` $bias `mean` $mean `variance` $variance `axis` `=` $axis `epsilon` `=` $epsilon attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Torsh_GroupNormOp : Torsh_Op<"group_norm", [Pure, AllTypesMatch<["x", "y"]>]> {
  let summary = "normalises each group of channels of each sample; groups = C is instance norm";
  let description = [{
    x [N, C, spatial...] or [N, spatial..., C]; statistics over the channels of a group and all spatial dims (Wu and He
    2018). group_norm_c1: C divisible by groups; group_norm_c2: scale and bias are [C].
  }];
  let arguments = (ins Torsh_FloatTensor:$x, Torsh_FloatTensor:$scale, Torsh_FloatTensor:$bias, I64Attr:$groups,
                       F64Attr:$epsilon, DefaultValuedAttr<Torsh_LayoutAttr, "::torsh::Layout::channels_first">:$layout);
  let results = (outs Torsh_FloatTensor:$y);
  let assemblyFormat = "$x `scale` $scale `bias` $bias `groups` `=` $groups `epsilon` `=` $epsilon attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // TORSH_NORMALIZATION_TD
