//===-- KernelBuilder.h - What a kernel strategy builds with ------------------------------------------------===//
//
// A kernel (torsh.kernel) becomes one function with the artifact's kernel ABI. Strategies build its loops with scf,
// explicit vectors and raw pointers: every load, store and register tile is chosen here, nothing is left to a loop
// vectoriser. Values inside a fused body are pulled: `emit` computes any value of the body at an index, and everything
// that it needs, for one scalar or for `lanes` neighbours along the last dim.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_PASSES_LOWERING_KERNELBUILDER_H
#define TORSH_PASSES_LOWERING_KERNELBUILDER_H

#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "passes/lowering/KernelChoices.h"

namespace torsh {

/// How a CPU level sums products of pairs of bf16 in f32.
enum class PairDot {
  None,     ///< not at all: bf16 is widened and multiplied as f32
  Emulated, ///< by shifts and two multiply-adds: the same sums on any CPU, for tests
  Native,   ///< by vdpbf16ps of AVX512-BF16
};

/// What the strategies know about the target.
struct KernelTarget {
  unsigned lanes = 8;      ///< f32 lanes of a vector register
  unsigned registers = 16; ///< vector registers
  PairDot pairs = PairDot::None;
};

/// Width of the packed weight panels (DECISION: one layout for all CPU levels).
constexpr int64_t panelWidth = 16;

/// The tile space of a kernel. It is the same on every CPU level, because the host plan is.
struct TileSpace {
  DimAttr tiles;
  int64_t grain =
      1; ///< fewest tiles that are worth a range of their own; 0 when each tile is worth waking a thread
};

/// How the function of a kernel gets its operands.
enum class KernelForm {
  Ranges,     ///< the artifact's kernel ABI: tables of pointers and dims, and a range of tiles
  Parameters, ///< a parameter for each input, output and dim in this order, as devices take them
};

/// A strided window on a buffer; strides and the offset count elements.
struct View {
  mlir::Value pointer;
  mlir::Type elementType;
  mlir::Value offset;
  llvm::SmallVector<mlir::Value> strides;
};

class KernelBuilder {
public:
  using Indices = llvm::ArrayRef<mlir::Value>;

  /// Starts the function of `kernel` in `builder`'s module; the builder then stands in its body.
  KernelBuilder(KernelOp kernel, const KernelTarget &target, mlir::OpBuilder &builder,
                KernelForm form = KernelForm::Ranges);

  KernelOp kernel;
  const KernelTarget target;
  const KernelChoices choices; ///< what the tuner, or nobody, chose for this target
  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Value begin, end; ///< the range of tiles; null in the form of parameters
  /// Remarks for the report: what the strategy chose ("tile 6x16, 8 lanes").
  std::string note;

  /// The generated function.
  mlir::func::FuncOp getFunction() const { return function; }
  /// Ends the function.
  void finish();

  //===-- Integers (all indices are i64) -----------------------------------------------------------------------===//
  mlir::Value constant(int64_t value);
  mlir::Value dim(DimAttr dim);
  llvm::SmallVector<mlir::Value> dims(mlir::Value tensor);
  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, mlir::Value y);
  mlir::Value div(mlir::Value x, mlir::Value y); ///< both not negative
  mlir::Value rem(mlir::Value x, mlir::Value y); ///< both not negative
  mlir::Value min(mlir::Value x, mlir::Value y);
  mlir::Value max(mlir::Value x, mlir::Value y);
  mlir::Value less(mlir::Value x, mlir::Value y);
  /// The index tuple of a row-major linear index.
  llvm::SmallVector<mlir::Value> delinearize(mlir::Value linear, Indices sizes);

