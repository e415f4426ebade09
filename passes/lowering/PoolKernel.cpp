//===-- PoolKernel.cpp - Maximum and mean over windows ------------------------------------------------------===//
//
// A tile is a row of the result: all positions of the last spatial dim, and all channels when they come last. Windows
// are clipped at the borders, so padding is never made. Channels-last windows run in vectors of channels, four at
// once; channels-first ones in vectors of positions where the stride is 1 and no border is near.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/lowering/ReduceKernel.h"
#include "passes/lowering/TileSpaces.h"
#include "passes/lowering/WindowBounds.h"

using namespace mlir;

namespace torsh {
namespace {

struct Pool {
  KernelBuilder &kb;
  Value x, y;
  bool last; ///< channels come last
  bool average, countPadding = false;
  SmallVector<WindowDim> window;
  SmallVector<int64_t> high;
  Type element;
  SmallVector<Value> xSizes, ySizes;
  LogicalResult result = success();

  template <typename OpTy>
  Pool(KernelBuilder &kb, OpTy op)
      : kb(kb), x(op.getX()), y(op.getY()), last(op.getLayout() == Layout::channels_last),
        average(std::is_same_v<OpTy, AvgPoolOp>), high(op.getHigh()),
        element(cast<RankedTensorType>(op.getX().getType()).getElementType()), xSizes(kb.dims(op.getX())),
        ySizes(kb.dims(op.getY())) {
    for (size_t i = 0; i < high.size(); ++i)
      window.push_back({op.getWindow()[i], op.getStrides()[i], op.getDilations()[i], op.getLow()[i]});
    if constexpr (std::is_same_v<OpTy, AvgPoolOp>)
      countPadding = op.getCountIncludePad();
  }

  size_t spatial() const { return window.size(); }
  size_t axis(size_t dim) const { return dim + (last ? 1 : 2); }
  ReduceKind kind() const { return average ? ReduceKind::sum : ReduceKind::max; }
  WindowBounds bounds(size_t dim, Value position) {
    return WindowBounds(kb, window[dim], position, kb.constant(0), xSizes[axis(dim)]);
  }
  Value load(ArrayRef<Value> at, unsigned lanes, Value mask) {
    Value value = kb.emit(x, at, lanes, mask);
    if (value)
      return value;
    result = kb.refuse("the operand has no code");
    return kb.splatConstant(element, 0, lanes);
  }
  /// How many elements of a window along a dim the mean divides by.
  Value count(size_t dim, Value position, const WindowBounds &inside) {
    if (!countPadding)
      return kb.sub(inside.to, inside.from);
    WindowBounds padded(kb, window[dim], position, kb.constant(-window[dim].low),
                        kb.add(xSizes[axis(dim)], kb.constant(high[dim])));
    return kb.sub(padded.to, padded.from);
  }
  Value divisorOf(ArrayRef<Value> position, ArrayRef<WindowBounds> inside) {
    Value divisor = kb.constant(1);
    for (size_t dim = 0; dim < spatial(); ++dim)
      divisor = kb.mul(divisor, count(dim, position[dim], inside[dim]));
    return arith::SIToFPOp::create(kb.b, kb.loc, kb.computeType(element), divisor);
  }

