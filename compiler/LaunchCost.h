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

/// What the kernel's symbols are in a launch.
llvm::StringMap<DimAttr> bindSymbols(LaunchOp launch, KernelOp kernel);

/// The cost of a direct algorithm; `kernel` is the launch's kernel.
LaunchCost getLaunchCost(LaunchOp launch, KernelOp kernel);

/// About the nanoseconds that a call takes on one core: no more than the order of magnitude, to decide whether it is worth
/// sharing.
DimAttr estimateNanoseconds(LaunchOp launch, KernelOp kernel);

/// Evaluates costs as the metadata has them (dim::toString).
class CostReader {
public:
  explicit CostReader(const llvm::StringMap<int64_t> &sizes);
  /// 0 when the text cannot be read or a size is missing.
  double evaluate(llvm::StringRef text);

private:
  const llvm::StringMap<int64_t> &sizes;
  mlir::MLIRContext context;
};

} // namespace torsh

#endif // TORSH_COMPILER_LAUNCHCOST_H
