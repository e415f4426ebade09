//===-- CumProd.h - Running products ----------------------------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_CUMPROD_H
#define TORSH_DIALECTS_TORSH_CUMPROD_H

#include "dialects/torsh/Torsh.h"

#define GET_OP_CLASSES
#include "dialects/torsh/CumProd.h.inc"

#endif // TORSH_DIALECTS_TORSH_CUMPROD_H