  //===-- Loops ------------------------------------------------------------------------------------------------===//
  using LoopBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value, mlir::ValueRange)>;
  /// for (i = from; i < to; i += step) with carried values; returns the final ones.
  llvm::SmallVector<mlir::Value> loop(mlir::Value from, mlir::Value to, int64_t step,
                                      mlir::ValueRange initial, LoopBody body);
  void loop(mlir::Value from, mlir::Value to, int64_t step, llvm::function_ref<void(mlir::Value)> body);
  /// A vector loop over [0, size) and a scalar loop over the rest; the body gets the index and the lanes.
  void vectorLoop(mlir::Value from, mlir::Value to, llvm::function_ref<void(mlir::Value, unsigned)> body);
  void ifThen(mlir::Value condition, llvm::function_ref<void()> then);
  void ifThenElse(mlir::Value condition, llvm::function_ref<void()> then,
                  llvm::function_ref<void()> otherwise);
  mlir::Value ifThenElse(mlir::Value condition, mlir::Type type, llvm::function_ref<mlir::Value()> then,
                         llvm::function_ref<mlir::Value()> otherwise);

  //===-- Buffers ----------------------------------------------------------------------------------------------===//
  mlir::Value inputPointer(unsigned index) const { return inputPointers[index]; }
  mlir::Value outputPointer(unsigned index) const { return outputPointers[index]; }
  /// The row-major view of a buffer of the tensor's type.
  View rowMajor(mlir::Value pointer, mlir::RankedTensorType type);
  /// The view of a value of the body that is a window on an input (through transpose, broadcast, slice and reshape).
  std::optional<View> viewOf(mlir::Value value);
  mlir::Value linear(const View &view, Indices indices);
  mlir::Value address(mlir::Value pointer, mlir::Type elementType, mlir::Value elementOffset);
  /// Loads `lanes` neighbours in compute type. With a mask (vector of i1) lanes that are off are 0 and not touched.
  mlir::Value loadFrom(mlir::Value pointer, mlir::Type elementType, mlir::Value elementOffset, unsigned lanes,
                       mlir::Value mask = {});
  void storeTo(mlir::Value value, mlir::Value pointer, mlir::Type elementType, mlir::Value elementOffset,
               unsigned lanes, mlir::Value mask = {});
  /// A float of at most 8 bits as it is in memory and as it is computed with.
  struct SmallFloat {
    mlir::Value code, value;
  };
  /// Rounds an f32 to such a type, as encodeSmallFloat() says.
  SmallFloat roundSmallFloat(mlir::Value value, mlir::Type elementType, bool saturate);
  /// An uninitialised stack buffer of the innermost function, at most 256 KiB.
  mlir::Value stackBuffer(mlir::Type elementType, int64_t count);

  //===-- Values of the body ------------------------------------------------------------------------------------===//
  /// The type in which elements are computed: f16, bf16 and 8-bit floats widen to f32; unsigned integers are signless.
  mlir::Type computeType(mlir::Type elementType) const;
  mlir::Type vectorOf(mlir::Type computeType, unsigned lanes) const;
  /// A splat (or scalar) constant of an element type.
  mlir::Value splatConstant(mlir::Type elementType, double value, unsigned lanes);
  mlir::Value splat(mlir::Value scalar, unsigned lanes);
  /// The mask whose first `count` lanes are on.
  mlir::Value firstLanes(int64_t count, unsigned lanes);
  mlir::Value firstLanes(mlir::Value count, unsigned lanes);
  /// 0, 1, .. as a vector of i64.
  mlir::Value laneNumbers(unsigned lanes);
  /// `value` of the body at an index: a scalar for one lane, else a vector along the last dim.
  mlir::Value emit(mlir::Value value, Indices indices, unsigned lanes, mlir::Value mask = {});
  /// Gives the value of a root op's result (an accumulator) at the index that is being emitted.
  void setOverride(mlir::Value value, mlir::Value emitted) { overrides[value] = emitted; }
  void clearOverrides() { overrides.clear(); }
  /// Stores all yielded values, computed at this index of their common shape.
  llvm::LogicalResult storeYielded(Indices indices, unsigned lanes, mlir::Value mask = {});
  /// A failure that names the kernel: a body that the strategy cannot build.
  llvm::LogicalResult refuse(const llvm::Twine &reason);
  /// An elementwise op of the body on operands in compute type; null when the op has no code (ScalarOps.cpp).
  mlir::Value emitElementwise(mlir::Operation *op, mlir::ValueRange operands, unsigned lanes);
  /// 1 / (1 + e^-x) for a float in compute type.
  mlir::Value emitSigmoid(mlir::Value x, mlir::Type element, unsigned lanes);

