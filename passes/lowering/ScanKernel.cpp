//===-- ScanKernel.cpp - Running sums -----------------------------------------------------------------------===//
//
// Along the last dim a tile is a row that is summed element by element. Along another one a tile is a chunk of the
// last dim, and each of its vectors is a running sum. The order of additions is that of the axis.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "passes/lowering/ReduceKernel.h"
#include "passes/lowering/TileSpaces.h"

using namespace mlir;

namespace torsh {

/// Elements of the last dim in a tile when another dim is summed.
static constexpr int64_t columnChunk = 64;

static bool scansLast(CumSumOp op) { return int64_t(op.getAxis()) + 1 == op.getX().getType().getRank(); }

/// The dims that are neither the axis nor, when the axis is another one, the last dim.
static SmallVector<int64_t> outerAxes(CumSumOp op) {
  SmallVector<int64_t> axes;
  int64_t rank = op.getX().getType().getRank();
  for (int64_t axis = 0; axis < rank; ++axis)
    if (axis != int64_t(op.getAxis()) && (axis + 1 != rank || scansLast(op)))
      axes.push_back(axis);
  return axes;
}

TileSpace getScanTiles(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  DimAttr tiles = dim::constant(context, 1);
  CumSumOp op = findOp<CumSumOp>(kernel);
  if (!op)
    return {tiles, 1};
  SmallVector<DimAttr> dims = getDims(op.getX());
  for (int64_t axis : outerAxes(op))
    tiles = dim::mul(tiles, dims[axis]);
  if (!scansLast(op))
    tiles = dim::mul(tiles, dim::ceilDiv(dims.back(), dim::constant(context, columnChunk)));
  return {tiles, 1};
}

LogicalResult emitScanKernel(KernelBuilder &kb) {
  CumSumOp op = findOp<CumSumOp>(kb.kernel);
  if (!op)
    return kb.refuse("the body has no running sum");
  Type element = op.getX().getType().getElementType();
  SmallVector<Value> sizes = kb.dims(op.getX()), outerSizes;
  SmallVector<int64_t> outer = outerAxes(op);
  for (int64_t axis : outer)
    outerSizes.push_back(sizes[axis]);
  LogicalResult result = success();
  Value length = sizes[op.getAxis()];
  SmallVector<Value> at(sizes.size(), kb.constant(0));
  auto sumLine = [&](unsigned lanes) {
    SmallVector<Value> start{neutral(kb, ReduceKind::sum, element, lanes)};
    kb.loop(kb.constant(0), length, 1, start, [&](Value step, ValueRange carried) {
      at[op.getAxis()] = op.getReverse() ? kb.sub(kb.sub(length, kb.constant(1)), step) : step;
      Value x = kb.emit(op.getX(), at, lanes);
      if (!x) {
        result = kb.refuse("the operand has no code");
        return SmallVector<Value>(carried);
      }
      Value sum = combine(kb, ReduceKind::sum, element, carried[0], x);
      kb.setOverride(op.getY(), op.getExclusive() ? carried[0] : sum);
      if (failed(kb.storeYielded(at, lanes)))
        result = failure();
      kb.clearOverrides();
      return SmallVector<Value>{sum};
    });
  };
  kb.note = scansLast(op) ? "row by row" : llvm::formatv("{0} lanes", kb.target.lanes).str();
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    Value from, to, row = tile;
    if (!scansLast(op)) {
      Value chunks = kb.div(kb.add(sizes.back(), kb.constant(columnChunk - 1)), kb.constant(columnChunk));
      row = kb.div(tile, chunks);
      from = kb.mul(kb.rem(tile, chunks), kb.constant(columnChunk));
      to = kb.min(kb.add(from, kb.constant(columnChunk)), sizes.back());
    }
    for (auto [axis, index] : llvm::zip_equal(outer, kb.delinearize(row, outerSizes)))
      at[axis] = index;
    if (scansLast(op))
      return sumLine(1);
    kb.vectorLoop(from, to, [&](Value column, unsigned lanes) {
      at.back() = column;
      sumLine(lanes);
    });
  });
  return result;
}

} // namespace torsh
