//===-- InPlaceOps.cpp - What only exists as a write in place -----------------------------------------------===//
//
// These give the new value; callOperator writes it into the first argument when the name ends in "_".
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/torch/aten/Table.h"

using namespace mlir;

namespace torsh::torch {
namespace {

LogicalResult importCopy(Call &c) { return c.give(c.tensor("src")); }

LogicalResult importFill(Call &c) {
  return c.give(asTensor(c.b, c.value("value"), elementTypeOf(c.tensor("self"))));
}

LogicalResult importZero(Call &c) { return c.give(c.b.scalar(elementTypeOf(c.tensor("self")), 0)); }

} // namespace

void addInPlaceOps(Table &table) {
  table.add("copy(Tensor self, Tensor src, bool non_blocking=False)", importCopy);
  table.add("fill(Tensor self, Operand value)", importFill);
  table.add("zero(Tensor self)", importZero);
}

} // namespace torsh::torch
