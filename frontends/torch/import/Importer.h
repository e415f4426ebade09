//===-- Importer.h - TorchScript archive -> torsh module ----------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_IMPORT_IMPORTER_H
#define TORSH_FRONTENDS_TORCH_IMPORT_IMPORTER_H

#include "dialects/torsh/import/ImportReport.h"
#include "frontends/torch/reader/Archive.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace torsh::torch {

/// Imports the method `forward` of the archive's root object as `func.func @main` of a module, with the contract of the
/// ONNX importer: ranked types whose symbolic dims are expressions, weights as recipes over the mapped file, and the
/// names of inputs and outputs as attributes. `options.inputs` has the types of the inputs, which archives do not
/// store. An input `self.NAME` makes an attribute that `forward` assigns an input and an output of that name. Null on
/// failure, with the report filled.
mlir::OwningOpRef<mlir::ModuleOp> importArchive(mlir::MLIRContext *context, std::shared_ptr<Archive> archive,
                                                const ImportOptions &options, ImportReport &report);

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_IMPORT_IMPORTER_H
