//===-- ImportProgram.h - Program of torch.export -> torsh module -------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_EXPORT_IMPORTPROGRAM_H
#define TORSH_FRONTENDS_TORCH_EXPORT_IMPORTPROGRAM_H

#include "dialects/torsh/import/ImportReport.h"
#include "frontends/torch/export/ExportArchive.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace torsh::torch {

/// Imports a program as `func.func @main` of a module, with the contract of the other importers. Types and symbols of the
/// inputs are the program's; its ranges of symbols become guards. A buffer that the program changes has to be made an
/// input and an output with `--input self.NAME=TYPE[SIZES]`. What it writes into an input is not written back. Null on
/// failure, with the report filled.
mlir::OwningOpRef<mlir::ModuleOp> importProgram(mlir::MLIRContext *context,
                                                std::shared_ptr<ExportArchive> archive,
                                                const ImportOptions &options, ImportReport &report);

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_EXPORT_IMPORTPROGRAM_H
