//===-- TileSpaces.h - The tile space of each strategy ------------------------------------------------------===//
#ifndef TORSH_PASSES_LOWERING_TILESPACES_H
#define TORSH_PASSES_LOWERING_TILESPACES_H

#include "passes/lowering/KernelBuilder.h"

namespace torsh {

/// The grain of a tile space whose tiles take `products` multiply-adds each: a range takes about a microsecond, and with
/// some tens of microseconds for each tile sleeping threads are worth waking at once.
inline int64_t grainOf(double products) {
  constexpr double worthRange = 16384, worthWaking = 524288;
  if (products >= worthWaking)
    return 0;
  return products >= worthRange ? 1 : static_cast<int64_t>(worthRange / std::max(products, 256.0));
}

TileSpace getElementwiseTiles(KernelOp kernel);
TileSpace getConcatTiles(KernelOp kernel);
TileSpace getReduceTiles(KernelOp kernel);
TileSpace getRowNormTiles(KernelOp kernel);
TileSpace getDotTiles(KernelOp kernel);
TileSpace getAttentionTiles(KernelOp kernel);
TileSpace getConvTiles(KernelOp kernel);
TileSpace getDepthwiseTiles(KernelOp kernel);
TileSpace getExpandDepthwiseTiles(KernelOp kernel);
TileSpace getPoolTiles(KernelOp kernel);
TileSpace getPoolGradTiles(KernelOp kernel);
TileSpace getWeightGradTiles(KernelOp kernel);
TileSpace getRecurrentTiles(KernelOp kernel);
TileSpace getResizeTiles(KernelOp kernel);
TileSpace getScanTiles(KernelOp kernel);
TileSpace getIndexTiles(KernelOp kernel);
TileSpace getWinogradInputTiles(KernelOp kernel);
TileSpace getWinogradOutputTiles(KernelOp kernel);

} // namespace torsh

#endif // TORSH_PASSES_LOWERING_TILESPACES_H
