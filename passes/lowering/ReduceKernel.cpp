//===-- ReduceKernel.cpp - Reductions with their producers and consumers ------------------------------------===//
//
// Two shapes. Rows: the last dim is reduced; vectors run along it in four accumulators and end in one horizontal
// reduction. Columns: the last dim stays; each vector of it is an accumulator over the reduced dims.
// The order of additions depends on the shape alone, never on the range of tiles.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "passes/lowering/ReduceKernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/lowering/TileSpaces.h"

using namespace mlir;

namespace torsh {

Value combine(KernelBuilder &kb, ReduceKind kind, Type element, Value x, Value y) {
  bool isFloat = isa<FloatType>(kb.computeType(element));
  bool isUnsigned = element.isUnsignedInteger();
  auto make = [&](auto tag) -> Value { return decltype(tag)::create(kb.b, kb.loc, x, y); };
  switch (kind) {
  case ReduceKind::sum:
  case ReduceKind::mean:
  case ReduceKind::logsumexp:
    return isFloat ? make(arith::AddFOp()) : make(arith::AddIOp());
  case ReduceKind::prod:
    return isFloat ? make(arith::MulFOp()) : make(arith::MulIOp());
  case ReduceKind::max:
    return isFloat ? make(arith::MaximumFOp()) : isUnsigned ? make(arith::MaxUIOp()) : make(arith::MaxSIOp());
  case ReduceKind::min:
    return isFloat ? make(arith::MinimumFOp()) : isUnsigned ? make(arith::MinUIOp()) : make(arith::MinSIOp());
  case ReduceKind::any:
    return make(arith::OrIOp());
  case ReduceKind::all:
    return make(arith::AndIOp());
  }
  return Value();
}

Value neutral(KernelBuilder &kb, ReduceKind kind, Type element, unsigned lanes) {
  Type scalar = kb.computeType(element);
  auto integer = [&](APInt value) -> Value {
    Attribute attribute = kb.b.getIntegerAttr(scalar, value);
    if (lanes != 1)
      attribute = DenseElementsAttr::get(cast<VectorType>(kb.vectorOf(scalar, lanes)), attribute);
    return arith::ConstantOp::create(kb.b, kb.loc, cast<TypedAttr>(attribute));
  };
  unsigned bits = scalar.getIntOrFloatBitWidth();
  double infinity = std::numeric_limits<double>::infinity();
  switch (kind) {
  case ReduceKind::prod:
    return kb.splatConstant(element, 1, lanes);
  case ReduceKind::max:
    if (isa<FloatType>(scalar))
      return kb.splatConstant(element, -infinity, lanes);
    return integer(element.isUnsignedInteger() ? APInt::getZero(bits) : APInt::getSignedMinValue(bits));
  case ReduceKind::min:
    if (isa<FloatType>(scalar))
      return kb.splatConstant(element, infinity, lanes);
    return integer(element.isUnsignedInteger() ? APInt::getMaxValue(bits) : APInt::getSignedMaxValue(bits));
  case ReduceKind::all:
    return integer(APInt::getAllOnes(bits));
  default:
    return kb.splatConstant(element, 0, lanes);
  }
}

Value reduceVector(KernelBuilder &kb, ReduceKind kind, Type element, Value vector) {
  // A tree of shuffles through memory-free extracts: halves are combined until one lane is left.
  auto type = dyn_cast<VectorType>(vector.getType());
  if (!type)
    return vector;
  for (int64_t width = type.getNumElements(); width > 1; width /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < width / 2; ++lane) {
      low.push_back(lane);
      high.push_back(lane + width / 2);
    }
    Value a = vector::ShuffleOp::create(kb.b, kb.loc, vector, vector, low);
    Value c = vector::ShuffleOp::create(kb.b, kb.loc, vector, vector, high);
    vector = combine(kb, kind, element, a, c);
  }
  return vector::ExtractOp::create(kb.b, kb.loc, vector, int64_t(0));
}

Value reduceRow(KernelBuilder &kb, ReduceKind kind, Type element, Value size, Value initial,
                llvm::function_ref<Value(Value, unsigned)> pull) {
  constexpr int64_t unroll = 4;
  int64_t lanes = kb.target.lanes;
  Value zero = neutral(kb, kind, element, lanes);
  Value wide = kb.mul(kb.div(size, kb.constant(unroll * lanes)), kb.constant(unroll * lanes));
  SmallVector<Value> accumulators =
      kb.loop(kb.constant(0), wide, unroll * lanes, SmallVector<Value>(unroll, zero),
              [&](Value index, ValueRange acc) {
                SmallVector<Value> next;
                for (int64_t i = 0; i < unroll; ++i)
                  next.push_back(
                      combine(kb, kind, element, acc[i], pull(kb.add(index, kb.constant(i * lanes)), lanes)));
                return next;
              });
  Value acc = combine(kb, kind, element, combine(kb, kind, element, accumulators[0], accumulators[1]),
                      combine(kb, kind, element, accumulators[2], accumulators[3]));
  Value whole = kb.mul(kb.div(size, kb.constant(lanes)), kb.constant(lanes));
  acc = kb.loop(wide, whole, lanes, acc, [&](Value index, ValueRange carried) {
    return SmallVector<Value>{combine(kb, kind, element, carried[0], pull(index, lanes))};
  })[0];
  Value scalar = combine(kb, kind, element, initial, reduceVector(kb, kind, element, acc));
  return kb.loop(whole, size, 1, scalar, [&](Value index, ValueRange carried) {
    return SmallVector<Value>{combine(kb, kind, element, carried[0], pull(index, 1))};
  })[0];
}

