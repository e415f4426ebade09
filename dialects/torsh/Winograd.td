// Convolution by Winograd's minimal filtering: the transforms around the products.
#ifndef TORSH_WINOGRAD_TD
#define TORSH_WINOGRAD_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"

def Torsh_WinogradInputOp : Torsh_Op<"winograd_input", [Pure]> {
  let summary = "tiles of an image, transformed for products with transformed 3 x 3 weights";
  let description = [{
    F(t x t, 3 x 3) of Lavin and Gray, Fast Algorithms for Convolutional Neural Networks (2016), with t = `tile` 2 or 4 and
    the points 0, +-1, or 0, +-3/4, +-3/2 (Winograd.h). x [N, H, W, C] is padded with zeros by `low` and `high`; an output
    tile of t x t pixels needs a patch d of (t+2) x (t+2), and v [(t+2)^2, N * tiles, C] has B^T d B in its leading dim.
    Tiles are ordered by image, row, column; the last ones of a row or column may reach past the padding, as zeros.
    winograd_input_c1: shapes as above.
  }];
  let arguments = (ins Torsh_FloatTensor:$x, I64Attr:$tile, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high);
  let results = (outs Torsh_FloatTensor:$v);
  let assemblyFormat = "$x `tile` `=` $tile `low` `=` $low `high` `=` $high attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Torsh_WinogradOutputOp : Torsh_Op<"winograd_output", [Pure]> {
  let summary = "the image behind the products of transformed tiles";
  let description = [{
    The inverse of the transforms: sums [(t+2)^2, N * tiles, O] -> y [N, H, W, O], each tile's pixels are A^T m A of its
    (t+2) x (t+2) sums m. Pixels of the last tiles that lie past H or W are dropped.
    winograd_output_c1: shapes as above.
  }];
  let arguments = (ins Torsh_FloatTensor:$sums, I64Attr:$tile);
  let results = (outs Torsh_FloatTensor:$y);
  let assemblyFormat = "$sums `tile` `=` $tile attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // TORSH_WINOGRAD_TD
