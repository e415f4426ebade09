//===-- ResizeOps.cpp - Resize and Upsample
//-----------------------------------------------------------------===//
#include "frontends/onnx/ops/ResampleAxis.h"
#include "frontends/onnx/ops/RunTimeResize.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// The sampling of all dims: the result's dims with the scales that the coordinate map uses.
struct Sampling {
  SmallVector<DimAttr> dims;
  SmallVector<double> scales;
};

/// floor(size * scale). ONNX Runtime multiplies in f32, so that 10 * 0.7 is 7; a symbolic size needs a scale
/// that is a small fraction.
FailureOr<DimAttr> scaledSize(NodeImport &n, DimAttr size, double scale) {
  if (!(scale > 0) || !(scale < 1e6))
    return n.malformed("a scale is not positive");
  if (std::optional<int64_t> known = dim::asConstant(size)) {
    float product = static_cast<float>(*known) * static_cast<float>(scale);
    return dim::constant(n.context(), static_cast<int64_t>(std::floor(product)));
  }
  // The fraction that the scale stands for: where the exact product is whole, the rounded one is too.
  int64_t divisor = 1;
  auto fits = [&] {
    double numerator = std::round(scale * static_cast<double>(divisor));
    return static_cast<float>(numerator / static_cast<double>(divisor)) == static_cast<float>(scale);
  };
  while (divisor < 4096 && !fits())
    ++divisor;
  if (!fits())
    return n.unsupported(
        "a symbolic size needs a scale that is a fraction with a denominator of at most 4096");
  auto numerator =
      dim::constant(n.context(), static_cast<int64_t>(std::round(scale * static_cast<double>(divisor))));
  return dim::floorDiv(dim::mul(size, numerator), dim::constant(n.context(), divisor));
}

/// Which dims `axes` names: all without the attribute.
FailureOr<SmallVector<int64_t>> readAxes(NodeImport &n, int64_t rank) {
  std::optional<SmallVector<int64_t>> given = n.intsAttr("axes");
  if (!given)
    return range(0, rank);
  for (int64_t &axis : *given) {
    FailureOr<int64_t> normal = n.axis(axis, rank);
    if (failed(normal))
      return failure();
    axis = *normal;
  }
  return *given;
}

FailureOr<Sampling> samplingFromScales(NodeImport &n, Value x, ArrayRef<double> scales,
                                       ArrayRef<int64_t> axes) {
  if (scales.size() != axes.size())
    return n.malformed("scales must have one entry a dim");
  Sampling s{getDims(x), SmallVector<double>(rankOf(x), 1.0)};
  for (auto [axis, scale] : llvm::zip(axes, scales)) {
    FailureOr<DimAttr> size = scaledSize(n, s.dims[axis], scale);
    if (failed(size))
      return failure();
    s.dims[axis] = *size;
    s.scales[axis] = scale;
  }
  return s;
}

/// keep_aspect_ratio_policy: one scale for all axes, the smallest or the largest of the ratios.
FailureOr<Sampling> samplingKeepingAspect(NodeImport &n, Value x, ArrayRef<DimAttr> sizes,
                                          ArrayRef<int64_t> axes, bool smallest) {
  Sampling s{getDims(x), SmallVector<double>(rankOf(x), 1.0)};
  std::optional<double> scale;
  for (auto [axis, size] : llvm::zip(axes, sizes)) {
    std::optional<int64_t> from = dim::asConstant(s.dims[axis]), to = dim::asConstant(size);
    if (!from || !to || *from < 1)
      return n.unsupported("keep_aspect_ratio_policy needs static sizes");
    double ratio = static_cast<double>(*to) / static_cast<double>(*from);
    scale = !scale ? ratio : smallest ? std::min(*scale, ratio) : std::max(*scale, ratio);
  }
  for (int64_t axis : axes) {
    s.scales[axis] = *scale;
    double size = std::floor(*scale * static_cast<double>(*dim::asConstant(s.dims[axis])) + 0.5);
    s.dims[axis] = dim::constant(n.context(), static_cast<int64_t>(size));
  }
  return s;
}

