//===-- TreeEnsemble.cpp - Verifiers of the ops of decision trees -------------------------------------------===//
#include "dialects/torsh/TreeEnsemble.h"
#include "dialects/torsh/Dim.h"

using namespace mlir;

#define GET_OP_CLASSES
#include "dialects/torsh/TreeEnsemble.cpp.inc"

namespace torsh {

LogicalResult SortKeyOp::verify() {
  if (getX().getType().getElementTypeBitWidth() != getY().getType().getElementTypeBitWidth())
    return emitOpError("sort_key_c1: keys of ")
           << getX().getType().getElementType() << " have its width, not "
           << getY().getType().getElementType();
  return success();
}

LogicalResult TreeEnsembleOp::verify() {
  RankedTensorType keys = getKeys().getType(), nodes = getNodes().getType(), trees = getTrees().getType();
  RankedTensorType leaves = getLeaves() ? getLeaves().getType() : RankedTensorType();
  RankedTensorType y = getY().getType();
  auto isTable = [](RankedTensorType type, int64_t columns) {
    return type.getRank() == 2 && type.hasStaticShape() && type.getShape()[0] > 0 &&
           (columns == 0 || type.getShape()[1] == columns);
  };
  if (keys.getRank() != 2 || keys.isDynamicDim(1) || !isTable(nodes, 2) || !isTable(trees, 4) ||
      (leaves && !isTable(leaves, 0)) || y.getRank() != 3 || y.isDynamicDim(2))
    return emitOpError(
        "tree_ensemble_c1: keys are [rows, columns], nodes [count, 2], trees [trees, 4], leaves "
        "[count, targets] and the result [chunks, rows, targets]");
  unsigned width = y.getElementTypeBitWidth();
  if (keys.getElementTypeBitWidth() != width || nodes.getElementTypeBitWidth() != width ||
      (leaves && leaves.getElementType() != y.getElementType()))
    return emitOpError("tree_ensemble_c1: keys, nodes and leaves have the width of ") << y.getElementType();
  if (getKind() != ReduceKind::sum && getKind() != ReduceKind::min && getKind() != ReduceKind::max)
    return emitOpError("tree_ensemble_c2: leaves are combined by sum, min or max");
  int64_t targets = leaves ? leaves.getShape()[1] : y.getShape()[2];
  if (y.getShape()[2] != targets || !dimsMayBeEqual(getDims(y)[1], getDims(keys)[0]))
    return emitOpError("tree_ensemble_c3: the result has the rows of the keys and ") << targets << " targets";
  return success();
}

} // namespace torsh
