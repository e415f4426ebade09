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

/// Whether the value is a buffer of its own when kernels run: fusion groups copy what a reshape merges dims of, and a
/// reshape of a buffer is an alias.
static bool isBuffer(Value value) {
  Operation *op = value.getDefiningOp();
  if (!isWindowOp(op))
    return !isSplatConstant(value);
  auto reshape = dyn_cast<ReshapeOp>(op);
  return reshape && !isSplatConstant(reshape.getX()) &&
         (!isWindowOp(reshape.getX().getDefiningOp()) || !splitSources(reshape));
}

std::optional<SmallVector<DimAttr>> getViewStrides(Value value) {
  if (isBuffer(value))
    return rowMajorStrides(value);
  // A splat lives in registers.
  if (isSplatConstant(value))
    return std::nullopt;
  Operation *op = value.getDefiningOp();
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
          if (!dim::isConstant(from[index], 1))
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
  if (isSplatConstant(value))
    return materialize(builder, value);
  if (getViewStrides(value))
    return value;
  Operation *op = value.getDefiningOp();
  Value moved = makeAddressable(builder, op->getOperand(0));
  Operation *clone = builder.clone(*op);
  clone->setOperand(0, moved);
  return clone->getResult(0);
}

Value materialize(OpBuilder &builder, Value value) {
  if (isBuffer(value))
    return value;
  // The windows between the value and its buffer move into the group.
  SmallVector<Operation *> chain;
  Value root = value;
  while (!isBuffer(root) && !isSplatConstant(root)) {
    chain.push_back(root.getDefiningOp());
    root = root.getDefiningOp()->getOperand(0);
  }
  bool isSplat = isSplatConstant(root);
  Location loc = value.getLoc();
  SmallVector<Value> inputs;
  if (!isSplat)
    inputs.push_back(root);
  auto group =
      GroupOp::create(builder, loc, TypeRange{value.getType()}, inputs, builder.getStringAttr("elementwise"));
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