FailureOr<Sampling> samplingFromSizes(NodeImport &n, Value x, ArrayRef<DimAttr> sizes,
                                      ArrayRef<int64_t> axes) {
  if (sizes.size() != axes.size())
    return n.malformed("sizes must have one entry a dim");
  StringRef policy = n.stringAttr("keep_aspect_ratio_policy", "stretch");
  if (policy != "stretch")
    return samplingKeepingAspect(n, x, sizes, axes, policy == "not_larger");
  Sampling s{getDims(x), SmallVector<double>(rankOf(x), 1.0)};
  for (auto [axis, size] : llvm::zip(axes, sizes)) {
    DimAttr from = s.dims[axis];
    if (from == size)
      continue;
    std::optional<int64_t> constantFrom = dim::asConstant(from), constantTo = dim::asConstant(size);
    if (constantFrom && constantTo && *constantFrom > 0) {
      s.scales[axis] = static_cast<double>(*constantTo) / static_cast<double>(*constantFrom);
    } else if (std::optional<DimAttr> up = dim::exactQuotient(size, from); up && dim::asConstant(*up)) {
      s.scales[axis] = static_cast<double>(*dim::asConstant(*up));
    } else if (std::optional<DimAttr> down = dim::exactQuotient(from, size); down && dim::asConstant(*down)) {
      s.scales[axis] = 1.0 / static_cast<double>(*dim::asConstant(*down));
    } else {
      s.scales[axis] = 0; // the ratio of the sizes, taken at run time
    }
    s.dims[axis] = size;
  }
  return s;
}

std::optional<ResizeMode> readMode(StringRef mode) {
  return llvm::StringSwitch<std::optional<ResizeMode>>(mode)
      .Case("nearest", ResizeMode::nearest)
      .Cases({"linear", "bilinear", "trilinear"}, ResizeMode::linear)
      .Case("cubic", ResizeMode::cubic)
      .Default(std::nullopt);
}

/// How the elements between two samples are chosen or weighted.
struct Filter {
  ResizeMode mode;
  NearestMode nearest = NearestMode::round_prefer_floor;
  double cubicCoefficient = -0.75;
  bool excludeOutside = false, antialias = false;
};

Value resize(NodeImport &n, Value x, const Sampling &s, ResizeCoordinates coordinates, const Filter &filter) {
  auto type = makeTensorType(s.dims, elementTypeOf(x));
  if (type == x.getType() && llvm::all_of(s.scales, [](double scale) { return scale == 1; }))
    return x;
  return n.create<ResizeOp>(type, x, s.scales, filter.mode, coordinates, filter.nearest,
                            llvm::APFloat(filter.cubicCoefficient), filter.excludeOutside,
                            /*antialias=*/false);
}

AxisKernel kernelOf(const Filter &filter) {
  return {filter.mode, filter.nearest, filter.cubicCoefficient, filter.excludeOutside, std::nullopt};
}

/// Whether one element reads more neighbours than torsh.resize has code for: a cubic kernel in more than three dims, of
/// which some may stay only at the run.
bool readsTooMany(Value x, const Sampling &s, ResizeMode mode) {
  int64_t taps = mode == ResizeMode::cubic ? 4 : mode == ResizeMode::linear ? 2 : 1, all = 1;
  for (auto [from, to] : llvm::zip(getDims(x), s.dims))
    if (from != to && all <= 64)
      all *= taps;
  return all > 64;
}

/// The dims one after the other, with the weights of each computed once: all of them when `all`, else those that shrink,
/// whose kernel antialiasing widens.
Value resizeByAxes(NodeImport &n, Value x, const Sampling &s, ResizeCoordinates coordinates,
                   const Filter &filter, bool all) {
  Sampling rest{getDims(x), SmallVector<double>(s.scales.size(), 1.0)};
  for (int64_t axis = 0; axis < rankOf(x); ++axis) {
    double scale = s.scales[axis];
    bool widens = filter.antialias && scale < 1;
    rest.dims[axis] = s.dims[axis];
    if (!widens && (!all || s.dims[axis] == getDims(x)[axis])) {
      rest.scales[axis] = scale;
      continue;
    }
    AxisKernel kernel = kernelOf(filter);
    if (widens)
      kernel.shrink = scale;
    Term at = resizeCoordinates(n, coordinates, getDims(x)[axis], s.dims[axis], scale);
    x = resampleAxis(n, x, axis, at.value(), kernel);
  }
  return resize(n, x, rest, coordinates, filter);
}

