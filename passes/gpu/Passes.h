//===-- Passes.h - GPU passes -------------------------------------------------------------------------------===//
#ifndef TORSH_PASSES_GPU_PASSES_H
#define TORSH_PASSES_GPU_PASSES_H

#include "dialects/torsh/Torsh.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace torsh {

#define GEN_PASS_DECL
#include "passes/gpu/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/gpu/Passes.h.inc"

} // namespace torsh

#endif // TORSH_PASSES_GPU_PASSES_H
