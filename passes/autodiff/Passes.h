//===-- Passes.h - Passes that differentiate ----------------------------------------------------------------===//
#ifndef TORSH_PASSES_AUTODIFF_PASSES_H
#define TORSH_PASSES_AUTODIFF_PASSES_H

#include "dialects/torsh/Torsh.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace torsh {

#define GEN_PASS_DECL
#include "passes/autodiff/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/autodiff/Passes.h.inc"

} // namespace torsh

#endif // TORSH_PASSES_AUTODIFF_PASSES_H
