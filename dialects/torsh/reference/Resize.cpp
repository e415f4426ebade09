//===-- Resize.cpp - Reference semantics of resampling
//------------------------------------------------------===//
//
// Resampling is separable: each dim gets, for every output index, the input indices it reads and their
// weights.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/reference/Call.h"
#include "dialects/torsh/reference/Iteration.h"
#include <cmath>

using namespace llvm;
using namespace mlir;

namespace torsh::reference {
namespace {

/// One dim that changes.
struct Axis {
  int64_t input, output;
  double scale;
};

/// The input coordinate of an output index (ONNX Resize-19).
double toInput(ResizeCoordinates coordinates, const Axis &axis, int64_t index) {
  double x = double(index), input = double(axis.input), output = double(axis.output);
  switch (coordinates) {
  case ResizeCoordinates::asymmetric:
    return x / axis.scale;
  case ResizeCoordinates::align_corners: {
    // The length counts before it was rounded down to whole elements.
    double rest = axis.scale * input - output;
    double length = rest > 1e-3 && rest < 1 ? output + rest : output;
    return axis.output == 1 ? 0 : x * (input - 1) / (length - 1);
  }
  case ResizeCoordinates::pytorch_half_pixel:
    return axis.output == 1 ? 0 : (x + 0.5) / axis.scale - 0.5;
  case ResizeCoordinates::half_pixel_symmetric: {
    // The size may be rounded; the image then keeps its center.
    double adjustment = output / (axis.scale * input);
    return input / 2 * (1 - adjustment) + (x + 0.5) / axis.scale - 0.5;
  }
  case ResizeCoordinates::half_pixel:
    break;
  }
  return (x + 0.5) / axis.scale - 0.5;
}

double roundCoordinate(NearestMode mode, double x) {
  switch (mode) {
  case NearestMode::round_prefer_floor:
    return std::ceil(x - 0.5);
  case NearestMode::round_prefer_ceil:
    return std::floor(x + 0.5);
  case NearestMode::floor:
    return std::floor(x);
  case NearestMode::ceil:
    return std::ceil(x);
  }
  return x;
}

/// The index in 0..size-1 that is nearest to an integral coordinate, which may be anything, NaN included.
int64_t clampCoordinate(double x, int64_t size) {
  if (!(x > 0))
    return 0;
  return x >= double(size - 1) ? size - 1 : int64_t(x);
}

/// The interpolation kernel at a distance: the triangle, or the cubic of Keys (1981) with coefficient a.
double kernelAt(ResizeMode mode, double a, double distance) {
  double x = std::fabs(distance);
  if (mode == ResizeMode::linear)
    return std::max(1 - x, 0.0);
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/// What one output index reads.
struct Taps {
  SmallVector<int64_t, 4> indices;
  SmallVector<double, 4> weights;
};

/// How far the kernel reaches to one side, in input elements. Antialiasing widens it when shrinking.
double reachOf(ResizeOp op, const Axis &axis) {
  double stretch = op.getAntialias() ? std::min(axis.scale, 1.0) : 1.0;
  return (op.getMode() == ResizeMode::linear ? 1 : 2) / stretch;
}

Taps tapsOf(ResizeOp op, const Axis &axis, int64_t index) {
  double stretch = op.getAntialias() ? std::min(axis.scale, 1.0) : 1.0,
         a = op.getCubicCoefficient().convertToDouble();
  // Coordinates far outside read the border only; the bound keeps them integers.
  double x = std::clamp(toInput(op.getCoordinates(), axis, index), -0x1p40, 0x1p40), base = std::floor(x);
  double first = std::floor(-reachOf(op, axis)) + 1, sum = 0;
  Taps taps;
  for (double offset = first; offset < 2 - first; ++offset) {
    double weight = kernelAt(op.getMode(), a, (base + offset - x) * stretch);
    bool outside = base + offset < 0 || base + offset >= double(axis.input);
    if (weight == 0 || (outside && op.getExcludeOutside()))
      continue;
    taps.indices.push_back(clampCoordinate(base + offset, axis.input));
    taps.weights.push_back(weight);
    sum += weight;
  }
  for (double &weight : taps.weights)
    weight /= sum;
  if (taps.indices.empty()) {
    // All is excluded: the nearest element stands in.
    taps.indices.push_back(clampCoordinate(base, axis.input));
    taps.weights.push_back(1);
  }
  return taps;
}

/// Resamples one dim of `values`, whose shape becomes the new one.
std::vector<double> resample(ResizeOp op, const std::vector<double> &values, SmallVectorImpl<int64_t> &shape,
                             int64_t dim, const Axis &axis) {
  AxisView view(shape, dim);
  std::vector<double> result(view.outer * axis.output * view.inner);
  for (int64_t index = 0; index < axis.output; ++index) {
    Taps taps = tapsOf(op, axis, index);
    for (int64_t outer = 0; outer < view.outer; ++outer)
      for (auto [source, weight] : zip(taps.indices, taps.weights))
        for (int64_t inner = 0; inner < view.inner; ++inner)
          result[(outer * axis.output + index) * view.inner + inner] +=
              weight * values[(outer * view.size + source) * view.inner + inner];
  }
  shape[dim] = axis.output;
  return result;
}

Tensor resizeNearest(ResizeOp op, const Tensor &x, Tensor y, ArrayRef<Axis> axes) {
  SmallVector<SmallVector<int64_t>> sources;
  for (const Axis &axis : axes) {
    sources.emplace_back();
    for (int64_t index = 0; index < axis.output; ++index) {
      bool stays = axis.scale == 1 && axis.input == axis.output;
      double coordinate = stays ? double(index) : toInput(op.getCoordinates(), axis, index);
      sources.back().push_back(clampCoordinate(roundCoordinate(op.getNearest(), coordinate), axis.input));
    }
  }
  SmallVector<int64_t> strides = stridesOf(x.shape);
  copyElements(x, y, [&](ArrayRef<int64_t> index) {
    int64_t position = 0;
    for (auto [dim, i] : enumerate(index))
      position += sources[dim][i] * strides[dim];
    return position;
  });
  return y;
}

Results evaluateResize(ResizeOp op, Call &call) {
  const Tensor &x = call[op.getX()];
  Expected<Tensor> y = call.allocateResult(0);
  if (!y)
    return y.takeError();
  ArrayRef<double> scales = op.getScales();
  if (int64_t(scales.size()) != x.rank() || y->rank() != x.rank() || y->elementType != x.elementType)
    return call.misfit("x, y and scales must have one rank, and x and y one element type");
  SmallVector<Axis> axes;
  for (int64_t dim = 0; dim < x.rank(); ++dim) {
    Axis axis{x.shape[dim], y->shape[dim], scales[dim]};
    // 0 stands for the ratio of the sizes.
    if (axis.scale == 0)
      axis.scale = axis.input == 0 ? 1.0 : double(axis.output) / double(axis.input);
    if ((axis.output != 0 && !(axis.scale > 0)) || !std::isfinite(axis.scale) ||
        (axis.input == 0 && axis.output != 0))
      return call.misfit("dim " + Twine(dim) + " has a scale that is not positive, or grows out of nothing");
    if (op.getMode() != ResizeMode::nearest &&
        !(double(axis.output) * reachOf(op, axis) <= double(call.limits.maxElements)))
      return call.misfit("the antialiasing kernel of dim " + Twine(dim) + " is too wide");
    axes.push_back(axis);
  }
  if (y->numElements() == 0)
    return single(std::move(y));
  if (op.getMode() == ResizeMode::nearest)
    return single(resizeNearest(op, x, std::move(*y), axes));
  // Integers are interpolated in f64 and truncated, as cast does.
  Type elementType = x.elementType, f64 = Float64Type::get(op.getContext());
  std::vector<double> values = x.isFloat() ? x.floats : converted(x, f64, /*saturate=*/false).floats;
  SmallVector<int64_t> shape = x.shape;
  for (auto [dim, axis] : enumerate(axes)) {
    if (axis.scale == 1 && axis.input == axis.output)
      continue;
    // A dim that shrinks later may make a tensor in between larger than both ends.
    SmallVector<int64_t> next = shape;
    next[dim] = axis.output;
    if (!boundedNumElements(next, call.limits.maxElements))
      return call.error(Code::TensorTooLarge,
                        "resampling dim " + Twine(dim) + " makes " + describe(next, elementType));
    values = resample(op, values, shape, dim, axis);
  }
  if (x.isFloat()) {
    y->floats = std::move(values);
    return single(std::move(y));
  }
  Tensor wide = Tensor::zeros(f64, shape);
  wide.floats = std::move(values);
  return single(converted(wide, elementType, /*saturate=*/true));
}

} // namespace

void addResize(HandlerTable &table) { table.add<ResizeOp>(evaluateResize); }

} // namespace torsh::reference
