//===-- Call.h - What the evaluation of one op sees
//---------------------------------------------------------===//
//
// Each topic file evaluates its ops through a Call: the op, its operand tensors, the values of the dims'
// symbols and the limits. Topic files add their ops to a HandlerTable, so an op is named in its own file
// only.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_REFERENCE_CALL_H
#define TORSH_DIALECTS_TORSH_REFERENCE_CALL_H

#include "dialects/torsh/reference/Evaluator.h"
#include "llvm/ADT/DenseMap.h"
#include <functional>

namespace torsh::reference {

class Interpreter;

/// The stable numbers of the evaluator's errors. docs/diagnostics.md explains each.
enum class Code : unsigned {
  TensorTooLarge = 401,
  OperandsDoNotFit = 402,
  UnknownSymbol = 403,
  InputDoesNotFit = 404,
  GuardBroken = 405,
  NoReferenceSemantics = 406,
  WeightMissing = 407,
  WeightRecipe = 408,
  TooManyIterations = 409,
  WrongResult = 410,
  BadBytes = 411,
};

/// "TSH-0402: message".
llvm::Error makeError(Code code, const llvm::Twine &message);
/// The number of elements, none when a dim is negative or the product over the dims (an empty dim counts as
/// 1, so that no loop over part of the dims is unbounded) exceeds the limit.
std::optional<int64_t> boundedNumElements(llvm::ArrayRef<int64_t> shape, int64_t maxElements);
/// "2x3xf32".
std::string describe(llvm::ArrayRef<int64_t> shape, mlir::Type elementType);

using Results = llvm::Expected<llvm::SmallVector<Tensor>>;

/// The results of an op with one result.
Results single(llvm::Expected<Tensor> tensor);

/// The tensor in another element type, with the semantics of torsh.cast.
Tensor converted(const Tensor &x, mlir::Type to, bool saturate);

/// One op to evaluate.
class Call {
public:
  Call(mlir::Operation *op, llvm::ArrayRef<const Tensor *> operands, dim::Bindings &symbols,
       Interpreter &interpreter, const EvaluatorLimits &limits)
      : op(op), operands(operands), symbols(symbols), interpreter(interpreter), limits(limits) {}

  mlir::Operation *const op;
  const llvm::ArrayRef<const Tensor *> operands;
  dim::Bindings &symbols;
  Interpreter &interpreter;
  const EvaluatorLimits &limits;

  /// The tensor of one of the op's operands.
  const Tensor &operator[](mlir::Value operand) const { return *find(operand); }
  /// The tensor of an optional operand, null when it is absent.
  const Tensor *find(mlir::Value operand) const;

  /// An error that names the op and its location.
  llvm::Error error(Code code, const llvm::Twine &message) const;
  /// The shapes or values of operands do not fit the op.
  llvm::Error misfit(const llvm::Twine &message) const { return error(Code::OperandsDoNotFit, message); }

  /// Zeros, or an error when the shape is negative or too large.
  llvm::Expected<Tensor> allocate(mlir::Type elementType, llvm::ArrayRef<int64_t> shape) const;
  /// Zeros of the shape and element type that a result's type gives under the bindings.
  llvm::Expected<Tensor> allocateResult(unsigned index) const;
  /// The value of a dim expression.
  llvm::Expected<int64_t> valueOf(DimAttr dim) const;
  llvm::Expected<llvm::SmallVector<int64_t>> valuesOf(llvm::ArrayRef<DimAttr> dims) const;
  /// The element type of a result.
  mlir::Type resultElementType(unsigned index = 0) const;
  /// The error of an axis that is not in 0 <= axis < rank, else success.
  llvm::Error checkAxis(const Tensor &x, int64_t axis) const;
  /// The error of an operand whose shape is not the one that it must have, else success.
  llvm::Error checkShape(llvm::StringRef name, const Tensor &x, llvm::ArrayRef<int64_t> shape) const;
};

/// Which function evaluates which op.
class HandlerTable {
public:
  using Handler = std::function<Results(Call &)>;

  template <typename OpTy> void add(Results (*evaluate)(OpTy, Call &)) {
    handlers[mlir::TypeID::get<OpTy>()] = [evaluate](Call &call) {
      return evaluate(llvm::cast<OpTy>(call.op), call);
    };
  }
  /// As above for a function that serves several ops.
  template <typename OpTy> void addShared(Handler handler) {
    handlers[mlir::TypeID::get<OpTy>()] = std::move(handler);
  }
  /// The handler of an op, null when there is none.
  const Handler *lookup(mlir::Operation *op) const;

private:
  llvm::DenseMap<mlir::TypeID, Handler> handlers;
};

/// One function a topic file.
void addElementwise(HandlerTable &table);
void addShapeOps(HandlerTable &table);
void addContraction(HandlerTable &table);
void addPooling(HandlerTable &table);
void addReduction(HandlerTable &table);
void addNormalization(HandlerTable &table);
void addAttention(HandlerTable &table);
void addRecurrent(HandlerTable &table);
void addIndexing(HandlerTable &table);
void addSelection(HandlerTable &table);
void addResize(HandlerTable &table);
void addRandom(HandlerTable &table);
void addConstants(HandlerTable &table);
void addControlFlow(HandlerTable &table);
void addPlan(HandlerTable &table);
void addWinograd(HandlerTable &table);

} // namespace torsh::reference

#endif // TORSH_DIALECTS_TORSH_REFERENCE_CALL_H
