//===-- Attention.cpp - Shape function and verifier of attention ----------------------------------------===//
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"

using namespace mlir;

namespace torsh {

LogicalResult AttentionOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  SmallVector<DimAttr> dims = getDims(adaptor.getQ()), v = getDims(adaptor.getV());
  if (dims.size() < 2 || v.size() != dims.size() || getDims(adaptor.getK()).size() != dims.size())
    return emitOptionalError(location, "attention_c1: q, k and v have one rank of at least 2");
  dims.back() = v.back();
  return addInferredTensor(location, "attention_c1", dims,
                           cast<RankedTensorType>(adaptor.getQ().getType()).getElementType(), types);
}

LogicalResult AttentionOp::verify() {
  SmallVector<DimAttr> q = getDims(getQ()), k = getDims(getK()), v = getDims(getV());
  size_t rank = q.size();
  if (rank < 2 || k.size() != rank || v.size() != rank)
    return emitOpError("attention_c1: q, k and v have one rank of at least 2");
  ArrayRef<DimAttr> batch = ArrayRef(q).drop_back(2);
  if (!shapesMayBeEqual(batch, ArrayRef(k).drop_back(2)) ||
      !shapesMayBeEqual(batch, ArrayRef(v).drop_back(2)))
    return emitOpError("attention_c1: the batch dims of q, k and v differ");
  if (!dimsMayBeEqual(q[rank - 1], k[rank - 1]))
    return emitOpError("attention_c2: q has depth ")
           << dim::toString(q[rank - 1]) << ", k has " << dim::toString(k[rank - 1]);
  if (!dimsMayBeEqual(k[rank - 2], v[rank - 2]))
    return emitOpError("attention_c2: k has length ")
           << dim::toString(k[rank - 2]) << ", v has " << dim::toString(v[rank - 2]);
  if (!getMask())
    return success();
  SmallVector<DimAttr> scores(q), mask = getDims(getMask());
  scores[rank - 1] = k[rank - 2];
  if (mask.size() != rank)
    return emitOpError("attention_c3: the mask has rank ")
           << mask.size() << ", the scores have rank " << rank;
  for (auto [index, maskDim, score] : llvm::enumerate(mask, scores))
    if (!dim::isConstant(maskDim, 1) && !dimsMayBeEqual(maskDim, score))
      return emitOpError("attention_c3: mask dim ")
             << index << " is " << dim::toString(maskDim) << ", the scores have " << dim::toString(score);
  return success();
}

} // namespace torsh
