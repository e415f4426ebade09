//===-- Passes.h - Passes over affine loop nests ------------------------------------------------------------===//
#ifndef TORSH_PASSES_POLYHEDRAL_PASSES_H
#define TORSH_PASSES_POLYHEDRAL_PASSES_H

#include "mlir/Pass/Pass.h"

namespace torsh {

#define GEN_PASS_DECL
#include "passes/polyhedral/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/polyhedral/Passes.h.inc"

/// The version of isl that this library computes with.
const char *islVersion();

} // namespace torsh

#endif // TORSH_PASSES_POLYHEDRAL_PASSES_H
