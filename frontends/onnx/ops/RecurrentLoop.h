//===-- RecurrentLoop.h - Recurrent layers with other cells than the usual ones -----------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_RECURRENTLOOP_H
#define TORSH_FRONTENDS_ONNX_OPS_RECURRENTLOOP_H

#include "frontends/onnx/NodeImport.h"

namespace torsh::onnx {

/// The operands that LSTM, GRU and RNN share, time first.
struct RecurrentLayer {
  RnnDirection direction = RnnDirection::forward;
  bool batchFirst = false;
  /// Whether activations, clip or input_forget ask for what torsh's recurrent ops do not have.
  bool unusual = false;
  mlir::Value x, w, r, bias, initialH, lengths;
  mlir::Value initialC, peephole; ///< of LSTM
};

enum class CellKind { Lstm, Gru, Rnn };

/// The layer written as a loop over its steps: any activation of the specification, clip and input_forget. Gives Y
/// [T, D, B, H], Y_h and, for LSTM, Y_c [D, B, H]; none after a refusal.
llvm::FailureOr<llvm::SmallVector<mlir::Value>> recurrentLoop(NodeImport &n, const RecurrentLayer &layer,
                                                              CellKind kind);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_RECURRENTLOOP_H
