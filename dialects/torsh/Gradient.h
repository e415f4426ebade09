//===-- Gradient.h - Derivatives that a model asks for ----------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_GRADIENT_H
#define TORSH_DIALECTS_TORSH_GRADIENT_H

#include "dialects/torsh/Torsh.h"

#define GET_OP_CLASSES
#include "dialects/torsh/Gradient.h.inc"

#endif // TORSH_DIALECTS_TORSH_GRADIENT_H
