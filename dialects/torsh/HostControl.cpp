//===-- HostControl.cpp - Control flow in a host plan -------------------------------------------------------===//
#include "dialects/torsh/HostControl.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace torsh {

static constexpr int64_t alignment = 64;

static DimAttr bytesOf(RankedTensorType type) {
  int64_t bits = std::max<int64_t>(8, type.getElementTypeBitWidth());
  return dim::mul(getNumElements(type), dim::constant(type.getContext(), bits / 8));
}

DimAttr paddedBytes(RankedTensorType type) {
  DimAttr unit = dim::constant(type.getContext(), alignment);
  return dim::mul(dim::ceilDiv(bytesOf(type), unit), unit);
}

bool isControl(Operation *op) {
  auto group = dyn_cast<GroupOp>(op);
  return group && group.getAnchor() == kControlAnchor;
}

Operation *controlOf(GroupOp group) { return &group.getBody().front().front(); }

func::CallOp callOf(Region &region) { return cast<func::CallOp>(region.front().front()); }

llvm::SmallVector<func::FuncOp> bodiesOf(GroupOp group) {
  llvm::SmallVector<func::FuncOp> bodies;
  for (Region &region : controlOf(group)->getRegions())
    bodies.push_back(
        SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(group, callOf(region).getCalleeAttr()));
  return bodies;
}

llvm::SmallVector<func::FuncOp> functionsFrom(func::FuncOp main) {
  llvm::SetVector<func::FuncOp> found;
  found.insert(main);
  for (size_t i = 0; i < found.size(); ++i)
    for (GroupOp group : func::FuncOp(found[i]).getOps<GroupOp>())
      if (isControl(group))
        found.insert_range(bodiesOf(group));
  return found.takeVector();
}

llvm::SmallVector<llvm::StringRef> bornSymbols(func::FuncOp function) {
  llvm::SmallVector<llvm::StringRef> names;
  for (BindSizesOp bind : function.getOps<BindSizesOp>())
    for (auto name : bind.getSymbols().getAsRange<StringAttr>())
      names.push_back(name.getValue());
  return names;
}

ControlFrame::ControlFrame(GroupOp group) {
  MLIRContext *context = group.getContext();
  DimAttr top = dim::constant(context, 0);
  auto take = [&](DimAttr bytes) {
    DimAttr at = top;
    top = dim::add(top, bytes);
    return at;
  };
  Operation *control = controlOf(group);
  condition = take(dim::constant(context, alignment));
  counter = take(dim::constant(context, alignment));
  ValueRange initial;
  if (auto loop = dyn_cast<ForOp>(control))
    initial = loop.getInitial();
  else if (auto loop = dyn_cast<WhileOp>(control))
    initial = loop.getInitial();
  for (Value value : initial) {
    auto type = cast<RankedTensorType>(value.getType());
    carried.push_back(take(paddedBytes(type)));
    carriedBytes.push_back(bytesOf(type));
  }
  callees = top;
}

} // namespace torsh
