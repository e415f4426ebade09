// Ops that read or write at computed indices, sort, or have sizes born at run time.
// A negative index counts from the end. An index out of range is clamped into the range, so nothing outside a tensor
// is ever read or written; frontends whose specification demands an error say so in their documentation.
#ifndef TORSH_INDEXING_TD
#define TORSH_INDEXING_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"

def Torsh_GatherOp : Torsh_Op<"gather", [Pure, Torsh_InferType]> {
  let summary = "takes slices along an axis";
  let description = [{
    y[a..., i..., b...] = x[a..., indices[i...], b...], with `axis` dims before. gather_c1: 0 <= axis < rank(x).
  }];
  let arguments = (ins Torsh_Tensor:$x, Torsh_IndexTensor:$indices, I64Attr:$axis);
  let results = (outs Torsh_Tensor:$y);
  let assemblyFormat = "$x `,` $indices `axis` `=` $axis attr-dict `:` functional-type(operands, results)";
}

def Torsh_GatherElementsOp : Torsh_Op<"gather_elements", [Pure, Torsh_InferType]> {
  let summary = "takes single elements along an axis";
  let description = "y[i] = x[i with i[axis] := indices[i]]. gather_elements_c1: x and indices have one rank, y the shape of indices.";
  let arguments = (ins Torsh_Tensor:$x, Torsh_IndexTensor:$indices, I64Attr:$axis);
  let results = (outs Torsh_Tensor:$y);
  let assemblyFormat = "$x `,` $indices `axis` `=` $axis attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Torsh_GatherNdOp : Torsh_Op<"gather_nd", [Pure, Torsh_InferType]> {
  let summary = "takes slices at index tuples";
  let description = [{
    The last dim of indices, of static size k, holds tuples into the k dims of x after `batch_dims`.
    y shape = indices dims but the last, then x dims after batch_dims + k. gather_nd_c1: k <= rank(x) - batch_dims;
    gather_nd_c2: batch dims of x and indices agree.
  }];
  let arguments = (ins Torsh_Tensor:$x, Torsh_IndexTensor:$indices, I64Attr:$batch_dims);
  let results = (outs Torsh_Tensor:$y);
  let assemblyFormat = "$x `,` $indices `batch_dims` `=` $batch_dims attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Torsh_ScatterElementsOp : Torsh_Op<"scatter_elements", [Pure, AllTypesMatch<["x", "y"]>]> {
  let summary = "writes single elements along an axis into a copy of x";
  let description = "y = x; y[i with i[axis] := indices[i]] is combined with updates[i], in row-major order of i. scatter_elements_c1: ranks agree; scatter_elements_c2: indices and updates have one shape; scatter_elements_c3: x and updates have one element type.";
  let arguments = (ins Torsh_Tensor:$x, Torsh_IndexTensor:$indices, Torsh_Tensor:$updates, I64Attr:$axis,
                       DefaultValuedAttr<Torsh_ScatterKindAttr, "::torsh::ScatterKind::replace">:$kind);
  let results = (outs Torsh_Tensor:$y);
  let assemblyFormat = "$x `,` $indices `,` $updates `axis` `=` $axis attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Torsh_ScatterNdOp : Torsh_Op<"scatter_nd", [Pure, AllTypesMatch<["x", "y"]>]> {
  let summary = "writes slices at index tuples into a copy of x";
  let description = "As gather_nd with batch_dims 0, writing. scatter_nd_c1: updates = indices dims but the last, then the dims of x after k.";
  let arguments = (ins Torsh_Tensor:$x, Torsh_IndexTensor:$indices, Torsh_Tensor:$updates,
                       DefaultValuedAttr<Torsh_ScatterKindAttr, "::torsh::ScatterKind::replace">:$kind);
  let results = (outs Torsh_Tensor:$y);
  let assemblyFormat = "$x `,` $indices `,` $updates attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Torsh_TopKOp : Torsh_Op<"topk", [Pure, Torsh_InferType]> {
  let summary = "the k largest or smallest elements along an axis, sorted, with their indices";
  let description = "The lower index comes first among equals. NaN counts as largest. topk_c1: k is at most the size of the axis.";
  let arguments = (ins Torsh_NumberTensor:$x, Torsh_DimAttr:$k, I64Attr:$axis, DefaultValuedAttr<BoolAttr, "true">:$largest);
  let results = (outs Torsh_NumberTensor:$values, RankedTensorOf<[I64]>:$indices);
  let assemblyFormat = "$x `k` `=` $k `axis` `=` $axis attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Torsh_NonZeroOp : Torsh_Op<"non_zero", [Pure, Torsh_ZeroGradient]> {
  let summary = "coordinates of the elements that are not zero";
  let description = "y [rank(x), n] i64 in row-major order; n is a symbol born at run time. non_zero_c1: n is a plain symbol.";
  let arguments = (ins Torsh_Tensor:$x);
  let results = (outs RankedTensorOf<[I64]>:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Torsh_NonMaxSuppressionOp : Torsh_Op<"non_max_suppression", [Pure, Torsh_ZeroGradient]> {
  let summary = "greedy selection of boxes by score without too much overlap";
  let description = [{
    boxes [B, n, 4] (corners y1 x1 y2 x2, or center x y w h when `center`), scores [B, C, n]; y [m, 3] i64 rows of
    (batch, class, box), m a symbol born at run time (ONNX NonMaxSuppression-11). non_max_suppression_c1: shapes as above.
  }];
  let arguments = (ins Torsh_FloatTensor:$boxes, Torsh_FloatTensor:$scores, I64Attr:$max_boxes_per_class,
                       F64Attr:$iou_threshold, OptionalAttr<F64Attr>:$score_threshold,
                       DefaultValuedAttr<BoolAttr, "false">:$center);
  let results = (outs RankedTensorOf<[I64]>:$y);
  let assemblyFormat = "$boxes `,` $scores attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // TORSH_INDEXING_TD
