//===-- ResizeOps.cpp - Resampling of images ----------------------------------------------------------------===//
#include "frontends/torch/aten/Table.h"

using namespace mlir;

namespace torsh::torch {
namespace {

/// The output sizes, or the input's times the scale factors; a scale that is given also enters the coordinates.
LogicalResult giveResized(Call &c, ResizeMode mode, ResizeCoordinates coordinates) {
  TensorBuilder &b = c.b;
  Value x = c.tensor("self");
  int64_t rank = rankOf(x), spatial = rank - 2;
  if (spatial < 1)
    return c.fail("an image needs a batch, channels and spatial dims");
  SmallVector<DimAttr> sizes = getDims(x);
  SmallVector<double> scales(rank, 1.0);
  if (c.has("output_size")) {
    SmallVector<DimAttr> wanted = c.dims("output_size");
    if (int64_t(wanted.size()) != spatial)
      return c.fail("output_size needs a number for each spatial dim");
    for (int64_t i = 0; i < spatial; ++i) {
      std::optional<int64_t> from = dim::asConstant(sizes[i + 2]), to = dim::asConstant(wanted[i]);
      // 0 stands for the ratio of sizes that only the run knows.
      scales[i + 2] = from && to && *from > 0 ? double(*to) / double(*from) : 0;
      sizes[i + 2] = wanted[i];
    }
  } else {
    const Val &factors = c.value("scale_factors");
    if (!factors.isSequence() || int64_t(factors.items().size()) != spatial)
      return c.fail("an output size or a scale for each spatial dim is needed");
    for (int64_t i = 0; i < spatial; ++i) {
      std::optional<double> factor = factors.items()[i].knownDouble();
      if (!factor || !(*factor > 0))
        return c.fail("a scale factor must be a positive number");
      scales[i + 2] = *factor;
      if (std::optional<int64_t> from = dim::asConstant(sizes[i + 2]))
        sizes[i + 2] = b.dim(int64_t(double(*from) * *factor));
      else if (*factor == double(int64_t(*factor)))
        sizes[i + 2] = dim::mul(sizes[i + 2], b.dim(int64_t(*factor)));
      else
        return c.fail("a symbolic size needs a whole scale factor; fix it with --dim");
    }
  }
  if (b.hasFailed())
    return failure();
  RankedTensorType type = makeTensorType(sizes, elementTypeOf(x));
  return c.give(b.create<ResizeOp>(type, x, scales, mode, coordinates, NearestMode::floor,
                                   llvm::APFloat(-0.75), false, false));
}

LogicalResult importNearest(Call &c) {
  return giveResized(c, ResizeMode::nearest, ResizeCoordinates::asymmetric);
}

template <ResizeMode mode> LogicalResult importInterpolated(Call &c) {
  return giveResized(
      c, mode, c.flag("align_corners") ? ResizeCoordinates::align_corners : ResizeCoordinates::half_pixel);
}

} // namespace

void addResizeOps(Table &table) {
  for (StringRef rank : {"1d", "2d", "3d"}) {
    table.add(("upsample_nearest" + rank + "(Tensor self, int[]? output_size, float[]? scale_factors)").str(),
              importNearest);
    table.add(
        ("upsample_nearest" + rank +
         "(Tensor self, int[] output_size, float? scales_d=None, float? scales_h=None, float? scales_w=None)")
            .str(),
        importNearest);
  }
  for (auto [name, function] :
       {std::pair<StringRef, ImportFunction>("upsample_bilinear2d", importInterpolated<ResizeMode::linear>),
        {"upsample_linear1d", importInterpolated<ResizeMode::linear>},
        {"upsample_trilinear3d", importInterpolated<ResizeMode::linear>},
        {"upsample_bicubic2d", importInterpolated<ResizeMode::cubic>}}) {
    table.add((name + "(Tensor self, int[]? output_size, bool align_corners, float[]? scale_factors)").str(),
              function);
    table.add((name + "(Tensor self, int[] output_size, bool align_corners, float? scales_d=None, "
                      "float? scales_h=None, float? scales_w=None)")
                  .str(),
              function);
  }
}

} // namespace torsh::torch
