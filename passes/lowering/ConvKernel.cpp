//===-- ConvKernel.cpp - Direct convolution, channels last, with fused epilogues ----------------------------===//
//
// The rows of the register tile are output pixels, its columns output channels. For each kernel row the products run
// over one contiguous piece of the input (kernel columns and channels together when the last dilation is 1), so the
// convolution is a matrix product whose left rows are addressed instead of copied. The planes of an image with up to
// four channels are read as they lie. The input is padded before (a copy costs about 1 % of the arithmetic), weights are
// packed panels [groups][O/16][taps * C][16], or of pairs of bf16 [groups][O/16][taps * C / 2][16][2], whose products are
// summed in pairs.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/ImagePlanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/lowering/BlockedSum.h"
#include "passes/lowering/TileSpaces.h"

using namespace mlir;

namespace torsh {
namespace {

constexpr int64_t rowsOfTile = 96;

/// The packed panels behind the weights, through the reshapes that give them the convolution's shape.
UnpackOp findUnpack(Value weights) {
  while (Operation *op = weights.getDefiningOp()) {
    if (auto unpack = dyn_cast<UnpackOp>(op))
      return unpack;
    if (!isa<ReshapeOp, TransposeOp>(op))
      return {};
    weights = op->getOperand(0);
  }
  return {};
}

DimAttr pixelsOf(ConvOp op) {
  SmallVector<DimAttr> dims = getDims(op.getY());
  return dim::product(op.getContext(), ArrayRef(dims).drop_front().drop_back());
}

int64_t rowBlock(ConvOp op) {
  return chooseRowBlock(op, Knob::RowBlock, dim::asConstant(pixelsOf(op)), rowsOfTile);
}

} // namespace

TileSpace getConvTiles(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  ConvOp op = findOp<ConvOp>(kernel);
  if (!op)
    return {dim::constant(context, 1), 1};
  SmallVector<DimAttr> dims = getDims(op.getY());
  DimAttr groups = dim::constant(context, op.getGroups());
  const int64_t columnsOfTile = chooseColumns(op);
  DimAttr columns = dim::ceilDiv(dim::floorDiv(dims.back(), groups), dim::constant(context, columnsOfTile));
  DimAttr rows = dim::ceilDiv(pixelsOf(op), dim::constant(context, rowBlock(op)));
  double products = std::min(dim::asConstant(pixelsOf(op)).value_or(rowsOfTile), rowBlock(op));
  for (int64_t size : cast<RankedTensorType>(op.getW().getType()).getShape().drop_back())
    products *= std::max<int64_t>(size, 1);
  products *= std::min<int64_t>(columnsOfTile, dim::asConstant(dims.back()).value_or(columnsOfTile));
  return {dim::mul(dim::mul(dims[0], groups), dim::mul(columns, rows)), grainOf(products)};
}

LogicalResult emitConvKernel(KernelBuilder &kb) {
  ConvOp op = findOp<ConvOp>(kb.kernel);
  if (!op)
    return kb.refuse("the body has no convolution");
  UnpackOp unpack = findUnpack(op.getW());
  std::optional<View> x = kb.viewOf(op.getX());
  auto zero = [](int64_t value) { return value == 0; };
  if (op.getLayout() != Layout::channels_last || !x || !llvm::all_of(op.getLow(), zero) ||
      !llvm::all_of(op.getHigh(), zero))
    return kb.refuse("the convolution is not in channels-last form on a padded input");
  auto weights = unpack ? dyn_cast<BlockArgument>(unpack.getX()) : BlockArgument();
  if (!weights)
    return kb.refuse("the weights are not packed");

  auto elementOf = [](Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); };
  Type accumulator = kb.computeType(elementOf(op.getY()));
  const bool pairs = holdsPairs(unpack);
  if (pairs && kb.target.pairs == PairDot::None)
    return kb.refuse("the weights are pairs of bf16, of which this CPU level has no products");
  // As it lies in memory: a narrow input may be widened by its load.
  Type xType = x->elementType, wType = pairs ? Type(kb.b.getI32Type()) : elementOf(unpack.getX());
  SmallVector<Value> ySizes = kb.dims(op.getY());
  ArrayRef<int64_t> wShape = cast<RankedTensorType>(op.getW().getType()).getShape();
  int64_t spatial = wShape.size() - 2;
  int64_t channels = wShape[spatial], outputs = wShape[spatial + 1], groups = op.getGroups();
  int64_t groupOutputs = outputs / groups, panelsOfGroup = (groupOutputs + panelWidth - 1) / panelWidth;

