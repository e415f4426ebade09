//===-- ContractionOps.cpp - Linear layers and matrix products ----------------------------------------------===//
#include "frontends/torch/aten/Table.h"

using namespace mlir;

namespace torsh::torch {
namespace {

LogicalResult importLinear(Call &c) {
  return c.give(c.b.linear(c.tensor("input"), c.tensor("weight"), c.optionalTensor("bias")));
}

LogicalResult importMatmul(Call &c) {
  Value a = c.tensor("self"), b = c.tensor(c.schema.parameters[1].name);
  return c.give(c.b.matmul(a, b));
}

/// beta * self + alpha * (a b)
LogicalResult giveAdded(Call &c, StringRef first, StringRef second) {
  Value product = c.b.matmul(c.tensor(first), c.tensor(second));
  if (c.b.hasFailed())
    return failure();
  product = c.b.scale(product, c.number("alpha"));
  double beta = c.number("beta");
  if (beta == 0)
    return c.give(product);
  SmallVector<Value> x = {product, c.b.scale(c.tensor("self"), beta)};
  c.b.broadcastTogether(x);
  return c.give(c.b.create<AddOp>(x[0], x[1]));
}

LogicalResult importAddmm(Call &c) { return giveAdded(c, "mat1", "mat2"); }
LogicalResult importBaddbmm(Call &c) { return giveAdded(c, "batch1", "batch2"); }

LogicalResult importOuter(Call &c) {
  Value a = c.tensor("self"), b = c.tensor("vec2");
  if (rankOf(a) != 1 || rankOf(b) != 1 || elementTypeOf(a) != elementTypeOf(b))
    return c.fail("outer needs two vectors of one element type");
  SmallVector<DimAttr> shape = {getDims(a)[0], getDims(b)[0]};
  return c.give(c.b.create<MulOp>(c.b.broadcastTo(c.b.expandDim(a, 1), shape),
                                  c.b.broadcastTo(c.b.expandDim(b, 0), shape)));
}

} // namespace

void addContractionOps(Table &table) {
  table.add("linear(Tensor input, Tensor weight, Tensor? bias=None)", importLinear);
  table.add("matmul(Tensor self, Tensor other)", importMatmul);
  table.add("mm(Tensor self, Tensor mat2)", importMatmul);
  table.add("bmm(Tensor self, Tensor mat2)", importMatmul);
  table.add("mv(Tensor self, Tensor vec)", importMatmul);
  table.add("dot(Tensor self, Tensor tensor)", importMatmul);
  table.add("addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1)", importAddmm);
  table.add("baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1)",
            importBaddbmm);
  table.add("outer(Tensor self, Tensor vec2)", importOuter);
}

} // namespace torsh::torch