private:
  using Memo = llvm::DenseMap<mlir::Value, mlir::Value>;
  mlir::Value emitWith(mlir::Value value, Indices indices, unsigned lanes, mlir::Value mask, Memo &memo);
  mlir::Value emitMoved(mlir::Operation *op, Indices indices, unsigned lanes, mlir::Value mask);
  mlir::Value emitAcrossBorder(mlir::Value window, Indices indices, unsigned lanes,
                               llvm::function_ref<mlir::Value()> padding);
  mlir::Value loadView(const View &view, Indices indices, unsigned lanes, mlir::Value mask);
  mlir::Value emitByLane(unsigned lanes, Indices indices, llvm::function_ref<mlir::Value(Indices)> scalar);

  mlir::func::FuncOp function;
  llvm::SmallVector<mlir::Value> inputPointers, outputPointers;
  llvm::StringMap<mlir::Value> symbols;
  llvm::DenseMap<mlir::Value, mlir::Value> overrides;
  /// What delinearize() made, by its first part: an address that needs only the whole index is built from that.
  struct Split {
    mlir::Value whole;
    llvm::SmallVector<mlir::Value> parts, sizes;
  };
  llvm::DenseMap<mlir::Value, Split> splits;
  /// The codes of values that are small floats, with their types.
  llvm::DenseMap<mlir::Value, std::pair<mlir::Value, mlir::Type>> codes;
};

/// The op of a kind in a kernel's body, null without one; the last of several.
template <typename OpTy> OpTy findOp(KernelOp kernel) {
  OpTy found;
  kernel.getBody().walk([&](OpTy op) { found = op; });
  return found;
}

/// As findOp, for any of several kinds.
template <typename... OpTys> mlir::Operation *findAnyOf(KernelOp kernel) {
  mlir::Operation *found = nullptr;
  kernel.getBody().walk([&](mlir::Operation *op) {
    if (llvm::isa<OpTys...>(op))
      found = op;
  });
  return found;
}

/// Builds the code of one strategy; fails with a diagnostic at the kernel when the body is not of its shape.
llvm::LogicalResult emitElementwiseKernel(KernelBuilder &kb);
llvm::LogicalResult emitConcatKernel(KernelBuilder &kb);
llvm::LogicalResult emitReduceKernel(KernelBuilder &kb);
llvm::LogicalResult emitRowNormKernel(KernelBuilder &kb);
llvm::LogicalResult emitDotKernel(KernelBuilder &kb);
llvm::LogicalResult emitAttentionKernel(KernelBuilder &kb);
llvm::LogicalResult emitConvKernel(KernelBuilder &kb);
llvm::LogicalResult emitDepthwiseKernel(KernelBuilder &kb);
llvm::LogicalResult emitExpandDepthwiseKernel(KernelBuilder &kb);
llvm::LogicalResult emitPoolKernel(KernelBuilder &kb);
llvm::LogicalResult emitPoolGradKernel(KernelBuilder &kb);
llvm::LogicalResult emitWeightGradKernel(KernelBuilder &kb);
llvm::LogicalResult emitRecurrentKernel(KernelBuilder &kb);
llvm::LogicalResult emitResizeKernel(KernelBuilder &kb);
llvm::LogicalResult emitScanKernel(KernelBuilder &kb);
llvm::LogicalResult emitIndexKernel(KernelBuilder &kb);
llvm::LogicalResult emitWinogradInputKernel(KernelBuilder &kb);
llvm::LogicalResult emitWinogradOutputKernel(KernelBuilder &kb);

/// The tile space that the strategy of the kernel's anchor uses.
TileSpace getTileSpace(KernelOp kernel);
/// Builds the function of a kernel by its anchor. The note receives what was chosen.
mlir::FailureOr<mlir::func::FuncOp> emitKernel(KernelOp kernel, const KernelTarget &target,
                                               mlir::OpBuilder &builder, std::string *note = nullptr);

} // namespace torsh

#endif // TORSH_PASSES_LOWERING_KERNELBUILDER_H
