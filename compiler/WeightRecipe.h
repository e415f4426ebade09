//===-- WeightRecipe.h - Runs weight recipes on bytes -------------------------------------------------------===//
#ifndef TORSH_COMPILER_WEIGHTRECIPE_H
#define TORSH_COMPILER_WEIGHTRECIPE_H

#include "dialects/torsh/Torsh.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace torsh {

/// Whether the recipe has steps and all of them work on stored bytes: then it runs without touching the context, on any
/// thread.
bool movesBytes(WeightAttr weight);

/// The bytes of a weight after its steps.
llvm::Expected<std::vector<char>> evaluateWeightBytes(WeightAttr weight, const WeightStore &store);

} // namespace torsh

#endif // TORSH_COMPILER_WEIGHTRECIPE_H
