//===-- CostPrior.h - What a search may expect of choices ----------------------------------------------------===//
#ifndef TORSH_COMPILER_TUNER_COSTPRIOR_H
#define TORSH_COMPILER_TUNER_COSTPRIOR_H

#include "compiler/tuner/Search.h"
#include "passes/lowering/KernelBuilder.h"

namespace torsh {

/// The knobs of a kernel's strategy with the values that differ for its sizes, the rules of the target and a cost model
/// of its innermost loop. `symbols` are the kernel's dims. Without stages when the strategy has no knobs.
SearchSpace makeSearchSpace(KernelOp kernel, const KernelTarget &target, const dim::Bindings &symbols);

} // namespace torsh

#endif // TORSH_COMPILER_TUNER_COSTPRIOR_H
