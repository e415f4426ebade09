//===-- HostPlan.h - The compiled function that launches the kernels ----------------------------------------===//
#ifndef TORSH_COMPILER_HOSTPLAN_H
#define TORSH_COMPILER_HOSTPLAN_H

#include "compiler/Target.h"
#include "compiler/gpu/DevicePlan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/IR/Module.h"

namespace torsh {

/// Builds the LLVM module with `torsh_query`, the program's tables, `prepare` and `run` (include/torsh/artifact.h) from a
/// planned function. Kernels are external symbols `<kernel>_<level>`. Fails on ops that the host plan has no code for
/// (TSH-0610, one message an op). With `device` the program says what a GPU runs of it.
llvm::Expected<std::unique_ptr<llvm::Module>> buildHostPlan(mlir::func::FuncOp function,
                                                            llvm::ArrayRef<CpuLevel> levels,
                                                            llvm::LLVMContext &context,
                                                            const DevicePlan *device = nullptr);

/// DLPack's (code, bits) of an element type; bits 0 for types that have none.
std::pair<uint8_t, uint8_t> dlpackType(mlir::Type elementType);

/// The symbols that the function's inputs bind, in order of appearance.
llvm::SmallVector<llvm::StringRef> boundSymbols(mlir::func::FuncOp function);

/// An input that a host keeps from run to run: a parameter, what the optimizer knows of it, or the number of the step.
struct StateSlot {
  uint32_t input;
  uint32_t role;   ///< TORSH_STATE_*
  int64_t initial; ///< offset of the first value among the weights, -1 for zeros
  int64_t bytes;   ///< -1 when the size is symbolic
};
/// The slots of a planned train step, in the order of the inputs; none for other functions.
llvm::SmallVector<StateSlot> getStateSlots(mlir::func::FuncOp function);

/// Names of the function's inputs or results (`torsh.input_names`, `torsh.output_names`).
llvm::SmallVector<std::string> portNames(mlir::func::FuncOp function, bool inputs);

} // namespace torsh

#endif // TORSH_COMPILER_HOSTPLAN_H
