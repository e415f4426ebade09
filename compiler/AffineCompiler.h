//===-- AffineCompiler.h - Affine functions -> an object file -----------------------------------------------===//
#ifndef TORSH_COMPILER_AFFINECOMPILER_H
#define TORSH_COMPILER_AFFINECOMPILER_H

#include "compiler/KernelCompiler.h"
#include "passes/polyhedral/Passes.h"

namespace torsh {

struct AffineOptions {
  bool schedule = true;             ///< false: the loops as they stand, one element at a time
  ScheduleAffinePassOptions passes; ///< the vector width follows from the level
  unsigned optLevel = 3;
  KernelStage stage = KernelStage::Object;
};

/// Compiles every function of a module in the affine dialect for a CPU level: text of loops, LLVM IR or assembly, or an
/// object file. A function takes the addresses of its arrays and its sizes as `int64_t`, in the order of its arguments.
/// Arrays must have known sizes. Remarks of the scheduler go to `remarks`, one a line.
llvm::Expected<std::string> compileAffine(llvm::StringRef text, const CpuLevel &level,
                                          const AffineOptions &options, std::string *remarks = nullptr);

} // namespace torsh

#endif // TORSH_COMPILER_AFFINECOMPILER_H
