//===-- PoolGradKernel.cpp - Gradients of pooling -----------------------------------------------------------===//
//
// A tile is a block of channels of one image: its part of dx is set to zero, then every window adds what it gives.
// Windows of a tile overlap only each other, so the order of additions is that of the windows whatever the range of
// tiles. Vectors run along the channels: a maximum keeps for each lane the number of the element that holds it.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/lowering/IndexKernels.h"
#include "passes/lowering/ReduceKernel.h"
#include "passes/lowering/TileSpaces.h"
#include "passes/lowering/WindowBounds.h"

using namespace mlir;

namespace torsh {
namespace {

/// Channels of a tile.
constexpr int64_t channelsOfTile = 64;

struct PoolGrad {
  KernelBuilder &kb;
  Value x, dy; ///< x is null for a mean
  bool countPadding = false;
  SmallVector<WindowDim> window;
  SmallVector<int64_t> high;
  Type element;
  View dx;
  SmallVector<Value> sizes, windows; ///< dims of dx and of dy
  LogicalResult result = success();

  template <typename OpTy>
  PoolGrad(KernelBuilder &kb, OpTy op, unsigned output)
      : kb(kb), dy(op.getDy()), high(op.getHigh()),
        element(cast<RankedTensorType>(op.getDx().getType()).getElementType()),
        dx(kb.rowMajor(kb.outputPointer(output), cast<RankedTensorType>(op.getDx().getType()))),
        sizes(kb.dims(op.getDx())), windows(kb.dims(op.getDy())) {
    for (size_t i = 0; i < high.size(); ++i)
      window.push_back({op.getWindow()[i], op.getStrides()[i], op.getDilations()[i], op.getLow()[i]});
    if constexpr (std::is_same_v<OpTy, MaxPoolGradOp>)
      x = op.getX();
    else
      countPadding = op.getCountIncludePad();
  }

