//===-- GroupFormer.h - Which ops become one kernel ----------------------------------------------------------===//
#ifndef TORSH_PASSES_GRAPH_GROUPFORMER_H
#define TORSH_PASSES_GRAPH_GROUPFORMER_H

#include "dialects/torsh/Torsh.h"
#include "mlir/IR/Block.h"
#include "llvm/ADT/SetVector.h"
#include <optional>

namespace torsh {

/// How far fusion goes.
enum class FusionLevel {
  Conservative, ///< an anchor takes the elementwise chain behind it while each value has one reader
  Default, ///< also values with several readers, what feeds a reduction, and elementwise groups of several results
  Aggressive, ///< also computes a cheap value again in each of its readers, and groups of more results
};

std::optional<FusionLevel> parseFusionLevel(llvm::StringRef name);
llvm::StringRef getFusionLevelName(FusionLevel level);

/// Ops of one future group, in block order once it is built.
using OpSet = llvm::SmallSetVector<mlir::Operation *, 16>;

/// Plans the groups of a block without changing it, answers questions about the plan, and builds it.
class GroupFormer {
public:
  /// Without `streamAttention` a softmax between two contractions is a group of its own.
  GroupFormer(mlir::Block &block, FusionLevel level, bool streamAttention = true);

  /// Decides what belongs together. Reads the block only.
  void plan();
  /// Makes the planned groups, and copies of what nobody can address. Fails when groups depend on each other in a cycle.
  llvm::LogicalResult build();

  /// Number of an op's planned group, none for ops that are in none.
  std::optional<size_t> findGroup(mlir::Operation *op) const;
  llvm::StringRef getAnchor(size_t group) const { return groups[group].second; }
  /// The op that the group was planned around.
  mlir::Operation *getRoot(size_t group) const { return groups[group].first.front(); }
  /// Whether the reader's kernel computes the producer itself: both are in one group, or it is computed again.
  bool areFused(mlir::Operation *producer, mlir::Operation *reader) const;
  /// The op whose result a reader loads: through windows, which are addresses; null for inputs and constants.
  mlir::Operation *findProducer(mlir::Value operand) const;
  /// Why the two ops, of which `reader` reads the other, are not one kernel. A clause.
  std::string explain(mlir::Operation *producer, mlir::Operation *reader) const;

private:
  bool isFree(mlir::Operation *op) const { return !taken.contains(op); }
  bool dependsOn(mlir::Value value, const OpSet &set,
                 llvm::SmallPtrSetImpl<mlir::Operation *> &visited) const;
  bool mayFollow(mlir::Operation *user, const OpSet &set, mlir::Value root) const;
  void growEpilogue(OpSet &set, mlir::Value root, unsigned maxYields);
  void addFinalTranspose(OpSet &set, mlir::Value root);
  void growPrologue(OpSet &set, mlir::Value like);
  unsigned countYields(const OpSet &set) const;
  unsigned mostYields(llvm::StringRef anchor) const;
  bool isAddressable(mlir::Value value) const;
  bool isRecomputed(mlir::Operation *producer, mlir::Operation *reader) const;
  void cloneInputs(OpSet &set, llvm::StringRef anchor);
  void buildGroup(OpSet &set, llvm::StringRef anchor);

  mlir::Block &block;
  FusionLevel level;
  bool streamAttention;
  llvm::DenseMap<mlir::Operation *, unsigned> order;
  llvm::DenseSet<mlir::Operation *> taken;
  std::vector<std::pair<OpSet, std::string>> groups;
  llvm::DenseMap<mlir::Operation *, size_t> groupOf;
  llvm::SetVector<std::pair<mlir::Operation *, mlir::Operation *>> recomputed; ///< (producer, reader)
};

} // namespace torsh

#endif // TORSH_PASSES_GRAPH_GROUPFORMER_H
