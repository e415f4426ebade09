//===-- RegionPool.h - Pooling over boxes of a feature map --------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_REGIONPOOL_H
#define TORSH_DIALECTS_TORSH_REGIONPOOL_H

#include "dialects/torsh/Torsh.h"

#define GET_OP_CLASSES
#include "dialects/torsh/RegionPool.h.inc"

#endif // TORSH_DIALECTS_TORSH_REGIONPOOL_H