  // Taps: all kernel positions but those that lie in one contiguous piece with the channels.
  // The few channels of an image may be planes: a tap then is an offset that is known when the code is built.
  bool planes = getConstantIntValue(x->strides[spatial + 1]) != 1;
  if (planes && !mayReadPlanes(op))
    return kb.refuse("the channels are not contiguous");
  bool joined = planes || (groups == 1 && op.getDilations()[spatial - 1] == 1 &&
                           getConstantIntValue(x->strides[spatial]) == channels);
  int64_t loops = joined ? spatial - 1 : spatial;
  int64_t run = joined ? wShape[spatial - 1] * channels : channels;
  int64_t taps = 1;
  for (int64_t axis = 0; axis < spatial; ++axis)
    taps *= wShape[axis];
  // Steps of the sum: products, or pairs of them.
  if (pairs && (planes || channels % 2))
    return kb.refuse("planes and an odd number of channels have no pairs");
  int64_t depth = taps * channels;
  if (pairs) {
    run /= 2;
    depth /= 2;
  }

  int64_t lanes = std::min<int64_t>(kb.target.lanes, panelWidth);
  int64_t vectorsOfPanel = panelWidth / lanes;
  RegisterTile tile = chooseTile(kb, accumulator, dim::asConstant(pixelsOf(op)), groupOutputs);
  kb.note = llvm::formatv("tile {0}x{1}, {2} lanes, packed weights{3}", tile.rows, tile.panels * panelWidth,
                          lanes, pairs ? ", bf16 pairs" : "");
  MicroKernel micro{kb, accumulator, pairs ? wType : xType, wType, lanes, pairs};
  if (planes)
    micro.leftOffset = [&, spatial](int64_t k) {
      Value column = kb.mul(kb.constant(k / channels * op.getDilations()[spatial - 1]), x->strides[spatial]);
      return kb.add(column, kb.mul(kb.constant(k % channels), x->strides[spatial + 1]));
    };
  BlockedSum blocked{kb,
                     micro,
                     depth / run,
                     run,
                     std::min(rowBlock(op), dim::asConstant(pixelsOf(op)).value_or(INT64_MAX)),
                     tile,
                     wType};
  bool cut = !planes && blocked.pays();
  if (cut)
    blocked.prepare();
  SmallVector<Value> tapSizes;
  for (int64_t axis = 0; axis < loops; ++axis)
    tapSizes.push_back(kb.constant(wShape[axis]));
  LogicalResult result = success();

  SmallVector<Value> pixelSizes(ArrayRef(ySizes).drop_front().drop_back());
  Value pixels = kb.constant(1);
  for (Value size : pixelSizes)
    pixels = kb.mul(pixels, size);
  const int64_t block = rowBlock(op), columnsOfTile = chooseColumns(op);
  Value rowBlocks = kb.div(kb.add(pixels, kb.constant(block - 1)), kb.constant(block));
  int64_t columnBlocks = (groupOutputs + columnsOfTile - 1) / columnsOfTile;

