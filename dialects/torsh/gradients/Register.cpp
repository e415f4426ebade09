//===-- Register.cpp - Attaches all rules to the dialect ----------------------------------------------------===//
#include "dialects/torsh/gradients/Rules.h"

#include "dialects/torsh/gradients/GradientOpInterface.cpp.inc"

namespace torsh {

void registerGradientRules(mlir::DialectRegistry &registry) {
  registry.addExtension(+[](mlir::MLIRContext *context, TorshDialect *) {
    gradients::attachElementwise(context);
    gradients::attachShapeOps(context);
    gradients::attachContraction(context);
    gradients::attachConvolution(context);
    gradients::attachPooling(context);
    gradients::attachReduction(context);
    gradients::attachNormalization(context);
    gradients::attachAttention(context);
    gradients::attachIndexing(context);
  });
}

} // namespace torsh
