//===-- Pooling.cpp - Reference semantics of window reductions
//----------------------------------------------===//
#include "dialects/torsh/reference/Call.h"
#include "dialects/torsh/reference/Iteration.h"
#include "dialects/torsh/reference/Window.h"

using namespace llvm;
using namespace mlir;

namespace torsh::reference {
namespace {

/// The walk of a window over the spatial dims of either layout. A gradient walks the tensor that it makes.
struct Pool {
  const Tensor &x;
  Window window;
  LayoutView view;
  SmallVector<int64_t> strides, spatial, spatialStrides;

  template <typename OpTy>
  Pool(OpTy op, const Tensor &x)
      : x(x), window{op.getWindow(), op.getStrides(), op.getDilations(), op.getLow(), op.getHigh()},
        view(op.getLayout(), x.rank()), strides(stridesOf(x.shape)) {}

  /// An empty result of the right shape.
  Expected<Tensor> prepare(const Call &call, bool ceilMode) {
    if (x.rank() < 2)
      return call.misfit("the operand must have a batch and a channel dim");
    if (Error error = window.check(call, x.rank() - 2))
      return error;
    SmallVector<int64_t> positions;
    for (int64_t dim = 0; dim < x.rank() - 2; ++dim) {
      spatial.push_back(x.shape[view.firstSpatial + dim]);
      spatialStrides.push_back(strides[view.firstSpatial + dim]);
      Expected<int64_t> count = window.numPositions(call, dim, spatial.back(), ceilMode);
      if (!count)
        return count.takeError();
      positions.push_back(*count);
    }
    return call.allocate(x.elementType, view.shape(x.shape[0], x.shape[view.channel], positions));
  }

  /// Where the plane (batch and channel) of an element of y starts in x; sets the spatial part of its index.
  int64_t planeOf(ArrayRef<int64_t> index, SmallVectorImpl<int64_t> &position) const {
    position.assign(index.begin() + view.firstSpatial, index.begin() + view.firstSpatial + spatial.size());
    return index[0] * strides[0] + index[view.channel] * strides[view.channel];
  }

  /// Calls `visit(offset)` for each element of the window that lies in the input.
  template <typename Visit> void forEachElement(ArrayRef<int64_t> position, Visit visit) const {
    SmallVector<int64_t> begins, sizes;
    for (size_t dim = 0; dim < spatial.size(); ++dim) {
      WindowRange range = elementsInside(window, dim, position[dim], 0, spatial[dim]);
      begins.push_back(range.begin);
      sizes.push_back(range.size());
    }
    forEachIndex(sizes, [&](ArrayRef<int64_t> element, int64_t) {
      int64_t offset = 0;
      for (size_t dim = 0; dim < spatial.size(); ++dim)
        offset += (window.start(dim, position[dim]) + (begins[dim] + element[dim]) * window.dilations[dim]) *
                  spatialStrides[dim];
      visit(offset);
    });
  }
};

Results evaluateMaxPool(MaxPoolOp op, Call &call) {
  Pool pool(op, call[op.getX()]);
  Expected<Tensor> y = pool.prepare(call, op.getCeilMode());
  if (!y)
    return y.takeError();
  dispatch(pool.x, [&](auto tag) {
    using T = decltype(tag);
    const std::vector<T> &values = valuesOf<T>(pool.x);
    SmallVector<int64_t> position;
    forEachIndex(y->shape, [&](ArrayRef<int64_t> index, int64_t linear) {
      int64_t plane = pool.planeOf(index, position);
      T best = lowestOf(pool.x.elementType, T());
      pool.forEachElement(position, [&](int64_t offset) {
        best = maximumOf(best, values[plane + offset], pool.x.elementType);
      });
      valuesOf<T>(*y)[linear] = best;
    });
  });
  return single(std::move(y));
}

/// The elements of a window that the divisor of its mean counts.
template <typename OpTy> double divisorOf(OpTy op, const Pool &pool, ArrayRef<int64_t> position) {
  double divisor = 1;
  for (size_t dim = 0; dim < pool.spatial.size(); ++dim) {
    // What ceil_mode adds beyond the high padding never counts.
    bool padded = op.getCountIncludePad();
    int64_t first = padded ? -pool.window.low[dim] : 0;
    int64_t last = pool.spatial[dim] + (padded ? pool.window.high[dim] : 0);
    divisor *= double(elementsInside(pool.window, dim, position[dim], first, last).size());
  }
  return divisor;
}

Results evaluateAvgPool(AvgPoolOp op, Call &call) {
  Pool pool(op, call[op.getX()]);
  Expected<Tensor> y = pool.prepare(call, op.getCeilMode());
  if (!y)
    return y.takeError();
  SmallVector<int64_t> position;
  forEachIndex(y->shape, [&](ArrayRef<int64_t> index, int64_t linear) {
    int64_t plane = pool.planeOf(index, position);
    double sum = 0;
    pool.forEachElement(position, [&](int64_t offset) { sum += pool.x.floats[plane + offset]; });
    y->floats[linear] = sum / divisorOf(op, pool, position);
  });
  return single(std::move(y));
}

//===-- Gradients
//------------------------------------------------------------------------------------------------===//

Results evaluateMaxPoolGrad(MaxPoolGradOp op, Call &call) {
  const Tensor &x = call[op.getX()], &dy = call[op.getDy()];
  Pool pool(op, x);
  Expected<Tensor> y = pool.prepare(call, op.getCeilMode());
  if (!y)
    return y.takeError();
  if (Error error = call.checkShape("dy", dy, y->shape))
    return error;
  Expected<Tensor> dx = call.allocate(call.resultElementType(), x.shape);
  if (!dx)
    return dx.takeError();
  SmallVector<int64_t> position;
  forEachIndex(dy.shape, [&](ArrayRef<int64_t> index, int64_t linear) {
    int64_t plane = pool.planeOf(index, position), winner = -1;
    pool.forEachElement(position, [&](int64_t offset) {
      double value = x.floats[plane + offset];
      double best = winner < 0 ? 0 : x.floats[winner];
      if (winner < 0 || (!isNan(best) && (isNan(value) || value > best)))
        winner = plane + offset;
    });
    if (winner >= 0)
      dx->floats[winner] += dy.floats[linear];
  });
  return single(std::move(dx));
}

Results evaluateAvgPoolGrad(AvgPoolGradOp op, Call &call) {
  const Tensor &dy = call[op.getDy()];
  Expected<Tensor> dx = call.allocateResult(0);
  if (!dx)
    return dx.takeError();
  Pool pool(op, *dx);
  Expected<Tensor> y = pool.prepare(call, op.getCeilMode());
  if (!y)
    return y.takeError();
  if (Error error = call.checkShape("dy", dy, y->shape))
    return error;
  SmallVector<int64_t> position;
  forEachIndex(dy.shape, [&](ArrayRef<int64_t> index, int64_t linear) {
    int64_t plane = pool.planeOf(index, position);
    double share = dy.floats[linear] / divisorOf(op, pool, position);
    pool.forEachElement(position, [&](int64_t offset) { dx->floats[plane + offset] += share; });
  });
  return single(std::move(dx));
}

} // namespace

void addPooling(HandlerTable &table) {
  table.add<MaxPoolOp>(evaluateMaxPool);
  table.add<AvgPoolOp>(evaluateAvgPool);
  table.add<MaxPoolGradOp>(evaluateMaxPoolGrad);
  table.add<AvgPoolGradOp>(evaluateAvgPoolGrad);
}

} // namespace torsh::reference
