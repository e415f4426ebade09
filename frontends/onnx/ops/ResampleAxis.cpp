//===-- ResampleAxis.cpp - Resampling of one axis by a weighted sum -----------------------------------------===//
#include "frontends/onnx/ops/ResampleAxis.h"
#include "frontends/onnx/ops/SampleRows.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

Term rounded(const Term &x, NearestMode mode) {
  switch (mode) {
  case NearestMode::round_prefer_floor:
    return (x - 0.5).ceil();
  case NearestMode::round_prefer_ceil:
    return (x + 0.5).floor();
  case NearestMode::floor:
    return x.floor();
  case NearestMode::ceil:
    return x.ceil();
  }
  return x;
}

/// Half of the elements that a kernel covers around a coordinate.
DimAttr halfReach(NodeImport &n, const AxisKernel &kernel, DimAttr input, DimAttr output) {
  int64_t reach = kernel.mode == ResizeMode::linear ? 1 : 2;
  DimAttr least = dim::constant(n.context(), reach);
  if (!kernel.shrink || *kernel.shrink >= 1)
    return least;
  if (*kernel.shrink > 0)
    return dim::constant(n.context(), static_cast<int64_t>(std::ceil(double(reach) / *kernel.shrink)));
  return dim::max(dim::ceilDiv(dim::mul(input, least), output), least);
}

} // namespace

Term resizeCoordinates(NodeImport &n, ResizeCoordinates mode, DimAttr inputSize, DimAttr outputSize,
                       double ratio) {
  TermSpace space{n, {outputSize}, n.builder.getF64Type()};
  Term scale =
      ratio == 0 ? Term::size(space, outputSize) / Term::size(space, inputSize) : Term::number(space, ratio);
  return resizeCoordinates(n, mode, inputSize, outputSize, scale);
}

Term resizeCoordinates(NodeImport &n, ResizeCoordinates mode, DimAttr inputSize, DimAttr outputSize,
                       const Term &scale) {
  TermSpace space{n, {outputSize}, n.builder.getF64Type()};
  Term x = Term::iota(space, 0), input = Term::size(space, inputSize), output = Term::size(space, outputSize);
  Term halfPixel = (x + 0.5) / scale - 0.5, zero = Term::number(space, 0);
  switch (mode) {
  case ResizeCoordinates::asymmetric:
    return x / scale;
  case ResizeCoordinates::align_corners: {
    // The length counts before it was rounded down to whole elements.
    Term rest = input * scale - output, counts = (rest > 1e-3) & (rest < 1);
    Term length = output + counts.choose(rest, zero);
    return (output == 1.0).choose(zero, x * (input - 1) / (length - 1));
  }
  case ResizeCoordinates::pytorch_half_pixel:
    return (output == 1.0).choose(zero, halfPixel);
  case ResizeCoordinates::half_pixel_symmetric: {
    Term adjustment = output / (scale * input);
    return input / 2 * (Term::number(space, 1) - adjustment) + halfPixel;
  }
  case ResizeCoordinates::half_pixel:
    break;
  }
  return halfPixel;
}

Value resampleAxis(NodeImport &n, Value x, int64_t axis, Value coordinates, const AxisKernel &kernel) {
  SmallVector<DimAttr> dims = getDims(x);
  DimAttr input = dims[axis], output = getDims(coordinates)[0];
  mlir::Type f64 = n.builder.getF64Type(), i64 = n.builder.getI64Type(), element = elementTypeOf(x);
  if (kernel.mode == ResizeMode::nearest) {
    Term at = rounded(Term(n, coordinates), kernel.nearest);
    Term place = at.max(0).min(Term::size(at.space(), input) - 1).to(i64);
    return n.create<GatherOp>(x, place.value(), axis);
  }
  DimAttr half = halfReach(n, kernel, input, output), two = dim::constant(n.context(), 2);
  TermSpace taps{n, {dim::mul(half, two), output}, f64};
  Term at = Term::spread(taps, coordinates, {1}), size = Term::size(taps, input);
  Term place = at.floor() + Term::iota(taps, 0) + 1 - Term::size(taps, half);
  Term distance = (place - at).abs();
  if (kernel.shrink && *kernel.shrink > 0)
    distance = distance * std::min(*kernel.shrink, 1.0);
  else if (kernel.shrink)
    distance = distance * (Term::size(taps, output) / size).min(1);
  Term weight = kernel.mode == ResizeMode::linear ? (Term::number(taps, 1) - distance).max(0)
                                                  : cubicKernel(distance, kernel.cubicCoefficient);
  if (kernel.excludeOutside)
    weight = ((place >= 0) & (place < size)).choose(weight, Term::number(taps, 0));
  Value sum = n.create<ReduceOp>(weight.value(), ReduceKind::sum, ArrayRef<int64_t>{0}, false);
  weight = weight / Term::spread(taps, sum, {1});
  Value read = n.create<GatherOp>(x, place.max(0).min(size - 1).to(i64).value(), axis);
  // f16 and bf16 are weighted and summed up in f32.
  mlir::Type wide = element.isF64() ? f64 : mlir::Type(n.builder.getF32Type());
  Term samples = Term(n, read).to(wide);
  samples = samples * Term::spread(samples.space(), weight.to(wide).value(), {axis, axis + 1});
  return n.cast(n.create<ReduceOp>(samples.value(), ReduceKind::sum, ArrayRef<int64_t>{axis}, false),
                element);
}

} // namespace torsh::onnx
