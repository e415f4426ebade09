//===-- SuppressBoxes.cpp - Greedy selection of boxes -----------------------------------------------------------===//
#include "dialects/torsh/SuppressBoxes.h"
#include "dialects/torsh/Dim.h"

using namespace mlir;

#define GET_OP_CLASSES
#include "dialects/torsh/SuppressBoxes.cpp.inc"

namespace torsh {

LogicalResult SuppressBoxesOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location,
                                                Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto scores = cast<RankedTensorType>(adaptor.getScores().getType());
  if (scores.getRank() != 3)
    return emitOptionalError(location, "suppress_boxes_c1: scores have rank ", scores.getRank(), ", not 3");
  return addInferredTensor(location, "suppress_boxes_c1", getDims(scores), IntegerType::get(context, 64),
                           types);
}

LogicalResult SuppressBoxesOp::verify() {
  auto boxes = cast<RankedTensorType>(getBoxes().getType()),
       scores = cast<RankedTensorType>(getScores().getType());
  if (boxes.getRank() != 3)
    return emitOpError("suppress_boxes_c1: boxes have rank ") << boxes.getRank() << ", not 3";
  SmallVector<DimAttr> box = getDims(boxes), score = getDims(scores);
  if (!dim::isConstant(box[2], 4) || !dimsMayBeEqual(box[0], score[0]) || !dimsMayBeEqual(box[1], score[2]))
    return emitOpError("suppress_boxes_c1: boxes ") << boxes << " do not belong to scores " << scores;
  if (boxes.getElementType() != scores.getElementType())
    return emitOpError("suppress_boxes_c1: boxes and scores have different element types");
  for (Value scalar : {Value(getMost()), Value(getIouThreshold()), Value(getScoreThreshold())})
    if (scalar && cast<RankedTensorType>(scalar.getType()).getRank() != 0)
      return emitOpError("suppress_boxes_c2: ") << scalar.getType() << " has not rank 0";
  return success();
}

} // namespace torsh
