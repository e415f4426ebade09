//===-- InPlaceReads.cpp - When a result may lie on an operand ----------------------------------------------===//
#include "passes/cpu/InPlaceReads.h"
#include "dialects/torsh/Dim.h"
#include "llvm/ADT/SmallSet.h"

using namespace mlir;

namespace torsh {

bool readsWhereItStores(StringRef anchor, BlockArgument input, Value yielded) {
  // The others read around the index, or the whole row again.
  static const StringRef anchors[] = {"conv", "dot", "depthwise", "elementwise", "winograd_output"};
  if (!llvm::is_contained(anchors, anchor) || input.getType() != yielded.getType())
    return false;
  SmallVector<Value> work{input};
  llvm::SmallDenseSet<Value> seen{input};
  while (!work.empty()) {
    for (Operation *user : work.pop_back_val().getUsers()) {
      if (isa<YieldOp>(user))
        continue;
      if (!user->hasTrait<ElementwiseOp>())
        return false;
      auto result = cast<RankedTensorType>(user->getResult(0).getType());
      if (getDims(result) != getDims(yielded))
        return false;
      if (seen.insert(user->getResult(0)).second)
        work.push_back(user->getResult(0));
    }
  }
  return true;
}

Value bufferOf(Value value) {
  while (auto reshape = value.getDefiningOp<ReshapeOp>())
    value = reshape.getX();
  return value;
}

} // namespace torsh
