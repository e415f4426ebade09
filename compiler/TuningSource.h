//===-- TuningSource.h - Where a compilation gets its measured choices ---------------------------------------===//
#ifndef TORSH_COMPILER_TUNINGSOURCE_H
#define TORSH_COMPILER_TUNINGSOURCE_H

#include "compiler/Compile.h"
#include "compiler/Target.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/tuning/Passes.h"

namespace torsh {

/// The choices for code that this machine runs; null when the options want none, at -O0, and when the artifact has no
/// level that this machine runs. A database that cannot be read is a warning on `log`, and is left out.
std::shared_ptr<const TuningContext> openTuning(const CompileOptions &options,
                                                llvm::ArrayRef<CpuLevel> levels, llvm::raw_ostream &log);

/// The file that the options name: the default place for an empty name.
std::string getTuningPath(const CompileOptions &options);

/// Says for the report how many kernels of the outlined module use measured choices, and where they come from.
void printTuning(const TuningContext *tuning, mlir::ModuleOp module, llvm::raw_ostream &log);

} // namespace torsh

#endif // TORSH_COMPILER_TUNINGSOURCE_H
