//===-- RegionPoolKernel.cpp - Pooling over boxes -----------------------------------------------------------===//
//
// A tile is a cell of a box with all channels, which run in vectors. Where its samples are is computed once a cell, which
// neighbours a sample has once a vector of channels.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "passes/lowering/RegionPoolKernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/lowering/IndexKernels.h"
#include "passes/lowering/ReduceKernel.h"

using namespace mlir;

namespace torsh {
namespace {

/// Grids beyond this are no boxes of an image.
constexpr int64_t mostSamples = 1 << 16;

/// Scalar numbers of one float type.
struct Numbers {
  KernelBuilder &kb;
  Type type;

  template <typename OpTy> Value make(Value a, Value b) { return OpTy::create(kb.b, kb.loc, a, b); }
  Value number(double value) { return kb.splatConstant(type, value, 1); }
  Value real(Value integer) { return arith::SIToFPOp::create(kb.b, kb.loc, type, integer); }
  Value add(Value a, Value b) { return make<arith::AddFOp>(a, b); }
  Value sub(Value a, Value b) { return make<arith::SubFOp>(a, b); }
  Value mul(Value a, Value b) { return make<arith::MulFOp>(a, b); }
  Value div(Value a, Value b) { return make<arith::DivFOp>(a, b); }
  Value both(Value a, Value b) { return make<arith::AndIOp>(a, b); }
  Value select(Value condition, Value a, Value b) {
    return arith::SelectOp::create(kb.b, kb.loc, condition, a, b);
  }
  Value compare(arith::CmpFPredicate predicate, Value a, Value b) {
    return arith::CmpFOp::create(kb.b, kb.loc, predicate, a, b);
  }
  /// The larger one; b for NaN.
  Value most(Value a, Value b) { return select(compare(arith::CmpFPredicate::OGT, a, b), a, b); }
  Value least(Value a, Value b) { return select(compare(arith::CmpFPredicate::OLT, a, b), a, b); }
  /// As an i64, held between two bounds; NaN is the lower one.
  Value integer(Value x, double low, double high) {
    return arith::FPToSIOp::create(kb.b, kb.loc, kb.b.getI64Type(),
                                   least(most(x, number(low)), number(high)));
  }
};

/// What a sample reads along one dim.
struct Pair {
  Value low, high, lowWeight, highWeight;
};

/// One dim of a box: where it starts, how long its cells are and how many samples each has.
struct Extent {
  Value start, cell, samples;
};

struct RoiAlign : Numbers {
  RoiAlignOp op;
  SmallVector<Value> xSizes, ySizes;

  /// A number of a box.
  Value corner(Value box, int64_t index) { return kb.emit(op.getRois(), {box, kb.constant(index)}, 1); }

  Extent extentOf(Value low, Value high, Value cells) {
    Value scale = number(op.getScale().convertToDouble()), offset = number(op.getOffset().convertToDouble());
    Value start = sub(mul(low, scale), offset), length = sub(sub(mul(high, scale), offset), start);
    if (op.getOffset().isZero())
      length = most(length, number(1));
    Value cell = div(length, real(cells));
    if (op.getSamples() > 0)
      return {start, cell, kb.constant(op.getSamples())};
    return {start, cell, integer(math::CeilOp::create(kb.b, kb.loc, cell), 0, double(mostSamples))};
  }

  Pair pairAt(const Extent &extent, Value cell, Value sample, Value size) {
    Value place = add(extent.start, mul(real(cell), extent.cell));
    Value step = div(mul(add(real(sample), number(0.5)), extent.cell), real(extent.samples));
    place = add(place, step);
    Value inside = both(compare(arith::CmpFPredicate::OGE, place, number(-1)),
                        compare(arith::CmpFPredicate::OLE, place, real(size)));
    Value last = kb.sub(size, kb.constant(1));
    Value held = least(most(place, number(0)), real(size));
    Value low = kb.min(arith::FPToSIOp::create(kb.b, kb.loc, kb.b.getI64Type(), held), last);
    Value rest = select(kb.less(low, last), sub(held, real(low)), number(0));
    return {low, kb.min(kb.add(low, kb.constant(1)), last), select(inside, sub(number(1), rest), number(0)),
            select(inside, rest, number(0))};
  }

