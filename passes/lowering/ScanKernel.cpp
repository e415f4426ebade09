//===-- ScanKernel.cpp - Running sums and products ----------------------------------------------------------===//
//
// Along the last dim a tile is a row that is combined element by element. Along another one a tile is a chunk of the
// last dim, and each of its vectors is a running sum or product. The order of operations is that of the axis.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/CumProd.h"
#include "passes/lowering/ReduceKernel.h"
#include "passes/lowering/TileSpaces.h"

using namespace mlir;

namespace torsh {

/// Elements of the last dim in a tile when another dim is scanned.
static constexpr int64_t columnChunk = 64;

namespace {

/// What a running sum and a running product have in common.
struct Scan {
  Value x, y;
  int64_t axis = 0;
  bool exclusive = false, reverse = false;
  ReduceKind kind = ReduceKind::sum;

  template <typename OpTy>
  Scan(OpTy op, ReduceKind kind)
      : x(op.getX()), y(op.getY()), axis(op.getAxis()), exclusive(op.getExclusive()),
        reverse(op.getReverse()), kind(kind) {}

  static std::optional<Scan> find(KernelOp kernel) {
    if (CumSumOp op = findOp<CumSumOp>(kernel))
      return Scan(op, ReduceKind::sum);
    if (CumProdOp op = findOp<CumProdOp>(kernel))
      return Scan(op, ReduceKind::prod);
    return std::nullopt;
  }
  int64_t rank() const { return cast<RankedTensorType>(x.getType()).getRank(); }
  bool isLast() const { return axis + 1 == rank(); }
  /// The dims that are neither the axis nor, when the axis is another one, the last dim.
  SmallVector<int64_t> outerAxes() const {
    SmallVector<int64_t> axes;
    for (int64_t other = 0; other < rank(); ++other)
      if (other != axis && (other + 1 != rank() || isLast()))
        axes.push_back(other);
    return axes;
  }
};

} // namespace

TileSpace getScanTiles(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  DimAttr tiles = dim::constant(context, 1);
  std::optional<Scan> scan = Scan::find(kernel);
  if (!scan)
    return {tiles, 1};
  SmallVector<DimAttr> dims = getDims(scan->x);
  for (int64_t axis : scan->outerAxes())
    tiles = dim::mul(tiles, dims[axis]);
  if (!scan->isLast())
    tiles = dim::mul(tiles, dim::ceilDiv(dims.back(), dim::constant(context, columnChunk)));
  return {tiles, 1};
}

LogicalResult emitScanKernel(KernelBuilder &kb) {
  std::optional<Scan> scan = Scan::find(kb.kernel);
  if (!scan)
    return kb.refuse("the body has no running sum or product");
  Type element = cast<RankedTensorType>(scan->x.getType()).getElementType();
  SmallVector<Value> sizes = kb.dims(scan->x), outerSizes;
  SmallVector<int64_t> outer = scan->outerAxes();
  for (int64_t axis : outer)
    outerSizes.push_back(sizes[axis]);
  LogicalResult result = success();
  Value length = sizes[scan->axis];
  SmallVector<Value> at(sizes.size(), kb.constant(0));
  auto scanLine = [&](unsigned lanes) {
    SmallVector<Value> start{neutral(kb, scan->kind, element, lanes)};
    kb.loop(kb.constant(0), length, 1, start, [&](Value step, ValueRange carried) {
      at[scan->axis] = scan->reverse ? kb.sub(kb.sub(length, kb.constant(1)), step) : step;
      Value x = kb.emit(scan->x, at, lanes);
      if (!x) {
        result = kb.refuse("the operand has no code");
        return SmallVector<Value>(carried);
      }
      Value next = combine(kb, scan->kind, element, carried[0], x);
      kb.setOverride(scan->y, scan->exclusive ? carried[0] : next);
      if (failed(kb.storeYielded(at, lanes)))
        result = failure();
      kb.clearOverrides();
      return SmallVector<Value>{next};
    });
  };
  kb.note = scan->isLast() ? "row by row" : llvm::formatv("{0} lanes", kb.target.lanes).str();
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    Value from, to, row = tile;
    if (!scan->isLast()) {
      Value chunks = kb.div(kb.add(sizes.back(), kb.constant(columnChunk - 1)), kb.constant(columnChunk));
      row = kb.div(tile, chunks);
      from = kb.mul(kb.rem(tile, chunks), kb.constant(columnChunk));
      to = kb.min(kb.add(from, kb.constant(columnChunk)), sizes.back());
    }
    for (auto [axis, index] : llvm::zip_equal(outer, kb.delinearize(row, outerSizes)))
      at[axis] = index;
    if (scan->isLast())
      return scanLine(1);
    kb.vectorLoop(from, to, [&](Value column, unsigned lanes) {
      at.back() = column;
      scanLine(lanes);
    });
  });
  return result;
}

} // namespace torsh
