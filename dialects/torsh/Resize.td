// Resampling of spatial dims.
#ifndef TORSH_RESIZE_TD
#define TORSH_RESIZE_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"

def Torsh_ResizeOp : Torsh_Op<"resize", [Pure]> {
  let summary = "resamples to the result's size";
  let description = [{
    `scales` (one a dim, output / input as the source model gives it; 1 for dims that stay, 0
    for the ratio of the sizes, which only the run knows) enter the coordinate map
    of ONNX Resize-19. cubic_coefficient is `a` of the cubic kernel; `exclude_outside` renormalises weights at borders;
    antialias widens the kernel when shrinking. resize_c1: x, y and scales have one rank; resize_c2: one
    element type; resize_c3: scales are not negative.
  }];
  let arguments = (ins Torsh_NumberTensor:$x, DenseF64ArrayAttr:$scales, Torsh_ResizeModeAttr:$mode,
                       Torsh_ResizeCoordinatesAttr:$coordinates,
                       DefaultValuedAttr<Torsh_NearestModeAttr, "::torsh::NearestMode::round_prefer_floor">:$nearest,
                       DefaultValuedAttr<F64Attr, "-0.75">:$cubic_coefficient,
                       DefaultValuedAttr<BoolAttr, "false">:$exclude_outside,
                       DefaultValuedAttr<BoolAttr, "false">:$antialias);
  let results = (outs Torsh_NumberTensor:$y);
  let assemblyFormat = "$mode $x `scales` `=` custom<Doubles>($scales) `coordinates` `=` $coordinates attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // TORSH_RESIZE_TD
