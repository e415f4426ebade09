//===-- RegionPool.cpp - Reference semantics of pooling over boxes ------------------------------------------===//
#include "dialects/torsh/RegionPool.h"
#include "dialects/torsh/reference/Call.h"
#include "dialects/torsh/reference/Iteration.h"
#include <cmath>

using namespace llvm;
using namespace mlir;

namespace torsh::reference {
namespace {

/// Grids beyond this are no boxes of an image.
constexpr double mostSamples = 1 << 16;

/// What a sample reads along one dim: two neighbours and their weights. Both weights are 0 outside.
struct Pair {
  int64_t index[2] = {0, 0};
  double weight[2] = {0, 0};
};

Pair pairAt(double place, int64_t size) {
  Pair pair;
  if (!(place >= -1 && place <= double(size)))
    return pair;
  place = std::max(place, 0.0);
  int64_t low = std::min(int64_t(place), size - 1);
  double rest = low == size - 1 ? 0 : place - double(low);
  pair.index[0] = low;
  pair.index[1] = std::min(low + 1, size - 1);
  pair.weight[0] = 1 - rest;
  pair.weight[1] = rest;
  return pair;
}

/// One dim of a box: where it starts, how long its cells are and how many samples each has.
struct Extent {
  double start, cell;
  int64_t samples;
};

/// The box's numbers are those of the operand's type, f32 for the narrow ones.
Extent extentOf(RoiAlignOp op, double low, double high, int64_t cells, bool wide) {
  auto number = [&](double value) { return wide ? value : double(float(value)); };
  double scale = op.getScale().convertToDouble(), offset = op.getOffset().convertToDouble();
  double start = number(number(low * scale) - offset), end = number(number(high * scale) - offset);
  double length = number(end - start);
  if (offset == 0)
    length = std::max(length, 1.0);
  double cell = number(length / double(cells));
  double grid = op.getSamples() > 0 ? double(op.getSamples()) : std::ceil(cell);
  return {start, cell, int64_t(std::clamp(std::isnan(grid) ? 0.0 : grid, 0.0, mostSamples))};
}

Results evaluateRoiAlign(RoiAlignOp op, Call &call) {
  const Tensor &x = call[op.getX()], &rois = call[op.getRois()], &images = call[op.getImages()];
  Expected<Tensor> y = call.allocateResult(0);
  if (!y)
    return y.takeError();
  if (rois.shape[0] != y->shape[0] || images.shape[0] != y->shape[0] || rois.shape[1] != 4 ||
      x.shape[3] != y->shape[3])
    return call.misfit("x, rois, images and the result do not belong together");
  if (x.numElements() == 0)
    return single(std::move(y));
  const int64_t height = x.shape[1], width = x.shape[2], channels = x.shape[3];
  bool wide = x.elementType.isF64();
  forEachIndex(y->shape, [&](ArrayRef<int64_t> at, int64_t linear) {
    const double *box = &rois.floats[at[0] * 4];
    int64_t image = images.ints[at[0]];
    image = std::clamp<int64_t>(image < 0 ? image + x.shape[0] : image, 0, x.shape[0] - 1);
    Extent rows = extentOf(op, box[1], box[3], y->shape[1], wide),
           columns = extentOf(op, box[0], box[2], y->shape[2], wide);
    int64_t count = rows.samples * columns.samples;
    double sum = 0, most = -INFINITY;
    for (int64_t i = 0; i < count; ++i) {
      auto placeOf = [](const Extent &extent, int64_t cell, int64_t sample) {
        return extent.start + double(cell) * extent.cell +
               (double(sample) + 0.5) * extent.cell / double(extent.samples);
      };
      Pair v = pairAt(placeOf(rows, at[1], i / columns.samples), height),
           h = pairAt(placeOf(columns, at[2], i % columns.samples), width);
      for (int64_t corner = 0; corner < 4; ++corner) {
        int64_t row = v.index[corner / 2], column = h.index[corner % 2];
        double part = v.weight[corner / 2] * h.weight[corner % 2] *
                      x.floats[((image * height + row) * width + column) * channels + at[3]];
        sum += part;
        most = std::isnan(part) || part > most ? part : most;
      }
    }
    y->floats[linear] = count == 0 ? 0 : op.getMaximum() ? most : sum / double(count);
  });
  return single(std::move(y));
}

Results evaluateRoiMaxPool(RoiMaxPoolOp op, Call &call) {
  const Tensor &x = call[op.getX()], &rois = call[op.getRois()];
  Expected<Tensor> y = call.allocateResult(0);
  if (!y)
    return y.takeError();
  if (rois.shape[0] != y->shape[0] || rois.shape[1] != 5 || x.shape[3] != y->shape[3])
    return call.misfit("x, rois and the result do not belong together");
  if (x.numElements() == 0)
    return single(std::move(y));
  const int64_t channels = x.shape[3];
  double scale = op.getScale().convertToDouble();
  auto corner = [&](double value) { return int64_t(std::clamp(std::round(value * scale), -0x1p30, 0x1p30)); };
  forEachIndex(y->shape, [&](ArrayRef<int64_t> at, int64_t linear) {
    const double *box = &rois.floats[at[0] * 5];
    int64_t image = std::clamp<int64_t>(int64_t(std::clamp(box[0], 0.0, 0x1p30)), 0, x.shape[0] - 1);
    int64_t from[2], to[2];
    for (int64_t d = 0; d < 2; ++d) {
      int64_t start = corner(box[2 - d]), length = std::max<int64_t>(corner(box[4 - d]) - start + 1, 1);
      int64_t cells = y->shape[d + 1];
      from[d] = std::clamp<int64_t>(start + at[d + 1] * length / cells, 0, x.shape[d + 1]);
      to[d] = std::clamp<int64_t>(start + ((at[d + 1] + 1) * length + cells - 1) / cells, 0, x.shape[d + 1]);
    }
    double most = -INFINITY;
    for (int64_t row = from[0]; row < to[0]; ++row)
      for (int64_t column = from[1]; column < to[1]; ++column) {
        double value = x.floats[((image * x.shape[1] + row) * x.shape[2] + column) * channels + at[3]];
        most = std::isnan(value) || value > most ? value : most;
      }
    y->floats[linear] = from[0] >= to[0] || from[1] >= to[1] ? 0 : most;
  });
  return single(std::move(y));
}

} // namespace

void addRegionPool(HandlerTable &table) {
  table.add<RoiAlignOp>(evaluateRoiAlign);
  table.add<RoiMaxPoolOp>(evaluateRoiMaxPool);
}

} // namespace torsh::reference
