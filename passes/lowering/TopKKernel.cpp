//===-- TopKKernel.cpp - The k best elements of each line ---------------------------------------------------===//
//
// A tile is a line along the axis. The results themselves are the list. A short one is kept sorted: an element that beats
// the last entry is inserted behind those that it does not beat, so equal elements stay in the order of their indices.
// A long one is a heap with the worst entry on top, which is sorted at last; there the index decides between equals.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/lowering/HeapSift.h"
#include "passes/lowering/IndexKernels.h"

using namespace mlir;

namespace torsh {
namespace {

/// Entries of a list that is kept sorted; moving more of them costs more than a heap.
constexpr int64_t longestSortedList = 64;

struct TopK {
  KernelBuilder &kb;
  TopKOp op;
  Type element;
  std::optional<View> values, indices; ///< outputs; one of them may be missing
  SmallVector<Value> line;             ///< the entry of the axis is the running one
  LogicalResult result = success();

  Value load(Value i) {
    line[op.getAxis()] = i;
    if (Value value = kb.emit(op.getX(), line, 1))
      return value;
    result = kb.refuse("the operand has no code");
    return kb.splatConstant(element, 0, 1);
  }
  Value place(const View &view, Value entry) {
    line[op.getAxis()] = entry;
    return kb.linear(view, line);
  }
  /// The value of an entry of the list.
  Value entryValue(Value entry) {
    if (values)
      return kb.loadFrom(values->pointer, element, place(*values, entry), 1);
    return load(kb.loadFrom(indices->pointer, kb.b.getI64Type(), place(*indices, entry), 1));
  }
  void storeEntry(Value entry, Value value, Value index) {
    if (values)
      kb.storeTo(value, values->pointer, element, place(*values, entry), 1);
    if (indices)
      kb.storeTo(index, indices->pointer, kb.b.getI64Type(), place(*indices, entry), 1);
  }
  void moveEntry(Value from, Value to) {
    if (values)
      kb.storeTo(kb.loadFrom(values->pointer, element, place(*values, from), 1), values->pointer, element,
                 place(*values, to), 1);
    Type i64 = kb.b.getI64Type();
    if (indices)
      kb.storeTo(kb.loadFrom(indices->pointer, i64, place(*indices, from), 1), indices->pointer, i64,
                 place(*indices, to), 1);
  }
  /// Whether a stands strictly before b; NaN is the largest.
  Value before(Value a, Value b) {
    bool largest = op.getLargest();
    if (!isa<FloatType>(kb.computeType(element))) {
      bool isUnsigned = element.isUnsignedInteger();
      auto predicate = largest ? (isUnsigned ? arith::CmpIPredicate::ugt : arith::CmpIPredicate::sgt)
                               : (isUnsigned ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt);
      return arith::CmpIOp::create(kb.b, kb.loc, predicate, a, b);
    }
    auto compare = [&](arith::CmpFPredicate predicate, Value x, Value y) -> Value {
      return arith::CmpFOp::create(kb.b, kb.loc, predicate, x, y);
    };
    if (!largest)
      std::swap(a, b);
    // a > b with a NaN above all: "not less or equal" is true for any NaN, b must not be one.
    return arith::AndIOp::create(kb.b, kb.loc, compare(arith::CmpFPredicate::UGT, a, b),
                                 compare(arith::CmpFPredicate::ORD, b, b));
  }
  void insert(Value i, Value k);
  void insertAll(Value k);
  void selectByHeap(Value k);

private:
  Value entryIndex(Value entry) {
    return kb.loadFrom(indices->pointer, kb.b.getI64Type(), place(*indices, entry), 1);
  }
  /// Whether entry a stands behind entry b in the sorted list.
  Value isWorse(Value a, Value b) {
    Value x = entryValue(a), y = entryValue(b), worse = before(y, x);
    // Without indices nobody can tell equal entries apart.
    if (!indices)
      return worse;
    Value tie = arith::XOrIOp::create(kb.b, kb.loc, arith::OrIOp::create(kb.b, kb.loc, worse, before(x, y)),
                                      kb.splatConstant(kb.b.getI1Type(), 1, 1));
    Value later = arith::AndIOp::create(kb.b, kb.loc, tie, kb.less(entryIndex(b), entryIndex(a)));
    return arith::OrIOp::create(kb.b, kb.loc, worse, later);
  }
  void swapEntries(Value a, Value b) {
    auto swapIn = [&](const View &view, Type type) {
      Value placeA = place(view, a), placeB = place(view, b);
      Value first = kb.loadFrom(view.pointer, type, placeA, 1),
            second = kb.loadFrom(view.pointer, type, placeB, 1);
      kb.storeTo(second, view.pointer, type, placeA, 1);
      kb.storeTo(first, view.pointer, type, placeB, 1);
    };
    if (values)
      swapIn(*values, element);
    if (indices)
      swapIn(*indices, kb.b.getI64Type());
  }
};

void TopK::insertAll(Value k) {
  Value size = kb.dims(op.getX())[op.getAxis()];
  kb.loop(kb.constant(0), size, 1, [&](Value i) { insert(i, k); });
}

void TopK::selectByHeap(Value k) {
  Value size = kb.dims(op.getX())[op.getAxis()], zero = kb.constant(0), one = kb.constant(1);
  kb.loop(zero, k, 1, [&](Value i) { storeEntry(i, load(i), i); });
  auto above = [&](Value a, Value b) { return isWorse(a, b); };
  auto swap = [&](Value a, Value b) { swapEntries(a, b); };
  Heap heap{kb, above, swap};
  heap.build(k);
  // A later element loses against an equal one, so it must be strictly before the worst.
  kb.loop(k, size, 1, [&](Value i) {
    Value value = load(i);
    kb.ifThen(before(value, entryValue(zero)), [&] {
      storeEntry(zero, value, i);
      heap.sift(zero, k);
    });
  });
  kb.loop(zero, kb.sub(k, one), 1, [&](Value step) {
    Value last = kb.sub(kb.sub(k, one), step);
    swap(zero, last);
    heap.sift(zero, last);
  });
}

void TopK::insert(Value i, Value k) {
  Value value = load(i), one = kb.constant(1), zero = kb.constant(0);
  Value count = kb.min(i, k);
  Value isFull = kb.less(kb.sub(k, one), count);
  Value enters = kb.ifThenElse(
      isFull, kb.b.getI1Type(), [&] { return before(value, entryValue(kb.sub(k, one))); },
      [&]() -> Value { return kb.splatConstant(kb.b.getI1Type(), 1, 1); });
  kb.ifThen(enters, [&] {
    // The list is sorted: half of what is left is ruled out a step.
    auto search = scf::WhileOp::create(
        kb.b, kb.loc, TypeRange{kb.b.getI64Type(), kb.b.getI64Type()}, ValueRange{zero, count},
        [&](OpBuilder &, Location, ValueRange range) {
          scf::ConditionOp::create(kb.b, kb.loc, kb.less(range[0], range[1]), range);
        },
        [&](OpBuilder &, Location, ValueRange range) {
          Value middle = kb.div(kb.add(range[0], range[1]), kb.constant(2));
          Value beats = before(value, entryValue(middle));
          Value from = arith::SelectOp::create(kb.b, kb.loc, beats, range[0], kb.add(middle, one));
          Value to = arith::SelectOp::create(kb.b, kb.loc, beats, middle, range[1]);
          scf::YieldOp::create(kb.b, kb.loc, ValueRange{from, to});
        });
    Value position = search.getResult(0);
    Value last = kb.min(count, kb.sub(k, one)); // the entry that becomes free
    kb.loop(zero, kb.sub(last, position), 1, [&](Value step) {
      Value to = kb.sub(last, step);
      moveEntry(kb.sub(to, one), to);
    });
    storeEntry(position, value, i);
  });
}

} // namespace

TileSpace getTopKTiles(TopKOp op) {
  DimAttr tiles = dim::constant(op.getContext(), 1);
  for (auto [axis, size] : llvm::enumerate(getDims(op.getX())))
    if (axis != op.getAxis())
      tiles = dim::mul(tiles, size);
  return {tiles, 1};
}

LogicalResult emitTopK(KernelBuilder &kb, TopKOp op) {
  TopK topk{kb, op, op.getX().getType().getElementType(), std::nullopt, std::nullopt, {}};
  auto outputView = [&](Value value) -> std::optional<View> {
    if (auto output = findOutput(kb.kernel, value))
      return kb.rowMajor(kb.outputPointer(*output), cast<RankedTensorType>(value.getType()));
    return std::nullopt;
  };
  topk.values = outputView(op.getValues());
  topk.indices = outputView(op.getIndices());
  for (Value yielded : kb.kernel.getYielded())
    if (yielded.getDefiningOp() != op.getOperation())
      return kb.refuse("a yielded value is not a result of the selection");
  SmallVector<Value> sizes = kb.dims(op.getX()), outerSizes;
  for (auto [axis, size] : llvm::enumerate(sizes))
    if (axis != op.getAxis())
      outerSizes.push_back(size);
  Value k = kb.dim(op.getK());
  std::optional<int64_t> known = dim::asConstant(op.getK());
  bool byHeap = !known || *known > longestSortedList;
  kb.note = byHeap ? "heap" : "insertion";
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    topk.line = kb.delinearize(tile, outerSizes);
    topk.line.insert(topk.line.begin() + op.getAxis(), Value());
    kb.ifThen(kb.less(kb.constant(0), k), [&] { byHeap ? topk.selectByHeap(k) : topk.insertAll(k); });
  });
  return topk.result;
}

} // namespace torsh
