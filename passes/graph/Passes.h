//===-- Passes.h - Graph passes -----------------------------------------------------------------------------===//
#ifndef TORSH_PASSES_GRAPH_PASSES_H
#define TORSH_PASSES_GRAPH_PASSES_H

#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace torsh {

#define GEN_PASS_DECL
#include "passes/graph/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/graph/Passes.h.inc"

} // namespace torsh

#endif // TORSH_PASSES_GRAPH_PASSES_H
