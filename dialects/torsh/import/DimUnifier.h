//===-- DimUnifier.h - Symbols of an import and what is known to be equal
//-----------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_IMPORT_DIMUNIFIER_H
#define TORSH_DIALECTS_TORSH_IMPORT_DIMUNIFIER_H

#include "dialects/torsh/Dim.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSet.h"

namespace torsh {

/// Names symbols, and keeps the equalities between dims that the graph asks for. A symbol that turns out to
/// be equal to something is replaced everywhere, inputs included: a dim that then stands twice in the
/// signature, or stands there as an expression, is checked when a run binds the symbols. Equalities between
/// compound expressions become torsh.guard ops.
class DimUnifier {
public:
  explicit DimUnifier(mlir::MLIRContext *context) : context(context) {}

  /// The function whose types follow each equality at once.
  void setFunction(mlir::func::FuncOp f) { function = f; }

  /// The symbol of a dim named in the model; the same name gives the same symbol.
  DimAttr named(llvm::StringRef name);
  bool hasName(llvm::StringRef name) const { return namedSymbols.contains(name); }
  /// A new symbol of an anonymous input dim.
  DimAttr anonymous(llvm::StringRef hint);
  /// A new symbol of a size that is born at run time; it is never replaced.
  DimAttr bornAtRun(llvm::StringRef hint);

  /// The representative of a dim.
  DimAttr canonical(DimAttr dim) const;
  mlir::RankedTensorType canonical(mlir::RankedTensorType type) const;

  /// Makes two dims equal. False when they cannot be.
  bool unify(DimAttr a, DimAttr b, const llvm::Twine &why);

  /// The sign of a dim (-1, 0, 1) where it is the same for all sizes. Sizes of inputs may be assumed to be at
  /// least 1, which then becomes a guard.
  std::optional<int> signOf(DimAttr dim);
  bool isNonNegative(DimAttr dim);
  /// The smaller or larger of two dims, simplified by what is known of their difference.
  DimAttr min(DimAttr a, DimAttr b);
  DimAttr max(DimAttr a, DimAttr b);

  /// Until `thaw`, nothing new may become equal: inside an arm that may not run, an equality must not become
  /// a condition of the whole function.
  void freeze() { ++frozen; }
  void thaw() { --frozen; }

  /// Adds the guards at the builder's insertion point, those that speak of sizes born at run time at the block's end.
  void emitGuards(mlir::OpBuilder &builder, mlir::Location loc) const;

private:
  struct Guard {
    DimAttr lhs, rhs;
    std::string message;
  };
  std::string unique(llvm::StringRef hint);
  bool replaceSymbol(DimAttr difference, DimAttr a, DimAttr b);
  void rewriteFunction();
  std::optional<int64_t> lowerBound(DimAttr dim, int64_t inputSymbol) const;
  void assumePositive(DimAttr dim);

  mlir::MLIRContext *context;
  mlir::func::FuncOp function;
  llvm::StringMap<std::string> namedSymbols;
  llvm::StringMap<unsigned> age; // all symbols, by order of birth
  llvm::StringSet<> anonymousSymbols, bornSymbols, positiveSymbols;
  llvm::StringMap<DimAttr> symbolValues;
  llvm::DenseMap<DimAttr, DimAttr> expressionValues;
  llvm::SmallVector<Guard, 0> guards;
  unsigned frozen = 0;
};

} // namespace torsh

#endif // TORSH_DIALECTS_TORSH_IMPORT_DIMUNIFIER_H
