//===-- Reduction.cpp - Reference semantics of reductions and scans
//-----------------------------------------===//
#include "dialects/torsh/CumProd.h"
#include "dialects/torsh/reference/Call.h"
#include "dialects/torsh/reference/Iteration.h"
#include <cmath>
#include <numeric>

using namespace llvm;
using namespace mlir;

namespace torsh::reference {
namespace {

/// log(sum(e^x)) with the largest element subtracted first. Infinities are their own result: inf - inf is
/// NaN.
double logSumExp(ArrayRef<double> values) {
  double largest = -INFINITY;
  for (double value : values)
    largest = maximumOf(largest, value, Type());
  if (!std::isfinite(largest))
    return largest;
  double sum = 0;
  for (double value : values)
    sum += std::exp(value - largest);
  return largest + std::log(sum);
}

double meanOf(double sum, size_t count, Type) { return sum / double(count); }
/// Integers truncate, and the mean of nothing is 0 as any integer division by 0.
int64_t meanOf(int64_t sum, size_t count, Type type) {
  if (count == 0)
    return 0;
  return type.isUnsignedInteger() ? int64_t(uint64_t(sum) / count) : sum / int64_t(count);
}

/// Integers go through f64 and are truncated.
double reduceLogSumExp(ArrayRef<double> values, Type) { return logSumExp(values); }
int64_t reduceLogSumExp(ArrayRef<int64_t> values, Type type) {
  SmallVector<double> floats;
  for (int64_t value : values)
    floats.push_back(floatFromInt(Float64Type::get(type.getContext()), value, type.isUnsignedInteger(64)));
  return intFromFloat(type, logSumExp(floats));
}

/// Combines the elements of one reduction. The neutral element comes out of an empty one.
template <typename T> T reduceLine(ReduceKind kind, ArrayRef<T> values, Type type) {
  auto fold = [&](T start, auto combine) {
    return std::accumulate(values.begin(), values.end(), start, combine);
  };
  auto sum = [&] { return fold(T(0), [](T a, T b) { return wrappingAdd(a, b); }); };
  switch (kind) {
  case ReduceKind::sum:
    return sum();
  case ReduceKind::mean:
    return meanOf(sum(), values.size(), type);
  case ReduceKind::prod:
    return fold(T(1), [](T a, T b) { return wrappingMul(a, b); });
  case ReduceKind::max:
    return fold(lowestOf(type, T()), [&](T a, T b) { return maximumOf(a, b, type); });
  case ReduceKind::min:
    return fold(highestOf(type, T()), [&](T a, T b) { return minimumOf(a, b, type); });
  case ReduceKind::any:
    return fold(T(0), [](T a, T b) { return T(a != 0 || b != 0); });
  case ReduceKind::all:
    return fold(T(1), [](T a, T b) { return T(a != 0 && b != 0); });
  case ReduceKind::logsumexp:
    return reduceLogSumExp(values, type);
  }
  return T();
}

Results evaluateReduce(ReduceOp op, Call &call) {
  const Tensor &x = call[op.getX()];
  ArrayRef<int64_t> axes = op.getAxes();
  SmallVector<int64_t> shape, kept;
  for (auto [index, axis] : enumerate(axes)) {
    if (Error error = call.checkAxis(x, axis))
      return error;
    if (index > 0 && axis <= axes[index - 1])
      return call.misfit("axes must be sorted and distinct");
  }
  for (int64_t dim = 0; dim < x.rank(); ++dim) {
    if (!is_contained(axes, dim)) {
      kept.push_back(dim);
      shape.push_back(x.shape[dim]);
    } else if (op.getKeepDims()) {
      shape.push_back(1);
    }
  }
  Expected<Tensor> y = call.allocate(x.elementType, shape);
  if (!y)
    return y.takeError();
  // With the reduced dims last, each reduction is a contiguous line.
  append_range(kept, axes);
  dispatch(x, [&](auto tag) {
    using T = decltype(tag);
    std::vector<T> lines = permuted(valuesOf<T>(x), x.shape, kept);
    int64_t length = 1;
    for (int64_t axis : axes)
      length *= x.shape[axis];
    for (int64_t i = 0, count = y->numElements(); i < count; ++i)
      valuesOf<T>(*y)[i] =
          reduceLine<T>(op.getKind(), ArrayRef<T>(lines.data() + i * length, length), x.elementType);
  });
  return single(std::move(y));
}

Results evaluateArgReduce(ArgReduceOp op, Call &call) {
  const Tensor &x = call[op.getX()];
  int64_t axis = op.getAxis();
  if (Error error = call.checkAxis(x, axis))
    return error;
  if (x.shape[axis] == 0)
    return call.misfit("the axis is empty, so there is no index to give");
  if (op.getKind() != ReduceKind::max && op.getKind() != ReduceKind::min)
    return call.misfit("the kind must be max or min");
  SmallVector<int64_t> shape = x.shape;
  shape[axis] = 1;
  if (!op.getKeepDims())
    shape.erase(shape.begin() + axis);
  Expected<Tensor> y = call.allocate(call.resultElementType(), shape);
  if (!y)
    return y.takeError();
  AxisView view(x.shape, axis);
  dispatch(x, [&](auto tag) {
    using T = decltype(tag);
    const std::vector<T> &values = valuesOf<T>(x);
    // Whether a stands before b; NaN stands before all.
    auto wins = [&](T a, T b) {
      if (isNan(a) || isNan(b))
        return isNan(a) && !isNan(b);
      return op.getKind() == ReduceKind::max ? lessThan(b, a, x.elementType) : lessThan(a, b, x.elementType);
    };
    int64_t line = 0;
    view.forEachLine([&](int64_t start) {
      int64_t best = 0;
      for (int64_t i = 1; i < view.size; ++i) {
        T value = values[start + i * view.inner], champion = values[start + best * view.inner];
        if (wins(value, champion) || (op.getLast() && !wins(champion, value)))
          best = i;
      }
      y->ints[line++] = best;
    });
  });
  return single(std::move(y));
}

Results evaluateCumProd(CumProdOp op, Call &call) {
  const Tensor &x = call[op.getX()];
  if (Error error = call.checkAxis(x, op.getAxis()))
    return error;
  AxisView view(x.shape, op.getAxis());
  Tensor y = Tensor::zeros(x.elementType, x.shape);
  dispatch(x, [&](auto tag) {
    using T = decltype(tag);
    view.forEachLine([&](int64_t start) {
      T product = 1;
      for (int64_t i = 0; i < view.size; ++i) {
        int64_t position = start + (op.getReverse() ? view.size - 1 - i : i) * view.inner;
        T next = wrappingMul(product, valuesOf<T>(x)[position]);
        valuesOf<T>(y)[position] = op.getExclusive() ? product : next;
        product = next;
      }
    });
  });
  return single(std::move(y));
}

Results evaluateCumSum(CumSumOp op, Call &call) {
  const Tensor &x = call[op.getX()];
  if (Error error = call.checkAxis(x, op.getAxis()))
    return error;
  AxisView view(x.shape, op.getAxis());
  Tensor y = Tensor::zeros(x.elementType, x.shape);
  dispatch(x, [&](auto tag) {
    using T = decltype(tag);
    view.forEachLine([&](int64_t start) {
      T sum = 0;
      for (int64_t i = 0; i < view.size; ++i) {
        int64_t position = start + (op.getReverse() ? view.size - 1 - i : i) * view.inner;
        T next = wrappingAdd(sum, valuesOf<T>(x)[position]);
        valuesOf<T>(y)[position] = op.getExclusive() ? sum : next;
        sum = next;
      }
    });
  });
  return single(std::move(y));
}

/// A row for the softmax family: y = f(x - largest, sum(e^(x - largest))) along the axis.
template <typename OpTy> void softmaxLike(HandlerTable &table, double (*finish)(double shifted, double sum)) {
  table.addShared<OpTy>([finish](Call &call) -> Results {
    auto op = cast<OpTy>(call.op);
    const Tensor &x = call[op.getX()];
    if (Error error = call.checkAxis(x, op.getAxis()))
      return error;
    AxisView view(x.shape, op.getAxis());
    Tensor y = Tensor::zeros(x.elementType, x.shape);
    view.forEachLine([&](int64_t start) {
      double largest = -INFINITY, sum = 0;
      for (int64_t i = 0; i < view.size; ++i)
        largest = maximumOf(largest, x.floats[start + i * view.inner], Type());
      for (int64_t i = 0; i < view.size; ++i)
        sum += std::exp(x.floats[start + i * view.inner] - largest);
      for (int64_t i = 0; i < view.size; ++i)
        y.floats[start + i * view.inner] = finish(x.floats[start + i * view.inner] - largest, sum);
    });
    return single(std::move(y));
  });
}

} // namespace

void addReduction(HandlerTable &table) {
  table.add<ReduceOp>(evaluateReduce);
  table.add<ArgReduceOp>(evaluateArgReduce);
  table.add<CumSumOp>(evaluateCumSum);
  table.add<CumProdOp>(evaluateCumProd);
  softmaxLike<SoftmaxOp>(table, [](double shifted, double sum) { return std::exp(shifted) / sum; });
  softmaxLike<LogSoftmaxOp>(table, [](double shifted, double sum) { return shifted - std::log(sum); });
}

} // namespace torsh::reference
