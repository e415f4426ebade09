//===-- RecurrentLayer.h - The walk of a recurrent layer over its sequence ----------------------------------===//
//
// The products of the input with its weights do not depend on the state, so they are made for many steps at once, in
// register tiles; a step then adds the products of the state and applies the activations in vectors over the units.
// Both weights are packed panels [D][gates * H / 16][length][16], so that no sum crosses the lanes of a vector.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_PASSES_LOWERING_RECURRENTLAYER_H
#define TORSH_PASSES_LOWERING_RECURRENTLAYER_H

#include "passes/lowering/KernelBuilder.h"

namespace torsh {

/// Weights of all directions as panels, and the rows that they are multiplied with.
struct RecurrentWeights {
  mlir::Value pointer;
  mlir::Type type;
  mlir::Value length; ///< of a row
  mlir::Type leftType;
};

/// What an LSTM, GRU or RNN op computes. Operands that it does not have are null.
struct RecurrentLayer {
  mlir::Operation *op;
  View x; ///< [T, B, I], contiguous along I
  RecurrentWeights w, r;
  mlir::Type state; ///< compute type
  int64_t gates, units;
  mlir::Value time;
  RnnDirection direction = RnnDirection::forward;
  mlir::Value bias = {}, initialH = {}, initialC = {}, lengths = {}, peephole = {};
};

class RecurrentWalk {
public:
  /// Makes the stack buffers for tiles of at most `mostSamples` samples; with lengths it has to be 1.
  RecurrentWalk(KernelBuilder &kb, const RecurrentLayer &layer, int64_t mostSamples);

  /// Walks in direction `d` over the sequences of `samples` samples from `first` on. Call `startDirection` before.
  void run(mlir::Value d, mlir::Value first, int64_t samples);
  /// Reads what is the same for all samples of a direction.
  void startDirection(mlir::Value d);

  /// Steps whose products with the input wait on the stack, times the samples.
  int64_t getRowsOfInput() const { return rowsOfInput; }
  /// Whether an operand could not be computed.
  bool isMissing() const { return missing; }

private:
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value tanh(mlir::Value a);
  mlir::Value sigmoid(mlir::Value a, unsigned lanes);
  mlir::Value emit(mlir::Value value, llvm::ArrayRef<mlir::Value> at, unsigned lanes);
  mlir::Value load(mlir::Value buffer, mlir::Value at, unsigned lanes);
  void store(mlir::Value value, mlir::Value buffer, mlir::Value at, unsigned lanes);
  void overUnits(llvm::function_ref<void(mlir::Value, unsigned)> body);
  mlir::Value rowOf(mlir::Value buffer, mlir::Value row, int64_t width);
  llvm::SmallVector<mlir::Value> rowsOf(mlir::Value buffer, mlir::Value row, int64_t count, int64_t width);

  void products(const RecurrentWeights &weights, int64_t fromPanel, int64_t toPanel,
                llvm::ArrayRef<mlir::Value> left, llvm::ArrayRef<mlir::Value> start,
                llvm::ArrayRef<mlir::Value> target);
  mlir::Value stepAt(mlir::Value index, mlir::Value length);
  void multiplyInput(mlir::Value step, mlir::Value count, mlir::Value length, int64_t samples);
  void multiplyState(mlir::Value row, int64_t samples);
  void applyGates(mlir::Value row, mlir::Value sample);
  void storeResult(unsigned resultIndex, llvm::ArrayRef<mlir::Value> at, mlir::Value buffer);

  KernelBuilder &kb;
  const RecurrentLayer &layer;
  int64_t columns, padded, rowsOfInput; ///< gates * units; the same in whole panels
  bool missing = false;
  // Stack buffers. Rows of the products are [padded] columns, gate by gate; a GRU keeps those of the state apart.
  mlir::Value inputBias, stateBias, inputProducts, stateProducts, scaledProducts;
  mlir::Value hidden, cell, scaled;
  // What is walked over now.
  mlir::Value d, first;
};

} // namespace torsh

#endif // TORSH_PASSES_LOWERING_RECURRENTLAYER_H
