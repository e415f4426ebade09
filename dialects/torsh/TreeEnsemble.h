//===-- TreeEnsemble.h - The ops of decision trees ----------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_TREEENSEMBLE_H
#define TORSH_DIALECTS_TORSH_TREEENSEMBLE_H

#include "dialects/torsh/Torsh.h"

#define GET_OP_CLASSES
#include "dialects/torsh/TreeEnsemble.h.inc"

#endif // TORSH_DIALECTS_TORSH_TREEENSEMBLE_H
