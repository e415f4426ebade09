//===-- ComparisonOps.cpp - Comparisons, logic and selection ------------------------------------------------===//
#include "frontends/torch/aten/Table.h"
#include <cmath>

using namespace mlir;

namespace torsh::torch {
namespace {

template <ComparePredicate predicate> LogicalResult importCompare(Call &c) {
  SmallVector<Value> x = promoted(c.b, {c.value("self"), c.value("other")});
  return c.give(c.b.compare(x[0], x[1], predicate));
}

Value asBool(Call &c, StringRef name) { return c.b.cast(c.operand(name), c.b.builder.getI1Type()); }

template <typename Op> LogicalResult importLogical(Call &c) {
  SmallVector<Value> x = {asBool(c, "self"), asBool(c, "other")};
  c.b.broadcastTogether(x);
  return c.give(c.b.create<Op>(x[0], x[1]));
}

LogicalResult importLogicalNot(Call &c) { return c.give(c.b.create<NotOp>(asBool(c, "self"))); }

template <typename Op> LogicalResult importBitwise(Call &c) {
  SmallVector<Value> x = promoted(c.b, {c.value("self"), c.value("other")});
  if (isa<FloatType>(elementTypeOf(x[0])))
    return c.fail("bitwise operators need integers or booleans");
  return c.give(c.b.create<Op>(x[0], x[1]));
}

LogicalResult importBitwiseNot(Call &c) {
  Value x = c.tensor("self");
  if (isa<FloatType>(elementTypeOf(x)))
    return c.fail("bitwise operators need integers or booleans");
  return c.give(c.b.create<NotOp>(x));
}

LogicalResult importWhere(Call &c) {
  SmallVector<Value> x = promoted(c.b, {c.value("self"), c.value("other")});
  SmallVector<Value> all = {c.b.cast(c.tensor("condition"), c.b.builder.getI1Type()), x[0], x[1]};
  c.b.broadcastTogether(all);
  return c.give(c.b.create<SelectOp>(all[0], all[1], all[2]));
}

LogicalResult importMaskedFill(Call &c) {
  Value self = c.tensor("self"), mask = c.tensor("mask");
  if (!elementTypeOf(mask).isInteger(1))
    return c.fail("the mask of masked_fill must be boolean");
  SmallVector<Value> all = {mask, self, asTensor(c.b, c.value("value"), elementTypeOf(self))};
  c.b.broadcastTogether(all);
  return c.give(c.b.create<SelectOp>(all[0], all[2], all[1]));
}

LogicalResult importIsNan(Call &c) {
  Value x = c.tensor("self");
  if (!isa<FloatType>(elementTypeOf(x)))
    return c.give(c.b.splat(getDims(x), c.b.builder.getI1Type(), 0));
  return c.give(c.b.create<IsNanOp>(x));
}

LogicalResult importIsInf(Call &c) {
  Value x = c.tensor("self");
  if (!isa<FloatType>(elementTypeOf(x)))
    return c.give(c.b.splat(getDims(x), c.b.builder.getI1Type(), 0));
  return c.give(c.b.compareNumber(c.b.create<AbsOp>(x), ComparePredicate::eq, HUGE_VAL));
}

LogicalResult importIsFinite(Call &c) {
  Value x = c.tensor("self");
  if (!isa<FloatType>(elementTypeOf(x)))
    return c.give(c.b.splat(getDims(x), c.b.builder.getI1Type(), 1));
  return c.give(c.b.compareNumber(c.b.create<AbsOp>(x), ComparePredicate::lt, HUGE_VAL));
}

} // namespace

void addComparisonOps(Table &table) {
  table.add("eq(Operand self, Operand other)", importCompare<ComparePredicate::eq>);
  table.add("ne(Operand self, Operand other)", importCompare<ComparePredicate::ne>);
  table.add("lt(Operand self, Operand other)", importCompare<ComparePredicate::lt>);
  table.add("le(Operand self, Operand other)", importCompare<ComparePredicate::le>);
  table.add("gt(Operand self, Operand other)", importCompare<ComparePredicate::gt>);
  table.add("ge(Operand self, Operand other)", importCompare<ComparePredicate::ge>);
  table.add("logical_and(Tensor self, Tensor other)", importLogical<AndOp>);
  table.add("logical_or(Tensor self, Tensor other)", importLogical<OrOp>);
  table.add("logical_xor(Tensor self, Tensor other)", importLogical<XorOp>);
  table.add("logical_not(Tensor self)", importLogicalNot);
  for (StringRef name : {"bitwise_and", "__and__"})
    table.add((name + "(Operand self, Operand other)").str(), importBitwise<AndOp>);
  for (StringRef name : {"bitwise_or", "__or__"})
    table.add((name + "(Operand self, Operand other)").str(), importBitwise<OrOp>);
  for (StringRef name : {"bitwise_xor", "__xor__"})
    table.add((name + "(Operand self, Operand other)").str(), importBitwise<XorOp>);
  table.add("bitwise_not(Tensor self)", importBitwiseNot);
  table.add("__not__(Operand self)", importLogicalNot);
  table.add("where(Tensor condition, Operand self, Operand other)", importWhere);
  table.add("masked_fill(Tensor self, Tensor mask, Operand value)", importMaskedFill);
  table.add("isnan(Tensor self)", importIsNan);
  table.add("isinf(Tensor self)", importIsInf);
  table.add("isfinite(Tensor self)", importIsFinite);
}

} // namespace torsh::torch
