//===-- Call.h - What the import function of an ATen operator sees ------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_ATEN_CALL_H
#define TORSH_FRONTENDS_TORCH_ATEN_CALL_H

#include "frontends/torch/aten/Schema.h"
#include "frontends/torch/aten/TensorBuilder.h"

namespace torsh::torch {

/// One call of an operator: typed access to the arguments by the names of the schema, and the result. An argument that
/// is not what the accessor says is recorded as a problem of the builder.
class Call {
public:
  Call(TensorBuilder &b, const Schema &schema, std::vector<Val> arguments, int64_t formatVersion)
      : b(b), schema(schema), arguments(std::move(arguments)), formatVersion(formatVersion) {}

  TensorBuilder &b;
  const Schema &schema;
  std::vector<Val> arguments;
  /// The version of the archive, for operators whose meaning changed.
  const int64_t formatVersion;
  Val result;

  //===-- Arguments ------------------------------------------------------------------------------------------===//
  const Val &value(llvm::StringRef name) const;
  /// Whether the argument is not None.
  bool has(llvm::StringRef name) const { return !value(name).isNone(); }
  mlir::Value tensor(llvm::StringRef name);
  /// Null for None.
  mlir::Value optionalTensor(llvm::StringRef name);
  llvm::SmallVector<mlir::Value> tensors(llvm::StringRef name);
  int64_t integer(llvm::StringRef name);
  DimAttr dim(llvm::StringRef name);
  double number(llvm::StringRef name);
  bool flag(llvm::StringRef name);
  llvm::StringRef text(llvm::StringRef name);
  /// The constants of a list of integers; one number stands for `count` equal ones.
  llvm::SmallVector<int64_t> ints(llvm::StringRef name, size_t count = 0);
  llvm::SmallVector<DimAttr> dims(llvm::StringRef name);
  /// An axis of a tensor of rank `rank`.
  int64_t axis(llvm::StringRef name, int64_t rank) { return b.axis(integer(name), rank); }
  /// Sorted axes; all of them for None or an empty list.
  llvm::SmallVector<int64_t> axes(llvm::StringRef name, int64_t rank);
  /// The element type of a `dtype` argument, null for None.
  mlir::Type elementType(llvm::StringRef name);
  /// A tensor or number as a tensor, with the type that promotion gives it on its own.
  mlir::Value operand(llvm::StringRef name);

  //===-- Ends -----------------------------------------------------------------------------------------------===//
  llvm::LogicalResult give(mlir::Value value);
  llvm::LogicalResult give(Val value);
  llvm::LogicalResult giveAll(llvm::ArrayRef<mlir::Value> values);
  llvm::LogicalResult fail(const llvm::Twine &problem) { return b.fail(problem); }
};

/// The torsh element type of one of PyTorch's; null for quantized and complex types.
mlir::Type elementTypeOf(mlir::MLIRContext *context, int64_t scalarType);
/// The number of an element type in PyTorch.
int64_t scalarTypeOf(mlir::Type elementType);

/// The element type that PyTorch's promotion gives operands (tensors and numbers): tensors of rank 0 and numbers only
/// count where they are of a higher kind (bool, integer, float) than the tensors.
mlir::Type promote(TensorBuilder &b, llvm::ArrayRef<Val> operands);
/// The operands as tensors of one element type; `type` is promote() where it is null.
llvm::SmallVector<mlir::Value> promoted(TensorBuilder &b, llvm::ArrayRef<Val> operands, mlir::Type type = {});
/// The value as a tensor: a number becomes a constant of `type`, or of its own type where that is null.
mlir::Value asTensor(TensorBuilder &b, const Val &value, mlir::Type type = {});

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_ATEN_CALL_H
