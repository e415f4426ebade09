//===-- TorshOps.cpp - Generated definitions of the torsh ops -----------------------------------------------===//
//
// Verifiers, shape functions and folders stand in the file of their topic (Elementwise.cpp, Contraction.cpp, ...).
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"

#define GET_OP_CLASSES
#include "dialects/torsh/TorshOps.cpp.inc"
