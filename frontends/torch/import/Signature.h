//===-- Signature.h - Types of inputs as the user gives them ------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_IMPORT_SIGNATURE_H
#define TORSH_FRONTENDS_TORCH_IMPORT_SIGNATURE_H

#include "frontends/torch/aten/TensorBuilder.h"
#include "llvm/Support/Error.h"

namespace torsh::torch {

/// One `--input NAME=...`: a tensor's type, or the value of an argument that is no tensor.
struct InputSpec {
  std::string name;
  std::optional<mlir::RankedTensorType> type;
  Val value;
};

/// Parses `x=f32[batch,3,224,224]`, `steps=3`, `scale=0.5`, `flag=true`, `mode="fast"` or `mask=none`. The same letters
/// are the same size in all inputs, and `?` is a size of its own.
llvm::Expected<InputSpec> parseInput(TensorBuilder &b, llvm::StringRef text);

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_IMPORT_SIGNATURE_H
