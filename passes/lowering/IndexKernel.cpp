//===-- IndexKernel.cpp - Which code builds an index kernel -------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/lowering/IndexKernels.h"
#include "passes/lowering/RegionPoolKernel.h"
#include "passes/lowering/TileSpaces.h"

using namespace mlir;

namespace torsh {

/// The op that the kernel is about: the first one that an index kernel can be about.
static Operation *findRoot(KernelOp kernel) {
  Operation *found = nullptr;
  kernel.getBody().walk([&](Operation *op) {
    if (!found && isa<ArgReduceOp, TopKOp, GatherElementsOp, GatherNdOp, ScatterElementsOp, ScatterNdOp,
                      GroupNormOp, BatchNormOp, ConvTransposeOp, RandomUniformOp, RandomNormalOp, NonZeroOp,
                      NonMaxSuppressionOp, SuppressBoxesOp, RoiAlignOp, RoiMaxPoolOp>(op))
      found = op;
  });
  return found;
}

TileSpace getIndexTiles(KernelOp kernel) {
  TileSpace one{dim::constant(kernel.getContext(), 1), 1};
  Operation *root = findRoot(kernel);
  if (!root)
    return one;
  return llvm::TypeSwitch<Operation *, TileSpace>(root)
      .Case([](ArgReduceOp op) { return getArgReduceTiles(op); })
      .Case([](TopKOp op) { return getTopKTiles(op); })
      .Case<GatherElementsOp, GatherNdOp, BatchNormOp, RoiAlignOp, RoiMaxPoolOp>(
          [](auto op) { return getRowTiles(op.getY()); })
      .Case([](ScatterElementsOp op) { return getScatterElementsTiles(op); })
      .Case([](GroupNormOp op) { return getGroupNormTiles(op); })
      .Case([](SuppressBoxesOp op) { return getSuppressBoxesTiles(op); })
      .Default([&](Operation *) { return one; });
}

LogicalResult emitIndexKernel(KernelBuilder &kb) {
  Operation *root = findRoot(kb.kernel);
  if (!root)
    return kb.refuse("the body has no op of this kind");
  return llvm::TypeSwitch<Operation *, LogicalResult>(root)
      .Case([&](ArgReduceOp op) { return emitArgReduce(kb, op); })
      .Case([&](TopKOp op) { return emitTopK(kb, op); })
      .Case([&](GatherElementsOp op) { return emitGatherElements(kb, op); })
      .Case([&](GatherNdOp op) { return emitGatherNd(kb, op); })
      .Case([&](ScatterElementsOp op) { return emitScatterElements(kb, op); })
      .Case([&](ScatterNdOp op) { return emitScatterNd(kb, op); })
      .Case([&](GroupNormOp op) { return emitGroupNorm(kb, op); })
      .Case([&](BatchNormOp op) { return emitBatchNorm(kb, op); })
      .Case([&](RoiAlignOp op) { return emitRoiAlign(kb, op); })
      .Case([&](RoiMaxPoolOp op) { return emitRoiMaxPool(kb, op); })
      .Case([&](SuppressBoxesOp op) { return emitSuppressBoxes(kb, op); })
      .Default([&](Operation *op) {
        return kb.refuse("'" + op->getName().getStringRef() + "' has no code for CPUs yet");
      });
}

//===-- What the topics share ------------------------------------------------------------------------------------===//

TileSpace getRowTiles(Value y) {
  SmallVector<DimAttr> dims = getDims(y);
  MLIRContext *context = y.getContext();
  if (dims.empty())
    return {dim::constant(context, 1), 1};
  int64_t row = dim::asConstant(dims.back()).value_or(64);
  return {dim::product(context, ArrayRef(dims).drop_back()),
          std::max<int64_t>(1, 1024 / std::max<int64_t>(row, 1))};
}

RowOfTile::RowOfTile(KernelBuilder &kb, Value y, Value tile) {
  SmallVector<Value> sizes = kb.dims(y);
  isScalar = sizes.empty();
  length = isScalar ? kb.constant(1) : sizes.back();
  if (sizes.size() > 1)
    outer = kb.delinearize(tile, ArrayRef(sizes).drop_back());
}

SmallVector<Value> RowOfTile::at(Value column) const {
  SmallVector<Value> indices(outer);
  if (!isScalar)
    indices.push_back(column);
  return indices;
}

Value clampIndex(KernelBuilder &kb, Value index, Value size) {
  if (!index.getType().isInteger(64))
    index = arith::ExtSIOp::create(kb.b, kb.loc, kb.b.getI64Type(), index);
  Value wrapped =
      arith::SelectOp::create(kb.b, kb.loc, kb.less(index, kb.constant(0)), kb.add(index, size), index);
  return kb.max(kb.constant(0), kb.min(wrapped, kb.sub(size, kb.constant(1))));
}

std::optional<unsigned> findOutput(KernelOp kernel, Value value) {
  for (auto [index, yielded] : llvm::enumerate(kernel.getYielded()))
    if (yielded == value)
      return index;
  return std::nullopt;
}

} // namespace torsh
