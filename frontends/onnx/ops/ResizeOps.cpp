//===-- ResizeOps.cpp - Resize and Upsample
//-----------------------------------------------------------------===//
#include "frontends/onnx/ops/Compose.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// The sampling of all dims: the result's dims with the scales that the coordinate map uses.
struct Sampling {
  SmallVector<DimAttr> dims;
  SmallVector<double> scales;
};

/// floor(size * scale). ONNX Runtime multiplies in f32, so that 10 * 0.7 is 7; a symbolic size needs a scale
/// that is an exact fraction.
FailureOr<DimAttr> scaledSize(NodeImport &n, DimAttr size, double scale) {
  if (!(scale > 0) || !(scale < 1e6))
    return n.malformed("a scale is not positive");
  if (std::optional<int64_t> known = dim::asConstant(size)) {
    float product = static_cast<float>(*known) * static_cast<float>(scale);
    return dim::constant(n.context(), static_cast<int64_t>(std::floor(product)));
  }
  int64_t divisor = 1;
  while (divisor < (1 << 16) && scale * divisor != std::floor(scale * divisor))
    divisor *= 2;
  if (scale * divisor != std::floor(scale * divisor))
    return n.unsupported(
        "a symbolic size needs a scale that is a fraction with a power of two as denominator");
  DimAttr numerator = dim::constant(n.context(), static_cast<int64_t>(scale * divisor));
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

Value resize(NodeImport &n, Value x, const Sampling &s, ResizeMode mode, ResizeCoordinates coordinates,
             NearestMode nearest) {
  auto type = makeTensorType(s.dims, elementTypeOf(x));
  if (type == x.getType() && llvm::all_of(s.scales, [](double scale) { return scale == 1; }))
    return x;
  return n.create<ResizeOp>(type, x, s.scales, mode, coordinates, nearest,
                            llvm::APFloat(n.floatAttr("cubic_coeff_a", -0.75)),
                            n.intAttr("exclude_outside", 0) != 0, n.intAttr("antialias", 0) != 0);
}

/// Upsample-7 (attribute) and -9 (operand), Resize-10: asymmetric coordinates; nearest takes the floor when
/// it grows and the ceiling when it shrinks.
LogicalResult importScaled(NodeImport &n) {
  if (failed(requireInputs(n, 1)))
    return failure();
  SmallVector<double> scales;
  if (n.hasInput(1)) {
    std::optional<SmallVector<double>> given = n.constantFloats(1);
    if (!given)
      return n.unsupported("the scales must be known at compile time");
    scales = *given;
  } else if (const Attribute *given = n.attribute("scales")) {
    scales.assign(given->floats.begin(), given->floats.end());
  }
  Value x = n.operand(0);
  std::optional<ResizeMode> mode = readMode(n.stringAttr("mode", "nearest"));
  if (!mode)
    return n.malformed("mode has an unknown value");
  FailureOr<Sampling> s = samplingFromScales(n, x, scales, range(0, rankOf(x)));
  if (failed(s))
    return failure();
  bool grows = llvm::any_of(scales, [](double scale) { return scale > 1; });
  bool shrinks = llvm::any_of(scales, [](double scale) { return scale < 1; });
  if (grows && shrinks && *mode == ResizeMode::nearest)
    return n.unsupported("nearest with scales below and above 1 is not supported before opset 11");
  n.setResult(0, resize(n, x, *s, *mode, ResizeCoordinates::asymmetric,
                        shrinks ? NearestMode::ceil : NearestMode::floor));
  return success();
}

LogicalResult importResize(NodeImport &n) {
  if (failed(requireInputs(n, 1)))
    return failure();
  Value x = n.operand(0);
  std::optional<ResizeMode> mode = readMode(n.stringAttr("mode", "nearest"));
  auto coordinates = llvm::StringSwitch<std::optional<ResizeCoordinates>>(
                         n.stringAttr("coordinate_transformation_mode", "half_pixel"))
                         .Case("half_pixel", ResizeCoordinates::half_pixel)
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
    return n.unsupported("coordinate_transformation_mode " +
                         n.stringAttr("coordinate_transformation_mode", "") + " is not supported");
  if (!mode || !nearest)
    return n.malformed("mode or nearest_mode has an unknown value");
  FailureOr<SmallVector<int64_t>> axes = readAxes(n, rankOf(x));
  if (failed(axes))
    return failure();
  // An operand of size 0 counts as absent: exporters wrote it so before opset 13.
  auto given = [&](size_t i) {
    return n.hasInput(i) && !(n.typeOf(i).getRank() == 1 && dim::isConstant(getDims(n.typeOf(i))[0], 0));
  };
  FailureOr<Sampling> s = failure();
  if (given(3)) {
    std::optional<SmallVector<DimAttr>> sizes = n.shapeValue(3);
    if (!sizes)
      return n.unsupported("the sizes must be computed from shapes and constants");
    s = samplingFromSizes(n, x, *sizes, *axes);
  } else if (given(2)) {
    std::optional<SmallVector<double>> scales = n.constantFloats(2);
    if (!scales)
      return n.unsupported("the scales must be known at compile time");
    s = samplingFromScales(n, x, *scales, *axes);
  } else {
    return n.malformed("neither scales nor sizes are given");
  }
  if (failed(s))
    return failure();
  n.setResult(0, resize(n, x, *s, *mode, *coordinates, *nearest));
  return success();
}

} // namespace

void addResizeOps(OpTable &table) {
  table.add("", "Upsample", 7, importScaled);
  table.add("", "Resize", 10, importScaled);
  table.add("", "Resize", 11, importResize);
}

} // namespace torsh::onnx