  /// The combined windows of `count` neighbouring vectors along the last dim, from `at` on.
  SmallVector<Value> reduce(ArrayRef<WindowBounds> inside, ArrayRef<Value> at, int64_t count, unsigned lanes,
                            Value mask = {});
  void finish(ArrayRef<Value> at, Value value, Value divisor, unsigned lanes, Value mask = {}) {
    if (average)
      value = arith::DivFOp::create(kb.b, kb.loc, value, kb.splat(divisor, lanes));
    kb.setOverride(y, value);
    if (failed(kb.storeYielded(at, lanes, mask)))
      result = failure();
    kb.clearOverrides();
  }
  void rowOfChannels(Value tile);
  void rowOfPositions(Value tile);
};

SmallVector<Value> Pool::reduce(ArrayRef<WindowBounds> inside, ArrayRef<Value> at, int64_t count,
                                unsigned lanes, Value mask) {
  SmallVector<Value> source(at);
  std::function<SmallVector<Value>(size_t, ValueRange)> nest = [&](size_t dim, ValueRange acc) {
    if (dim == spatial()) {
      SmallVector<Value> next;
      for (int64_t i = 0; i < count; ++i) {
        SmallVector<Value> place(source);
        place.back() = kb.add(source.back(), kb.constant(i * lanes));
        next.push_back(combine(kb, kind(), element, acc[i], load(place, lanes, mask)));
      }
      return next;
    }
    return kb.loop(inside[dim].from, inside[dim].to, 1, acc, [&](Value tap, ValueRange carried) {
      source[axis(dim)] = inside[dim].at(kb, window[dim], tap);
      return nest(dim + 1, carried);
    });
  };
  return nest(0, SmallVector<Value>(count, neutral(kb, kind(), element, lanes)));
}

void Pool::rowOfChannels(Value tile) {
  constexpr int64_t unroll = 4;
  SmallVector<Value> outer = kb.delinearize(tile, ArrayRef(ySizes).drop_back(2));
  SmallVector<WindowBounds> rows;
  for (size_t dim = 0; dim + 1 < spatial(); ++dim)
    rows.push_back(bounds(dim, outer[dim + 1]));
  kb.loop(kb.constant(0), ySizes[spatial()], 1, [&](Value column) {
    SmallVector<WindowBounds> inside(rows);
    inside.push_back(bounds(spatial() - 1, column));
    SmallVector<Value> at(outer);
    at.push_back(column);
    Value divisor = average ? divisorOf(ArrayRef(at).drop_front(), inside) : Value();
    at.push_back(Value());
    auto channels = [&](Value channel, int64_t count, unsigned lanes, Value mask = {}) {
      at.back() = channel;
      SmallVector<Value> sums = reduce(inside, at, count, lanes, mask);
      for (int64_t i = 0; i < count; ++i) {
        at.back() = kb.add(channel, kb.constant(i * lanes));
        finish(at, sums[i], divisor, lanes, mask);
      }
    };
    int64_t lanes = kb.target.lanes, block = unroll * lanes;
    Value wide = kb.mul(kb.div(ySizes.back(), kb.constant(block)), kb.constant(block));
    kb.loop(kb.constant(0), wide, block, [&](Value channel) { channels(channel, unroll, lanes); });
    std::optional<int64_t> known = getConstantIntValue(ySizes.back());
    if (!known) {
      kb.vectorLoop(wide, ySizes.back(), [&](Value channel, unsigned width) { channels(channel, 1, width); });
      return;
    }
    // The rest of a known number of channels is one vector with a mask.
    Value whole = kb.constant(*known / lanes * lanes);
    kb.loop(wide, whole, lanes, [&](Value channel) { channels(channel, 1, lanes); });
    if (int64_t rest = *known % lanes)
      channels(whole, 1, lanes, kb.firstLanes(rest, lanes));
  });
}

void Pool::rowOfPositions(Value tile) {
  SmallVector<Value> outer = kb.delinearize(tile, ArrayRef(ySizes).drop_back());
  SmallVector<WindowBounds> rows;
  for (size_t dim = 0; dim + 1 < spatial(); ++dim)
    rows.push_back(bounds(dim, outer[dim + 2]));
  const WindowDim &along = window.back();
  auto positions = [&](Value position, unsigned lanes) {
    SmallVector<WindowBounds> inside(rows);
    inside.push_back(bounds(spatial() - 1, position));
    SmallVector<Value> at(outer);
    at.push_back(position);
    Value divisor = average ? divisorOf(ArrayRef(at).drop_front(2), inside) : Value();
    finish(at, reduce(inside, at, 1, lanes)[0], divisor, lanes);
  };
  // Positions whose window lies wholly inside: vectors of them read vectors of the input when the stride is 1.
  Value zero = kb.constant(0), size = ySizes.back();
  Value from = zero, middle = zero;
  if (along.stride == 1 && along.low >= 0) {
    int64_t reach = along.dilation * (along.size - 1);
    from = kb.min(kb.constant(along.low), size);
    Value to = kb.min(size, kb.add(xSizes.back(), kb.constant(along.low - reach)));
    Value count = kb.max(kb.sub(to, from), zero), lanes = kb.constant(kb.target.lanes);
    middle = kb.add(from, kb.mul(kb.div(count, lanes), lanes));
    kb.loop(zero, from, 1, [&](Value position) { positions(position, 1); });
    kb.loop(from, middle, kb.target.lanes, [&](Value position) { positions(position, kb.target.lanes); });
  }
  kb.loop(middle, size, 1, [&](Value position) { positions(position, 1); });
}

} // namespace

TileSpace getPoolTiles(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  Operation *op = findAnyOf<MaxPoolOp, AvgPoolOp>(kernel);
  if (!op)
    return {dim::constant(context, 1), 1};
  SmallVector<DimAttr> dims = getDims(op->getResult(0));
  Layout layout = isa<MaxPoolOp>(op) ? cast<MaxPoolOp>(op).getLayout() : cast<AvgPoolOp>(op).getLayout();
  return {dim::product(context, ArrayRef(dims).drop_back(layout == Layout::channels_last ? 2 : 1)), 1};
}

LogicalResult emitPoolKernel(KernelBuilder &kb) {
  Operation *op = findAnyOf<MaxPoolOp, AvgPoolOp>(kb.kernel);
  if (!op)
    return kb.refuse("the body has no pooling");
  Pool pool = isa<MaxPoolOp>(op) ? Pool(kb, cast<MaxPoolOp>(op)) : Pool(kb, cast<AvgPoolOp>(op));
  kb.note = llvm::formatv("{0} lanes of {1}", kb.target.lanes, pool.last ? "channels" : "positions");
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    if (pool.last)
      pool.rowOfChannels(tile);
    else
      pool.rowOfPositions(tile);
  });
  return pool.result;
}

} // namespace torsh
