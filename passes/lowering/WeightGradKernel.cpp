//===-- WeightGradKernel.cpp - The gradient of a convolution's weights --------------------------------------===//
//
// dw[tap, c, o] = sum over the output positions p of x[p * stride + tap * dilation, c] * dy[p, o]: for each tap an outer
// product of two rows of channels a position. The register tile has rows of c (kernel columns and channels together when
// the last dilation is 1: they are neighbours in x) and columns of o. The sum runs in chunks of output lines that stay in
// the cache while all tiles of a range take their part, and the sums lie in the result in between. The input is padded
// before. Nothing is packed: both operands are read along their channels.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/lowering/IndexKernels.h"
#include "passes/lowering/TileSpaces.h"

using namespace mlir;

namespace torsh {
namespace {

/// Rows and columns of a tile of the tile space; the same on all CPU levels.
constexpr int64_t rowsOfTile = 24, columnsOfTile = 32;
/// Bytes of x and dy that a chunk of lines may take: a share of the second-level cache.
constexpr int64_t chunkBytes = 128 << 10;

/// The sizes that the tile space and the code agree on.
struct WeightGradShape {
  ConvWeightGradOp op;
  int64_t spatial, channels, outputs, groups;
  bool joined;        ///< the last kernel dim and the channels are one run of neighbours
  int64_t rows, taps; ///< of one group: sums along x for a tap, and taps that are not joined

  explicit WeightGradShape(ConvWeightGradOp op) : op(op), groups(op.getGroups()) {
    ArrayRef<int64_t> shape = cast<RankedTensorType>(op.getDw().getType()).getShape();
    spatial = shape.size() - 2;
    channels = shape[spatial];
    outputs = shape[spatial + 1];
    joined = groups == 1 && op.getDilations()[spatial - 1] == 1;
    rows = channels;
    taps = 1;
    for (int64_t axis = 0; axis < spatial; ++axis)
      (joined && axis + 1 == spatial ? rows : taps) *= shape[axis];
  }
  bool isStatic() const { return !ShapedType::isDynamic(channels) && !ShapedType::isDynamic(outputs); }
  int64_t columns() const { return outputs / groups; }
  int64_t rowTiles() const { return (rows + rowsOfTile - 1) / rowsOfTile; }
  int64_t columnTiles() const { return (columns() + columnsOfTile - 1) / columnsOfTile; }
  int64_t tapAxes() const { return joined ? spatial - 1 : spatial; }
};

struct WeightGrad {
  KernelBuilder &kb;
  WeightGradShape shape;
  View x, dy, dw;
  Type element, accumulator;
  SmallVector<Value> lineSizes; ///< batch and all output dims but the last
  Value positions;              ///< of a line
  int64_t lanes;

