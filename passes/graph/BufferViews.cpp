//===-- BufferViews.cpp - How a value lies in the buffer that it is read from -------------------------------===//
#include "passes/graph/BufferViews.h"
#include "dialects/torsh/SplitDims.h"
#include "mlir/IR/IRMapping.h"
#include "passes/graph/FoldedMoves.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace torsh {

bool isWindowOp(Operation *op) { return op && isa<BroadcastOp, TransposeOp, SliceOp, ReshapeOp>(op); }

static SmallVector<DimAttr> rowMajorStrides(Value value) {
  SmallVector<DimAttr> dims = getDims(value), strides(dims.size());
  DimAttr stride = dim::constant(value.getContext(), 1);
  for (size_t i = dims.size(); i-- > 0;) {
    strides[i] = stride;
    stride = dim::mul(stride, dims[i]);
  }
  return strides;
}

std::optional<SmallVector<DimAttr>> getViewStrides(Value value) {
  Operation *op = value.getDefiningOp();
  // A splat lives in registers, it has no buffer.
  if (isSplatConstant(value))
    return std::nullopt;
  if (!isWindowOp(op))
    return rowMajorStrides(value);
  if (auto reshape = dyn_cast<ReshapeOp>(op); reshape && !isWindowOp(reshape.getX().getDefiningOp()) &&
                                              !isSplatConstant(reshape.getX()))
    return rowMajorStrides(value);
  auto inner = getViewStrides(op->getOperand(0));
  if (!inner)
    return std::nullopt;
  MLIRContext *context = value.getContext();
  SmallVector<DimAttr> from = getDims(op->getOperand(0)), to = getDims(value);
  SmallVector<DimAttr> strides(to.size(), dim::constant(context, 0));
  return llvm::TypeSwitch<Operation *, std::optional<SmallVector<DimAttr>>>(op)
      .Case([&](TransposeOp transpose) { return permuted<DimAttr>(*inner, transpose.getPermutation()); })
      .Case([&](BroadcastOp broadcast) {
        for (auto [index, axis] : llvm::enumerate(broadcast.getAxes()))
          if (from[index] == to[axis])
            strides[axis] = (*inner)[index];
        return strides;
      })
      .Case([&](SliceOp slice) {
        for (size_t i = 0; i < to.size(); ++i)
          strides[i] = dim::mul((*inner)[i], dim::constant(context, slice.getSteps()[i]));
        return strides;
      })
      .Case([&](ReshapeOp reshape) -> std::optional<SmallVector<DimAttr>> {
        auto sources = splitSources(reshape);
        if (!sources)
          return std::nullopt;
        // The last part of a dim has its stride, each other spans the parts behind it.
        llvm::DenseMap<int64_t, DimAttr> running;
        for (size_t i = to.size(); i-- > 0;) {
          int64_t source = (*sources)[i];
          if (source < 0)
            continue;
          DimAttr &stride = running.try_emplace(source, (*inner)[source]).first->second;
          strides[i] = stride;
          stride = dim::mul(stride, to[i]);
        }
        return strides;
      });
}

bool isContiguousAlong(Value value, int64_t axis) {
  auto strides = getViewStrides(value);
  return strides && dim::isConstant((*strides)[axis], 1);
}

Value makeAddressable(OpBuilder &builder, Value value) {
  Operation *op = value.getDefiningOp();
  if (isSplatConstant(value))
    return materialize(builder, value);
  if (!isWindowOp(op) || getViewStrides(value))
    return value;
  Value inner = op->getOperand(0);
  if (auto reshape = dyn_cast<ReshapeOp>(op); reshape && !splitSources(reshape))
    return createReshape(builder, value.getLoc(), materialize(builder, inner), getDims(value));
  Value moved = makeAddressable(builder, inner);
  Operation *clone = builder.clone(*op);
  clone->setOperand(0, moved);
  return clone->getResult(0);
}

Value materialize(OpBuilder &builder, Value value) {
  bool isSplat = isSplatConstant(value);
  if (!isSplat)
    value = makeAddressable(builder, value);
  // The windows between the value and its buffer move into the group.
  SmallVector<Operation *> chain;
  Value root = value;
  while (isWindowOp(root.getDefiningOp())) {
    chain.push_back(root.getDefiningOp());
    root = root.getDefiningOp()->getOperand(0);
  }
  // A buffer, or an alias of one, is a copy already.
  if (!isSplat && (chain.empty() || (chain.size() == 1 && isa<ReshapeOp>(chain.front()))))
    return value;
  Location loc = value.getLoc();
  SmallVector<Value> inputs;
  if (!isSplat)
    inputs.push_back(root);
  auto group = GroupOp::create(builder, loc, TypeRange{value.getType()}, inputs, builder.getStringAttr("elementwise"));
  Block *body = &group.getBody().emplaceBlock();
  OpBuilder inside = OpBuilder::atBlockBegin(body);
  IRMapping mapping;
  if (isSplat)
    inside.clone(*root.getDefiningOp(), mapping);
  else
    mapping.map(root, body->addArgument(root.getType(), root.getLoc()));
  for (Operation *op : llvm::reverse(chain))
    inside.clone(*op, mapping);
  YieldOp::create(inside, loc, ValueRange{mapping.lookup(value)});
  return group.getResult(0);
}

} // namespace torsh
