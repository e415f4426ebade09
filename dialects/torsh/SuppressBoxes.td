// Greedy selection of boxes. In a file of its own: few files need it.
#ifndef TORSH_SUPPRESS_BOXES_TD
#define TORSH_SUPPRESS_BOXES_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"

def Torsh_SuppressBoxesOp : Torsh_Op<"suppress_boxes", [Pure, Torsh_ZeroGradient, Torsh_InferType]> {
  let summary = "the boxes of each class by falling score, without those that overlap a better one too much";
  let description = [{
    boxes [B, n, 4] (corners y1 x1 y2 x2, or center x y w h when `center`), scores [B, C, n], y [B, C, n]: the numbers of
    the selected boxes, then -1 to the end. A box is selected when its score is above `score_threshold` (where given), no
    selected box overlaps it by more than `iou_threshold` of their union, and fewer than `most` are selected. Of equal
    scores the first box goes first, NaN goes last. Boxes without area overlap nothing.
    suppress_boxes_c1: shapes as above, floats of one type; suppress_boxes_c2: `most` (i64) and the thresholds have rank 0.
  }];
  let arguments = (ins Torsh_FloatTensor:$boxes, Torsh_FloatTensor:$scores, RankedTensorOf<[I64]>:$most,
                       Torsh_FloatTensor:$iou_threshold, Optional<Torsh_FloatTensor>:$score_threshold,
                       DefaultValuedAttr<BoolAttr, "false">:$center);
  let results = (outs RankedTensorOf<[I64]>:$y);
  let assemblyFormat = [{ $boxes `,` $scores `most` $most `iou` $iou_threshold (`score` $score_threshold^)? attr-dict
                          `:` functional-type(operands, results) }];
  let hasVerifier = 1;
}

#endif // TORSH_SUPPRESS_BOXES_TD
