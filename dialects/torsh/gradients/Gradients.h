//===-- Gradients.h - The interface of differentiable ops ---------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_GRADIENTS_GRADIENTS_H
#define TORSH_DIALECTS_TORSH_GRADIENTS_GRADIENTS_H

#include "dialects/torsh/Torsh.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectRegistry.h"

namespace torsh {

/// What the rule of one op sees: the cotangents of its results, which operands matter, and where cotangents of operands
/// go. Primal values are the op's own operands and results; the gradient is built in their function, after them.
class VJPContext {
public:
  virtual ~VJPContext() = default;
  /// Whether the result has a cotangent that is not known to be zero.
  virtual bool hasCotangent(unsigned result) const = 0;
  /// The sum of all that was added to the result's cotangent; zeros are built when there is nothing.
  virtual mlir::Value cotangent(unsigned result) = 0;
  /// Whether anything asks for the cotangent of the operand.
  virtual bool needs(unsigned operand) const = 0;
  /// Adds a contribution, whose type must be able to be that of the operand.
  virtual void accumulate(unsigned operand, mlir::Value contribution) = 0;
  /// Reports that this op's gradient cannot be built, as `why`: a clause with what to do. The result is failure.
  virtual llvm::LogicalResult refuse(const llvm::Twine &why) = 0;
  /// "grad of NODE", at the op's place.
  virtual mlir::Location getLoc() const = 0;
};

} // namespace torsh

#include "dialects/torsh/gradients/GradientOpInterface.h.inc"

namespace torsh {

/// Attaches the rules of all ops when the dialect is loaded.
void registerGradientRules(mlir::DialectRegistry &registry);

} // namespace torsh

#endif // TORSH_DIALECTS_TORSH_GRADIENTS_GRADIENTS_H
