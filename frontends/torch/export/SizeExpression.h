//===-- SizeExpression.h - Sizes as torch.export writes them ------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_EXPORT_SIZEEXPRESSION_H
#define TORSH_FRONTENDS_TORCH_EXPORT_SIZEEXPRESSION_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>
#include <vector>

namespace torsh::torch {

/// An integer over symbols. Sums and products may have any number of operands.
struct SizeExpression {
  enum class Kind : uint8_t { Constant, Symbol, Add, Mul, FloorDiv, CeilDiv, Mod, Min, Max };
  Kind kind = Kind::Constant;
  int64_t value = 0;
  std::string name;
  std::vector<SizeExpression> operands;
};

/// Parses both forms that are in use: "2*s0 + 1" of older versions, and SymPy's
/// "Add(Mul(Integer(2), Symbol('s0', integer=True)), Integer(1))". The error is a clause for a sentence.
llvm::Expected<SizeExpression> parseSizeExpression(llvm::StringRef text);

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_EXPORT_SIZEEXPRESSION_H
