//===-- MathApproximations.h - Exponential, logistic and error function in vectors --------------------------===//
#ifndef TORSH_PASSES_CPU_MATHAPPROXIMATIONS_H
#define TORSH_PASSES_CPU_MATHAPPROXIMATIONS_H

#include "mlir/IR/PatternMatch.h"

namespace torsh {

/// Rewrites f32 `math.exp`, `1 / (1 + math.exp(-x))` and `math.erf`, scalars and vectors, as short polynomials. They take
/// precedence over those of MLIR. Largest relative errors: 1.2e-7, 2.4e-7 and 4e-7. NaN stays NaN; exp gives infinity
/// and 0 where f32 does, but 0 already for results below 1.2e-38.
void populateMathApproximations(mlir::RewritePatternSet &patterns);

} // namespace torsh

#endif // TORSH_PASSES_CPU_MATHAPPROXIMATIONS_H
