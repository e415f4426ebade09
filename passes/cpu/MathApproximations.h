//===-- MathApproximations.h - Exponential, logistic and error function in vectors --------------------------===//
#ifndef TORSH_PASSES_CPU_MATHAPPROXIMATIONS_H
#define TORSH_PASSES_CPU_MATHAPPROXIMATIONS_H

#include "mlir/IR/PatternMatch.h"

namespace torsh {

/// Rewrites f32 `a / (1 + math.exp(-x))`, scalars and vectors, as a short polynomial and one division, and a product
/// with the logistic function as a quotient. Must run while the exponential is still there. Largest relative error of the
/// logistic function: 2.4e-7 + 1.4e-8 |x|; NaN stays NaN.
void populateLogisticApproximation(mlir::RewritePatternSet &patterns);

/// Rewrites f32 `math.exp` and `math.erf`, scalars and vectors, as short polynomials. They take precedence over those of
/// MLIR. Largest relative errors: 1.2e-7 and 4e-7. NaN stays NaN; exp gives infinity and 0 where f32 does, but 0
/// already for results below 1.2e-38.
void populateMathApproximations(mlir::RewritePatternSet &patterns);

} // namespace torsh

#endif // TORSH_PASSES_CPU_MATHAPPROXIMATIONS_H
