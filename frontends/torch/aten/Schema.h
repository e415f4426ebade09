//===-- Schema.h - Signatures of ATen operators -------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_ATEN_SCHEMA_H
#define TORSH_FRONTENDS_TORCH_ATEN_SCHEMA_H

#include "frontends/torch/aten/Value.h"
#include "llvm/ADT/ArrayRef.h"

namespace torsh::torch {

/// A parameter of an operator. Types are written as in PyTorch (Tensor, int, float, bool, str, Scalar, with [] and ?),
/// and two more: Operand is a tensor or number, any is everything.
struct Parameter {
  std::string type, name;
  bool optional = false, isList = false;
  bool hasDefault = false;
  std::string otherwise; ///< the default as written
};

/// `conv1d(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1)`. A `*` before keyword-only parameters is
/// allowed and has no meaning here.
struct Schema {
  std::string name;
  std::vector<Parameter> parameters;

  /// Parses the text; the table's texts are known to be sound.
  static Schema parse(llvm::StringRef text);
  /// Puts arguments into the order of the parameters. None when they do not fit in number, name or kind.
  std::optional<std::vector<Val>> bind(mlir::MLIRContext *context, llvm::ArrayRef<Val> positional,
                                       llvm::ArrayRef<std::pair<llvm::StringRef, Val>> named) const;
};

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_ATEN_SCHEMA_H
