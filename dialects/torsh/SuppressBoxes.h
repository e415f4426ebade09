//===-- SuppressBoxes.h - Greedy selection of boxes -------------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_SUPPRESSBOXES_H
#define TORSH_DIALECTS_TORSH_SUPPRESSBOXES_H

#include "dialects/torsh/Torsh.h"

#define GET_OP_CLASSES
#include "dialects/torsh/SuppressBoxes.h.inc"

#endif // TORSH_DIALECTS_TORSH_SUPPRESSBOXES_H
