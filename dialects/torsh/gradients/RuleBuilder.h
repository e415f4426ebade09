//===-- RuleBuilder.h - What gradient rules write often -----------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_GRADIENTS_RULEBUILDER_H
#define TORSH_DIALECTS_TORSH_GRADIENTS_RULEBUILDER_H

#include "dialects/torsh/Dim.h"
#include "mlir/IR/Builders.h"

namespace torsh::gradients {

/// The tensor type of a value of a torsh op.
inline mlir::RankedTensorType typeOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType());
}

/// Short names for building torsh ops at one place.
class RuleBuilder {
public:
  RuleBuilder(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  mlir::OpBuilder &builder;
  const mlir::Location loc;

  mlir::MLIRContext *context() const { return builder.getContext(); }
  template <typename OpTy, typename... Args> OpTy make(Args &&...args) {
    return OpTy::create(builder, loc, std::forward<Args>(args)...);
  }

  // Elementwise; a number stands for a tensor of the other operand's type.
  mlir::Value splat(mlir::RankedTensorType type, double number);
  mlir::Value splat(mlir::Value like, double number) { return splat(typeOf(like), number); }
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value add(mlir::Value a, double b) { return add(a, splat(a, b)); }
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value sub(double a, mlir::Value b) { return sub(splat(b, a), b); }
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, double b) { return mul(a, splat(a, b)); }
  mlir::Value div(mlir::Value a, mlir::Value b);
  mlir::Value neg(mlir::Value x);
  mlir::Value square(mlir::Value x) { return mul(x, x); }
  mlir::Value compare(ComparePredicate predicate, mlir::Value a, mlir::Value b);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);
  /// x where the condition holds, 0 elsewhere.
  mlir::Value where(mlir::Value condition, mlir::Value x) { return select(condition, x, splat(x, 0)); }
  mlir::Value castTo(mlir::Value x, mlir::Type element);

  // Shape ops; those that change nothing are not built.
  mlir::Value reshape(mlir::Value x, mlir::RankedTensorType type);
  mlir::Value reshape(mlir::Value x, llvm::ArrayRef<DimAttr> dims);
  mlir::Value transpose(mlir::Value x, llvm::ArrayRef<int64_t> permutation);
  mlir::Value broadcast(mlir::Value x, mlir::RankedTensorType type, llvm::ArrayRef<int64_t> axes);
  mlir::Value reduce(ReduceKind kind, mlir::Value x, llvm::ArrayRef<int64_t> axes, bool keepDims = false);
  mlir::Value sum(mlir::Value x, llvm::ArrayRef<int64_t> axes, bool keepDims = false) {
    return reduce(ReduceKind::sum, x, axes, keepDims);
  }
  /// `count` elements from `start` on along one axis.
  mlir::Value slice(mlir::Value x, int64_t axis, DimAttr start, DimAttr count);
  /// Zeros before and after along one axis.
  mlir::Value pad(mlir::Value x, int64_t axis, DimAttr low, DimAttr high);
  /// The elements along one axis in the opposite order.
  mlir::Value reverse(mlir::Value x, int64_t axis);
  /// The result of a reduction over `axes`, repeated along them, as a tensor of `like`'s type.
  mlir::Value spread(mlir::Value reduced, llvm::ArrayRef<int64_t> axes, mlir::Value like);
  /// A vector along one axis of a tensor of `like`'s type.
  mlir::Value along(mlir::Value vector, int64_t axis, mlir::Value like);
  /// A dim expression as a tensor of `like`'s type.
  mlir::Value number(DimAttr dim, mlir::Value like);
  DimAttr constant(int64_t value) { return dim::constant(context(), value); }
};

/// The axes first, ..., last - 1.
inline llvm::SmallVector<int64_t> axisRange(int64_t first, int64_t last) {
  return llvm::to_vector(llvm::seq<int64_t>(first, last));
}
/// All axes of a rank but those in `kept`, in order.
llvm::SmallVector<int64_t> axesBut(int64_t rank, llvm::ArrayRef<int64_t> kept);

} // namespace torsh::gradients

#endif // TORSH_DIALECTS_TORSH_GRADIENTS_RULEBUILDER_H
