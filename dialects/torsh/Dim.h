//===-- Dim.h - Integer expressions over named symbols ------------------------------------------------------===//
//
// Dims of tensors, slice bounds, trip counts and guards are expressions over named symbols. They are kept in a normal
// form: a sum of products sorted by text, so polynomials that are equal are the same attribute.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_DIM_H
#define TORSH_DIALECTS_TORSH_DIM_H

#include "dialects/torsh/Torsh.h"
#include "llvm/ADT/MapVector.h"

namespace torsh {

/// Builders of dim expressions in normal form, and what can be asked of them.
namespace dim {

DimAttr constant(mlir::MLIRContext *context, int64_t value);
DimAttr symbol(mlir::MLIRContext *context, llvm::StringRef name);
DimAttr add(DimAttr a, DimAttr b);
DimAttr sub(DimAttr a, DimAttr b);
DimAttr mul(DimAttr a, DimAttr b);
DimAttr neg(DimAttr a);
/// Rounds towards minus infinity. Division by the constant 0 gives 0.
DimAttr floorDiv(DimAttr a, DimAttr b);
/// Rounds towards plus infinity.
DimAttr ceilDiv(DimAttr a, DimAttr b);
/// a - b * floordiv(a, b).
DimAttr mod(DimAttr a, DimAttr b);
DimAttr min(DimAttr a, DimAttr b);
DimAttr max(DimAttr a, DimAttr b);
/// The product of all, 1 for none.
DimAttr product(mlir::MLIRContext *context, llvm::ArrayRef<DimAttr> dims);

std::optional<int64_t> asConstant(DimAttr dim);
inline bool isConstant(DimAttr dim, int64_t value) { return asConstant(dim) == value; }
/// A bare symbol's name.
std::optional<llvm::StringRef> asSymbol(DimAttr dim);
/// Whether the expression, or a part of it, has more than 1024 constants and symbols. It is not built then; who makes
/// dims from foreign input has to refuse it.
bool isTooLarge(DimAttr dim);
/// The exact quotient a / b when it is a polynomial with integer coefficients (3*n*768 / n), for reshapes with -1.
std::optional<DimAttr> exactQuotient(DimAttr a, DimAttr b);

/// Values of symbols.
using Bindings = llvm::StringMap<int64_t>;
/// The value under `bindings`, none when a symbol is missing.
std::optional<int64_t> evaluate(DimAttr dim, const Bindings &bindings);
/// Replaces symbols by expressions; symbols that are not in the map stay.
DimAttr substitute(DimAttr dim, const llvm::StringMap<DimAttr> &replacements);
/// Adds the symbols of `dim` in order of first appearance.
void collectSymbols(DimAttr dim, llvm::SmallVectorImpl<llvm::StringRef> &symbols);
/// The expression as text: `2*seq + 1`.
std::string toString(DimAttr dim);
/// Parses the text form.
llvm::FailureOr<DimAttr> parse(mlir::MLIRContext *context, llvm::StringRef text);

} // namespace dim

/// The dims of a tensor type as expressions: constants for static dims, the encoding's expressions for `?`. A `?`
/// without encoding (only in text written by hand) becomes the symbol `?`.
llvm::SmallVector<DimAttr> getDims(mlir::RankedTensorType type);
inline llvm::SmallVector<DimAttr> getDims(mlir::Value value) {
  return getDims(llvm::cast<mlir::RankedTensorType>(value.getType()));
}
/// The tensor type with these dims; carries an encoding exactly when a dim is not constant.
mlir::RankedTensorType makeTensorType(llvm::ArrayRef<DimAttr> dims, mlir::Type elementType);
/// The same dims with another element type.
mlir::RankedTensorType withElementType(mlir::RankedTensorType type, mlir::Type elementType);
/// The number of elements as an expression.
DimAttr getNumElements(mlir::RankedTensorType type);

} // namespace torsh

#endif // TORSH_DIALECTS_TORSH_DIM_H
