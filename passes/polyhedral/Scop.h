//===-- Scop.h - A function's affine loops as statements over integer sets ----------------------------------===//
#ifndef TORSH_PASSES_POLYHEDRAL_SCOP_H
#define TORSH_PASSES_POLYHEDRAL_SCOP_H

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/polyhedral/Isl.h"
#include <optional>
#include <vector>

namespace torsh::poly {

/// One load or store of a statement; the subscripts are functions of the statement's loops and the parameters.
struct Access {
  mlir::Operation *op;
  mlir::Value memref;
  bool write;
  mlir::AffineMap map; ///< dims: the statement's loops; symbols: the parameters
  isl::map relation;
};

/// How a statement changes a value that it reads and writes at one place.
enum class Combine { None, Add, Multiply, Max, Min };

/// One store, with everything that its value needs.
struct Statement {
  std::string name;                           ///< the tuple name in isl
  llvm::SmallVector<mlir::Operation *> body;  ///< loads and pure operations in order, then the store
  llvm::SmallVector<mlir::Operation *> loops; ///< the affine.for around it, outermost first
  std::vector<Access> accesses;               ///< the store is the last one
  isl::set domain;
  isl::map position;               ///< place in the original order: 2 * depth + 1 numbers
  Combine combine = Combine::None; ///< a reduction: store = load combined with what does not read it
  mlir::Operation *combiner = nullptr,
                  *carried = nullptr; ///< the combining operation, and the load of the old value

  const Access &store() const { return accesses.back(); }
};

/// The affine part of a function: all of it between the allocations and the return.
struct Scop {
  std::vector<Statement> statements;
  llvm::SmallVector<mlir::Value>
      parameters; ///< index values that bounds and subscripts use; named p0, p1, ...
  llvm::SmallVector<mlir::Operation *> roots; ///< the operations of the function that the statements replace
  isl::union_set domain;
  isl::union_map reads, writes, order; ///< order: the original schedule
};

/// What could not be read, and where.
struct Refusal {
  mlir::Location where;
  std::string why;
};

/// Reads a function. Fails with a refusal where it is not affine.
std::optional<Scop> readScop(mlir::func::FuncOp function, IslContext &context, Refusal &refusal);

/// An affine expression over the dims and parameters of a set's space.
isl::aff toIsl(mlir::AffineExpr expression, unsigned dims, const isl::space &space);

/// The name of a parameter in isl.
std::string parameterName(unsigned index);

} // namespace torsh::poly

#endif // TORSH_PASSES_POLYHEDRAL_SCOP_H
