//===-- Indexing.cpp - Reference semantics of gathers and scatters
//------------------------------------------===//
//
// A negative index counts from the end and an index out of range is clamped, so nothing outside is ever
// touched.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/reference/Call.h"
#include "dialects/torsh/reference/Iteration.h"

using namespace llvm;
using namespace mlir;

namespace torsh::reference {
namespace {

/// An index in the range of a dim that is not empty.
int64_t clampIndex(int64_t index, int64_t size) {
  return std::clamp<int64_t>(index < 0 ? index + size : index, 0, size - 1);
}

/// The error of indices into an empty dim, where no index can be clamped to, else success.
Error checkNotEmpty(const Call &call, const Tensor &indices, int64_t size) {
  if (size > 0 || indices.numElements() == 0)
    return Error::success();
  return call.misfit("the indexed dim is empty and there are indices into it");
}

Results evaluateGather(GatherOp op, Call &call) {
  const Tensor &x = call[op.getX()], &indices = call[op.getIndices()];
  if (Error error = call.checkAxis(x, op.getAxis()))
    return error;
  AxisView view(x.shape, op.getAxis());
  if (Error error = checkNotEmpty(call, indices, view.size))
    return error;
  ArrayRef<int64_t> dims(x.shape);
  SmallVector<int64_t> shape(dims.take_front(op.getAxis()));
  append_range(shape, indices.shape);
  append_range(shape, dims.drop_front(op.getAxis() + 1));
  Expected<Tensor> y = call.allocate(x.elementType, shape);
  if (!y)
    return y.takeError();
  dispatch(x, [&](auto tag) {
    using T = decltype(tag);
    auto target = valuesOf<T>(*y).begin();
    for (int64_t outer = 0; outer < view.outer; ++outer)
      for (int64_t index : indices.ints) {
        int64_t row = outer * view.size + clampIndex(index, view.size);
        target = std::copy_n(valuesOf<T>(x).begin() + row * view.inner, view.inner, target);
      }
  });
  return single(std::move(y));
}

/// Where element `index` of the indices points in x: its own place with `axis` replaced.
int64_t elementPosition(const Tensor &x, ArrayRef<int64_t> strides, ArrayRef<int64_t> index, int64_t axis,
                        int64_t value) {
  int64_t position = 0;
  for (int64_t dim = 0; dim < x.rank(); ++dim)
    position += (dim == axis ? clampIndex(value, x.shape[dim]) : index[dim]) * strides[dim];
  return position;
}

/// The error of an index tensor for single elements that does not lie in x, else success.
Error checkElementIndices(const Call &call, const Tensor &x, const Tensor &indices, int64_t axis) {
  if (Error error = call.checkAxis(x, axis))
    return error;
  bool fits = indices.rank() == x.rank();
  for (int64_t dim = 0; fits && dim < x.rank(); ++dim)
    fits = dim == axis || indices.shape[dim] <= x.shape[dim];
  if (!fits)
    return call.misfit("indices " + describe(indices.shape, indices.elementType) + " must have the rank of " +
                       describe(x.shape, x.elementType) + " and be no larger outside the axis");
  return checkNotEmpty(call, indices, x.shape[axis]);
}

Results evaluateGatherElements(GatherElementsOp op, Call &call) {
  const Tensor &x = call[op.getX()], &indices = call[op.getIndices()];
  const int64_t axis = op.getAxis();
  if (Error error = checkElementIndices(call, x, indices, axis))
    return error;
  Tensor y = Tensor::zeros(x.elementType, indices.shape);
  SmallVector<int64_t> strides = stridesOf(x.shape);
  int64_t next = 0;
  copyElements(x, y, [&](ArrayRef<int64_t> index) {
    return elementPosition(x, strides, index, axis, indices.ints[next++]);
  });
  return single(std::move(y));
}

/// Index tuples in the last dim of a tensor, into the dims of x after `batch`.
struct Tuples {
  const Tensor &x, &indices;
  int64_t batch, depth = 0, count = 0, sliceSize = 1, tuplesPerBatch = 1;
  SmallVector<int64_t> strides;

  Tuples(const Tensor &x, const Tensor &indices, int64_t batch) : x(x), indices(indices), batch(batch) {}

