//===-- GraphTrial.h - Choices of graph passes, measured -----------------------------------------------------===//
#ifndef TORSH_COMPILER_TUNER_GRAPHTRIAL_H
#define TORSH_COMPILER_TUNER_GRAPHTRIAL_H

#include "compiler/tuner/KernelTrial.h"

namespace torsh {

/// Whether a convolution may have a Winograd form at all.
bool mayBeWinograd(ConvOp conv);

/// Measures the convolution with its bias as a direct sum and with each Winograd tile. The result's choice is set when
/// another form than the cost model's is faster.
llvm::Expected<TrialResult> tuneConv(ConvOp conv, const dim::Bindings &sizes, const TrialOptions &options);

/// The contraction of a kernel whose elementwise code could be a kernel of its own, null when there is none: the kernel
/// has one result, which is not the contraction's.
mlir::Operation *findSeparableRoot(KernelOp kernel);

/// Measures the launch's kernel against one for the contraction and one for the elementwise code behind it.
llvm::Expected<TrialResult> tuneEpilogue(LaunchOp launch, const dim::Bindings &sizes,
                                         const TrialOptions &options);

} // namespace torsh

#endif // TORSH_COMPILER_TUNER_GRAPHTRIAL_H
