//===-- Bitcast.h - Bits of one element type read as another ----------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_BITCAST_H
#define TORSH_DIALECTS_TORSH_BITCAST_H

#include "dialects/torsh/Torsh.h"

#define GET_OP_CLASSES
#include "dialects/torsh/Bitcast.h.inc"

#endif // TORSH_DIALECTS_TORSH_BITCAST_H
