//===-- NormalizeContractions.cpp - Contractions as kernels read them ---------------------------------------===//
//
// A matrix kernel runs over one contracting dim that is contiguous in the left operand, and over one free dim of the
// right operand. Other contractions become this one by merging dims; operands that lie otherwise are copied, constants
// are rearranged when the artifact is written.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/ImagePlanes.h"
#include "passes/graph/BufferViews.h"
#include "passes/graph/FoldedMoves.h"
#include "passes/graph/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_NORMALIZECONTRACTIONSPASS
#include "passes/graph/Passes.h.inc"

namespace {

/// Longest contracting dim of a right operand that kernels pack on their stack.
constexpr int64_t stackPackLimit = 4096;

/// The dims of an operand that are neither batch nor contracting dims.
SmallVector<int64_t> freeDims(Value operand, ArrayRef<int64_t> batch, ArrayRef<int64_t> contract) {
  SmallVector<int64_t> result;
  for (int64_t axis = 0; axis < cast<RankedTensorType>(operand.getType()).getRank(); ++axis)
    if (!llvm::is_contained(batch, axis) && !llvm::is_contained(contract, axis))
      result.push_back(axis);
  return result;
}

SmallVector<int64_t> firstAxes(size_t count, int64_t from = 0) {
  SmallVector<int64_t> result;
  for (size_t i = 0; i < count; ++i)
    result.push_back(from + i);
  return result;
}

/// A splat has no buffer; kernels of contractions read buffers.
Value withBuffer(OpBuilder &builder, Value value) {
  if (!isSplatConstant(value))
    return value;
  Value weight = asWeight(builder, value);
  return weight ? weight : materialize(builder, value);
}

struct Contraction {
  DotGeneralOp op;
  OpBuilder builder;
  Location loc;
  Value left, right;
  SmallVector<int64_t> leftBatch, rightBatch, leftContract, rightContract, leftFree, rightFree;
  DimAttr k, columns;

  explicit Contraction(DotGeneralOp op)
      : op(op), builder(op), loc(op.getLoc()), left(op.getLhs()), right(op.getRhs()),
        leftBatch(op.getLhsBatch()), rightBatch(op.getRhsBatch()), leftContract(op.getLhsContract()),
        rightContract(op.getRhsContract()), leftFree(freeDims(left, leftBatch, leftContract)),
        rightFree(freeDims(right, rightBatch, rightContract)) {
    DimAttr one = dim::constant(op.getContext(), 1);
    k = columns = one;
    for (int64_t axis : leftContract)
      k = dim::mul(k, getDims(left)[axis]);
    for (int64_t axis : rightFree)
      columns = dim::mul(columns, getDims(right)[axis]);
  }

