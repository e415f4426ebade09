//===-- Topics.h - Registration of topics that are not in NodeImport.h ------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_TOPICS_H
#define TORSH_FRONTENDS_ONNX_OPS_TOPICS_H

namespace torsh::onnx {

class OpTable;

/// DFT and STFT.
void addFourierOps(OpTable &table);
/// Scan; Loop and If are addControlFlowOps.
void addScanOps(OpTable &table);
/// HannWindow, HammingWindow, BlackmanWindow, MelWeightMatrix.
void addWindowFunctionOps(OpTable &table);
/// LinearAttention and CausalConvWithState.
void addStatefulOps(OpTable &table);
/// ai.onnx.preview.training: Adam, Adagrad, Momentum, Gradient.
void addTrainingOps(OpTable &table);
/// NonZero, Compress, NonMaxSuppression, Unique: the number of results is known at run time only.
void addSelectionOps(OpTable &table);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_TOPICS_H
