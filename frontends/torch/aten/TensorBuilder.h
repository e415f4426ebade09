//===-- TensorBuilder.h - Builds torsh ops for ATen calls ---------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_ATEN_TENSORBUILDER_H
#define TORSH_FRONTENDS_TORCH_ATEN_TENSORBUILDER_H

#include "dialects/torsh/import/ConstantForm.h"
#include "dialects/torsh/import/DimUnifier.h"
#include "frontends/torch/aten/Value.h"
#include "frontends/torch/reader/PickleValue.h"

namespace torsh::torch {

/// Builds ops at one place of a function, with one location, and keeps what an import knows of sizes. A function that
/// cannot do what is asked records the problem, and gives some value back so that its caller needs no check; whoever
/// dispatches the call asks for the problem afterwards.
class TensorBuilder {
public:
  explicit TensorBuilder(mlir::MLIRContext *context)
      : dims(context), builder(context), loc(mlir::UnknownLoc::get(context)) {}

  void setFunction(mlir::func::FuncOp function);
  mlir::MLIRContext *context() const { return builder.getContext(); }
  WeightStore &weights() { return context()->getOrLoadDialect<TorshDialect>()->getWeightStore(); }

  //===-- Problems -------------------------------------------------------------------------------------------===//
  /// Records the first problem; always fails.
  llvm::LogicalResult fail(const llvm::Twine &problem);
  bool hasFailed() const { return !problem.empty(); }
  std::string takeProblem() { return std::exchange(problem, std::string()); }

  //===-- Cells ----------------------------------------------------------------------------------------------===//
  /// A new tensor of a value.
  TensorRef cell(mlir::Value value);
  Val tensor(mlir::Value value) { return Val::tensor(cell(value)); }
  /// A rank-0 integer that is known at import.
  TensorRef knownCell(DimAttr value, mlir::Type elementType);
  /// The present value of a tensor.
  mlir::Value read(TensorCell &cell);
  mlir::Value read(const Val &value) { return read(*value.asCell()); }
  /// Gives a tensor another value of the same type; views of it and its base follow.
  void write(const TensorRef &cell, mlir::Value value);
  /// A view: reads through `forward`, writes through `backward`.
  Val view(const TensorRef &base, std::function<mlir::Value(mlir::Value)> forward,
           std::function<mlir::Value(mlir::Value, mlir::Value)> backward);
  /// How many regions are open, and what was written in the innermost one to tensors from outside.
  struct Region {
    std::vector<std::pair<TensorRef, mlir::Value>> written; ///< with the values before the region
  };
  std::vector<Region> regions;

  //===-- Building -------------------------------------------------------------------------------------------===//
  template <typename OpTy, typename... Args> mlir::Value create(Args &&...args) {
    return OpTy::create(builder, loc, std::forward<Args>(args)...)->getResult(0);
  }
  DimAttr dim(int64_t value) { return dim::constant(context(), value); }
  /// A constant at the function's start, so that it dominates everything.
  mlir::Value constant(mlir::Attribute value, mlir::RankedTensorType type);
  mlir::Value constant(const torsh::Tensor &tensor);
  mlir::Value scalar(mlir::Type elementType, double value);
  mlir::Value splat(llvm::ArrayRef<DimAttr> dims, mlir::Type elementType, double value);
  mlir::Value splatLike(mlir::Value like, double value);
  /// A rank-1 i64 tensor of sizes, or a rank-0 one.
  mlir::Value fromDims(llvm::ArrayRef<DimAttr> values, bool isScalar);
  mlir::Value reshape(mlir::Value x, llvm::ArrayRef<DimAttr> dims);
  mlir::Value transpose(mlir::Value x, llvm::ArrayRef<int64_t> permutation);
  mlir::Value broadcastTo(mlir::Value x, llvm::ArrayRef<DimAttr> dims);
  /// NumPy broadcasting of all values to one shape.
  void broadcastTogether(llvm::MutableArrayRef<mlir::Value> values);
  mlir::Value cast(mlir::Value x, mlir::Type elementType);
  mlir::Value compare(mlir::Value a, mlir::Value b, ComparePredicate predicate);
  mlir::Value compareNumber(mlir::Value x, ComparePredicate predicate, double number);
  mlir::Value addNumber(mlir::Value x, double number);
  mlir::Value scale(mlir::Value x, double number);
  mlir::Value clamp(mlir::Value x, double low, double high);
  mlir::Value reduce(mlir::Value x, ReduceKind kind, llvm::ArrayRef<int64_t> axes, bool keepDims);
  mlir::Value iota(DimAttr size, mlir::Type elementType);
  /// The box [start, start + size) along one axis, every step-th element.
  mlir::Value sliceAxis(mlir::Value x, int64_t axis, DimAttr start, DimAttr size, int64_t step = 1);
  mlir::Value concat(llvm::ArrayRef<mlir::Value> values, int64_t axis);
  /// Inserts and removes a unit dim.
  mlir::Value expandDim(mlir::Value x, int64_t axis);
  mlir::Value dropDim(mlir::Value x, int64_t axis);
  mlir::Value toRank(mlir::Value x, int64_t rank);
  /// The matrix product with NumPy's rules for ranks and batch dims.
  mlir::Value matmul(mlir::Value a, mlir::Value b);
  /// x w^T + bias over the last dim of x; the bias may be null.
  mlir::Value linear(mlir::Value x, mlir::Value weight, mlir::Value bias);
  /// A negative axis counts from the end; 0 after a failure.
  int64_t axis(int64_t value, int64_t rank);
  /// Makes two dims equal, with a guard where it is not known.
  bool unify(DimAttr a, DimAttr b, const llvm::Twine &why);

  DimUnifier dims;
  mlir::OpBuilder builder;
  mlir::Location loc;

private:
  mlir::func::FuncOp function;
  mlir::Operation *lastConstant = nullptr;
  std::string problem;
};

inline mlir::Type elementTypeOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType()).getElementType();
}
inline int64_t rankOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType()).getRank();
}
/// A type as text, for messages.
std::string typeText(mlir::Type type);

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_ATEN_TENSORBUILDER_H
