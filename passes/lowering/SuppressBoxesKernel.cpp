//===-- SuppressBoxesKernel.cpp - Greedy selection of boxes -----------------------------------------------------===//
//
// A tile is a class of an image. Its line of the result first holds the candidates, as a heap with the best one on top.
// Each candidate that is taken off frees the entry behind the heap, and the selected boxes fill these entries from the
// end: so nothing but the result needs memory. At last they move to the front.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/lowering/HeapSift.h"
#include "passes/lowering/IndexKernels.h"

using namespace mlir;

namespace torsh {
namespace {

struct Suppression {
  KernelBuilder &kb;
  SuppressBoxesOp op;
  View y;
  Type element; ///< of boxes and scores
  Value image, group;
  LogicalResult result = success();

  template <typename OpTy, typename... Args> Value create(Args &&...args) {
    return OpTy::create(kb.b, kb.loc, std::forward<Args>(args)...);
  }
  Value load(Value tensor, ArrayRef<Value> at) {
    if (Value value = kb.emit(tensor, at, 1))
      return value;
    result = kb.refuse("an operand has no code");
    return kb.splatConstant(cast<RankedTensorType>(tensor.getType()).getElementType(), 0, 1);
  }
  Value compare(arith::CmpFPredicate predicate, Value a, Value b) {
    return create<arith::CmpFOp>(predicate, a, b);
  }
  Value number(double value) { return kb.splatConstant(element, value, 1); }

  Value place(Value entry) { return kb.linear(y, {image, group, entry}); }
  Value entry(Value at) { return kb.loadFrom(y.pointer, kb.b.getI64Type(), place(at), 1); }
  void setEntry(Value at, Value value) { kb.storeTo(value, y.pointer, kb.b.getI64Type(), place(at), 1); }
  void swapEntries(Value a, Value b) {
    Value first = entry(a), second = entry(b);
    setEntry(a, second);
    setEntry(b, first);
  }

  Value score(Value box) { return load(op.getScores(), {image, group, box}); }
  /// Higher scores first, NaN last, then the lower number.
  Value isBetter(Value a, Value b) {
    Value x = score(a), z = score(b);
    Value greater = compare(arith::CmpFPredicate::OGT, x, z);
    Value nanX = compare(arith::CmpFPredicate::UNO, x, x), nanZ = compare(arith::CmpFPredicate::UNO, z, z);
    Value differ = create<arith::XOrIOp>(nanX, nanZ);
    Value equal =
        create<arith::OrIOp>(compare(arith::CmpFPredicate::OEQ, x, z), create<arith::AndIOp>(nanX, nanZ));
    Value first = create<arith::AndIOp>(equal, kb.less(a, b));
    return create<arith::SelectOp>(differ, nanZ, create<arith::OrIOp>(greater, first));
  }

  struct Box {
    Value y1, x1, y2, x2, area;
  };
  Box box(Value index) {
    SmallVector<Value, 4> c;
    for (int64_t i = 0; i < 4; ++i)
      c.push_back(load(op.getBoxes(), {image, index, kb.constant(i)}));
    Box b;
    if (op.getCenter()) {
      Value half = number(0.5);
      Value width = create<arith::MulFOp>(c[2], half), height = create<arith::MulFOp>(c[3], half);
      b = {create<arith::SubFOp>(c[1], height), create<arith::SubFOp>(c[0], width),
           create<arith::AddFOp>(c[1], height), create<arith::AddFOp>(c[0], width), Value()};
    } else {
      // Any two opposite corners may be given.
      b = {create<arith::MinimumFOp>(c[0], c[2]), create<arith::MinimumFOp>(c[1], c[3]),
           create<arith::MaximumFOp>(c[0], c[2]), create<arith::MaximumFOp>(c[1], c[3]), Value()};
    }
    b.area = create<arith::MulFOp>(create<arith::SubFOp>(b.y2, b.y1), create<arith::SubFOp>(b.x2, b.x1));
    return b;
  }
  /// The common part of both is more than `threshold` of their union. A box without area overlaps nothing.
  Value overlaps(const Box &a, const Box &b, Value threshold) {
    Value zero = number(0);
    Value height =
        create<arith::SubFOp>(create<arith::MinimumFOp>(a.y2, b.y2), create<arith::MaximumFOp>(a.y1, b.y1));
    Value width =
        create<arith::SubFOp>(create<arith::MinimumFOp>(a.x2, b.x2), create<arith::MaximumFOp>(a.x1, b.x1));
    Value any = kb.splatConstant(kb.b.getI1Type(), 1, 1);
    for (Value extent : {height, width, a.area, b.area})
      any = create<arith::AndIOp>(any, compare(arith::CmpFPredicate::OGT, extent, zero));
    Value both = create<arith::MulFOp>(height, width);
    Value either = create<arith::SubFOp>(create<arith::AddFOp>(a.area, b.area), both);
    Value share = create<arith::DivFOp>(both, either);
    return create<arith::AndIOp>(any, compare(arith::CmpFPredicate::OGT, share, threshold));
  }

