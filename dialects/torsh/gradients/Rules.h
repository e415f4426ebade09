//===-- Rules.h - How the files of this folder attach their rules -------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_GRADIENTS_RULES_H
#define TORSH_DIALECTS_TORSH_GRADIENTS_RULES_H

#include "dialects/torsh/gradients/Gradients.h"
#include "dialects/torsh/gradients/RuleBuilder.h"

namespace torsh::gradients {

/// A rule as a function: adds the cotangents that `context` needs.
template <typename OpTy> using Rule = llvm::LogicalResult (*)(OpTy op, RuleBuilder &b, VJPContext &context);

/// The external model that calls a rule.
template <typename OpTy, Rule<OpTy> rule>
struct RuleModel : GradientOpInterface::ExternalModel<RuleModel<OpTy, rule>, OpTy> {
  llvm::LogicalResult buildVJP(mlir::Operation *op, mlir::OpBuilder &builder, VJPContext &context) const {
    RuleBuilder b(builder, context.getLoc());
    return rule(llvm::cast<OpTy>(op), b, context);
  }
};

template <typename OpTy, Rule<OpTy> rule> void attach(mlir::MLIRContext *context) {
  OpTy::template attachInterface<RuleModel<OpTy, rule>>(*context);
}

// One function a topic file.
void attachElementwise(mlir::MLIRContext *context);
void attachShapeOps(mlir::MLIRContext *context);
void attachContraction(mlir::MLIRContext *context);
void attachConvolution(mlir::MLIRContext *context);
void attachPooling(mlir::MLIRContext *context);
void attachReduction(mlir::MLIRContext *context);
void attachNormalization(mlir::MLIRContext *context);
void attachAttention(mlir::MLIRContext *context);
void attachIndexing(mlir::MLIRContext *context);

} // namespace torsh::gradients

#endif // TORSH_DIALECTS_TORSH_GRADIENTS_RULES_H
