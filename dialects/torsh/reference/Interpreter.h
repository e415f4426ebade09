//===-- Interpreter.h - Runs ops, blocks and regions
//--------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_REFERENCE_INTERPRETER_H
#define TORSH_DIALECTS_TORSH_REFERENCE_INTERPRETER_H

#include "dialects/torsh/reference/Call.h"
#include <memory>

namespace torsh::reference {

struct ObjectTable;

using TensorRef = std::shared_ptr<const Tensor>;

/// One evaluation: the live values, the loop iterations spent and the limits.
class Interpreter {
public:
  explicit Interpreter(const EvaluatorLimits &limits) : limits(limits) {}

  /// One op on given operands. Checks operands before and results after, and rounds the results.
  Results runOp(mlir::Operation *op, llvm::ArrayRef<const Tensor *> operands, dim::Bindings &symbols);
  /// A block on given arguments; the operands of its terminator are the result. A value is freed after its
  /// last use.
  llvm::Expected<llvm::SmallVector<TensorRef>>
  runBlock(mlir::Block &block, llvm::ArrayRef<TensorRef> arguments, dim::Bindings &symbols);
  /// Counts a loop iteration against the limit.
  llvm::Error countIteration(const Call &call);
  /// What handles name; null while a single op is evaluated.
  ObjectTable *objects = nullptr;

private:
  const EvaluatorLimits limits;
  llvm::DenseMap<mlir::Value, TensorRef> live;
  int64_t iterations = 0;
  int depth = 0;
};

/// What is wrong with a tensor as a value of the type, whatever its dims: rank, element type, size or
/// storage. Empty when nothing is.
std::string checkTensor(mlir::Type type, const Tensor &tensor, const EvaluatorLimits &limits);
/// Binds the bare symbols of a type's dims that have no value yet to the tensor's sizes, then compares every
/// dim that has a value. The text says what differs, empty when all fits.
std::string bindDims(mlir::Type type, const Tensor &tensor, dim::Bindings &symbols);

/// Runs the one block of a region and checks the arguments against the block's types. Symbols born inside get
/// new values each time unless the caller passes its own bindings.
llvm::Expected<llvm::SmallVector<TensorRef>>
runRegion(Call &call, mlir::Region &region, llvm::ArrayRef<TensorRef> arguments, dim::Bindings &symbols);
/// The values as results of an op.
Results copyAll(llvm::ArrayRef<TensorRef> values);

} // namespace torsh::reference

#endif // TORSH_DIALECTS_TORSH_REFERENCE_INTERPRETER_H