  /// Writes the numbers of the candidates to the front and gives their count.
  Value collect(Value size) {
    Value threshold = op.getScoreThreshold() ? load(op.getScoreThreshold(), {}) : Value();
    SmallVector<Value> start{kb.constant(0)};
    return kb.loop(kb.constant(0), size, 1, start, [&](Value index, ValueRange count) {
      Value on = threshold ? compare(arith::CmpFPredicate::OGT, score(index), threshold)
                           : kb.splatConstant(kb.b.getI1Type(), 1, 1);
      // The entry is free, whether it counts or not.
      setEntry(count[0], index);
      return SmallVector<Value>{kb.add(count[0], create<arith::ExtUIOp>(kb.b.getI64Type(), on))};
    })[0];
  }
  /// Whether a candidate overlaps one of the `count` boxes that end at `end`.
  Value isSuppressed(Value candidate, Value count, Value end, Value threshold) {
    Box own = box(candidate);
    Value no = kb.splatConstant(kb.b.getI1Type(), 0, 1);
    auto search = scf::WhileOp::create(
        kb.b, kb.loc, TypeRange{kb.b.getI64Type(), kb.b.getI1Type()}, ValueRange{kb.constant(0), no},
        [&](OpBuilder &, Location, ValueRange at) {
          Value open = create<arith::XOrIOp>(at[1], kb.splatConstant(kb.b.getI1Type(), 1, 1));
          scf::ConditionOp::create(kb.b, kb.loc, create<arith::AndIOp>(kb.less(at[0], count), open), at);
        },
        [&](OpBuilder &, Location, ValueRange at) {
          Value other = entry(kb.sub(kb.sub(end, kb.constant(1)), at[0]));
          Value hit = overlaps(own, box(other), threshold);
          scf::YieldOp::create(kb.b, kb.loc, ValueRange{kb.add(at[0], kb.constant(1)), hit});
        });
    return search.getResult(1);
  }
  void run(Value size);
};

void Suppression::run(Value size) {
  Value zero = kb.constant(0), one = kb.constant(1);
  Value candidates = collect(size), most = load(op.getMost(), {});
  Value threshold = load(op.getIouThreshold(), {});
  Type computed = kb.computeType(element);
  if (threshold.getType() != computed)
    threshold = threshold.getType().getIntOrFloatBitWidth() < computed.getIntOrFloatBitWidth()
                    ? create<arith::ExtFOp>(computed, threshold)
                    : create<arith::TruncFOp>(computed, threshold);
  auto above = [&](Value a, Value b) { return isBetter(entry(a), entry(b)); };
  auto swap = [&](Value a, Value b) { swapEntries(a, b); };
  Heap heap{kb, above, swap};
  heap.build(candidates);
  auto selection = scf::WhileOp::create(
      kb.b, kb.loc, TypeRange{kb.b.getI64Type(), kb.b.getI64Type()}, ValueRange{candidates, zero},
      [&](OpBuilder &, Location, ValueRange state) {
        Value open = create<arith::AndIOp>(kb.less(zero, state[0]), kb.less(state[1], most));
        scf::ConditionOp::create(kb.b, kb.loc, open, state);
      },
      [&](OpBuilder &, Location, ValueRange state) {
        Value best = entry(zero), left = kb.sub(state[0], one);
        setEntry(zero, entry(left));
        heap.sift(zero, left);
        Value suppressed = isSuppressed(best, state[1], candidates, threshold);
        Value count = kb.ifThenElse(
            suppressed, kb.b.getI64Type(), [&]() -> Value { return state[1]; },
            [&] {
              setEntry(kb.sub(kb.sub(candidates, one), state[1]), best);
              return kb.add(state[1], one);
            });
        scf::YieldOp::create(kb.b, kb.loc, ValueRange{left, count});
      });
  Value count = selection.getResult(1), from = kb.sub(candidates, count);
  kb.loop(zero, kb.div(count, kb.constant(2)), 1,
          [&](Value i) { swapEntries(kb.add(from, i), kb.sub(kb.sub(candidates, one), i)); });
  kb.loop(zero, count, 1, [&](Value i) { setEntry(i, entry(kb.add(from, i))); });
  kb.loop(count, size, 1, [&](Value i) { setEntry(i, kb.constant(-1)); });
}

} // namespace

TileSpace getSuppressBoxesTiles(SuppressBoxesOp op) {
  SmallVector<DimAttr> dims = getDims(op.getY());
  return {dim::mul(dims[0], dims[1]), 1};
}

LogicalResult emitSuppressBoxes(KernelBuilder &kb, SuppressBoxesOp op) {
  std::optional<unsigned> output = findOutput(kb.kernel, op.getY());
  if (!output || kb.kernel.getYielded().size() != 1)
    return kb.refuse("the body does not end in the selection");
  auto type = cast<RankedTensorType>(op.getY().getType());
  Type element = cast<RankedTensorType>(op.getScores().getType()).getElementType();
  SmallVector<Value> sizes = kb.dims(op.getY());
  Suppression suppression{kb, op, kb.rowMajor(kb.outputPointer(*output), type), element, Value(), Value()};
  kb.note = "heap of candidates";
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    SmallVector<Value> at = kb.delinearize(tile, ArrayRef(sizes).take_front(2));
    suppression.image = at[0];
    suppression.group = at[1];
    suppression.run(sizes[2]);
  });
  return suppression.result;
}

} // namespace torsh