  void placeLeft();
  void mergeRight();
  void placeRight();
  void replace();
};

/// Left becomes [.., k], with k contiguous in memory.
void Contraction::placeLeft() {
  int64_t rank = cast<RankedTensorType>(left.getType()).getRank();
  if (leftContract.size() != 1 || leftContract[0] + 1 != rank) {
    SmallVector<int64_t> order(leftBatch);
    order.append(leftFree);
    order.append(leftContract);
    // Batch and free dims that come in order anyway stay where they are.
    SmallVector<int64_t> kept;
    for (int64_t axis = 0; axis < rank; ++axis)
      if (!llvm::is_contained(leftContract, axis))
        kept.push_back(axis);
    kept.append(leftContract);
    bool sorted = llvm::is_sorted(leftFree) && llvm::is_sorted(leftBatch);
    order = sorted ? kept : order;
    left = createTranspose(builder, loc, left, order);
    SmallVector<DimAttr> dims = getDims(left);
    SmallVector<int64_t> position = invertPermutation(order);
    for (int64_t &axis : leftBatch)
      axis = position[axis];
    for (int64_t &axis : leftFree)
      axis = position[axis];
    if (leftContract.size() != 1) {
      dims.truncate(leftBatch.size() + leftFree.size());
      dims.push_back(k);
      left = createReshape(builder, loc, left, dims);
    }
    leftContract.assign({int64_t(leftBatch.size() + leftFree.size())});
  }
  left = makeAddressable(builder, withBuffer(builder, left));
  if (!isContiguousAlong(left, leftContract[0]))
    left = materialize(builder, left);
}

/// Right gets one contracting and one free dim.
void Contraction::mergeRight() {
  if (rightContract.size() == 1 && rightFree.size() == 1)
    return;
  SmallVector<int64_t> order(rightBatch);
  order.append(rightContract);
  order.append(rightFree);
  SmallVector<DimAttr> dims;
  for (int64_t axis : rightBatch)
    dims.push_back(getDims(right)[axis]);
  dims.append({k, columns});
  right = createReshape(builder, loc, createTranspose(builder, loc, right, order), dims);
  size_t batches = rightBatch.size();
  rightBatch = firstAxes(batches);
  rightContract.assign({int64_t(batches)});
  rightFree.assign({int64_t(batches) + 1});
}

/// Right is [.., k, n] for constants; else n or a short k is contiguous in memory.
void Contraction::placeRight() {
  SmallVector<int64_t> order(rightBatch);
  order.append({rightContract[0], rightFree[0]});
  auto rearrange = [&] {
    right = createTranspose(builder, loc, right, order);
    rightBatch = firstAxes(rightBatch.size());
    rightContract.assign({int64_t(rightBatch.size())});
    rightFree.assign({int64_t(rightBatch.size()) + 1});
  };
  right = makeAddressable(builder, withBuffer(builder, right));
  if (getConstantAttr(right))
    return rearrange();
  // The kernel decides by the type below the transposes along which dim it reads.
  int64_t column = rightFree[0];
  Value base = right;
  while (auto transpose = base.getDefiningOp<TransposeOp>()) {
    column = transpose.getPermutation()[column];
    base = transpose.getX();
  }
  bool packs = column + 1 != cast<RankedTensorType>(base.getType()).getRank();
  if (!packs && isContiguousAlong(right, rightFree[0]))
    return;
  if (packs && isContiguousAlong(right, rightContract[0]) &&
      dim::asConstant(k).value_or(stackPackLimit + 1) <= stackPackLimit)
    return;
  rearrange();
  right = materialize(builder, right);
}

void Contraction::replace() {
  bool same = left == op.getLhs() && right == op.getRhs();
  if (same)
    return;
  SmallVector<DimAttr> dims, x = getDims(left);
  for (int64_t axis : leftBatch)
    dims.push_back(x[axis]);
  for (int64_t axis : leftFree)
    dims.push_back(x[axis]);
  dims.push_back(columns);
  auto type = cast<RankedTensorType>(op.getY().getType());
  // The result keeps its type where nothing was merged on the right: symbols of both operands may name one dim.
  RankedTensorType merged =
      getDims(type).size() == dims.size() ? type : makeTensorType(dims, type.getElementType());
  Value y = DotGeneralOp::create(builder, loc, merged, left, right, leftBatch, rightBatch, leftContract,
                                 rightContract);
  if (merged != type)
    y = ReshapeOp::create(builder, loc, type, y);
  op.getY().replaceAllUsesWith(y);
  op.erase();
}

/// A convolution reads its input with contiguous channels, or a few channels as planes.
void placeInput(OpOperand &input) {
  OpBuilder builder(input.getOwner());
  Value x = makeAddressable(builder, withBuffer(builder, input.get()));
  auto conv = dyn_cast<ConvOp>(input.getOwner());
  if (!(conv && mayReadPlanes(conv)) &&
      !isContiguousAlong(x, cast<RankedTensorType>(x.getType()).getRank() - 1))
    x = materialize(builder, x);
  input.set(x);
}

struct NormalizeContractions : impl::NormalizeContractionsPassBase<NormalizeContractions> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<DotGeneralOp, ConvOp, ConvWeightGradOp, WinogradInputOp>(op) && !op->getParentOfType<GroupOp>())
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      if (auto conv = dyn_cast<ConvOp>(op)) {
        if (conv.getLayout() == Layout::channels_last)
          placeInput(conv.getXMutable());
        continue;
      }
      if (auto gradient = dyn_cast<ConvWeightGradOp>(op)) {
        if (gradient.getLayout() == Layout::channels_last) {
          placeInput(gradient.getXMutable());
          placeInput(gradient.getDyMutable());
        }
        continue;
      }
      if (auto patches = dyn_cast<WinogradInputOp>(op)) {
        placeInput(patches.getXMutable());
        continue;
      }
      Contraction contraction(cast<DotGeneralOp>(op));
      contraction.placeLeft();
      contraction.mergeRight();
      contraction.placeRight();
      contraction.replace();
    }
  }
};

} // namespace
} // namespace torsh
