//===-- ArgReduceKernel.cpp - Where the largest or smallest element lies ------------------------------------===//
//
// Along the last dim a tile is a line: each lane keeps the best of its own elements, and the lanes meet at the end.
// Along another dim a tile is a chunk of the last dim and each lane is a line of its own.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/lowering/IndexKernels.h"

using namespace mlir;

namespace torsh {
namespace {

/// Elements of the last dim in a tile when another dim is reduced.
constexpr int64_t columnChunk = 64;

bool reducesLast(ArgReduceOp op) { return int64_t(op.getAxis()) + 1 == op.getX().getType().getRank(); }

/// The best element so far and its index.
struct Champion {
  Value value, index;
};

struct ArgReduce {
  KernelBuilder &kb;
  ArgReduceOp op;
  Type element;
  LogicalResult result = success();

  Value compare(arith::CmpFPredicate predicate, Value a, Value b) {
    return arith::CmpFOp::create(kb.b, kb.loc, predicate, a, b);
  }
  Value compare(arith::CmpIPredicate predicate, Value a, Value b) {
    return arith::CmpIOp::create(kb.b, kb.loc, predicate, a, b);
  }
  Value both(Value a, Value b) { return arith::AndIOp::create(kb.b, kb.loc, a, b); }
  Value either(Value a, Value b) { return arith::OrIOp::create(kb.b, kb.loc, a, b); }