//===-- The reduce strategy --------------------------------------------------------------------------------------===//

/// Columns in a tile when the last dim stays.
static constexpr int64_t columnChunk = 64;

static bool reducesLast(ReduceOp op) {
  int64_t rank = cast<RankedTensorType>(op.getX().getType()).getRank();
  return llvm::is_contained(op.getAxes(), rank - 1);
}

TileSpace getReduceTiles(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  ReduceOp op = findOp<ReduceOp>(kernel);
  DimAttr elements = getNumElements(cast<RankedTensorType>(op.getY().getType()));
  if (reducesLast(op) || cast<RankedTensorType>(op.getX().getType()).getRank() == 0)
    return {elements, 1};
  SmallVector<DimAttr> dims = getDims(op.getX());
  DimAttr last = dims.pop_back_val();
  DimAttr rows = dim::constant(context, 1);
  for (auto [axis, size] : llvm::enumerate(dims))
    if (!llvm::is_contained(op.getAxes(), int64_t(axis)))
      rows = dim::mul(rows, size);
  return {dim::mul(rows, dim::ceilDiv(last, dim::constant(context, columnChunk))), 1};
}

LogicalResult emitReduceKernel(KernelBuilder &kb) {
  ReduceOp op = findOp<ReduceOp>(kb.kernel);
  if (!op)
    return kb.refuse("the body has no reduce");
  ReduceKind kind = op.getKind();
  auto type = cast<RankedTensorType>(op.getX().getType());
  Type element = type.getElementType();
  SmallVector<Value> sizes = kb.dims(op.getX());
  SmallVector<int64_t> reduced(op.getAxes()), kept;
  for (int64_t axis = 0; axis < type.getRank(); ++axis)
    if (!llvm::is_contained(reduced, axis))
      kept.push_back(axis);
  bool rows = reducesLast(op);
  bool missing = false;
  auto pullAt = [&](ArrayRef<Value> at, unsigned lanes) {
    Value value = kb.emit(op.getX(), at, lanes);
    if (!value) {
      missing = true;
      value = kb.splatConstant(element, 0, lanes);
    }
    return value;
  };
  // Nested loops over reduced axes with one carried accumulator.
  std::function<Value(ReduceKind, ArrayRef<int64_t>, SmallVectorImpl<Value> &, Value,
                      llvm::function_ref<Value(Value)>)>
      nest = [&](ReduceKind how, ArrayRef<int64_t> axes, SmallVectorImpl<Value> &at, Value acc,
                 llvm::function_ref<Value(Value)> body) {
        if (axes.empty())
          return body(acc);
        bool sums = isa<FloatType>(kb.computeType(element)) &&
                    (kind == ReduceKind::sum || kind == ReduceKind::mean || kind == ReduceKind::logsumexp);
        if (axes.size() == 1 && !rows && sums) {
          // Sums of blocks, then their sum: the rounding error grows with n / block + block instead of n.
          constexpr int64_t block = 32;
          return kb.loop(kb.constant(0), sizes[axes[0]], block, acc, [&](Value first, ValueRange carried) {
            Value last = kb.min(kb.add(first, kb.constant(block)), sizes[axes[0]]);
            Value zero = arith::ConstantOp::create(kb.b, kb.loc, kb.b.getZeroAttr(acc.getType()));
            // A maximum runs through here too when it is the first pass of logsumexp; it starts anew from the total.
            bool adds = how == ReduceKind::sum || how == ReduceKind::mean;
            Value part =
                kb.loop(first, last, 1, adds ? zero : carried[0], [&](Value index, ValueRange inner) {
                  at[axes[0]] = index;
                  return SmallVector<Value>{body(inner[0])};
                })[0];
            return SmallVector<Value>{adds ? combine(kb, how, element, carried[0], part) : part};
          })[0];
        }
        return kb.loop(kb.constant(0), sizes[axes[0]], 1, acc, [&](Value index, ValueRange carried) {
          at[axes[0]] = index;
          return SmallVector<Value>{nest(how, axes.drop_front(), at, carried[0], body)};
        })[0];
      };
  // Reduces at fixed kept indices: `lanes` results (columns) or one (rows).
  auto reduceWith = [&](ReduceKind how, SmallVectorImpl<Value> &at, unsigned lanes,
                        llvm::function_ref<Value(Value, unsigned)> map) {
    Value start = neutral(kb, how, element, lanes);
    ArrayRef<int64_t> outer = rows ? ArrayRef(reduced).drop_back() : ArrayRef(reduced);
    return nest(how, outer, at, start, [&](Value acc) {
      if (!rows)
        return combine(kb, how, element, acc, map(pullAt(at, lanes), lanes));
      return reduceRow(kb, how, element, sizes.back(), acc, [&](Value index, unsigned width) {
        at.back() = index;
        return map(pullAt(at, width), width);
      });
    });
  };
  auto same = [](Value value, unsigned) { return value; };
  auto finish = [&](SmallVectorImpl<Value> &at, unsigned lanes) -> Value {
    if (kind == ReduceKind::logsumexp) {
      Value top = reduceWith(ReduceKind::max, at, lanes, same);
      Value infinity = kb.splatConstant(element, std::numeric_limits<double>::infinity(), lanes);
      // An infinite maximum must not turn into inf - inf.
      Value magnitude = math::AbsFOp::create(kb.b, kb.loc, top);
      Value finite = arith::CmpFOp::create(kb.b, kb.loc, arith::CmpFPredicate::UNE, magnitude, infinity);
      Value shift = arith::SelectOp::create(kb.b, kb.loc, finite, top, kb.splatConstant(element, 0, lanes));
      Value sum = reduceWith(ReduceKind::sum, at, lanes, [&](Value value, unsigned width) -> Value {
        Value by = width == lanes ? shift : kb.splat(shift, width);
        return math::ExpOp::create(kb.b, kb.loc, arith::SubFOp::create(kb.b, kb.loc, value, by));
      });
      return arith::AddFOp::create(kb.b, kb.loc, math::LogOp::create(kb.b, kb.loc, sum), shift);
    }
    Value result = reduceWith(kind, at, lanes, same);
    if (kind != ReduceKind::mean)
      return result;
    Value count = kb.constant(1);
    for (int64_t axis : reduced)
      count = kb.mul(count, sizes[axis]);
    if (isa<FloatType>(kb.computeType(element))) {
      Value divisor = arith::SIToFPOp::create(kb.b, kb.loc, kb.computeType(element), count);
      return arith::DivFOp::create(kb.b, kb.loc, result, kb.splat(divisor, lanes));
    }
    // The mean of nothing is 0 for integers.
    count = kb.max(count, kb.constant(1));
    Value divisor = kb.computeType(element).isInteger(64)
                        ? count
                        : arith::TruncIOp::create(kb.b, kb.loc, kb.computeType(element), count).getResult();
    return arith::DivSIOp::create(kb.b, kb.loc, result, kb.splat(divisor, lanes));
  };
  // Result index tuple from kept indices.
  auto resultIndices = [&](ArrayRef<Value> at) {
    SmallVector<Value> indices;
    for (int64_t axis = 0; axis < type.getRank(); ++axis) {
      if (llvm::is_contained(kept, axis))
        indices.push_back(at[axis]);
      else if (op.getKeepDims())
        indices.push_back(kb.constant(0));
    }
    return indices;
  };
  LogicalResult result = success();
  SmallVector<Value> at(type.getRank(), kb.constant(0));
  auto store = [&](unsigned lanes) {
    kb.setOverride(op.getY(), finish(at, lanes));
    if (failed(kb.storeYielded(resultIndices(at), lanes)))
      result = failure();
    kb.clearOverrides();
  };
  kb.note = llvm::formatv("{0} lanes, {1}", kb.target.lanes, rows ? "rows" : "columns");
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    SmallVector<Value> keptSizes;
    for (int64_t axis : kept)
      keptSizes.push_back(sizes[axis]);
    if (rows || kept.empty()) {
      for (auto [axis, index] : llvm::zip_equal(kept, kb.delinearize(tile, keptSizes)))
        at[axis] = index;
      store(1);
      return;
    }
    Value chunks = kb.div(kb.add(keptSizes.back(), kb.constant(columnChunk - 1)), kb.constant(columnChunk));
    Value row = kb.div(tile, chunks);
    Value from = kb.mul(kb.rem(tile, chunks), kb.constant(columnChunk));
    Value to = kb.min(kb.add(from, kb.constant(columnChunk)), keptSizes.back());
    ArrayRef<int64_t> outer = ArrayRef(kept).drop_back();
    for (auto [axis, index] : llvm::zip_equal(outer, kb.delinearize(row, ArrayRef(keptSizes).drop_back())))
      at[axis] = index;
    kb.vectorLoop(from, to, [&](Value index, unsigned lanes) {
      at[kept.back()] = index;
      store(lanes);
    });
  });
  if (missing)
    return kb.refuse("the reduced value has no code");
  return result;
}

} // namespace torsh
