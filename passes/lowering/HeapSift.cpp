//===-- HeapSift.cpp - Binary heaps in a kernel's buffers -------------------------------------------------------===//
#include "passes/lowering/HeapSift.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace torsh {

void Heap::sift(Value root, Value size) {
  Value one = kb.constant(1);
  auto firstChild = [&](Value node) { return kb.add(kb.mul(node, kb.constant(2)), one); };
  scf::WhileOp::create(
      kb.b, kb.loc, TypeRange{kb.b.getI64Type()}, ValueRange{root},
      [&](OpBuilder &, Location, ValueRange node) {
        scf::ConditionOp::create(kb.b, kb.loc, kb.less(firstChild(node[0]), size), node);
      },
      [&](OpBuilder &, Location, ValueRange node) {
        Value left = firstChild(node[0]), right = kb.add(left, one);
        Value child = kb.ifThenElse(
            kb.less(right, size), kb.b.getI64Type(),
            [&]() -> Value { return arith::SelectOp::create(kb.b, kb.loc, above(right, left), right, left); },
            [&] { return left; });
        // Where the entry may stay the walk ends: no node has a child behind `size`.
        Value next = kb.ifThenElse(
            above(child, node[0]), kb.b.getI64Type(),
            [&] {
              swap(child, node[0]);
              return child;
            },
            [&] { return size; });
        scf::YieldOp::create(kb.b, kb.loc, ValueRange{next});
      });
}

void Heap::build(Value size) {
  Value half = kb.div(size, kb.constant(2)), one = kb.constant(1);
  kb.loop(kb.constant(0), half, 1, [&](Value step) { sift(kb.sub(kb.sub(half, one), step), size); });
}

} // namespace torsh
