//===-- Tuner.h - The choices of a model's kernels, measured -------------------------------------------------===//
#ifndef TORSH_COMPILER_TUNER_TUNER_H
#define TORSH_COMPILER_TUNER_TUNER_H

#include "compiler/Compile.h"
#include "llvm/ADT/StringMap.h"

namespace torsh {

struct TuneOptions {
  CompileOptions compile;         ///< the model, the CPU level, the database and the log
  llvm::StringMap<int64_t> sizes; ///< of symbolic dims while measuring; 1 for others
  double seconds = 60;            ///< for everything
  bool again = false;             ///< measure kernels that the database knows
  bool winnersOnly = false;       ///< record no kernel whose defaults are the best
};

/// Tunes a model and adds what it found to the database, with a line for each kernel on the log.
CompileStatus tuneModel(const TuneOptions &options);

} // namespace torsh

#endif // TORSH_COMPILER_TUNER_TUNER_H
