//===-- GroupNormKernel.cpp - Group norm and batch norm as they stand ---------------------------------------===//
//
// The usual pipeline folds batch norm into its neighbours; these kernels serve what is left. Group norm: a tile is one
// group of one sample, read three times (mean, variance, result). Batch norm: a tile is a row.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/lowering/IndexKernels.h"
#include "passes/lowering/ReduceKernel.h"

using namespace mlir;

namespace torsh {
namespace {

/// Floats of one element type.
struct Numbers {
  KernelBuilder &kb;
  Type element;
  bool missing = false;

  template <typename OpTy> Value make(Value a, Value b) { return OpTy::create(kb.b, kb.loc, a, b); }
  Value add(Value a, Value b) { return make<arith::AddFOp>(a, b); }
  Value sub(Value a, Value b) { return make<arith::SubFOp>(a, b); }
  Value mul(Value a, Value b) { return make<arith::MulFOp>(a, b); }
  Value div(Value a, Value b) { return make<arith::DivFOp>(a, b); }
  /// sqrt(x + epsilon)
  Value deviation(Value variance, double epsilon, unsigned lanes) {
    return math::SqrtOp::create(kb.b, kb.loc, add(variance, kb.splatConstant(element, epsilon, lanes)));
  }
  Value load(Value value, ArrayRef<Value> at, unsigned lanes) {
    if (Value emitted = kb.emit(value, at, lanes))
      return emitted;
    missing = true;
    return kb.splatConstant(element, 0, lanes);
  }
};

/// One group of one sample.
struct GroupNorm {
  KernelBuilder &kb;
  GroupNormOp op;
  Numbers f;
  SmallVector<Value> sizes;
  size_t channel;           ///< axis
  Value channelFrom, count; ///< channels of the group
  SmallVector<Value> at;
  LogicalResult result = success();

  bool channelsLast() const { return channel + 1 == sizes.size(); }
  Value rowFrom() { return channelsLast() ? channelFrom : kb.constant(0); }
  Value rowLength() { return channelsLast() ? count : sizes.back(); }

  /// Nested loops over all dims of the group but the last, with a carried value.
  Value overRows(size_t axis, ValueRange carried, llvm::function_ref<Value(ValueRange)> body) {
    if (axis + 1 == sizes.size())
      return body(carried);
    Value from = kb.constant(0), to = sizes[axis];
    if (axis == channel) {
      from = channelFrom;
      to = kb.add(channelFrom, count);
    }
    auto step = [&](Value index, ValueRange inner) {
      at[axis] = index;
      Value next = overRows(axis + 1, inner, body);
      return next ? SmallVector<Value>{next} : SmallVector<Value>();
    };
    SmallVector<Value> last = kb.loop(from, to, 1, carried, step);
    return last.empty() ? Value() : last[0];
  }
  /// The sum of map(x) over the group.
  Value sum(llvm::function_ref<Value(Value, unsigned)> map) {
    Value zero = neutral(kb, ReduceKind::sum, f.element, 1);
    return overRows(1, zero, [&](ValueRange carried) {
      return reduceRow(kb, ReduceKind::sum, f.element, rowLength(), carried[0],
                       [&](Value index, unsigned lanes) {
                         at.back() = kb.add(rowFrom(), index);
                         return map(f.load(op.getX(), at, lanes), lanes);
                       });
    });
  }
  void run();
};

void GroupNorm::run() {
  Value elements = count;
  for (size_t axis = 1; axis < sizes.size(); ++axis)
    if (axis != channel)
      elements = kb.mul(elements, sizes[axis]);
  Value total = arith::SIToFPOp::create(kb.b, kb.loc, kb.computeType(f.element), elements);
  Value mean = f.div(sum([](Value x, unsigned) { return x; }), total);
  Value variance = f.div(sum([&](Value x, unsigned lanes) {
                           Value centered = f.sub(x, kb.splat(mean, lanes));
                           return f.mul(centered, centered);
                         }),
                         total);
  Value factor =
      f.div(kb.splatConstant(f.element, 1, 1), f.deviation(variance, op.getEpsilon().convertToDouble(), 1));
  overRows(1, ValueRange(), [&](ValueRange) {
    Value from = rowFrom();
    kb.vectorLoop(from, kb.add(from, rowLength()), [&](Value index, unsigned lanes) {
      at.back() = index;
      Value x = f.load(op.getX(), at, lanes);
      unsigned width = channelsLast() ? lanes : 1;
      Value scale = f.mul(f.load(op.getScale(), {at[channel]}, width), kb.splat(factor, width));
      Value bias = f.load(op.getBias(), {at[channel]}, width);
      if (width != lanes) {
        scale = kb.splat(scale, lanes);
        bias = kb.splat(bias, lanes);
      }
      kb.setOverride(op.getY(), f.add(f.mul(f.sub(x, kb.splat(mean, lanes)), scale), bias));
      if (failed(kb.storeYielded(at, lanes)))
        result = failure();
      kb.clearOverrides();
    });
    return Value();
  });
}

} // namespace

TileSpace getGroupNormTiles(GroupNormOp op) {
  MLIRContext *context = op.getContext();
  return {dim::mul(getDims(op.getX())[0], dim::constant(context, op.getGroups())), 1};
}

LogicalResult emitGroupNorm(KernelBuilder &kb, GroupNormOp op) {
  LogicalResult result = success();
  bool missing = false;
  kb.note = llvm::formatv("{0} lanes, groups", kb.target.lanes);
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    SmallVector<Value> sizes = kb.dims(op.getX());
    size_t channel = op.getLayout() == Layout::channels_last ? sizes.size() - 1 : 1;
    Value groups = kb.constant(op.getGroups()), count = kb.div(sizes[channel], groups);
    GroupNorm norm{kb,
                   op,
                   Numbers{kb, op.getX().getType().getElementType()},
                   sizes,
                   channel,
                   kb.mul(kb.rem(tile, groups), count),
                   count,
                   SmallVector<Value>(sizes.size(), kb.constant(0))};
    norm.at[0] = kb.div(tile, groups);
    norm.run();
    result = norm.result;
    missing = norm.f.missing;
  });
  return missing ? kb.refuse("an operand has no code") : result;
}

LogicalResult emitBatchNorm(KernelBuilder &kb, BatchNormOp op) {
  LogicalResult result = success();
  Numbers f{kb, op.getX().getType().getElementType()};
  size_t axis = op.getAxis(), rank = op.getX().getType().getRank();
  kb.note = llvm::formatv("{0} lanes", kb.target.lanes);
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    RowOfTile row(kb, op.getY(), tile);
    auto normalise = [&](Value column, unsigned lanes) {
      SmallVector<Value> at = row.at(column);
      unsigned width = axis + 1 == rank ? lanes : 1;
      auto feature = [&](Value value) { return f.load(value, {at[axis]}, width); };
      Value factor = f.div(feature(op.getScale()),
                           f.deviation(feature(op.getVariance()), op.getEpsilon().convertToDouble(), width));
      Value mean = feature(op.getMean()), bias = feature(op.getBias());
      if (width != lanes) {
        factor = kb.splat(factor, lanes);
        mean = kb.splat(mean, lanes);
        bias = kb.splat(bias, lanes);
      }
      kb.setOverride(op.getY(), f.add(f.mul(f.sub(f.load(op.getX(), at, lanes), mean), factor), bias));
      if (failed(kb.storeYielded(at, lanes)))
        result = failure();
      kb.clearOverrides();
    };
    kb.vectorLoop(kb.constant(0), row.length, normalise);
  });
  return f.missing ? kb.refuse("an operand has no code") : result;
}

} // namespace torsh
