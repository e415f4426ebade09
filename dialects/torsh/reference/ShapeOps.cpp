//===-- ShapeOps.cpp - Reference semantics of ops that move elements
//----------------------------------------===//
#include "dialects/torsh/reference/Call.h"
#include "dialects/torsh/reference/Iteration.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace mlir;

namespace torsh::reference {
namespace {

Results evaluateBroadcast(BroadcastOp op, Call &call) {
  const Tensor &x = call[op.getX()];
  Expected<Tensor> y = call.allocateResult(0);
  if (!y)
    return y.takeError();
  ArrayRef<int64_t> axes = op.getAxes();
  if (int64_t(axes.size()) != x.rank())
    return call.misfit("axes must have an entry for each dim of the operand");
  for (auto [dim, axis] : enumerate(axes)) {
    if (axis < 0 || axis >= y->rank() || (dim > 0 && axis <= axes[dim - 1]))
      return call.misfit("axes must increase and name dims of the result");
    if (x.shape[dim] != 1 && x.shape[dim] != y->shape[axis])
      return call.misfit("dim " + Twine(dim) + " of size " + Twine(x.shape[dim]) +
                         " cannot be broadcast to the size " + Twine(y->shape[axis]));
  }
  SmallVector<int64_t> strides = stridesOf(x.shape);
  copyElements(x, *y, [&](ArrayRef<int64_t> index) {
    int64_t position = 0;
    for (auto [dim, axis] : enumerate(axes))
      position += x.shape[dim] == 1 ? 0 : index[axis] * strides[dim];
    return position;
  });
  return single(std::move(y));
}

Results evaluateReshape(ReshapeOp op, Call &call) {
  Expected<SmallVector<int64_t>> shape = call.valuesOf(getDims(op.getY()));
  if (!shape)
    return shape.takeError();
  Tensor y = call[op.getX()];
  if (boundedNumElements(*shape, call.limits.maxElements) != y.numElements())
    return call.misfit(describe(y.shape, y.elementType) + " has another number of elements than " +
                       describe(*shape, y.elementType));
  y.shape = *shape;
  return single(std::move(y));
}

Results evaluateTranspose(TransposeOp op, Call &call) {
  const Tensor &x = call[op.getX()];
  ArrayRef<int64_t> permutation = op.getPermutation();
  if (int64_t(permutation.size()) != x.rank() || !isPermutationVector(permutation))
    return call.misfit("perm is not a permutation of the operand's dims");
  Tensor y;
  y.elementType = x.elementType;
  for (int64_t dim : permutation)
    y.shape.push_back(x.shape[dim]);
  dispatch(x, [&](auto tag) {
    using T = decltype(tag);
    valuesOf<T>(y) = permuted(valuesOf<T>(x), x.shape, permutation);
  });
  return single(std::move(y));
}

/// Whether start, start + step, ... with `size` elements stays in a dim.
bool staysInside(int64_t start, int64_t size, int64_t step, int64_t dim) {
  if (size == 0)
    return true;
  int64_t distance, last;
  return size > 0 && step != 0 && start >= 0 && start < dim && !MulOverflow(size - 1, step, distance) &&
         !AddOverflow(start, distance, last) && last >= 0 && last < dim;
}

Results evaluateSlice(SliceOp op, Call &call) {
  const Tensor &x = call[op.getX()];
  Expected<SmallVector<int64_t>> starts = call.valuesOf(op.getStarts().getDims());
  if (!starts)
    return starts.takeError();
  Expected<SmallVector<int64_t>> sizes = call.valuesOf(op.getSizes().getDims());
  if (!sizes)
    return sizes.takeError();
  ArrayRef<int64_t> steps = op.getSteps();
  if (int64_t(starts->size()) != x.rank() || sizes->size() != starts->size() ||
      steps.size() != starts->size())
    return call.misfit("starts, sizes and steps must have an entry for each dim");
  for (int64_t dim = 0; dim < x.rank(); ++dim)
    if (!staysInside((*starts)[dim], (*sizes)[dim], steps[dim], x.shape[dim]))
      return call.misfit(Twine((*sizes)[dim]) + " elements from " + Twine((*starts)[dim]) + " in steps of " +
                         Twine(steps[dim]) + " leave dim " + Twine(dim) + " of size " + Twine(x.shape[dim]));
  Expected<Tensor> y = call.allocate(x.elementType, *sizes);
  if (!y)
    return y.takeError();
  SmallVector<int64_t> strides = stridesOf(x.shape);
  copyElements(x, *y, [&](ArrayRef<int64_t> index) {
    int64_t position = 0;
    for (int64_t dim = 0; dim < x.rank(); ++dim)
      position += ((*starts)[dim] + index[dim] * steps[dim]) * strides[dim];
    return position;
  });
  return single(std::move(y));
}

int64_t floorMod(int64_t a, int64_t b) { return (a % b + b) % b; }

/// The index of the element that stands at `index` relative to the operand's start, -1 for the padding value.
int64_t paddedIndex(int64_t index, int64_t size, PadMode mode) {
  if (index >= 0 && index < size)
    return index;
  switch (mode) {
  case PadMode::constant:
    return -1;
  case PadMode::edge:
    return index < 0 ? 0 : size - 1;
  case PadMode::wrap:
    return floorMod(index, size);
  case PadMode::reflect:
    // Mirrors without repeating the border: 0 1 2 1 0 1 2 ... of period 2 * (size - 1).
    if (size == 1)
      return 0;
    index = floorMod(index, 2 * (size - 1));
    return index < size ? index : 2 * (size - 1) - index;
  }
  return -1;
}

Results evaluatePad(PadOp op, Call &call) {
  const Tensor &x = call[op.getX()];
  Expected<SmallVector<int64_t>> low = call.valuesOf(op.getLow().getDims());
  if (!low)
    return low.takeError();
  Expected<SmallVector<int64_t>> high = call.valuesOf(op.getHigh().getDims());
  if (!high)
    return high.takeError();
  if (int64_t(low->size()) != x.rank() || high->size() != low->size())
    return call.misfit("low and high must have an entry for each dim");
  SmallVector<int64_t> shape;
  for (int64_t dim = 0; dim < x.rank(); ++dim) {
    int64_t size;
    if ((*low)[dim] < 0 || (*high)[dim] < 0 || AddOverflow(x.shape[dim], (*low)[dim], size) ||
        AddOverflow(size, (*high)[dim], size))
      return call.misfit("the padding of dim " + Twine(dim) + " is negative or too large; use slice to cut");
    if (x.shape[dim] == 0 && size != 0 && op.getMode() != PadMode::constant)
      return call.misfit("dim " + Twine(dim) + " is empty and has no element to pad with");
    shape.push_back(size);
  }
  Expected<Tensor> y = call.allocate(x.elementType, shape);
  if (!y)
    return y.takeError();
  if (const Tensor *value = call.find(op.getValue())) {
    if (value->numElements() != 1 || value->elementType != x.elementType)
      return call.misfit("the padding value must be one element of the operand's element type");
    dispatch(x, [&](auto tag) {
      using T = decltype(tag);
      llvm::fill(valuesOf<T>(*y), valuesOf<T>(*value)[0]);
    });
  }
  SmallVector<int64_t> strides = stridesOf(x.shape);
  copyElements(x, *y, [&](ArrayRef<int64_t> index) -> int64_t {
    int64_t position = 0;
    for (int64_t dim = 0; dim < x.rank(); ++dim) {
      int64_t source = paddedIndex(index[dim] - (*low)[dim], x.shape[dim], op.getMode());
      if (source < 0)
        return -1;
      position += source * strides[dim];
    }
    return position;
  });
  return single(std::move(y));
}

Results evaluateConcat(ConcatOp op, Call &call) {
  if (call.operands.empty())
    return call.misfit("there must be an operand");
  const Tensor &first = *call.operands[0];
  int64_t axis = op.getAxis();
  if (Error error = call.checkAxis(first, axis))
    return error;
  SmallVector<int64_t> shape = first.shape;
  shape[axis] = 0;
  for (const Tensor *x : call.operands) {
    if (x->elementType != first.elementType || x->rank() != first.rank())
      return call.misfit("the operands must agree in rank and element type");
    for (int64_t dim = 0; dim < first.rank(); ++dim)
      if (dim != axis && x->shape[dim] != first.shape[dim])
        return call.misfit("the operands differ in dim " + Twine(dim) + " and are joined along dim " +
                           Twine(axis));
    shape[axis] += x->shape[axis];
  }
  Expected<Tensor> y = call.allocate(first.elementType, shape);
  if (!y)
    return y.takeError();
  dispatch(first, [&](auto tag) {
    using T = decltype(tag);
    AxisView whole(shape, axis);
    int64_t start = 0;
    for (const Tensor *x : call.operands) {
      int64_t run = x->shape[axis] * whole.inner;
      for (int64_t outer = 0; outer < whole.outer; ++outer)
        std::copy_n(valuesOf<T>(*x).begin() + outer * run, run,
                    valuesOf<T>(*y).begin() + outer * whole.size * whole.inner + start);
      start += run;
    }
  });
  return single(std::move(y));
}

Results evaluateIota(IotaOp op, Call &call) {
  Expected<Tensor> y = call.allocateResult(0);
  if (!y)
    return y.takeError();
  if (Error error = call.checkAxis(*y, op.getAxis()))
    return error;
  forEachIndex(y->shape, [&](ArrayRef<int64_t> index, int64_t linear) {
    if (y->isFloat())
      y->floats[linear] = double(index[op.getAxis()]);
    else
      y->ints[linear] = index[op.getAxis()];
  });
  return single(std::move(y));
}

Results evaluateFromDims(FromDimsOp op, Call &call) {
  Expected<SmallVector<int64_t>> values = call.valuesOf(op.getDims().getDims());
  if (!values)
    return values.takeError();
  auto type = cast<RankedTensorType>(op.getY().getType());
  SmallVector<int64_t> shape;
  if (type.getRank() == 1)
    shape.push_back(values->size());
  else if (type.getRank() != 0 || values->size() != 1)
    return call.misfit("the result has rank 1, or rank 0 for one dim");
  Tensor y = Tensor::zeros(type.getElementType(), shape);
  llvm::copy(*values, y.ints.begin());
  return single(std::move(y));
}

} // namespace

void addShapeOps(HandlerTable &table) {
  table.add<BroadcastOp>(evaluateBroadcast);
  table.add<ReshapeOp>(evaluateReshape);
  table.add<TransposeOp>(evaluateTranspose);
  table.add<SliceOp>(evaluateSlice);
  table.add<PadOp>(evaluatePad);
  table.add<ConcatOp>(evaluateConcat);
  table.add<IotaOp>(evaluateIota);
  table.add<FromDimsOp>(evaluateFromDims);
}

} // namespace torsh::reference
