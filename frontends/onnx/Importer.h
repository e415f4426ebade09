//===-- Importer.h - ONNX model -> torsh module -------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_IMPORTER_H
#define TORSH_FRONTENDS_ONNX_IMPORTER_H

#include "frontends/onnx/reader/Reader.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringMap.h"

namespace torsh::onnx {

/// Choices of an import.
struct ImportOptions {
  /// Values for named dims (`--dim batch=4`), and for anonymous ones as `input.axis` (`--dim x.0=4`).
  llvm::StringMap<int64_t> dims;
  /// Directory beneath which external data may be reached over links (ExternalDataOptions).
  std::string trustRoot;
};

/// One node that cannot be imported.
struct UnsupportedNode {
  std::string node;       ///< the node's name, or `Op#index (outputs: ...)`
  std::string op;         ///< domain-qualified op with opset: `Conv-17`
  std::string types;      ///< the operand types as far as known
  std::string constraint; ///< what failed, as a sentence
};

/// What an import says besides the module.
struct ImportReport {
  std::vector<UnsupportedNode> unsupported; ///< all of them, not only the first
  std::vector<std::string> errors;          ///< the model contradicts the specification (TSH-02xx)
};

/// Imports the graph as `func.func @main` of a module. Every value has a ranked type whose symbolic dims are
/// expressions; weights larger than 1 KiB are `#torsh.weight` recipes over `file`, which the weight store keeps
/// alive. The function has `torsh.input_names` and `torsh.output_names` (arrays of strings). Null on failure, with the
/// report filled. An unsupported node does not end the import: the rest is still examined, with unknown values.
mlir::OwningOpRef<mlir::ModuleOp> importModel(mlir::MLIRContext *context, std::shared_ptr<ModelFile> file,
                                              const ImportOptions &options, ImportReport &report);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_IMPORTER_H
