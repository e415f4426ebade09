//===-- BufferViews.cpp - How a value lies in the buffer that it is read from -------------------------------===//
#include "passes/graph/BufferViews.h"
#include "mlir/IR/IRMapping.h"
#include "passes/graph/FoldedMoves.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace torsh {

bool isWindowOp(Operation *op) { return op && isa<BroadcastOp, TransposeOp, SliceOp, ReshapeOp>(op); }

static SmallVector<DimAttr> significantDims(ArrayRef<DimAttr> dims) {
  SmallVector<DimAttr> result;
  for (DimAttr dim : dims)
    if (!dim::isConstant(dim, 1))
      result.push_back(dim);
  return result;
}

bool isUnitReshape(ReshapeOp op) { return significantDims(getDims(op.getX())) == significantDims(getDims(op.getY())); }

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
        if (!isUnitReshape(reshape))
          return std::nullopt;
        SmallVector<DimAttr> kept;
        for (auto [dim, stride] : llvm::zip_equal(from, *inner))
          if (!dim::isConstant(dim, 1))
            kept.push_back(stride);
        size_t next = 0;
        for (size_t i = 0; i < to.size(); ++i)
          if (!dim::isConstant(to[i], 1))
            strides[i] = kept[next++];
        return strides;
      });
}

bool isContiguousAlong(Value value, int64_t axis) {
  auto strides = getViewStrides(value);
  return strides && dim::isConstant((*strides)[axis], 1);
}

/// slice(x) with a last dim that a reshape splits: the reshape of x, sliced. Null where the cut is inside a part.
static Value splitBeforeSlice(OpBuilder &builder, ReshapeOp reshape) {
  auto slice = reshape.getX().getDefiningOp<SliceOp>();
  if (!slice)
    return Value();
  SmallVector<DimAttr> whole = getDims(slice.getX()), from = getDims(slice.getY()), to = getDims(reshape.getY());
  size_t last = from.size() - 1;
  if (from.empty() || to.size() != from.size() + 1 || ArrayRef(to).take_front(last) != ArrayRef(from).take_front(last))
    return Value();
  auto part = dim::asConstant(to.back()), count = dim::asConstant(to[last]), start = dim::asConstant(slice.getStarts()[last]);
  auto extent = dim::asConstant(whole[last]);
  if (!part || !count || !start || !extent || *part == 0 || *start % *part || *extent % *part ||
      slice.getSteps()[last] != 1)
    return Value();
  MLIRContext *context = builder.getContext();
  SmallVector<DimAttr> dims(whole), starts(slice.getStarts().getDims()), sizes(slice.getSizes().getDims());
  dims[last] = dim::constant(context, *extent / *part);
  dims.push_back(to.back());
  starts[last] = dim::constant(context, *start / *part);
  starts.push_back(dim::constant(context, 0));
  sizes[last] = to[last];
  sizes.push_back(to.back());
  SmallVector<int64_t> steps(slice.getSteps());
  steps.push_back(1);
  Value split = createReshape(builder, reshape.getLoc(), slice.getX(), dims);
  return SliceOp::create(builder, reshape.getLoc(), split, DimsAttr::get(context, starts), DimsAttr::get(context, sizes),
                         steps);
}

Value makeAddressable(OpBuilder &builder, Value value) {
  Operation *op = value.getDefiningOp();
  if (isSplatConstant(value))
    return materialize(builder, value);
  if (!isWindowOp(op) || getViewStrides(value))
    return value;
  Value inner = op->getOperand(0);
  if (auto reshape = dyn_cast<ReshapeOp>(op); reshape && !isUnitReshape(reshape)) {
    if (Value moved = splitBeforeSlice(builder, reshape))
      return makeAddressable(builder, moved);
    return createReshape(builder, value.getLoc(), materialize(builder, inner), getDims(value));
  }
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
