//===-- Emitter.h - State while loops are written -----------------------------------------------------------===//
#ifndef TORSH_PASSES_POLYHEDRAL_EMITTER_H
#define TORSH_PASSES_POLYHEDRAL_EMITTER_H

#include "mlir/IR/Builders.h"
#include "passes/polyhedral/VectorPlan.h"

namespace torsh::poly {

/// An array element that a loop keeps in a register.
struct Carried {
  mlir::Value memref;
  const std::vector<LinearForm> *loaded, *stored; ///< the subscripts that read and write it
  const LoopNode *leaf;
  unsigned copy;  ///< of iterations that run side by side
  bool keepStore; ///< the next iteration reads it, but memory needs every value
  mlir::Value value;
};

/// Writes loops and statements. EmitLoops.cpp has the loops, EmitStatements.cpp what is inside, EmitExpressions.cpp
/// bounds and conditions.
class Emitter {
public:
  Emitter(mlir::OpBuilder &builder, mlir::Location loc, const Scop &scop, const Machine &machine);
  void emit(const LoopNode &node);

private:
  // EmitLoops.cpp
  void emitFor(const LoopNode &node);
  void emitIf(const LoopNode &node);
  void emitScalarLoop(const LoopNode &node, mlir::Value low, mlir::Value end);
  void emitVectorLoop(const LoopNode &node, mlir::Value low, mlir::Value end);
  void emitReductionLoop(const LoopNode &node, mlir::Value low, mlir::Value end);
  void emitJammedLoop(const LoopNode &node, mlir::Value low, mlir::Value end);
  void strip(const LoopNode &node, mlir::Value low, mlir::Value end, int64_t step,
             llvm::function_ref<void()> body);
  std::vector<Carried> loadAll(llvm::ArrayRef<Carried> found);
  void storeAll(llvm::ArrayRef<Carried> finished);
  std::vector<Carried> findCarried(const LoopNode &loop);
  llvm::SmallVector<unsigned> carriedThrough(const LoopNode &loop) const;
  mlir::Value roundDown(mlir::Value low, mlir::Value end, int64_t step);

  // EmitStatements.cpp
  void emitLeaf(const LoopNode &leaf);
  void forEachCopy(llvm::function_ref<void()> visit);
  void emitInstance(const LoopNode &leaf);
  mlir::Value load(const LoopNode &leaf, unsigned access);
  mlir::Value loadEverySecond(const LoopNode &leaf, unsigned access);
  int64_t neighbourOf(const LoopNode &leaf, unsigned access) const;
  void store(const LoopNode &leaf, mlir::Value value);
  llvm::SmallVector<mlir::Value> subscripts(const LoopNode &leaf, unsigned access);
  mlir::Value loadCarried(const Carried &carried);
  void storeCarried(const Carried &carried);
  mlir::Value sum(const LinearForm &form);
  mlir::Value splat(mlir::Value scalar);
  unsigned accessOf(const LoopNode &leaf, const std::vector<LinearForm> *subscripts) const;

  // EmitExpressions.cpp
  mlir::Value expression(const isl::ast_expr &expression);
  mlir::Value condition(const isl::ast_expr &expression);
  mlir::Value constant(int64_t value);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  const Scop &scop;
  const Machine &machine;
  std::map<std::string, mlir::Value> names; ///< iterators and parameters
  std::string vectorIterator;               ///< empty outside of vector loops
  unsigned lanes = 1;
  std::string jamIterator; ///< empty where iterations run one at a time
  unsigned copies = 1, copy = 0;
  unsigned depth = 0; ///< loops around this place
  std::vector<Carried> carried;
  /// Short loops that are unrolled at this place: the iteration, and how many there are.
  std::map<std::string, std::pair<int64_t, int64_t>> unrolled;
};

} // namespace torsh::poly

#endif // TORSH_PASSES_POLYHEDRAL_EMITTER_H
