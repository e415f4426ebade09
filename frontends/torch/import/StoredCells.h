//===-- StoredCells.h - Stored tensors as constants ---------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_IMPORT_STOREDCELLS_H
#define TORSH_FRONTENDS_TORCH_IMPORT_STOREDCELLS_H

#include "frontends/torch/aten/TensorBuilder.h"
#include "frontends/torch/reader/StoredTensor.h"
#include "llvm/Support/Error.h"

namespace torsh::torch {

/// A cell whose constant, named `path`, is built when it is first read: a weight over the mapped file where its elements
/// are contiguous. `owner` keeps the bytes alive. Integers of rank 0 are known at import. The error is a clause about
/// "the tensor".
llvm::Expected<TensorRef> makeStoredCell(TensorBuilder &b, const StoredTensor &tensor, llvm::StringRef path,
                                         std::shared_ptr<const void> owner);

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_IMPORT_STOREDCELLS_H