  /// Where a tile's sums lie: group, tap and the first row and column within them.
  struct Place {
    Value group, row, column;
    SmallVector<Value> tap;
  };
  Place placeOf(Value tile);
  Value resultOffset(const Place &place, Value row, Value column);
  SmallVector<Value> tileSums(const Place &place, Value row, Value column, int64_t rows,
                              ArrayRef<Value> masks, Value lineFrom, Value lineTo, ValueRange start);
  void forRegisterTiles(
      const Place &place,
      llvm::function_ref<void(Value row, Value column, int64_t rows, ArrayRef<Value> masks)> body);
  SmallVector<Value> loadSums(const Place &place, Value row, Value column, int64_t rows,
                              ArrayRef<Value> masks);
  void storeSums(const Place &place, Value row, Value column, int64_t rows, ArrayRef<Value> masks,
                 ValueRange sums);
  SmallVector<Value> zeros(int64_t count) {
    return SmallVector<Value>(count, kb.splatConstant(element, 0, lanes));
  }
};

WeightGrad::Place WeightGrad::placeOf(Value tile) {
  Place place;
  place.column = kb.mul(kb.rem(tile, kb.constant(shape.columnTiles())), kb.constant(columnsOfTile));
  Value rest = kb.div(tile, kb.constant(shape.columnTiles()));
  place.row = kb.mul(kb.rem(rest, kb.constant(shape.rowTiles())), kb.constant(rowsOfTile));
  rest = kb.div(rest, kb.constant(shape.rowTiles()));
  place.group = kb.div(rest, kb.constant(shape.taps));
  SmallVector<Value> sizes;
  for (int64_t axis = 0; axis < shape.tapAxes(); ++axis)
    sizes.push_back(kb.constant(shape.op.getKernel()[axis]));
  place.tap =
      sizes.empty() ? SmallVector<Value>() : kb.delinearize(kb.rem(rest, kb.constant(shape.taps)), sizes);
  return place;
}

/// dw is [taps.., rows, groups * columns] in memory.
Value WeightGrad::resultOffset(const Place &place, Value row, Value column) {
  Value tap = kb.constant(0);
  for (auto [axis, at] : llvm::enumerate(place.tap))
    tap = kb.add(kb.mul(tap, kb.constant(shape.op.getKernel()[axis])), at);
  Value line = kb.add(kb.mul(tap, kb.constant(shape.rows)), row);
  Value inLine = kb.add(kb.mul(place.group, kb.constant(shape.columns())), column);
  return kb.add(kb.mul(line, kb.constant(shape.outputs)), inLine);
}

SmallVector<Value> WeightGrad::loadSums(const Place &place, Value row, Value column, int64_t rows,
                                        ArrayRef<Value> masks) {
  SmallVector<Value> sums;
  for (int64_t i = 0; i < rows; ++i)
    for (auto [v, mask] : llvm::enumerate(masks))
      sums.push_back(kb.loadFrom(
          dw.pointer, element,
          resultOffset(place, kb.add(row, kb.constant(i)), kb.add(column, kb.constant(int64_t(v) * lanes))),
          lanes, mask));
  return sums;
}

void WeightGrad::storeSums(const Place &place, Value row, Value column, int64_t rows, ArrayRef<Value> masks,
                           ValueRange sums) {
  for (int64_t i = 0; i < rows; ++i)
    for (auto [v, mask] : llvm::enumerate(masks))
      kb.storeTo(
          sums[i * masks.size() + v], dw.pointer, element,
          resultOffset(place, kb.add(row, kb.constant(i)), kb.add(column, kb.constant(int64_t(v) * lanes))),
          lanes, mask);
}

/// Calls `body` for the register tiles of a tile: whole ones, and those that the shape cuts off.
void WeightGrad::forRegisterTiles(const Place &place,
                                  llvm::function_ref<void(Value, Value, int64_t, ArrayRef<Value>)> body) {
  // A row of accumulators has at most two vectors; one vector of dy each and one broadcast need registers too.
  int64_t perVector =
      std::max<int64_t>(1, lanes * accumulator.getIntOrFloatBitWidth() / (int64_t(kb.target.lanes) * 32));
  auto blockOfRows = [&](Value column, ArrayRef<Value> masks) {
    int64_t vectors = masks.size() * perVector;
    int64_t most = std::max<int64_t>(1, (int64_t(kb.target.registers) - 1 - vectors) / vectors);
    most = std::min({most, rowsOfTile, shape.rows});
    int64_t inTile = std::min(shape.rows, rowsOfTile);
    most = (inTile + (inTile + most - 1) / most - 1) / ((inTile + most - 1) / most); // equal blocks
    Value to = kb.min(kb.add(place.row, kb.constant(rowsOfTile)), kb.constant(shape.rows));
    Value whole =
        kb.add(place.row, kb.mul(kb.div(kb.sub(to, place.row), kb.constant(most)), kb.constant(most)));
    kb.loop(place.row, whole, most, [&](Value row) { body(row, column, most, masks); });
    // What may be left: of a whole tile, and of the last one.
    llvm::SmallSetVector<int64_t, 2> rests;
    if (shape.rows >= rowsOfTile)
      rests.insert(rowsOfTile % most);
    rests.insert(shape.rows % rowsOfTile % most);
    for (int64_t rest : rests)
      if (rest)
        kb.ifThen(arith::CmpIOp::create(kb.b, kb.loc, arith::CmpIPredicate::eq, kb.sub(to, whole),
                                        kb.constant(rest)),
                  [&] { body(whole, column, rest, masks); });
  };
  // Columns: pairs of vectors, then what is left of the group's columns.
  int64_t wholeColumns = shape.columns() / (2 * lanes) * (2 * lanes);
  Value to = kb.min(kb.add(place.column, kb.constant(columnsOfTile)), kb.constant(shape.columns()));
  Value whole = kb.min(to, kb.constant(wholeColumns));
  if (wholeColumns)
    kb.loop(place.column, whole, 2 * lanes,
            [&](Value column) { blockOfRows(column, SmallVector<Value>(2, Value())); });
  int64_t rest = shape.columns() - wholeColumns;
  if (!rest)
    return;
  SmallVector<Value> masks;
  for (int64_t from = 0; from < rest; from += lanes)
    masks.push_back(rest - from < lanes ? kb.firstLanes(rest - from, lanes) : Value());
  kb.ifThen(kb.less(kb.constant(wholeColumns), to),
            [&] { blockOfRows(kb.max(place.column, kb.constant(wholeColumns)), masks); });
}

/// The sums with the output lines [lineFrom, lineTo) added.
SmallVector<Value> WeightGrad::tileSums(const Place &place, Value row, Value column, int64_t rows,
                                        ArrayRef<Value> masks, Value lineFrom, Value lineTo,
                                        ValueRange start) {
  ConvWeightGradOp op = shape.op;
  int64_t last = shape.spatial - 1, vectors = masks.size();
  Value xStep = kb.mul(kb.constant(op.getStrides()[last]), x.strides[shape.spatial]);
  Value dyStep = dy.strides[shape.spatial];
  Value xTap = kb.add(x.offset, kb.mul(place.group, kb.constant(shape.channels)));
  // A joined row is (kernel column, channel), which are neighbours.
  xTap = kb.add(xTap, row);
  for (auto [axis, at] : llvm::enumerate(place.tap))
    xTap = kb.add(xTap, kb.mul(kb.mul(at, kb.constant(op.getDilations()[axis])), x.strides[axis + 1]));
  Value dyColumn = kb.add(dy.offset, kb.add(kb.mul(place.group, kb.constant(shape.columns())), column));
  return kb.loop(lineFrom, lineTo, 1, start, [&](Value line, ValueRange outer) {
    SmallVector<Value> at = kb.delinearize(line, lineSizes);
    Value xLine = xTap, dyLine = dyColumn;
    for (auto [axis, index] : llvm::enumerate(at)) {
      Value stride = axis == 0 ? kb.constant(1) : kb.constant(op.getStrides()[axis - 1]);
      xLine = kb.add(xLine, kb.mul(kb.mul(index, stride), x.strides[axis]));
      dyLine = kb.add(dyLine, kb.mul(index, dy.strides[axis]));
    }
    Value xBase = kb.address(x.pointer, x.elementType, xLine);
    Value dyBase = kb.address(dy.pointer, dy.elementType, dyLine);
    auto steps = [&](Value position, int64_t count, ValueRange carried) {
      SmallVector<Value> sums(carried);
      for (int64_t step = 0; step < count; ++step) {
        Value here = kb.add(position, kb.constant(step));
        Value xAt = kb.mul(here, xStep), dyAt = kb.mul(here, dyStep);
        SmallVector<Value> right;
        for (int64_t v = 0; v < vectors; ++v)
          right.push_back(
              kb.loadFrom(dyBase, dy.elementType, kb.add(dyAt, kb.constant(v * lanes)), lanes, masks[v]));
        for (int64_t i = 0; i < rows; ++i) {
          Value left = kb.splat(kb.loadFrom(xBase, x.elementType, kb.add(xAt, kb.constant(i)), 1), lanes);
          for (int64_t v = 0; v < vectors; ++v)
            sums[i * vectors + v] = math::FmaOp::create(kb.b, kb.loc, left, right[v], sums[i * vectors + v]);
        }
      }
      return sums;
    };
    constexpr int64_t unroll = 4;
    Value whole = kb.mul(kb.div(positions, kb.constant(unroll)), kb.constant(unroll));
    SmallVector<Value> sums =
        kb.loop(kb.constant(0), whole, unroll, outer,
                [&](Value position, ValueRange carried) { return steps(position, unroll, carried); });
    return kb.loop(whole, positions, 1, sums,
                   [&](Value position, ValueRange carried) { return steps(position, 1, carried); });
  });
}

} // namespace

TileSpace getWeightGradTiles(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  auto op = findOp<ConvWeightGradOp>(kernel);
  if (!op || !WeightGradShape(op).isStatic())
    return {dim::constant(context, 1), 1};
  WeightGradShape shape(op);
  double products = double(std::min(shape.rows, rowsOfTile) * std::min(shape.columns(), columnsOfTile));
  SmallVector<DimAttr> sizes = getDims(op.getDy());
  for (DimAttr size : ArrayRef(sizes).drop_back())
    products *= double(dim::asConstant(size).value_or(16));
  return {dim::constant(context, shape.groups * shape.taps * shape.rowTiles() * shape.columnTiles()),
          grainOf(products)};
}

LogicalResult emitWeightGradKernel(KernelBuilder &kb) {
  auto op = findOp<ConvWeightGradOp>(kb.kernel);
  if (!op)
    return kb.refuse("the body has no gradient of weights");
  WeightGradShape shape(op);
  std::optional<View> x = kb.viewOf(op.getX()), dy = kb.viewOf(op.getDy());
  std::optional<unsigned> output = findOutput(kb.kernel, op.getDw());
  auto zero = [](int64_t value) { return value == 0; };
  auto contiguous = [](const View &view) { return getConstantIntValue(view.strides.back()) == 1; };
  if (op.getLayout() != Layout::channels_last || !x || !dy || !contiguous(*x) || !contiguous(*dy) ||
      !llvm::all_of(op.getLow(), zero) || !llvm::all_of(op.getHigh(), zero))
    return kb.refuse("the gradient of weights is not in channels-last form on a padded input");
  if (!shape.isStatic())
    return kb.refuse("the number of channels is not known");
  if (!output || kb.kernel.getYielded().size() != 1)
    return kb.refuse("the body does not end in the gradient of weights");
  if (shape.joined && getConstantIntValue(x->strides[shape.spatial]) != shape.channels)
    return kb.refuse("the pixels of a row are not neighbours");
  auto type = cast<RankedTensorType>(op.getDw().getType());
  Type element = type.getElementType(), accumulator = kb.computeType(element);
  SmallVector<Value> sizes = kb.dims(op.getDy());
  SmallVector<Value> lineSizes(ArrayRef(sizes).drop_back(2));
  WeightGrad grad{kb,
                  shape,
                  *x,
                  *dy,
                  kb.rowMajor(kb.outputPointer(*output), type),
                  element,
                  accumulator,
                  lineSizes,
                  sizes[shape.spatial],
                  int64_t(kb.target.lanes)};
  kb.note = llvm::formatv("{0} lanes of outputs{1}", kb.target.lanes, shape.joined ? ", joined taps" : "");
  Value lines = kb.constant(1);
  for (Value size : lineSizes)
    lines = kb.mul(lines, size);
  // Lines that stay in the cache; all where the result is too narrow to hold a part of a sum.
  int64_t chunk = INT64_MAX / 2;
  if (element == accumulator) {
    int64_t width = dim::asConstant(getDims(op.getDy())[shape.spatial]).value_or(64);
    int64_t bytes = width * (shape.outputs + op.getStrides().back() * shape.channels * shape.groups) *
                    accumulator.getIntOrFloatBitWidth() / 8;
    chunk = std::max<int64_t>(1, chunkBytes / std::max<int64_t>(bytes, 1));
  }
  using Masks = ArrayRef<Value>;
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    WeightGrad::Place place = grad.placeOf(tile);
    grad.forRegisterTiles(place, [&](Value row, Value column, int64_t rows, Masks masks) {
      grad.storeSums(place, row, column, rows, masks, grad.zeros(rows * masks.size()));
    });
  });
  kb.loop(kb.constant(0), lines, chunk, [&](Value from) {
    Value to = kb.min(kb.add(from, kb.constant(chunk)), lines);
    kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
      WeightGrad::Place place = grad.placeOf(tile);
      grad.forRegisterTiles(place, [&](Value row, Value column, int64_t rows, Masks masks) {
        SmallVector<Value> start = grad.loadSums(place, row, column, rows, masks);
        grad.storeSums(place, row, column, rows, masks,
                       grad.tileSums(place, row, column, rows, masks, from, to, start));
      });
    });
  });
  return success();
}

} // namespace torsh