/// tf_crop_and_resize: each axis samples a part of x, from operand 1 (all starts, then all ends, as fractions of the
/// axis). What lies outside of x is extrapolation_value.
FailureOr<Value> cropAndResize(NodeImport &n, Value x, const Sampling &s, ArrayRef<int64_t> axes,
                               const Filter &filter) {
  if (!n.hasInput(1) || n.typeOf(1).getRank() != 1)
    return LogicalResult(n.malformed("tf_crop_and_resize needs the roi operand, a vector"));
  DimAttr count = dim::constant(n.context(), 2 * axes.size()), one = dim::constant(n.context(), 1);
  Value roi = n.operand(1);
  if (!n.unify(getDims(roi)[0], count, "the regions of Resize"))
    return LogicalResult(n.malformed("the roi operand must have two entries an axis"));
  std::optional<SmallVector<double>> known = n.constantFloats(1);
  mlir::Type f64 = n.builder.getF64Type();
  double outside = n.floatAttr("extrapolation_value", 0);
  for (auto [i, axis] : llvm::enumerate(axes)) {
    DimAttr from = getDims(x)[axis], to = s.dims[axis];
    if (known && (*known)[i] == 0 && (*known)[axes.size() + i] == 1 && from == to)
      continue;
    TermSpace space{n, {to}, f64};
    auto bound = [&](size_t place) {
      Value entry = sliceAxis(n, roi, 0, dim::constant(n.context(), place), one);
      return Term::spread(space, n.reshape(n.cast(entry, f64), {}), {});
    };
    Term start = bound(i), end = bound(axes.size() + i), last = Term::size(space, from) - 1,
         steps = Term::size(space, to) - 1;
    // A single element stands in the middle of the part.
    Term share = (steps == 0.0).choose(Term::number(space, 0.5), Term::iota(space, 0) / steps.max(1));
    Term at = (start + share * (end - start)) * last;
    Value inside = ((at >= 0) & (at <= last)).value();
    x = resampleAxis(n, x, axis, at.value(), kernelOf(filter));
    TermSpace result{n, getDims(x), elementTypeOf(x)};
    x = Term::spread(result, inside, {int64_t(axis)})
            .choose(Term(n, x), Term::number(result, outside))
            .value();
  }
  return x;
}

/// Upsample-1 (an attribute a spatial dim), -7 (one attribute) and -9 (operand), Resize-10: asymmetric coordinates; nearest takes the floor when
/// it grows and the ceiling when it shrinks.
LogicalResult importScaled(NodeImport &n) {
  if (failed(requireInputs(n, 1)))
    return failure();
  SmallVector<double> scales;
  if (n.hasInput(1)) {
    std::optional<SmallVector<double>> given = n.constantFloats(1);
    if (!given)
      return resizeAtRun(n, {range(0, n.typeOf(0).getRank()), 1, {}, {}, {}});
    scales = *given;
  } else if (const Attribute *given = n.attribute("scales")) {
    scales.assign(given->floats.begin(), given->floats.end());
  } else if (n.attribute("height_scale") && n.attribute("width_scale")) {
    scales = {1, 1, n.floatAttr("height_scale", 1), n.floatAttr("width_scale", 1)};
  }
  Value x = n.operand(0);
  std::optional<ResizeMode> mode = readMode(n.stringAttr("mode", "nearest"));
  if (!mode)
    return n.malformed("mode has an unknown value");
  mlir::Type element = elementTypeOf(x);
  bool viaFloat = *mode != ResizeMode::nearest && isa<IntegerType>(element);
  if (viaFloat)
    x = n.cast(x, n.builder.getF64Type());
  FailureOr<Sampling> s = samplingFromScales(n, x, scales, range(0, rankOf(x)));
  if (failed(s))
    return failure();
  // The dims that grow, then those that shrink.
  Sampling growing = *s, shrinking = *s;
  for (int64_t axis = 0; axis < rankOf(x); ++axis) {
    if (s->scales[axis] < 1) {
      growing.dims[axis] = getDims(x)[axis];
      growing.scales[axis] = 1;
    } else {
      shrinking.scales[axis] = 1;
    }
  }
  ResizeCoordinates coordinates = ResizeCoordinates::asymmetric;
  if (*mode == ResizeMode::nearest) {
    x = resize(n, x, growing, coordinates, {*mode, NearestMode::floor});
    x = resize(n, x, shrinking, coordinates, {*mode, NearestMode::ceil});
  } else {
    x = resize(n, x, *s, coordinates, {*mode});
  }
  n.setResult(0, n.cast(x, element));
  return success();
}

