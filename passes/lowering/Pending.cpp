// Placeholders for strategies that are being written; weak, so the real ones win.
#include "passes/lowering/TileSpaces.h"
using namespace mlir;
namespace torsh {
#define PENDING(name) \
  __attribute__((weak)) LogicalResult emit##name##Kernel(KernelBuilder &kb) { return kb.refuse("not written"); } \
  __attribute__((weak)) TileSpace get##name##Tiles(KernelOp kernel) { return {dim::constant(kernel.getContext(), 1), 1}; }
PENDING(Recurrent) PENDING(Resize) PENDING(Scan) PENDING(Index) PENDING(Depthwise) PENDING(Pool)
} // namespace torsh
