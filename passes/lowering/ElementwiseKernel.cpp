//===-- ElementwiseKernel.cpp - Elementwise chains and copies -----------------------------------------------===//
//
// A tile is a chunk of a rank-1 result, or one row (all dims but the last) of a higher one. Rows run in vectors along
// the last dim. A concatenation is a copy of each operand's rows to its place.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "passes/lowering/KernelBuilder.h"
#include "passes/lowering/TileSpaces.h"

using namespace mlir;

namespace torsh {

/// Elements in a tile of a rank-1 result.
static constexpr int64_t chunk = 4096;

TileSpace getElementwiseTiles(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  SmallVector<DimAttr> dims = getDims(kernel.getYielded()[0]);
  if (dims.empty())
    return {dim::constant(context, 1), 1};
  if (dims.size() == 1)
    return {dim::ceilDiv(dims[0], dim::constant(context, chunk)), 1};
  int64_t row = dim::asConstant(dims.back()).value_or(64);
  return {dim::product(context, ArrayRef(dims).drop_back()),
          std::max<int64_t>(1, chunk / std::max<int64_t>(row, 1))};
}

LogicalResult emitElementwiseKernel(KernelBuilder &kb) {
  Value first = kb.kernel.getYielded()[0];
  SmallVector<Value> sizes = kb.dims(first);
  LogicalResult result = success();
  if (sizes.empty()) {
    kb.loop(kb.begin, kb.end, 1, [&](Value) { result = kb.storeYielded({}, 1); });
    return result;
  }
  kb.note = llvm::formatv("{0} lanes", kb.target.lanes);
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    SmallVector<Value> indices;
    Value from = kb.constant(0), to = sizes.back();
    if (sizes.size() == 1) {
      from = kb.mul(tile, kb.constant(chunk));
      to = kb.min(kb.add(from, kb.constant(chunk)), sizes[0]);
    } else {
      indices = kb.delinearize(tile, ArrayRef(sizes).drop_back());
    }
    kb.vectorLoop(from, to, [&](Value index, unsigned lanes) {
      SmallVector<Value> at(indices);
      at.push_back(index);
      if (failed(kb.storeYielded(at, lanes)))
        result = failure();
    });
  });
  return result;
}

TileSpace getConcatTiles(KernelOp kernel) {
  auto concat = kernel.getYielded()[0].getDefiningOp<ConcatOp>();
  SmallVector<DimAttr> dims = getDims(concat.getY());
  int64_t row = 1;
  for (DimAttr dim : ArrayRef(dims).drop_front(concat.getAxis()))
    row *= dim::asConstant(dim).value_or(8);
  return {dim::product(kernel.getContext(), ArrayRef(dims).take_front(concat.getAxis())),
          std::max<int64_t>(1, chunk / std::max<int64_t>(row, 1))};
}

LogicalResult emitConcatKernel(KernelBuilder &kb) {
  auto concat = kb.kernel.getYielded()[0].getDefiningOp<ConcatOp>();
  if (!concat || kb.kernel.getYielded().size() != 1)
    return kb.refuse("the body does not end in one concat");
  Type element = cast<RankedTensorType>(concat.getY().getType()).getElementType();
  size_t axis = concat.getAxis();
  // Behind the axis everything is contiguous: a row of operand i is size_i * inner elements.
  auto rowLength = [&](Value value) {
    Value length = kb.constant(1);
    SmallVector<Value> sizes = kb.dims(value);
    for (Value size : ArrayRef(sizes).drop_front(axis))
      length = kb.mul(length, size);
    return length;
  };
  Value outRow = rowLength(concat.getY());
  LogicalResult result = success();
  kb.note = llvm::formatv("{0} lanes, row copies", kb.target.lanes);
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    Value out = kb.mul(tile, outRow);
    for (Value operand : concat.getXs()) {
      auto argument = dyn_cast<BlockArgument>(operand);
      if (!argument) {
        result = kb.refuse("an operand of the concat is not an input");
        return;
      }
      Value length = rowLength(operand);
      Value in = kb.mul(tile, length);
      Value pointer = kb.inputPointer(argument.getArgNumber());
      kb.vectorLoop(kb.constant(0), length, [&](Value index, unsigned lanes) {
        Value value = kb.loadFrom(pointer, element, kb.add(in, index), lanes);
        kb.storeTo(value, kb.outputPointer(0), element, kb.add(out, index), lanes);
      });
      out = kb.add(out, length);
    }
  });
  return result;
}

} // namespace torsh