LogicalResult importResize(NodeImport &n) {
  if (failed(requireInputs(n, 1)))
    return failure();
  Value x = n.operand(0);
  mlir::Type type = elementTypeOf(x);
  if (type.isInteger(1)) // its nearest elements as bytes
    x = n.cast(x, n.builder.getIntegerType(8, false));
  std::optional<ResizeMode> mode = readMode(n.stringAttr("mode", "nearest"));
  StringRef map = n.stringAttr("coordinate_transformation_mode", "half_pixel");
  bool crops = map == "tf_crop_and_resize";
  auto coordinates = llvm::StringSwitch<std::optional<ResizeCoordinates>>(map)
                         .Cases({"half_pixel", "tf_crop_and_resize"}, ResizeCoordinates::half_pixel)
                         .Case("asymmetric", ResizeCoordinates::asymmetric)
                         .Case("align_corners", ResizeCoordinates::align_corners)
                         .Case("pytorch_half_pixel", ResizeCoordinates::pytorch_half_pixel)
                         .Case("half_pixel_symmetric", ResizeCoordinates::half_pixel_symmetric)
                         .Default(std::nullopt);
  auto nearest =
      llvm::StringSwitch<std::optional<NearestMode>>(n.stringAttr("nearest_mode", "round_prefer_floor"))
          .Case("round_prefer_floor", NearestMode::round_prefer_floor)
          .Case("round_prefer_ceil", NearestMode::round_prefer_ceil)
          .Case("floor", NearestMode::floor)
          .Case("ceil", NearestMode::ceil)
          .Default(std::nullopt);
  if (!coordinates)
    return n.unsupported("coordinate_transformation_mode " + map + " is not supported");
  if (!mode || !nearest)
    return n.malformed("mode or nearest_mode has an unknown value");
  FailureOr<SmallVector<int64_t>> axes = readAxes(n, rankOf(x));
  if (failed(axes))
    return failure();
  // An operand of size 0 counts as absent: exporters wrote it so before opset 13.
  auto given = [&](size_t i) {
    return n.hasInput(i) && !(n.typeOf(i).getRank() == 1 && dim::isConstant(getDims(n.typeOf(i))[0], 0));
  };
  Filter filter{*mode, *nearest, n.floatAttr("cubic_coeff_a", -0.75), n.intAttr("exclude_outside", 0) != 0,
                n.intAttr("antialias", 0) != 0};
  FailureOr<Sampling> s = failure();
  if (given(3)) {
    // Cropping and antialiasing go by the sizes themselves, whoever knows them.
    bool byRatio = crops || filter.antialias;
    std::optional<SmallVector<DimAttr>> sizes = byRatio ? n.shapeValue(3) : n.knownValue(3);
    if (!sizes)
      return resizeAtRun(n, {*axes, {}, 3, *coordinates, kernelOf(filter), byRatio});
    s = samplingFromSizes(n, x, *sizes, *axes);
  } else if (given(2)) {
    std::optional<SmallVector<double>> scales = n.constantFloats(2);
    if (!scales)
      return resizeAtRun(n, {*axes, 2, {}, *coordinates, kernelOf(filter), crops || filter.antialias});
    s = samplingFromScales(n, x, *scales, *axes);
  } else {
    return n.malformed("neither scales nor sizes are given");
  }
  if (failed(s))
    return failure();
  // Integers are interpolated as floats.
  mlir::Type element = elementTypeOf(x);
  if (*mode != ResizeMode::nearest && isa<IntegerType>(element))
    x = n.cast(x, n.builder.getF64Type());
  if (crops) {
    FailureOr<Value> cropped = cropAndResize(n, x, *s, *axes, filter);
    if (failed(cropped))
      return failure();
    x = *cropped;
  } else {
    bool smooth = filter.antialias && *mode != ResizeMode::nearest, all = readsTooMany(x, *s, *mode);
    x = smooth || all ? resizeByAxes(n, x, *s, *coordinates, filter, all)
                      : resize(n, x, *s, *coordinates, filter);
  }
  n.setResult(0, n.cast(x, element));
  return success();
}

} // namespace

void addResizeOps(OpTable &table) {
  table.add("", "Upsample", 1, importScaled);
  table.add("", "Resize", 10, importScaled);
  table.add("", "Resize", 11, importResize);
}

} // namespace torsh::onnx
