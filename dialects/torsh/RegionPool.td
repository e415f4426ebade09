// Pooling over boxes of a feature map, as detectors need it.
#ifndef TORSH_REGION_POOL_TD
#define TORSH_REGION_POOL_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"

def Torsh_RoiAlignOp : Torsh_Op<"roi_align", [Pure, Torsh_NotDifferentiable]> {
  let summary = "the mean or maximum of bilinear samples in each cell of each box";
  let description = [{
    x [N, H, W, C], rois [R, 4] as (x1, y1, x2, y2), images [R], y [R, h, w, C]. Box r lies in x[images[r]], at rois[r] *
    scale - offset, and has at least one element in height and width when `offset` is 0. It is split into h x w cells, each
    sampled at the centers of a grid of `samples` x `samples`, or, for 0, of as many as the cell has elements, rounded up.
    A sample more than one element outside counts as 0. With `maximum`, the largest of the four weighted neighbours
    stands for a sample, as ONNX RoiAlign says. A cell without samples is 0. An image out of range is clamped.
    It is an op because the number of samples depends on the boxes. roi_align_c1: shapes as above; roi_align_c2: x,
    rois and y have one element type; roi_align_c3: samples is not negative.
  }];
  let arguments = (ins Torsh_FloatTensor:$x, Torsh_FloatTensor:$rois, Torsh_IndexTensor:$images, F64Attr:$scale,
                       F64Attr:$offset, I64Attr:$samples, DefaultValuedAttr<BoolAttr, "false">:$maximum);
  let results = (outs Torsh_FloatTensor:$y);
  let assemblyFormat = "$x `,` $rois `,` $images `scale` `=` $scale `offset` `=` $offset `samples` `=` $samples attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Torsh_RoiMaxPoolOp : Torsh_Op<"roi_max_pool", [Pure, Torsh_NotDifferentiable]> {
  let summary = "the maximum over each cell of each box";
  let description = [{
    x [N, H, W, C], rois [R, 5] as (image, x1, y1, x2, y2), y [R, h, w, C]. Corners are rois * scale, rounded to elements
    (halves away from 0), both inside the box, which has at least one element. Cell i of h covers floor(i * height / h) to
    ceil((i + 1) * height / h), cut to the image; an empty cell is 0. An image out of range is clamped.
    roi_max_pool_c1: shapes as above; roi_max_pool_c2: x, rois and y have one element type.
  }];
  let arguments = (ins Torsh_FloatTensor:$x, Torsh_FloatTensor:$rois, F64Attr:$scale);
  let results = (outs Torsh_FloatTensor:$y);
  let assemblyFormat = "$x `,` $rois `scale` `=` $scale attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // TORSH_REGION_POOL_TD
