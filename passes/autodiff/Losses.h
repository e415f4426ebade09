//===-- Losses.h - What training makes small ----------------------------------------------------------------===//
#ifndef TORSH_PASSES_AUTODIFF_LOSSES_H
#define TORSH_PASSES_AUTODIFF_LOSSES_H

#include "dialects/torsh/gradients/RuleBuilder.h"

namespace torsh {

enum class Loss { CrossEntropy, MeanSquaredError };

/// The loss of a name of `--loss`.
std::optional<Loss> parseLoss(llvm::StringRef name);
/// The type of the labels that go with the model's output; null when the output has no such loss.
mlir::RankedTensorType labelType(Loss loss, mlir::RankedTensorType output);
/// The mean loss, of rank 0 and the output's element type.
mlir::Value buildLoss(gradients::RuleBuilder &b, Loss loss, mlir::Value output, mlir::Value labels);

} // namespace torsh

#endif // TORSH_PASSES_AUTODIFF_LOSSES_H
