//===-- Evaluator.h - Reference semantics of the torsh ops
//--------------------------------------------------===//
//
// A slow, readable evaluator that shares nothing with code generation. It is the oracle of the tests, the
// engine of the constant folder and the `--naive` run. Integers are exact in their type; floats are computed
// in f64 and rounded to the element type after each op.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_REFERENCE_EVALUATOR_H
#define TORSH_DIALECTS_TORSH_REFERENCE_EVALUATOR_H

#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Error.h"

namespace torsh {

/// A dense row-major tensor of the evaluator. Floats live in `floats` (already rounded to the element type),
/// integers and booleans in `ints` (sign- or zero-extended to 64 bits); exactly one of the two is used.
struct Tensor {
  mlir::Type elementType;
  llvm::SmallVector<int64_t> shape;
  std::vector<double> floats;
  std::vector<int64_t> ints;

  bool isFloat() const { return llvm::isa<mlir::FloatType>(elementType); }
  int64_t numElements() const;
  int64_t rank() const { return shape.size(); }
  /// A tensor of zeros.
  static Tensor zeros(mlir::Type elementType, llvm::ArrayRef<int64_t> shape);
  /// From contiguous row-major little-endian bytes of the element type (types below 8 bits share bytes, the
  /// first element lowest; i1 takes one byte each).
  static llvm::Expected<Tensor> fromBytes(mlir::Type elementType, llvm::ArrayRef<int64_t> shape,
                                          llvm::ArrayRef<char> bytes);
  /// The inverse of fromBytes.
  std::vector<char> toBytes() const;
};

/// Bounds on what one evaluation may use, so that no model can exhaust the machine that folds it.
struct EvaluatorLimits {
  /// Elements of one tensor, operands and results alike.
  int64_t maxElements = int64_t(1) << 28;
  /// Loop iterations of one evaluation, nested ones added up.
  int64_t maxIterations = int64_t(1) << 24;
};

/// Rounds to the element type (f32, f16, bf16, f8...), ties to even; f64 stays.
double roundTo(mlir::Type elementType, double value);
/// Wraps to the integer element type's width and signedness.
int64_t wrapTo(mlir::Type elementType, int64_t value);

/// Applies the steps of a weight recipe (WeightAttr) to the stored bytes.
llvm::Expected<Tensor> evaluateWeight(WeightAttr weight, const WeightStore &store,
                                      const EvaluatorLimits &limits = {});
/// The value of a torsh.constant or torsh.param: a dense attribute or a weight recipe.
llvm::Expected<Tensor> evaluateConstant(mlir::Attribute value, const WeightStore &store,
                                        const EvaluatorLimits &limits = {});

/// One op whose operands are given (region ops included). `symbols` binds the dims' symbols and grows by
/// symbols born at run time (non_zero). Errors name the op's location.
llvm::Expected<llvm::SmallVector<Tensor>> evaluateOp(mlir::Operation *op, llvm::ArrayRef<Tensor> operands,
                                                     dim::Bindings &symbols,
                                                     const EvaluatorLimits &limits = {});

/// A whole function: binds symbols from the inputs' shapes, checks guards, runs the body. torsh.group is
/// transparent.
llvm::Expected<llvm::SmallVector<Tensor>> evaluateFunction(mlir::func::FuncOp function,
                                                           llvm::ArrayRef<Tensor> inputs,
                                                           const EvaluatorLimits &limits = {});

} // namespace torsh

#endif // TORSH_DIALECTS_TORSH_REFERENCE_EVALUATOR_H
