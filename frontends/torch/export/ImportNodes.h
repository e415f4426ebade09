//===-- ImportNodes.h - Nodes of an exported graph -> ops ---------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_EXPORT_IMPORTNODES_H
#define TORSH_FRONTENDS_TORCH_EXPORT_IMPORTNODES_H

#include "frontends/torch/export/Program.h"
#include "frontends/torch/import/Interpreter.h"

namespace torsh::torch {

/// Imports graphs with the operators of `aten/`. Subgraphs of conditions and loops become regions (ImportRegions.cpp).
class NodeImporter {
public:
  NodeImporter(mlir::MLIRContext *context, ImportReport &report)
      : interpreter(context, report, newestVersion), b(interpreter.b), report(report) {}

  /// The values of a graph's outputs for these values of its inputs.
  llvm::FailureOr<std::vector<Val>> importGraph(const ExportedGraph &graph, llvm::ArrayRef<Val> inputs);
  /// The program contradicts itself; always fails.
  llvm::LogicalResult malformed(const llvm::Twine &reason);

  /// Exported programs follow the newest meaning of every operator.
  static constexpr int64_t newestVersion = 10;
  Interpreter interpreter;
  TensorBuilder &b;

private:
  using Scope = std::map<std::string, Val>;

  llvm::LogicalResult importNode(const ExportedNode &node);
  llvm::FailureOr<Val> value(const Argument &argument);
  llvm::FailureOr<Val> callOnSizes(llvm::StringRef name, llvm::ArrayRef<Val> arguments);
  llvm::LogicalResult bindOutputs(const ExportedNode &node, const Val &result);
  llvm::LogicalResult refuse(llvm::StringRef op, const llvm::Twine &constraint);
  std::string place() const;

  //===-- Subgraphs (ImportRegions.cpp) ----------------------------------------------------------------------===//
  llvm::FailureOr<Val> importHigherOrder(llvm::StringRef name);
  llvm::FailureOr<Val> importCond(const ExportedGraph &onTrue, const ExportedGraph &onFalse);
  llvm::FailureOr<Val> importWhile(const ExportedGraph &condition, const ExportedGraph &body);
  llvm::FailureOr<std::vector<Val>> operandList(size_t index);
  llvm::LogicalResult importArm(const ExportedGraph &graph, llvm::ArrayRef<Val> operands, mlir::Block &block,
                                llvm::SmallVectorImpl<mlir::Value> &yields, const ExportedGraph *condition);

  ImportReport &report;
  Scope *scope = nullptr;
  const ExportedNode *node = nullptr;
  unsigned depth = 0;
};

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_EXPORT_IMPORTNODES_H
