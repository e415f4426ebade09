//===-- Target.h - CPU levels and machine code --------------------------------------------------------------===//
#ifndef TORSH_COMPILER_TARGET_H
#define TORSH_COMPILER_TARGET_H

#include "passes/lowering/KernelBuilder.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>
#include <string>
#include <vector>

namespace torsh {

/// How the products of contractions are computed.
enum class Products {
  F32,
  Bf16,         ///< pairs of bf16, summed in f32, on CPUs that have AVX512-BF16; f32 on others
  EmulatedBf16, ///< the same sums on any CPU, for tests
};

/// One set of kernels of an artifact: a psABI level of x86-64 and what the strategies may assume.
struct CpuLevel {
  unsigned number; ///< TORSH_CPU_*
  llvm::StringRef name, cpu, features, tune;
  KernelTarget kernels;
};

/// The levels that a `--target-cpu` value stands for: `portable` (v3 and v4), `x86-64-v3`, `x86-64-v4`, `host` (the
/// level of this machine, tuned for it), or a CPU with AVX512-BF16 by LLVM's name (v4, tuned for it). Fails on any other
/// name. All levels of a list have one kind of products, because they share the host plan and the weights.
llvm::Expected<std::vector<CpuLevel>> selectLevels(llvm::StringRef targetCpu,
                                                   Products products = Products::F32);
/// Whether this machine runs the code of a level.
bool runsHere(const CpuLevel &level);

/// Registers the X86 target once.
void initializeTargets();

/// A code generator for a level.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const CpuLevel &level,
                                                                         unsigned optLevel);

/// Tells LLVM that a function is for a level.
void setLevel(llvm::Function &function, const CpuLevel &level);

/// Runs LLVM's passes; level 0 runs none. Kernels need a short list of them; `wholePipeline` asks for all of the level.
llvm::Error optimizeModule(llvm::Module &module, llvm::TargetMachine &machine, unsigned optLevel,
                           bool wholePipeline = false);
/// Whether code generation looks for better induction variables: it takes as long as all the rest of it, and makes kernels
/// up to 2 % faster. For the whole process; not to be called while code is generated.
void setLoopStrengthReduction(bool enabled);
/// Emits an object file (or assembly) into the buffer; the module must have gone through optimizeModule.
llvm::Error emitMachineCode(llvm::Module &module, llvm::TargetMachine &machine, bool assembly,
                            llvm::SmallVectorImpl<char> &output);

} // namespace torsh

#endif // TORSH_COMPILER_TARGET_H
