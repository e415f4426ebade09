//===-- Contraction.cpp - Gradients of dot_general ----------------------------------------------------------===//
#include "dialects/torsh/gradients/Rules.h"

using namespace mlir;

namespace torsh::gradients {
namespace {

/// One operand of a dot_general as the gradient of the other one sees it.
struct Side {
  Value value;
  ArrayRef<int64_t> batch, contract;
  SmallVector<int64_t> free; ///< the dims that are neither
  int64_t firstFree = 0;     ///< where the free dims stand in the result

  Side(Value value, ArrayRef<int64_t> batch, ArrayRef<int64_t> contract)
      : value(value), batch(batch), contract(contract) {
    SmallVector<int64_t> used(batch);
    llvm::append_range(used, contract);
    free = axesBut(typeOf(value).getRank(), used);
  }
};

/// The cotangent of `mine`: g summed with `other` over other's free dims, brought into the order of mine's dims.
Value contractWith(RuleBuilder &b, Value g, const Side &mine, const Side &other) {
  SmallVector<int64_t> gBatch = axisRange(0, mine.batch.size());
  SmallVector<int64_t> gContract = axisRange(other.firstFree, other.firstFree + other.free.size());
  Value product = b.make<DotGeneralOp>(g, other.value, gBatch, other.batch, gContract, other.free);
  // Its dims: batch, mine's free dims, then the paired dims in the order in which they stand in `other`.
  SmallVector<int64_t> pairs = axisRange(0, other.contract.size());
  llvm::sort(pairs, [&](int64_t p, int64_t q) { return other.contract[p] < other.contract[q]; });
  SmallVector<int64_t> permutation(typeOf(mine.value).getRank());
  int64_t position = 0;
  for (int64_t dim : mine.batch)
    permutation[dim] = position++;
  for (int64_t dim : mine.free)
    permutation[dim] = position++;
  for (int64_t pair : pairs)
    permutation[mine.contract[pair]] = position++;
  return b.transpose(product, permutation);
}

LogicalResult dotRule(DotGeneralOp op, RuleBuilder &b, VJPContext &context) {
  Side lhs(op.getLhs(), op.getLhsBatch(), op.getLhsContract());
  Side rhs(op.getRhs(), op.getRhsBatch(), op.getRhsContract());
  lhs.firstFree = lhs.batch.size();
  rhs.firstFree = lhs.firstFree + lhs.free.size();
  // Sums may be kept in a wider type than the factors.
  Value g = b.castTo(context.cotangent(0), typeOf(lhs.value).getElementType());
  if (context.needs(0))
    context.accumulate(0, contractWith(b, g, lhs, rhs));
  if (context.needs(1))
    context.accumulate(1, contractWith(b, g, rhs, lhs));
  return success();
}

} // namespace

void attachContraction(MLIRContext *context) { attach<DotGeneralOp, dotRule>(context); }

} // namespace torsh::gradients
