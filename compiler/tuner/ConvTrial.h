//===-- ConvTrial.h - Winograd or not, measured --------------------------------------------------------------===//
#ifndef TORSH_COMPILER_TUNER_CONVTRIAL_H
#define TORSH_COMPILER_TUNER_CONVTRIAL_H

#include "compiler/tuner/KernelTrial.h"

namespace torsh {

/// Whether a convolution may have a Winograd form at all.
bool mayBeWinograd(ConvOp conv);

/// Measures the convolution with its bias as a direct sum and with each Winograd tile. The result's choice is set when
/// another form than the cost model's is faster.
llvm::Expected<TrialResult> tuneConv(ConvOp conv, const dim::Bindings &sizes, const TrialOptions &options);

} // namespace torsh

#endif // TORSH_COMPILER_TUNER_CONVTRIAL_H