  kb.loop(kb.begin, kb.end, 1, [&](Value index) {
    // Pixel blocks run fastest, so neighbouring tiles share weights.
    Value rowTile = kb.rem(index, rowBlocks), rest = kb.div(index, rowBlocks);
    Value columnTile = kb.rem(rest, kb.constant(columnBlocks));
    rest = kb.div(rest, kb.constant(columnBlocks));
    Value group = kb.rem(rest, kb.constant(groups)), image = kb.div(rest, kb.constant(groups));
    Value rowFrom = kb.mul(rowTile, kb.constant(block)),
          rowTo = kb.min(kb.add(rowFrom, kb.constant(block)), pixels);
    Value panelFrom = kb.mul(columnTile, kb.constant(columnsOfTile / panelWidth));
    Value panelTo =
        kb.min(kb.add(panelFrom, kb.constant(columnsOfTile / panelWidth)), kb.constant(panelsOfGroup));
    Value xBase =
        kb.add(x->offset, kb.add(kb.mul(image, x->strides[0]), kb.mul(group, kb.constant(channels))));
    Value wGroup = kb.mul(group, kb.constant(panelsOfGroup * depth * panelWidth));

    View xPixels{x->pointer, xType, xBase, {}};
    for (int64_t axis = 0; axis < spatial; ++axis)
      xPixels.strides.push_back(kb.mul(kb.constant(op.getStrides()[axis]), x->strides[axis + 1]));

    auto panelGroup = [&](Value panel, int64_t panels, int64_t valid, int64_t tileRows) {
      int64_t vectors = panels * vectorsOfPanel;
      SmallVector<Value> masks(vectors), bases;
      int64_t used = vectors; // vectors that hold any valid column
      if (valid) {
        used = (valid + lanes - 1) / lanes;
        for (int64_t v = 0; v < used; ++v) {
          if (valid - v * lanes < lanes)
            masks[v] = kb.firstLanes(valid - v * lanes, lanes);
        }
      }
      for (int64_t p = 0; p < panels; ++p) {
        Value offset = kb.mul(kb.add(panel, kb.constant(p)), kb.constant(depth * panelWidth));
        bases.push_back(kb.address(kb.inputPointer(weights.getArgNumber()), wType, kb.add(wGroup, offset)));
      }
      auto leftOf = [&](Value row, int64_t rows) {
        SmallVector<Value> pointers;
        for (int64_t i = 0; i < rows; ++i) {
          SmallVector<Value> pixel = kb.delinearize(kb.add(row, kb.constant(i)), pixelSizes);
          pointers.push_back(kb.address(x->pointer, xType, kb.linear(xPixels, pixel)));
        }
        return pointers;
      };
      Value channel =
          kb.add(kb.mul(group, kb.constant(groupOutputs)), kb.mul(panel, kb.constant(panelWidth)));
      auto channelOf = [&](int64_t v) { return kb.add(channel, kb.constant(v * lanes)); };
      auto biasOf = [&](int64_t v) {
        if (Value bias = kb.emit(op.getBias(), {channelOf(v)}, lanes, masks[v]))
          return bias;
        result = kb.refuse("the bias has no code");
        return micro.zeros(1).front();
      };
      auto finish = [&](Value row, int64_t rows, ArrayRef<Value> sums) {
        for (int64_t i = 0; i < rows; ++i) {
          SmallVector<Value> pixel = kb.delinearize(kb.add(row, kb.constant(i)), pixelSizes);
          for (int64_t v = 0; v < used; ++v) {
            SmallVector<Value> at{image};
            at.append(pixel);
            at.push_back(channelOf(v));
            kb.setOverride(op.getY(), sums[i * used + v]);
            if (failed(kb.storeYielded(at, lanes, masks[v])))
              result = failure();
            kb.clearOverrides();
          }
        }
      };

      if (cut) {
        auto offsetOf = [&](Value index) {
          SmallVector<Value> tap = kb.delinearize(index, tapSizes);
          Value offset = kb.constant(0);
          for (int64_t axis = 0; axis < loops; ++axis)
            offset = kb.add(offset, kb.mul(kb.mul(tap[axis], kb.constant(op.getDilations()[axis])),
                                           x->strides[axis + 1]));
          return offset;
        };
        auto finishWithBias = [&](Value row, int64_t rows, ArrayRef<Value> sums) {
          SmallVector<Value> biased(sums);
          for (int64_t i = 0; op.getBias() && i < rows * used; ++i)
            biased[i] = micro.plus(sums[i], biasOf(i % used));
          finish(row, rows, biased);
        };
        blocked.emit({rowFrom, rowTo, bases, used}, leftOf, offsetOf, finishWithBias);
        return;
      }
      // With few rows the weights are read once, from memory: the next panels come while these are used.
      int64_t panelSize = depth * panelWidth;
      SmallVector<Value> ahead;
      if (block >= 4 * tile.rows && dim::asConstant(pixelsOf(op)).value_or(INT64_MAX) <= 4 * rowsOfTile)
        for (Value base : bases)
          ahead.push_back(kb.address(base, wType, kb.constant(panels * panelSize)));
      forRowBlocks(kb, rowFrom, rowTo, tileRows, [&](Value row, int64_t rows) {
        WeightsAhead{ahead, wType, panelSize, block, tileRows}.prefetch(kb, row, rowFrom);
        SmallVector<Value> pointers = leftOf(row, rows);
        // Loops over the taps that are not in the contiguous piece, accumulators carried through all of them.
        std::function<SmallVector<Value>(int64_t, Value, Value, ValueRange)> overTaps =
            [&](int64_t axis, Value xOffset, Value tap, ValueRange acc) -> SmallVector<Value> {
          if (axis == loops) {
            SmallVector<Value> moved, wBases;
            for (Value pointer : pointers)
              moved.push_back(kb.address(pointer, xType, xOffset));
            for (Value base : bases)
              wBases.push_back(kb.address(base, wType, kb.mul(tap, kb.constant(run * panelWidth))));
            return micro.run(moved, used, kb.constant(run), acc, [&](Value k, int64_t v) {
              Value offset =
                  kb.add(kb.mul(k, kb.constant(panelWidth)), kb.constant(v % vectorsOfPanel * lanes));
              return micro.widen(kb.loadFrom(wBases[v / vectorsOfPanel], wType, offset, lanes), wType);
            });
          }
          return kb.loop(
              kb.constant(0), kb.constant(wShape[axis]), 1, acc, [&](Value position, ValueRange carried) {
                Value step =
                    kb.mul(kb.mul(position, kb.constant(op.getDilations()[axis])), x->strides[axis + 1]);
                Value next = kb.add(kb.mul(tap, kb.constant(wShape[axis])), position);
                return overTaps(axis + 1, kb.add(xOffset, step), next, carried);
              });
        };
        // The sums begin with the bias, which saves an addition each.
        SmallVector<Value> initial = micro.zeros(rows * used);
        for (int64_t i = 0; op.getBias() && i < rows * used; ++i)
          initial[i] = i < used ? biasOf(i) : initial[i - used];
        finish(row, rows, overTaps(0, kb.constant(0), kb.constant(0), initial));
      });
    };

    int64_t wholePanels = groupOutputs / panelWidth, partial = groupOutputs % panelWidth;
    // Half a panel at the end makes a tile of 4 x 24 with the panel before it: as many sums as 6 x 16, from fewer loads.
    int64_t lastPanels = panelsOfGroup - (columnBlocks - 1) * (columnsOfTile / panelWidth);
    bool joins = !cut && partial == lanes && vectorsOfPanel == 2 && tile.panels == 1 && tile.rows >= 4 &&
                 lastPanels >= 2;
    Value panel = panelFrom, wholeTo = kb.min(panelTo, kb.constant(wholePanels - joins));
    auto blocks = [&](int64_t panels) {
      Value count = kb.max(kb.sub(wholeTo, panel), kb.constant(0));
      Value stop = kb.add(panel, kb.mul(kb.div(count, kb.constant(panels)), kb.constant(panels)));
      kb.loop(panel, stop, panels, [&](Value at) { panelGroup(at, panels, 0, tile.rows); });
      panel = stop;
    };
    if (tile.panels > 1 && wholePanels >= tile.panels)
      blocks(tile.panels);
    if ((wholePanels % tile.panels != 0 || tile.panels == 1) && wholePanels > joins)
      blocks(1);
    if (joins)
      kb.ifThen(kb.less(panel, panelTo), [&] { panelGroup(panel, 2, panelWidth + partial, 4); });
    else if (partial)
      kb.ifThen(kb.less(panel, panelTo), [&] { panelGroup(panel, 1, partial, tile.rows); });
  });
  return result;
}

} // namespace torsh