  size_t spatial() const { return window.size(); }
  Value load(Value value, ArrayRef<Value> at, unsigned lanes, Value mask) {
    if (Value emitted = kb.emit(value, at, lanes, mask))
      return emitted;
    result = kb.refuse("an operand has no code");
    return kb.splatConstant(element, 0, lanes);
  }
  /// Loops over the box of `ends` from `at.size()` on, at least one dim behind the batch.
  void forEach(SmallVector<Value> &at, ArrayRef<Value> ends, llvm::function_ref<void()> body) {
    if (ends.empty())
      return body();
    kb.loop(kb.constant(0), ends[0], 1, [&](Value index) {
      at.push_back(index);
      forEach(at, ends.drop_front(), body);
      at.pop_back();
    });
  }
  using Tap = llvm::function_ref<SmallVector<Value>(ArrayRef<Value> at, Value number, ValueRange carried)>;
  SmallVector<Value> overTaps(ArrayRef<WindowBounds> inside, SmallVector<Value> at, ValueRange initial,
                              Tap tap);
  Value winnerOf(ArrayRef<WindowBounds> inside, ArrayRef<Value> at, unsigned lanes, Value mask);
  Value divisorOf(ArrayRef<Value> position, ArrayRef<WindowBounds> inside);
  void spread(ArrayRef<Value> at, Value channel, unsigned lanes, Value mask);
  void tile(Value image, Value from, Value to);
  void overChannels(Value from, Value to, llvm::function_ref<void(Value, unsigned, Value)> body);
};

/// The elements of a window that lie inside, with the index in dx and the element's number in the window.
SmallVector<Value> PoolGrad::overTaps(ArrayRef<WindowBounds> inside, SmallVector<Value> at,
                                      ValueRange initial, Tap tap) {
  std::function<SmallVector<Value>(size_t, Value, ValueRange)> nest = [&](size_t dim, Value number,
                                                                          ValueRange carried) {
    if (dim == spatial())
      return tap(at, number, carried);
    return kb.loop(inside[dim].from, inside[dim].to, 1, carried, [&](Value index, ValueRange inner) {
      at[dim + 1] = inside[dim].at(kb, window[dim], index);
      return nest(dim + 1, kb.add(kb.mul(number, kb.constant(window[dim].size)), index), inner);
    });
  };
  return nest(0, kb.constant(0), initial);
}

/// For each lane the number of the window's largest element: the first of equals, and NaN before all.
Value PoolGrad::winnerOf(ArrayRef<WindowBounds> inside, ArrayRef<Value> at, unsigned lanes, Value mask) {
  Value first = kb.constant(0);
  for (size_t dim = 0; dim < spatial(); ++dim)
    first = kb.add(kb.mul(first, kb.constant(window[dim].size)), inside[dim].from);
  SmallVector<Value> start{neutral(kb, ReduceKind::max, element, lanes), kb.splat(first, lanes)};
  return overTaps(
      inside, SmallVector<Value>(at), start, [&](ArrayRef<Value> place, Value number, ValueRange best) {
        Value value = load(x, place, lanes, mask);
        // Greater, or one of both is NaN; but a NaN that won stays.
        Value greater = arith::CmpFOp::create(kb.b, kb.loc, arith::CmpFPredicate::UGT, value, best[0]);
        Value open = arith::CmpFOp::create(kb.b, kb.loc, arith::CmpFPredicate::ORD, best[0], best[0]);
        Value wins = arith::AndIOp::create(kb.b, kb.loc, greater, open);
        return SmallVector<Value>{
            arith::SelectOp::create(kb.b, kb.loc, wins, value, best[0]),
            arith::SelectOp::create(kb.b, kb.loc, wins, kb.splat(number, lanes), best[1])};
      })[1];
}

Value PoolGrad::divisorOf(ArrayRef<Value> position, ArrayRef<WindowBounds> inside) {
  Value divisor = kb.constant(1);
  for (size_t dim = 0; dim < spatial(); ++dim) {
    Value count = kb.sub(inside[dim].to, inside[dim].from);
    if (countPadding) {
      WindowBounds padded(kb, window[dim], position[dim], kb.constant(-window[dim].low),
                          kb.add(sizes[dim + 1], kb.constant(high[dim])));
      count = kb.sub(padded.to, padded.from);
    }
    divisor = kb.mul(divisor, count);
  }
  return arith::SIToFPOp::create(kb.b, kb.loc, kb.computeType(element), divisor);
}

/// Adds what the window at `at` (image and position) gives to its elements.
void PoolGrad::spread(ArrayRef<Value> at, Value channel, unsigned lanes, Value mask) {
  SmallVector<WindowBounds> inside;
  for (size_t dim = 0; dim < spatial(); ++dim)
    inside.push_back(WindowBounds(kb, window[dim], at[dim + 1], kb.constant(0), sizes[dim + 1]));
  SmallVector<Value> from(at);
  from.push_back(channel);
  Value share = load(dy, from, lanes, mask), winner;
  if (x)
    winner = winnerOf(inside, from, lanes, mask);
  else
    share = arith::DivFOp::create(kb.b, kb.loc, share, kb.splat(divisorOf(at.drop_front(), inside), lanes));
  overTaps(inside, from, {}, [&](ArrayRef<Value> place, Value number, ValueRange) {
    Value part = share;
    if (winner) {
      Value own =
          arith::CmpIOp::create(kb.b, kb.loc, arith::CmpIPredicate::eq, winner, kb.splat(number, lanes));
      part = arith::SelectOp::create(kb.b, kb.loc, own, share, kb.splatConstant(element, 0, lanes));
    }
    Value offset = kb.linear(dx, place);
    Value sum =
        arith::AddFOp::create(kb.b, kb.loc, kb.loadFrom(dx.pointer, element, offset, lanes, mask), part);
    kb.storeTo(sum, dx.pointer, element, offset, lanes, mask);
    return SmallVector<Value>();
  });
}

/// Vectors of channels; the last channels of a known number are one vector with a mask.
void PoolGrad::overChannels(Value from, Value to, llvm::function_ref<void(Value, unsigned, Value)> body) {
  int64_t lanes = kb.target.lanes;
  std::optional<int64_t> known = getConstantIntValue(sizes.back());
  int64_t rest = known ? *known % lanes : 0;
  if (!known)
    return kb.vectorLoop(from, to, [&](Value channel, unsigned width) { body(channel, width, Value()); });
  Value whole = kb.min(to, kb.constant(*known - rest));
  kb.loop(from, whole, lanes, [&](Value channel) { body(channel, lanes, Value()); });
  if (rest)
    kb.ifThen(kb.less(kb.constant(*known - rest), to),
              [&] { body(kb.constant(*known - rest), lanes, kb.firstLanes(rest, lanes)); });
}

void PoolGrad::tile(Value image, Value from, Value to) {
  SmallVector<Value> at{image};
  forEach(at, ArrayRef(sizes).slice(1, spatial()), [&] {
    overChannels(from, to, [&](Value channel, unsigned lanes, Value mask) {
      SmallVector<Value> place(at);
      place.push_back(channel);
      kb.storeTo(kb.splatConstant(element, 0, lanes), dx.pointer, element, kb.linear(dx, place), lanes, mask);
    });
  });
  forEach(at, ArrayRef(windows).slice(1, spatial()), [&] {
    overChannels(from, to,
                 [&](Value channel, unsigned lanes, Value mask) { spread(at, channel, lanes, mask); });
  });
}

} // namespace

TileSpace getPoolGradTiles(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  Operation *op = findAnyOf<MaxPoolGradOp, AvgPoolGradOp>(kernel);
  if (!op)
    return {dim::constant(context, 1), 1};
  SmallVector<DimAttr> dims = getDims(op->getResult(0));
  return {dim::mul(dims[0], dim::ceilDiv(dims.back(), dim::constant(context, channelsOfTile))), 1};
}

LogicalResult emitPoolGradKernel(KernelBuilder &kb) {
  Operation *op = findAnyOf<MaxPoolGradOp, AvgPoolGradOp>(kb.kernel);
  if (!op)
    return kb.refuse("the body has no gradient of a pooling");
  std::optional<unsigned> output = findOutput(kb.kernel, op->getResult(0));
  if (!output || kb.kernel.getYielded().size() != 1)
    return kb.refuse("the body does not end in the gradient of a pooling");
  auto maximum = dyn_cast<MaxPoolGradOp>(op);
  if ((maximum ? maximum.getLayout() : cast<AvgPoolGradOp>(op).getLayout()) != Layout::channels_last)
    return kb.refuse("the gradient of a pooling is not in channels-last form");
  PoolGrad grad = maximum ? PoolGrad(kb, maximum, *output) : PoolGrad(kb, cast<AvgPoolGradOp>(op), *output);
  kb.note = llvm::formatv("{0} lanes of channels", kb.target.lanes);
  Value blocks =
      kb.div(kb.add(grad.sizes.back(), kb.constant(channelsOfTile - 1)), kb.constant(channelsOfTile));
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    Value from = kb.mul(kb.rem(tile, blocks), kb.constant(channelsOfTile));
    grad.tile(kb.div(tile, blocks), from,
              kb.min(kb.add(from, kb.constant(channelsOfTile)), grad.sizes.back()));
  });
  return grad.result;
}

} // namespace torsh
