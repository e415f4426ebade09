//===-- LaunchCost.h - Arithmetic and traffic of a kernel call ----------------------------------------------===//
#ifndef TORSH_COMPILER_LAUNCHCOST_H
#define TORSH_COMPILER_LAUNCHCOST_H

#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"

namespace torsh {

/// What a kernel call has to do at least, in the symbols of the model's inputs.
struct LaunchCost {
  DimAttr
      flops; ///< two for a multiply-add of a contraction, one for an element of any other op that computes
  DimAttr bytes; ///< of its inputs and results, each once
};

/// The cost of a direct algorithm; `kernel` is the launch's kernel.
LaunchCost getLaunchCost(LaunchOp launch, KernelOp kernel);

/// The value of a cost as the metadata has it (dim::toString), 0 when it cannot be read or a size is missing.
double evaluateCost(llvm::StringRef text, const llvm::StringMap<int64_t> &sizes);

} // namespace torsh

#endif // TORSH_COMPILER_LAUNCHCOST_H