  /// The accumulator of a vector of channels, over all samples of a cell.
  Value sample(Value image, ArrayRef<Value> place, const Extent &rows, const Extent &columns, Value channel,
               unsigned lanes);
};

Value RoiAlign::sample(Value image, ArrayRef<Value> place, const Extent &rows, const Extent &columns,
                       Value channel, unsigned lanes) {
  ReduceKind kind = op.getMaximum() ? ReduceKind::max : ReduceKind::sum;
  Value initial = neutral(kb, kind, type, lanes);
  return kb.loop(kb.constant(0), rows.samples, 1, ValueRange{initial}, [&](Value i, ValueRange outer) {
    Pair v = pairAt(rows, place[1], i, xSizes[1]);
    return kb.loop(kb.constant(0), columns.samples, 1, outer, [&](Value j, ValueRange inner) {
      Pair h = pairAt(columns, place[2], j, xSizes[2]);
      Value sum = inner[0];
      for (auto [row, rowWeight] : {std::pair(v.low, v.lowWeight), std::pair(v.high, v.highWeight)})
        for (auto [column, weight] : {std::pair(h.low, h.lowWeight), std::pair(h.high, h.highWeight)}) {
          Value factor = kb.splat(mul(rowWeight, weight), lanes);
          Value value = mul(kb.emit(op.getX(), {image, row, column, channel}, lanes), factor);
          sum = combine(kb, kind, type, sum, value);
        }
      return SmallVector<Value>{sum};
    });
  })[0];
}

/// Stores what `value` gives for each vector of channels of the cell.
LogicalResult storeChannels(KernelBuilder &kb, Value y, const RowOfTile &row,
                            llvm::function_ref<Value(Value, unsigned)> value) {
  LogicalResult result = success();
  kb.vectorLoop(kb.constant(0), row.length, [&](Value channel, unsigned lanes) {
    kb.setOverride(y, value(channel, lanes));
    if (failed(kb.storeYielded(row.at(channel), lanes)))
      result = failure();
    kb.clearOverrides();
  });
  return result;
}

/// Whether an image has no elements, so that nothing of it may be read.
Value isEmpty(KernelBuilder &kb, ArrayRef<Value> sizes) {
  return kb.less(kb.mul(sizes[0], kb.mul(sizes[1], sizes[2])), kb.constant(1));
}

} // namespace

LogicalResult emitRoiAlign(KernelBuilder &kb, RoiAlignOp op) {
  Type type = kb.computeType(cast<RankedTensorType>(op.getY().getType()).getElementType());
  RoiAlign roi{{kb, type}, op, kb.dims(op.getX()), kb.dims(op.getY())};
  LogicalResult result = success();
  kb.note = llvm::formatv("{0} lanes", kb.target.lanes);
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    RowOfTile row(kb, op.getY(), tile);
    Value box = row.outer[0], image = clampIndex(kb, kb.emit(op.getImages(), {box}, 1), roi.xSizes[0]);
    Extent columns = roi.extentOf(roi.corner(box, 0), roi.corner(box, 2), roi.ySizes[2]);
    Extent rows = roi.extentOf(roi.corner(box, 1), roi.corner(box, 3), roi.ySizes[1]);
    rows.samples = roi.select(isEmpty(kb, roi.xSizes), kb.constant(0), rows.samples);
    Value count = kb.mul(rows.samples, columns.samples), none = kb.less(count, kb.constant(1));
    Value share = roi.div(roi.number(1), roi.real(kb.max(count, kb.constant(1))));
    LogicalResult stored = storeChannels(kb, op.getY(), row, [&](Value channel, unsigned lanes) {
      Value sum = roi.sample(image, row.outer, rows, columns, channel, lanes);
      if (!op.getMaximum())
        return roi.mul(sum, kb.splat(share, lanes));
      return roi.select(none, kb.splatConstant(type, 0, lanes), sum);
    });
    if (failed(stored))
      result = failure();
  });
  return result;
}

LogicalResult emitRoiMaxPool(KernelBuilder &kb, RoiMaxPoolOp op) {
  Type type = kb.computeType(cast<RankedTensorType>(op.getY().getType()).getElementType());
  Numbers numbers{kb, type};
  SmallVector<Value> xSizes = kb.dims(op.getX()), ySizes = kb.dims(op.getY());
  Value scale = numbers.number(op.getScale().convertToDouble()), zero = kb.constant(0), one = kb.constant(1);
  LogicalResult result = success();
  kb.note = llvm::formatv("{0} lanes", kb.target.lanes);
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    RowOfTile row(kb, op.getY(), tile);
    auto entry = [&](int64_t i) { return kb.emit(op.getRois(), {row.outer[0], kb.constant(i)}, 1); };
    auto corner = [&](int64_t i) {
      Value place = numbers.mul(entry(i), scale);
      return numbers.integer(math::RoundOp::create(kb.b, kb.loc, place), -0x1p30, 0x1p30);
    };
    Value image = clampIndex(kb, numbers.integer(entry(0), 0, 0x1p30), xSizes[0]);
    Value from[2], to[2];
    for (int64_t d = 0; d < 2; ++d) {
      Value start = corner(2 - d), size = xSizes[d + 1], cells = ySizes[d + 1], cell = row.outer[d + 1];
      Value length = kb.max(kb.add(kb.sub(corner(4 - d), start), one), one);
      Value first = kb.div(kb.mul(cell, length), cells);
      Value last = kb.div(kb.add(kb.mul(kb.add(cell, one), length), kb.sub(cells, one)), cells);
      from[d] = kb.max(zero, kb.min(kb.add(start, first), size));
      to[d] = kb.max(zero, kb.min(kb.add(start, last), size));
    }
    to[0] = numbers.select(isEmpty(kb, xSizes), from[0], to[0]);
    Value some = numbers.both(kb.less(from[0], to[0]), kb.less(from[1], to[1]));
    LogicalResult stored = storeChannels(kb, op.getY(), row, [&](Value channel, unsigned lanes) {
      Value initial = neutral(kb, ReduceKind::max, type, lanes);
      Value best = kb.loop(from[0], to[0], 1, ValueRange{initial}, [&](Value i, ValueRange outer) {
        return kb.loop(from[1], to[1], 1, outer, [&](Value j, ValueRange inner) {
          Value value = kb.emit(op.getX(), {image, i, j, channel}, lanes);
          return SmallVector<Value>{combine(kb, ReduceKind::max, type, inner[0], value)};
        });
      })[0];
      return numbers.select(some, best, kb.splatConstant(type, 0, lanes));
    });
    if (failed(stored))
      result = failure();
  });
  return result;
}

} // namespace torsh
