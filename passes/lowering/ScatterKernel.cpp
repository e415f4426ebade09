//===-- ScatterKernel.cpp - Elements and slices written to computed places ----------------------------------===//
//
// The operand is copied to the result, then the updates are combined in their order. Dims before the axis of
// scatter_elements never mix, so each of their positions is a tile; scatter_nd is one tile.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/lowering/IndexKernels.h"
#include "passes/lowering/ReduceKernel.h"

using namespace mlir;

namespace torsh {
namespace {

struct Scatter {
  KernelBuilder &kb;
  Value x, indices, updates, y;
  ScatterKind kind;
  View target;
  Type element;
  LogicalResult result = success();

  Value load(Value value, ArrayRef<Value> at, unsigned lanes) {
    if (Value emitted = kb.emit(value, at, lanes))
      return emitted;
    result = kb.refuse("an operand has no code");
    return kb.splatConstant(cast<RankedTensorType>(value.getType()).getElementType(), 0, lanes);
  }
  Value combined(Value old, Value update) {
    switch (kind) {
    case ScatterKind::replace:
      return update;
    case ScatterKind::add:
      return combine(kb, ReduceKind::sum, element, old, update);
    case ScatterKind::mul:
      return combine(kb, ReduceKind::prod, element, old, update);
    case ScatterKind::max:
      return combine(kb, ReduceKind::max, element, old, update);
    case ScatterKind::min:
      return combine(kb, ReduceKind::min, element, old, update);
    }
    return update;
  }
  /// Combines the update at `from` into the result at `to`.
  void write(ArrayRef<Value> from, ArrayRef<Value> to, unsigned lanes) {
    Value update = load(updates, from, lanes), place = kb.linear(target, to);
    if (kind != ScatterKind::replace)
      update = combined(kb.loadFrom(target.pointer, element, place, lanes), update);
    kb.storeTo(update, target.pointer, element, place, lanes);
  }
  /// Loops over the box of `sizes` behind the indices that `at` holds already.
  void forEach(SmallVector<Value> &at, ArrayRef<Value> sizes, llvm::function_ref<void()> body) {
    if (sizes.empty())
      return body();
    kb.loop(kb.constant(0), sizes[0], 1, [&](Value index) {
      at.push_back(index);
      forEach(at, sizes.drop_front(), body);
      at.pop_back();
    });
  }
  /// Copies the elements of x whose first indices are `at`.
  void copy(SmallVector<Value> at, ArrayRef<Value> sizes) {
    auto store = [&](unsigned lanes) {
      kb.storeTo(load(x, at, lanes), target.pointer, element, kb.linear(target, at), lanes);
    };
    if (sizes.empty())
      return store(1);
    forEach(at, sizes.drop_back(), [&] {
      kb.vectorLoop(kb.constant(0), sizes.back(), [&](Value column, unsigned lanes) {
        at.push_back(column);
        store(lanes);
        at.pop_back();
      });
    });
  }
};

template <typename OpTy> FailureOr<Scatter> prepare(KernelBuilder &kb, OpTy op) {
  std::optional<unsigned> output = findOutput(kb.kernel, op.getY());
  if (!output || kb.kernel.getYielded().size() != 1)
    return kb.refuse("the body does not end in the scatter");
  auto type = cast<RankedTensorType>(op.getY().getType());
  return Scatter{kb,
                 op.getX(),
                 op.getIndices(),
                 op.getUpdates(),
                 op.getY(),
                 op.getKind(),
                 kb.rowMajor(kb.outputPointer(*output), type),
                 type.getElementType()};
}

} // namespace

TileSpace getScatterElementsTiles(ScatterElementsOp op) {
  SmallVector<DimAttr> dims = getDims(op.getX());
  return {dim::product(op.getContext(), ArrayRef(dims).take_front(op.getAxis())), 1};
}

LogicalResult emitScatterElements(KernelBuilder &kb, ScatterElementsOp op) {
  FailureOr<Scatter> scatter = prepare(kb, op);
  if (failed(scatter))
    return failure();
  size_t axis = op.getAxis();
  SmallVector<Value> sizes = kb.dims(op.getX()), updateSizes = kb.dims(op.getUpdates());
  kb.note = "element by element";
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    SmallVector<Value> outer;
    if (axis > 0)
      outer = kb.delinearize(tile, ArrayRef(sizes).take_front(axis));
    scatter->copy(outer, ArrayRef(sizes).drop_front(axis));
    Value covered = kb.splatConstant(kb.b.getI1Type(), 1, 1);
    for (size_t i = 0; i < axis; ++i)
      covered = arith::AndIOp::create(kb.b, kb.loc, covered, kb.less(outer[i], updateSizes[i]));
    kb.ifThen(covered, [&] {
      SmallVector<Value> at(outer);
      scatter->forEach(at, ArrayRef(updateSizes).drop_front(axis), [&] {
        SmallVector<Value> to(at);
        to[axis] = clampIndex(kb, scatter->load(op.getIndices(), at, 1), sizes[axis]);
        scatter->write(at, to, 1);
      });
    });
  });
  return scatter->result;
}

LogicalResult emitScatterNd(KernelBuilder &kb, ScatterNdOp op) {
  FailureOr<Scatter> scatter = prepare(kb, op);
  if (failed(scatter))
    return failure();
  ArrayRef<int64_t> indexShape = op.getIndices().getType().getShape();
  if (ShapedType::isDynamic(indexShape.back()))
    return kb.refuse("the length of the index tuples is not known");
  size_t depth = indexShape.back();
  SmallVector<Value> sizes = kb.dims(op.getX()), indexSizes = kb.dims(op.getIndices());
  ArrayRef<Value> slice = ArrayRef(sizes).drop_front(depth);
  kb.note = "one tile";
  kb.loop(kb.begin, kb.end, 1, [&](Value) {
    scatter->copy({}, sizes);
    SmallVector<Value> tupleAt;
    scatter->forEach(tupleAt, ArrayRef(indexSizes).drop_back(), [&] {
      SmallVector<Value> to;
      for (size_t i = 0; i < depth; ++i) {
        SmallVector<Value> place(tupleAt);
        place.push_back(kb.constant(i));
        to.push_back(clampIndex(kb, scatter->load(op.getIndices(), place, 1), sizes[i]));
      }
      auto write = [&](ArrayRef<Value> inSlice, unsigned lanes) {
        SmallVector<Value> from(tupleAt), at(to);
        llvm::append_range(from, inSlice);
        llvm::append_range(at, inSlice);
        scatter->write(from, at, lanes);
      };
      if (slice.empty())
        return write({}, 1);
      SmallVector<Value> inSlice;
      scatter->forEach(inSlice, slice.drop_back(), [&] {
        kb.vectorLoop(kb.constant(0), slice.back(), [&](Value column, unsigned lanes) {
          inSlice.push_back(column);
          write(inSlice, lanes);
          inSlice.pop_back();
        });
      });
    });
  });
  return scatter->result;
}

} // namespace torsh