  Error check(const Call &call) {
    if (indices.rank() < 1 || batch < 0 || batch >= indices.rank() || batch > x.rank() ||
        indices.shape.back() > x.rank() - batch)
      return call.misfit("the index tuples of " + describe(indices.shape, indices.elementType) +
                         " do not fit " + describe(x.shape, x.elementType));
    depth = indices.shape.back();
    ArrayRef<int64_t> dims(x.shape), tuples = ArrayRef<int64_t>(indices.shape).drop_back();
    if (dims.take_front(batch) != tuples.take_front(batch))
      return call.misfit("the batch dims of x and indices differ");
    for (int64_t size : dims.slice(batch, depth))
      if (Error error = checkNotEmpty(call, indices, size))
        return error;
    count = productOf(tuples);
    tuplesPerBatch = productOf(tuples.drop_front(batch));
    sliceSize = productOf(dims.drop_front(batch + depth));
    strides = stridesOf(x.shape);
    return Error::success();
  }
  /// The dims of indices but the last, then those of x after the tuple.
  SmallVector<int64_t> resultShape() const {
    SmallVector<int64_t> shape(ArrayRef<int64_t>(indices.shape).drop_back());
    append_range(shape, ArrayRef<int64_t>(x.shape).drop_front(batch + depth));
    return shape;
  }
  /// The first element of the slice that a tuple names.
  int64_t sliceStart(int64_t tuple) const {
    int64_t batchSize = productOf(ArrayRef<int64_t>(x.shape).drop_front(batch));
    int64_t position = tuple / tuplesPerBatch * batchSize;
    for (int64_t i = 0; i < depth; ++i)
      position += clampIndex(indices.ints[tuple * depth + i], x.shape[batch + i]) * strides[batch + i];
    return position;
  }
};

Results evaluateGatherNd(GatherNdOp op, Call &call) {
  const Tensor &x = call[op.getX()];
  Tuples tuples(x, call[op.getIndices()], op.getBatchDims());
  if (Error error = tuples.check(call))
    return error;
  Expected<Tensor> y = call.allocate(x.elementType, tuples.resultShape());
  if (!y)
    return y.takeError();
  if (y->numElements() != 0)
    dispatch(x, [&](auto tag) {
      using T = decltype(tag);
      for (int64_t tuple = 0; tuple < tuples.count; ++tuple)
        std::copy_n(valuesOf<T>(x).begin() + tuples.sliceStart(tuple), tuples.sliceSize,
                    valuesOf<T>(*y).begin() + tuple * tuples.sliceSize);
    });
  return single(std::move(y));
}

template <typename T> T combine(ScatterKind kind, T old, T update, Type type) {
  switch (kind) {
  case ScatterKind::replace:
    return update;
  case ScatterKind::add:
    return wrappingAdd(old, update);
  case ScatterKind::mul:
    return wrappingMul(old, update);
  case ScatterKind::max:
    return maximumOf(old, update, type);
  case ScatterKind::min:
    return minimumOf(old, update, type);
  }
  return update;
}

Results evaluateScatterElements(ScatterElementsOp op, Call &call) {
  const Tensor &x = call[op.getX()], &indices = call[op.getIndices()], &updates = call[op.getUpdates()];
  const int64_t axis = op.getAxis();
  if (Error error = checkElementIndices(call, x, indices, axis))
    return error;
  if (Error error = call.checkShape("updates", updates, indices.shape))
    return error;
  if (updates.elementType != x.elementType)
    return call.misfit("updates must have the element type of x");
  Tensor y = x;
  SmallVector<int64_t> strides = stridesOf(x.shape);
  dispatch(x, [&](auto tag) {
    using T = decltype(tag);
    forEachIndex(indices.shape, [&](ArrayRef<int64_t> index, int64_t linear) {
      T &target = valuesOf<T>(y)[elementPosition(x, strides, index, axis, indices.ints[linear])];
      target = combine(op.getKind(), target, valuesOf<T>(updates)[linear], x.elementType);
    });
  });
  return single(std::move(y));
}

Results evaluateScatterNd(ScatterNdOp op, Call &call) {
  const Tensor &x = call[op.getX()], &updates = call[op.getUpdates()];
  Tuples tuples(x, call[op.getIndices()], /*batch=*/0);
  if (Error error = tuples.check(call))
    return error;
  if (Error error = call.checkShape("updates", updates, tuples.resultShape()))
    return error;
  if (updates.elementType != x.elementType)
    return call.misfit("updates must have the element type of x");
  Tensor y = x;
  if (updates.numElements() != 0)
    dispatch(x, [&](auto tag) {
      using T = decltype(tag);
      for (int64_t tuple = 0; tuple < tuples.count; ++tuple)
        for (int64_t i = 0, start = tuples.sliceStart(tuple); i < tuples.sliceSize; ++i) {
          T &target = valuesOf<T>(y)[start + i];
          target = combine(op.getKind(), target, valuesOf<T>(updates)[tuple * tuples.sliceSize + i],
                           x.elementType);
        }
    });
  return single(std::move(y));
}

} // namespace

void addIndexing(HandlerTable &table) {
  table.add<GatherOp>(evaluateGather);
  table.add<GatherElementsOp>(evaluateGatherElements);
  table.add<GatherNdOp>(evaluateGatherNd);
  table.add<ScatterElementsOp>(evaluateScatterElements);
  table.add<ScatterNdOp>(evaluateScatterNd);
}

} // namespace torsh::reference
