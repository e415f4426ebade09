//===-- ExpandDepthwiseKernel.cpp - A depthwise convolution of rows that are computed just before -------------===//
//
// A tile is one panel of channels of a band of rows. It goes down the image: for each row of the result it computes the
// rows of the wide image that are new, by the matrix product's register tile, into a ring that stays in the first-level
// cache, and filters them from there. The first rows of a band are computed by the band above as well.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/ExpandDepthwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/lowering/DepthwiseRow.h"
#include "passes/lowering/MicroKernel.h"
#include "passes/lowering/TileSpaces.h"

using namespace mlir;

namespace torsh {
namespace {

/// Builds the rows of the wide image.
struct WideRow {
  KernelBuilder &kb;
  ExpandDepthwise &shape;
  View x;
  Value panels, ring;
  LogicalResult result = success();

  /// Row `row` of an image, for `valid` channels of the panel (0: all of them).
  void build(Value image, Value row, Value panel, int64_t valid);
};

void WideRow::build(Value image, Value row, Value panel, int64_t valid) {
  Type f32 = kb.b.getF32Type();
  const int64_t lanes = std::min<int64_t>(kb.target.lanes, panelWidth), depth = shape.inputs;
  const int64_t vectors = ((valid ? valid : panelWidth) + lanes - 1) / lanes;
  MicroKernel micro{kb, f32, f32, f32, lanes};
  RegisterTile tile = chooseTile(kb, f32, shape.width, panelWidth);
  Value weights = kb.address(panels, f32, kb.mul(panel, kb.constant(depth * panelWidth)));
  Value channel = kb.mul(panel, kb.constant(panelWidth));
  Value xRow = kb.address(x.pointer, f32,
                          kb.add(x.offset, kb.add(kb.mul(image, x.strides[0]), kb.mul(row, x.strides[1]))));
  Value slot = arith::AndIOp::create(kb.b, kb.loc, row, kb.constant(shape.rowsOfRing() - 1));
  Value ringRow = kb.address(ring, f32, kb.mul(slot, kb.constant(shape.width * panelWidth)));
  auto maskOf = [&](int64_t v) {
    return valid && valid - v * lanes < lanes ? kb.firstLanes(valid - v * lanes, lanes) : Value();
  };
  auto channelOf = [&](int64_t v) { return kb.add(channel, kb.constant(v * lanes)); };
  forRowBlocks(kb, kb.constant(0), kb.constant(shape.width), tile.rows, [&](Value pixel, int64_t count) {
    SmallVector<Value> left, sums = micro.zeros(count * vectors);
    for (int64_t i = 0; i < count; ++i)
      left.push_back(kb.address(xRow, f32, kb.mul(kb.add(pixel, kb.constant(i)), x.strides[2])));
    for (int64_t i = 0; shape.wide.getBias() && i < count * vectors; ++i) {
      sums[i] =
          i < vectors ? kb.emit(shape.wide.getBias(), {channelOf(i)}, lanes, maskOf(i)) : sums[i - vectors];
      if (!sums[i]) {
        result = kb.refuse("the bias has no code");
        return;
      }
    }
    sums = micro.run(left, vectors, kb.constant(depth), sums, [&](Value k, int64_t v) {
      return kb.loadFrom(weights, f32, kb.add(kb.mul(k, kb.constant(panelWidth)), kb.constant(v * lanes)),
                         lanes);
    });
    for (int64_t i = 0; i < count * vectors; ++i) {
      Value at = kb.add(pixel, kb.constant(i / vectors));
      kb.setOverride(shape.wide.getY(), sums[i]);
      Value value = kb.emit(shape.filter.getX(), {image, row, at, channelOf(i % vectors)}, lanes);
      kb.clearOverrides();
      if (!value) {
        result = kb.refuse("a value of the body has no code");
        return;
      }
      // Lanes without a channel hold zeros of the panel, and nobody reads them.
      Value offset = kb.add(kb.mul(at, kb.constant(panelWidth)), kb.constant(i % vectors * lanes));
      kb.storeTo(value, ringRow, f32, offset, lanes);
    }
  });
}

} // namespace

TileSpace getExpandDepthwiseTiles(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  ConvOp filter = findOp<ConvOp>(kernel);
  std::optional<ExpandDepthwise> shape = filter ? matchExpandDepthwise(filter) : std::nullopt;
  if (!shape)
    return {dim::constant(context, 1), 1};
  int64_t bands = (shape->rows() + shape->rowsOfBand() - 1) / shape->rowsOfBand();
  int64_t panels = (shape->channels + panelWidth - 1) / panelWidth;
  double rows = double(shape->rowsOfBand()) * double(filter.getStrides()[0]);
  return {dim::mul(getDims(filter.getY())[0], dim::constant(context, bands * panels)),
          grainOf(rows * double(shape->width * panelWidth * shape->inputs))};
}

LogicalResult emitExpandDepthwiseKernel(KernelBuilder &kb) {
  ConvOp filter = findOp<ConvOp>(kb.kernel);
  std::optional<ExpandDepthwise> shape = filter ? matchExpandDepthwise(filter) : std::nullopt;
  if (!shape)
    return kb.refuse("the body is no pointwise convolution below a depthwise one");
  std::optional<View> x = kb.viewOf(shape->wide.getX()), w = kb.viewOf(filter.getW());
  auto panels = dyn_cast<BlockArgument>(shape->weights.getX());
  if (!x || !w || !panels || getConstantIntValue(x->strides.back()) != 1 ||
      getConstantIntValue(w->strides.back()) != 1)
    return kb.refuse("the operands are no buffers with neighbouring channels");

  Type f32 = kb.b.getF32Type();
  const int64_t ringRows = shape->rowsOfRing(), rowElements = shape->width * panelWidth;
  Value ring = kb.stackBuffer(f32, ringRows * rowElements);
  WideRow wide{kb, *shape, *x, kb.inputPointer(panels.getArgNumber()), ring};
  DepthwiseRow narrow{kb,
                      filter,
                      View{ring, f32, {}, {}},
                      *w,
                      f32,
                      f32,
                      f32,
                      {},
                      kb.dims(filter.getX()),
                      kb.dims(filter.getY()),
                      panelWidth,
                      ringRows};
  narrow.x.strides = {kb.constant(0), kb.constant(rowElements), kb.constant(panelWidth), kb.constant(1)};
  ArrayRef<int64_t> window = cast<RankedTensorType>(filter.getW().getType()).getShape();
  for (int64_t i = 0; i < 2; ++i)
    narrow.window.push_back(
        {window[i], filter.getStrides()[i], filter.getDilations()[i], filter.getLow()[i]});
  const WindowDim &rows = narrow.window[0];

  const int64_t band = shape->rowsOfBand(), bands = (shape->rows() + band - 1) / band;
  const int64_t count = (shape->channels + panelWidth - 1) / panelWidth,
                partial = shape->channels % panelWidth;
  kb.note = llvm::formatv("{0} rows x {1} channels, {2} rows of the wide image in the cache", band,
                          panelWidth, ringRows);
  kb.loop(kb.begin, kb.end, 1, [&](Value index) {
    // Channels run fastest: neighbouring tiles share the input.
    Value panel = kb.rem(index, kb.constant(count)), rest = kb.div(index, kb.constant(count));
    Value image = kb.div(rest, kb.constant(bands));
    Value from = kb.mul(kb.rem(rest, kb.constant(bands)), kb.constant(band));
    Value to = kb.min(kb.add(from, kb.constant(band)), kb.constant(shape->rows()));
    Value channel = kb.mul(panel, kb.constant(panelWidth)), none = kb.constant(0);
    narrow.x.offset = kb.sub(none, channel);
    Value channelEnd = kb.min(kb.add(channel, kb.constant(panelWidth)), kb.constant(shape->channels));
    kb.loop(from, to, 1, ValueRange(none), [&](Value row, ValueRange carried) {
      // The rows below the window that no row of the result above has asked for.
      Value start = kb.sub(kb.mul(row, kb.constant(rows.stride)), kb.constant(rows.low));
      Value last =
          kb.min(kb.add(start, kb.constant((rows.size - 1) * rows.dilation + 1)), kb.constant(shape->height));
      kb.loop(kb.max(start, carried[0]), last, 1, [&](Value wideRow) {
        if (!partial)
          return wide.build(image, wideRow, panel, 0);
        kb.ifThenElse(
            kb.less(panel, kb.constant(count - 1)), [&] { wide.build(image, wideRow, panel, 0); },
            [&] { wide.build(image, wideRow, panel, partial); });
      });
      DepthwiseRow::Place place = narrow.placeOf({image, row});
      narrow.build(place, channel, channelEnd);
      return SmallVector<Value>{kb.max(last, carried[0])};
    });
  });
  return success(succeeded(wide.result) && succeeded(narrow.result));
}

} // namespace torsh
