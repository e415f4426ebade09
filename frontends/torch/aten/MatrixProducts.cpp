//===-- MatrixProducts.cpp - Matrix products with NumPy's rules ---------------------------------------------===//
#include "frontends/torch/aten/TensorBuilder.h"

using namespace mlir;

namespace torsh::torch {

static SmallVector<int64_t> range(int64_t first, int64_t last) {
  SmallVector<int64_t> values;
  for (int64_t i = first; i < last; ++i)
    values.push_back(i);
  return values;
}

Value TensorBuilder::matmul(Value a, Value b) {
  int64_t rankA = rankOf(a), rankB = rankOf(b);
  if (rankA == 0 || rankB == 0 || elementTypeOf(a) != elementTypeOf(b)) {
    (void)fail("a matrix product needs operands of rank 1 or more and of one element type, not " +
               typeText(a.getType()) + " and " + typeText(b.getType()));
    return a;
  }
  int64_t contractB = rankB == 1 ? 0 : rankB - 2;
  DimAttr inner = getDims(a).back(), other = getDims(b)[contractB];
  if (!unify(inner, other, "the inner dims of a matrix product")) {
    (void)fail("the inner dims " + dim::toString(inner) + " and " + dim::toString(other) + " differ");
    return a;
  }
  SmallVector<int64_t> batch;
  if (rankA >= 2 && rankB > 2) {
    int64_t rank = std::max(rankA, rankB);
    a = toRank(a, rank);
    b = toRank(b, rank);
    for (int64_t i = 0; i + 2 < rank; ++i) {
      DimAttr left = getDims(a)[i], right = getDims(b)[i];
      if (left == right)
        continue;
      bool unit = dim::isConstant(left, 1);
      if (!unit && !dim::isConstant(right, 1)) {
        if (unify(left, right, "the batch dims of a matrix product"))
          continue;
        (void)fail("the batch dims " + dim::toString(left) + " and " + dim::toString(right) + " differ");
        return a;
      }
      SmallVector<DimAttr> target = getDims(unit ? a : b);
      target[i] = unit ? right : left;
      (unit ? a : b) = broadcastTo(unit ? a : b, target);
    }
    batch = range(0, rank - 2);
    rankA = rank;
    contractB = rank - 2;
  } else if (rankA == 1 && rankB > 2) {
    contractB = rankB - 2;
  }
  SmallVector<int64_t> left = {rankA - 1}, right = {contractB};
  return create<DotGeneralOp>(a, b, batch, batch, left, right);
}

Value TensorBuilder::linear(Value x, Value weight, Value bias) {
  int64_t rank = rankOf(x);
  if (rank == 0 || rankOf(weight) != 2 || elementTypeOf(x) != elementTypeOf(weight)) {
    (void)fail("linear of " + typeText(x.getType()) + " with a weight " + typeText(weight.getType()));
    return x;
  }
  DimAttr inner = getDims(x).back(), other = getDims(weight)[1];
  if (!unify(inner, other, "the features of a linear layer")) {
    (void)fail("the input has " + dim::toString(inner) + " features and the weight " + dim::toString(other));
    return x;
  }
  SmallVector<int64_t> none, left = {rank - 1}, right = {1};
  Value y = create<DotGeneralOp>(x, weight, none, none, left, right);
  return bias ? create<AddOp>(y, broadcastTo(bias, getDims(y))) : y;
}

} // namespace torsh::torch
