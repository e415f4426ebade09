//===-- Importer.h - ONNX model -> torsh module -------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_IMPORTER_H
#define TORSH_FRONTENDS_ONNX_IMPORTER_H

#include "dialects/torsh/import/ImportReport.h"
#include "frontends/onnx/reader/Reader.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace torsh::onnx {

/// Imports the graph as `func.func @main` of a module. Every value has a ranked type whose symbolic dims are
/// expressions; weights larger than 1 KiB are `#torsh.weight` recipes over `file`, which the weight store keeps
/// alive. The function has `torsh.input_names` and `torsh.output_names` (arrays of strings). Null on failure, with the
/// report filled. An unsupported node does not end the import: the rest is still examined, with unknown values.
mlir::OwningOpRef<mlir::ModuleOp> importModel(mlir::MLIRContext *context, std::shared_ptr<ModelFile> file,
                                              const ImportOptions &options, ImportReport &report);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_IMPORTER_H
