//===-- Normalization.cpp - Reference semantics of normalisations
//-------------------------------------------===//
#include "dialects/torsh/reference/Call.h"
#include "dialects/torsh/reference/Iteration.h"
#include "dialects/torsh/reference/Window.h"
#include <cmath>

using namespace llvm;
using namespace mlir;

namespace torsh::reference {
namespace {

struct Moments {
  double mean, variance;
};

/// Mean and biased variance of `count` elements, in two passes: the difference of squares would cancel.
template <typename Element> Moments momentsOf(int64_t count, Element element) {
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < count; ++i)
    sum += element(i);
  double mean = sum / double(count);
  for (int64_t i = 0; i < count; ++i)
    squares += (element(i) - mean) * (element(i) - mean);
  return {mean, squares / double(count)};
}

/// The dims from `axis` on; axis may be the rank, then each element is normalised by itself.
Error checkNormalizedDims(const Call &call, const Tensor &x, int64_t axis, const Tensor &scale,
                          const Tensor *bias) {
  if (axis < 0 || axis > x.rank())
    return call.checkAxis(x, axis);
  ArrayRef<int64_t> dims = ArrayRef<int64_t>(x.shape).drop_front(axis);
  if (Error error = call.checkShape("scale", scale, dims))
    return error;
  return bias ? call.checkShape("bias", *bias, dims) : Error::success();
}

Results evaluateLayerNorm(LayerNormOp op, Call &call) {
  const Tensor &x = call[op.getX()], &scale = call[op.getScale()], *bias = call.find(op.getBias());
  if (Error error = checkNormalizedDims(call, x, op.getAxis(), scale, bias))
    return error;
  double epsilon = op.getEpsilon().convertToDouble();
  Tensor y = Tensor::zeros(x.elementType, x.shape);
  const int64_t size = scale.numElements(), total = x.numElements();
  for (int64_t start = 0; start < total; start += size) {
    Moments moments = momentsOf(size, [&](int64_t i) { return x.floats[start + i]; });
    double factor = 1 / std::sqrt(moments.variance + epsilon);
    for (int64_t i = 0; i < size; ++i)
      y.floats[start + i] =
          (x.floats[start + i] - moments.mean) * factor * scale.floats[i] + (bias ? bias->floats[i] : 0);
  }
  return single(std::move(y));
}

Results evaluateRmsNorm(RmsNormOp op, Call &call) {
  const Tensor &x = call[op.getX()], &scale = call[op.getScale()];
  if (Error error = checkNormalizedDims(call, x, op.getAxis(), scale, nullptr))
    return error;
  double epsilon = op.getEpsilon().convertToDouble();
  Tensor y = Tensor::zeros(x.elementType, x.shape);
  const int64_t size = scale.numElements(), total = x.numElements();
  for (int64_t start = 0; start < total; start += size) {
    double squares = 0;
    for (int64_t i = 0; i < size; ++i)
      squares += x.floats[start + i] * x.floats[start + i];
    double factor = 1 / std::sqrt(squares / double(size) + epsilon);
    for (int64_t i = 0; i < size; ++i)
      y.floats[start + i] = x.floats[start + i] * factor * scale.floats[i];
  }
  return single(std::move(y));
}

Results evaluateBatchNorm(BatchNormOp op, Call &call) {
  const Tensor &x = call[op.getX()], &scale = call[op.getScale()], &bias = call[op.getBias()];
  const Tensor &mean = call[op.getMean()], &variance = call[op.getVariance()];
  if (Error error = call.checkAxis(x, op.getAxis()))
    return error;
  AxisView view(x.shape, op.getAxis());
  for (const Tensor *statistic : {&scale, &bias, &mean, &variance})
    if (Error error = call.checkShape("a statistic", *statistic, {view.size}))
      return error;
  double epsilon = op.getEpsilon().convertToDouble();
  Tensor y = Tensor::zeros(x.elementType, x.shape);
  view.forEachLine([&](int64_t start) {
    for (int64_t c = 0; c < view.size; ++c)
      y.floats[start + c * view.inner] = (x.floats[start + c * view.inner] - mean.floats[c]) /
                                             std::sqrt(variance.floats[c] + epsilon) * scale.floats[c] +
                                         bias.floats[c];
  });
  return single(std::move(y));
}

Results evaluateGroupNorm(GroupNormOp op, Call &call) {
  const Tensor &x = call[op.getX()], &scale = call[op.getScale()], &bias = call[op.getBias()];
  if (x.rank() < 2)
    return call.misfit("the operand must have a batch and a channel dim");
  AxisView view(x.shape, LayoutView(op.getLayout(), x.rank()).channel);
  const int64_t channels = view.size, groups = op.getGroups();
  if (groups < 1 || channels % groups != 0)
    return call.misfit(Twine(channels) + " channels are not divisible into " + Twine(groups) + " groups");
  for (const Tensor *parameter : {&scale, &bias})
    if (Error error = call.checkShape("scale or bias", *parameter, {channels}))
      return error;
  double epsilon = op.getEpsilon().convertToDouble();
  Tensor y = Tensor::zeros(x.elementType, x.shape);
  if (x.numElements() == 0)
    return single(std::move(y));
  // Element i of a group: its channel, then its place in the spatial dims, in either layout.
  const int64_t batch = x.shape[0], size = channels / groups, spatial = x.numElements() / (batch * channels);
  bool first = op.getLayout() == Layout::channels_first;
  for (int64_t n = 0; n < batch; ++n)
    for (int64_t group = 0; group < groups; ++group) {
      auto channelOf = [&](int64_t i) { return group * size + i / spatial; };
      auto position = [&](int64_t i) {
        int64_t place = i % spatial, channel = channelOf(i);
        return n * channels * spatial + (first ? channel * spatial + place : place * channels + channel);
      };
      Moments moments = momentsOf(size * spatial, [&](int64_t i) { return x.floats[position(i)]; });
      double factor = 1 / std::sqrt(moments.variance + epsilon);
      for (int64_t i = 0; i < size * spatial; ++i)
        y.floats[position(i)] = (x.floats[position(i)] - moments.mean) * factor * scale.floats[channelOf(i)] +
                                bias.floats[channelOf(i)];
    }
  return single(std::move(y));
}

} // namespace

void addNormalization(HandlerTable &table) {
  table.add<LayerNormOp>(evaluateLayerNorm);
  table.add<RmsNormOp>(evaluateRmsNorm);
  table.add<BatchNormOp>(evaluateBatchNorm);
  table.add<GroupNormOp>(evaluateGroupNorm);
}

} // namespace torsh::reference
