//===-- Passes.h - Passes that know the tuning database ------------------------------------------------------===//
#ifndef TORSH_PASSES_TUNING_PASSES_H
#define TORSH_PASSES_TUNING_PASSES_H

#include "dialects/torsh/Torsh.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "passes/tuning/TuningDatabase.h"

namespace torsh {

#define GEN_PASS_DECL
#include "passes/tuning/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/tuning/Passes.h.inc"

/// What a compilation may use of what was measured.
struct TuningContext {
  TuningDatabase database; ///< the user's
  bool useShipped = true;
  std::string cpu;   ///< as describeCpu has it
  std::string level; ///< of the entries; the one that this CPU runs of the artifact

  /// The entry for a key, the user's before the shipped one; null without any.
  const TuningEntry *find(llvm::StringRef key) const;
};

/// The pass with a context that was read before.
std::unique_ptr<mlir::Pass> createApplyChoicesPass(std::shared_ptr<const TuningContext> context);

} // namespace torsh

#endif // TORSH_PASSES_TUNING_PASSES_H
