//===-- TileSpaces.h - The tile space of each strategy ------------------------------------------------------===//
#ifndef TORSH_PASSES_LOWERING_TILESPACES_H
#define TORSH_PASSES_LOWERING_TILESPACES_H

#include "passes/lowering/KernelBuilder.h"

namespace torsh {

TileSpace getElementwiseTiles(KernelOp kernel);
TileSpace getConcatTiles(KernelOp kernel);
TileSpace getReduceTiles(KernelOp kernel);
TileSpace getRowNormTiles(KernelOp kernel);
TileSpace getDotTiles(KernelOp kernel);
TileSpace getAttentionTiles(KernelOp kernel);
TileSpace getConvTiles(KernelOp kernel);
TileSpace getDepthwiseTiles(KernelOp kernel);
TileSpace getPoolTiles(KernelOp kernel);
TileSpace getRecurrentTiles(KernelOp kernel);
TileSpace getResizeTiles(KernelOp kernel);
TileSpace getScanTiles(KernelOp kernel);
TileSpace getIndexTiles(KernelOp kernel);

} // namespace torsh

#endif // TORSH_PASSES_LOWERING_TILESPACES_H
