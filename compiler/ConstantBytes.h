//===-- ConstantBytes.h - The bytes of a constant in memory --------------------------------------------------===//
#ifndef TORSH_COMPILER_CONSTANTBYTES_H
#define TORSH_COMPILER_CONSTANTBYTES_H

#include "dialects/torsh/Torsh.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace torsh {

/// Bytes of a dense attribute in memory order: booleans take a byte, splats are repeated.
std::vector<char> getDenseBytes(mlir::DenseElementsAttr dense);

/// Bytes of a constant's value, dense or a weight of the store with its steps.
llvm::Expected<std::vector<char>> getConstantBytes(mlir::Attribute value, const WeightStore &store);

} // namespace torsh

#endif // TORSH_COMPILER_CONSTANTBYTES_H