  /// Whether a stands before b; NaN stands before all.
  Value wins(Value a, Value b) {
    bool isMax = op.getKind() == ReduceKind::max;
    if (isa<FloatType>(kb.computeType(element))) {
      Value better = compare(isMax ? arith::CmpFPredicate::OGT : arith::CmpFPredicate::OLT, a, b);
      Value onlyNan =
          both(compare(arith::CmpFPredicate::UNO, a, a), compare(arith::CmpFPredicate::ORD, b, b));
      return either(better, onlyNan);
    }
    if (element.isUnsignedInteger())
      return compare(isMax ? arith::CmpIPredicate::ugt : arith::CmpIPredicate::ult, a, b);
    return compare(isMax ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::slt, a, b);
  }
  Champion choose(Value condition, Champion yes, Champion no) {
    return {arith::SelectOp::create(kb.b, kb.loc, condition, yes.value, no.value),
            arith::SelectOp::create(kb.b, kb.loc, condition, yes.index, no.index)};
  }
  /// The champion after a later element.
  Champion next(Champion best, Champion later) {
    if (!op.getLast())
      return choose(wins(later.value, best.value), later, best);
    return choose(wins(best.value, later.value), best, later);
  }
  /// The champion of two whose indices may stand in any order.
  Champion meet(Champion a, Champion b) {
    Value order =
        compare(op.getLast() ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::slt, a.index, b.index);
    Value tie = both(
        arith::XOrIOp::create(kb.b, kb.loc, wins(b.value, a.value), kb.splatConstant(kb.b.getI1Type(), 1, 1)),
        order);
    return choose(either(wins(a.value, b.value), tie), a, b);
  }
  Value load(ArrayRef<Value> at, unsigned lanes) {
    Value value = kb.emit(op.getX(), at, lanes);
    if (value)
      return value;
    result = kb.refuse("the operand has no code");
    return kb.splatConstant(element, 0, lanes);
  }
  void store(ArrayRef<Value> at, Value index, unsigned lanes);
  Champion along(Value from, Value to, int64_t step, Champion start,
                 llvm::function_ref<Champion(Value)> element) {
    SmallVector<Value> best =
        kb.loop(from, to, step, {start.value, start.index}, [&](Value i, ValueRange carried) {
          Champion chosen = next({carried[0], carried[1]}, element(i));
          return SmallVector<Value>{chosen.value, chosen.index};
        });
    return {best[0], best[1]};
  }
  Value lineOfLastDim(SmallVector<Value> at, Value size);
};

void ArgReduce::store(ArrayRef<Value> at, Value index, unsigned lanes) {
  SmallVector<Value> indices;
  for (auto [axis, i] : llvm::enumerate(at))
    if (axis != op.getAxis())
      indices.push_back(i);
    else if (op.getKeepDims())
      indices.push_back(kb.constant(0));
  kb.setOverride(op.getY(), index);
  if (failed(kb.storeYielded(indices, lanes)))
    result = failure();
  kb.clearOverrides();
}

Value ArgReduce::lineOfLastDim(SmallVector<Value> at, Value size) {
  unsigned lanes = kb.target.lanes;
  Value zero = kb.constant(0);
  auto scalarAt = [&](Value i) {
    at.back() = i;
    return Champion{load(at, 1), i};
  };
  // Lines that fill a vector: lane l sees l, l + lanes, ...; fewer elements run one by one.
  Value whole = kb.mul(kb.div(size, kb.constant(lanes)), kb.constant(lanes));
  auto vectors = [&]() -> Champion {
    Value iota = kb.laneNumbers(lanes);
    auto vectorAt = [&](Value i) {
      at.back() = i;
      return Champion{load(at, lanes), arith::AddIOp::create(kb.b, kb.loc, iota, kb.splat(i, lanes))};
    };
    Champion lanesBest = along(kb.constant(lanes), whole, lanes, vectorAt(zero), vectorAt);
    auto lane = [&](int64_t l) {
      return Champion{vector::ExtractOp::create(kb.b, kb.loc, lanesBest.value, l),
                      vector::ExtractOp::create(kb.b, kb.loc, lanesBest.index, l)};
    };
    Champion best = lane(0);
    for (int64_t l = 1; l < int64_t(lanes); ++l)
      best = meet(lane(l), best);
    return best;
  };
  auto start = scf::IfOp::create(
      kb.b, kb.loc, kb.less(zero, whole),
      [&](OpBuilder &, Location) {
        Champion best = vectors();
        scf::YieldOp::create(kb.b, kb.loc, ValueRange{best.value, best.index});
      },
      [&](OpBuilder &, Location) {
        Champion first = scalarAt(zero);
        scf::YieldOp::create(kb.b, kb.loc, ValueRange{first.value, first.index});
      });
  Value from = kb.max(whole, kb.constant(1));
  return along(from, size, 1, {start.getResult(0), start.getResult(1)}, scalarAt).index;
}

} // namespace

TileSpace getArgReduceTiles(ArgReduceOp op) {
  MLIRContext *context = op.getContext();
  SmallVector<DimAttr> dims = getDims(op.getX());
  DimAttr tiles = dim::constant(context, 1);
  for (auto [axis, size] : llvm::enumerate(dims)) {
    if (axis == op.getAxis())
      continue;
    bool isChunked = axis + 1 == dims.size();
    tiles = dim::mul(tiles, isChunked ? dim::ceilDiv(size, dim::constant(context, columnChunk)) : size);
  }
  return {tiles, 1};
}

LogicalResult emitArgReduce(KernelBuilder &kb, ArgReduceOp op) {
  ArgReduce reduce{kb, op, op.getX().getType().getElementType()};
  SmallVector<Value> sizes = kb.dims(op.getX()), outerSizes;
  SmallVector<size_t> outer;
  size_t rank = sizes.size(), axis = op.getAxis();
  bool last = reducesLast(op);
  for (size_t i = 0; i < rank; ++i)
    if (i != axis && (last || i + 1 != rank)) {
      outer.push_back(i);
      outerSizes.push_back(sizes[i]);
    }
  kb.note = llvm::formatv("{0} lanes, {1}", kb.target.lanes, last ? "rows" : "columns");
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    Value row = tile, from, to;
    if (!last) {
      Value chunks = kb.div(kb.add(sizes.back(), kb.constant(columnChunk - 1)), kb.constant(columnChunk));
      row = kb.div(tile, chunks);
      from = kb.mul(kb.rem(tile, chunks), kb.constant(columnChunk));
      to = kb.min(kb.add(from, kb.constant(columnChunk)), sizes.back());
    }
    SmallVector<Value> at(rank, kb.constant(0));
    for (auto [i, index] : llvm::zip_equal(outer, kb.delinearize(row, outerSizes)))
      at[i] = index;
    if (last) {
      reduce.store(at, reduce.lineOfLastDim(at, sizes[axis]), 1);
      return;
    }
    kb.vectorLoop(from, to, [&](Value column, unsigned lanes) {
      at.back() = column;
      auto element = [&](Value i) {
        at[axis] = i;
        return Champion{reduce.load(at, lanes), kb.splat(i, lanes)};
      };
      Champion best = reduce.along(kb.constant(1), sizes[axis], 1, element(kb.constant(0)), element);
      reduce.store(at, best.index, lanes);
    });
  });
  return reduce.result;
}

} // namespace torsh
