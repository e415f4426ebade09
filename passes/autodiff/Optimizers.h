//===-- Optimizers.h - How gradients change parameters ------------------------------------------------------===//
#ifndef TORSH_PASSES_AUTODIFF_OPTIMIZERS_H
#define TORSH_PASSES_AUTODIFF_OPTIMIZERS_H

#include "dialects/torsh/gradients/RuleBuilder.h"
#include <memory>

namespace torsh {

/// The numbers of an optimizer, which are constants of the train step.
struct OptimizerOptions {
  double momentum = 0;
  bool nesterov = false;
  double weightDecay = 0;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
};

/// Builds the update of each parameter.
class Optimizer {
public:
  virtual ~Optimizer() = default;
  /// The optimizer of a name of `--optimizer`; null for others.
  static std::unique_ptr<Optimizer> create(llvm::StringRef name, const OptimizerOptions &options);

  /// What is kept for a parameter from step to step, by the names that PyTorch gives it. All start as zeros.
  virtual llvm::SmallVector<llvm::StringRef> stateNames() const = 0;
  /// What all parameters share: `learningRate` is an f64 and `step` an i64 of rank 0, 1 for the first step.
  virtual void prepare(gradients::RuleBuilder &b, mlir::Value learningRate, mlir::Value step) = 0;
  /// The new parameter; `states` are replaced by the new ones.
  virtual mlir::Value update(gradients::RuleBuilder &b, mlir::Value parameter, mlir::Value gradient,
                             llvm::MutableArrayRef<mlir::Value> states) = 0;
};

} // namespace torsh

#endif // TORSH_PASSES_AUTODIFF_OPTIMIZERS_H
