//===-- GatherKernel.cpp - Elements and slices at computed places -------------------------------------------===//
//
// A tile is a row of the result. A gather of slices along an axis (torsh.gather) is no kernel of its own: elementwise
// kernels pull through it.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "passes/lowering/IndexKernels.h"

using namespace mlir;

namespace torsh {

/// Stores what `element` gives at each place of a row.
static LogicalResult storeRow(KernelBuilder &kb, Value y, const RowOfTile &row, bool vectors,
                              llvm::function_ref<Value(ArrayRef<Value>, unsigned)> element) {
  LogicalResult result = success();
  auto store = [&](Value column, unsigned lanes) {
    SmallVector<Value> at = row.at(column);
    Value value = element(at, lanes);
    if (!value) {
      result = kb.refuse("an operand has no code");
      return;
    }
    kb.setOverride(y, value);
    if (failed(kb.storeYielded(at, lanes)))
      result = failure();
    kb.clearOverrides();
  };
  if (vectors)
    kb.vectorLoop(kb.constant(0), row.length, store);
  else
    kb.loop(kb.constant(0), row.length, 1, [&](Value column) { store(column, 1); });
  return result;
}

LogicalResult emitGatherElements(KernelBuilder &kb, GatherElementsOp op) {
  LogicalResult result = success();
  size_t axis = op.getAxis();
  Value size = kb.dim(getDims(op.getX())[axis]);
  kb.note = "element by element";
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    RowOfTile row(kb, op.getY(), tile);
    result = storeRow(kb, op.getY(), row, false, [&](ArrayRef<Value> at, unsigned) -> Value {
      Value index = kb.emit(op.getIndices(), at, 1);
      if (!index)
        return index;
      SmallVector<Value> source(at);
      source[axis] = clampIndex(kb, index, size);
      return kb.emit(op.getX(), source, 1);
    });
  });
  return result;
}

LogicalResult emitGatherNd(KernelBuilder &kb, GatherNdOp op) {
  LogicalResult result = success();
  ArrayRef<int64_t> indexShape = op.getIndices().getType().getShape();
  if (ShapedType::isDynamic(indexShape.back()))
    return kb.refuse("the length of the index tuples is not known");
  size_t depth = indexShape.back(), batch = op.getBatchDims(), tupleRank = indexShape.size() - 1;
  SmallVector<Value> sizes = kb.dims(op.getX());
  // The last dim belongs to the slices: then a row has one tuple, and it is copied in vectors.
  bool slices = sizes.size() > batch + depth;
  auto tupleAt = [&](ArrayRef<Value> at) -> std::optional<SmallVector<Value>> {
    SmallVector<Value> source(at.take_front(batch));
    for (size_t i = 0; i < depth; ++i) {
      SmallVector<Value> place(at.take_front(tupleRank));
      place.push_back(kb.constant(i));
      Value index = kb.emit(op.getIndices(), place, 1);
      if (!index)
        return std::nullopt;
      source.push_back(clampIndex(kb, index, sizes[batch + i]));
    }
    return source;
  };
  kb.note = slices ? llvm::formatv("{0} lanes", kb.target.lanes).str() : "element by element";
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    RowOfTile row(kb, op.getY(), tile);
    std::optional<SmallVector<Value>> tuple;
    if (slices && !(tuple = tupleAt(row.outer))) {
      result = kb.refuse("the indices have no code");
      return;
    }
    result = storeRow(kb, op.getY(), row, slices, [&](ArrayRef<Value> at, unsigned lanes) -> Value {
      std::optional<SmallVector<Value>> source = slices ? tuple : tupleAt(at);
      if (!source)
        return Value();
      llvm::append_range(*source, at.drop_front(tupleRank));
      return kb.emit(op.getX(), *source, lanes);
    });
  });
  return result;
}

} // namespace torsh
