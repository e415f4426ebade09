//===-- Winograd.cpp - Reference semantics of Winograd's transforms -----------------------------------------===//
#include "dialects/torsh/Winograd.h"
#include "dialects/torsh/reference/Interpreter.h"
#include "dialects/torsh/reference/Iteration.h"

using namespace llvm;
using namespace mlir;

namespace torsh::reference {
namespace {

Results evaluateInput(WinogradInputOp op, Call &call) {
  const Tensor &x = call[op.getX()];
  const WinogradTransform *transform = getWinogradTransform(op.getTile());
  Expected<Tensor> v = call.allocateResult(0);
  if (!v)
    return v.takeError();
  const int64_t tile = op.getTile(), patch = transform->patch, channels = x.shape[3];
  auto tilesOf = [&](int64_t axis) {
    return divideCeil(std::max<int64_t>(0, x.shape[axis + 1] + op.getLow()[axis] + op.getHigh()[axis] - 2),
                      uint64_t(tile));
  };
  const int64_t rows = tilesOf(0), columns = tilesOf(1), tiles = x.shape[0] * rows * columns;
  if (ArrayRef<int64_t>(v->shape) != ArrayRef<int64_t>{patch * patch, tiles, channels})
    return call.misfit(describe(v->shape, v->elementType) + " are not the tiles of " +
                       describe(x.shape, x.elementType));
  for (int64_t t = 0; t < tiles; ++t)
    for (int64_t c = 0; c < channels; ++c) {
      int64_t image = t / (rows * columns), top = t / columns % rows * tile - op.getLow()[0],
              left = t % columns * tile - op.getLow()[1];
      auto pixel = [&](int64_t a, int64_t b) {
        int64_t h = top + a, w = left + b;
        bool inside = h >= 0 && h < x.shape[1] && w >= 0 && w < x.shape[2];
        return inside ? x.floats[((image * x.shape[1] + h) * x.shape[2] + w) * channels + c] : 0.0;
      };
      SmallVector<double> values = transformBothDims(transform->input, patch, patch, pixel);
      for (int64_t i = 0; i < patch * patch; ++i)
        v->floats[(i * tiles + t) * channels + c] = values[i];
    }
  return single(std::move(v));
}

Results evaluateOutput(WinogradOutputOp op, Call &call) {
  const Tensor &sums = call[op.getSums()];
  const WinogradTransform *transform = getWinogradTransform(op.getTile());
  Expected<Tensor> y = call.allocateResult(0);
  if (!y)
    return y.takeError();
  const int64_t tile = op.getTile(), patch = transform->patch, channels = y->shape[3];
  const int64_t rows = divideCeil(uint64_t(y->shape[1]), uint64_t(tile)),
                columns = divideCeil(uint64_t(y->shape[2]), uint64_t(tile)),
                tiles = y->shape[0] * rows * columns;
  if (ArrayRef<int64_t>(sums.shape) != ArrayRef<int64_t>{patch * patch, tiles, channels})
    return call.misfit(describe(sums.shape, sums.elementType) + " are not the tiles of " +
                       describe(y->shape, y->elementType));
  // A^T is tile x patch: its rows are applied one by one.
  forEachIndex(y->shape, [&](ArrayRef<int64_t> index, int64_t linear) {
    int64_t t = (index[0] * rows + index[1] / tile) * columns + index[2] / tile;
    ArrayRef<double> up = transform->output.slice(index[1] % tile * patch, patch),
                     across = transform->output.slice(index[2] % tile * patch, patch);
    double sum = 0;
    for (int64_t a = 0; a < patch; ++a)
      for (int64_t b = 0; b < patch; ++b)
        sum += up[a] * across[b] * sums.floats[((a * patch + b) * tiles + t) * channels + index[3]];
    y->floats[linear] = sum;
  });
  return single(std::move(y));
}

} // namespace

void addWinograd(HandlerTable &table) {
  table.add<WinogradInputOp>(evaluateInput);
  table.add<WinogradOutputOp>(evaluateOutput);
}

} // namespace torsh::reference
