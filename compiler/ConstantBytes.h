//===-- ConstantBytes.h - The bytes of a constant in memory --------------------------------------------------===//
#ifndef TORSH_COMPILER_CONSTANTBYTES_H
#define TORSH_COMPILER_CONSTANTBYTES_H

#include "dialects/torsh/Torsh.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace torsh {

/// Bytes of a dense attribute in memory order: what is narrower than a byte takes one, splats are repeated.
std::vector<char> getDenseBytes(mlir::DenseElementsAttr dense);

/// Elements of `bits` < 8 bits that share bytes, the first one lowest, as bytes that hold one each.
std::vector<char> unpackElements(llvm::ArrayRef<char> packed, unsigned bits, int64_t count);

/// Bytes of a constant's value, dense or a weight of the store with its steps.
llvm::Expected<std::vector<char>> getConstantBytes(mlir::Attribute value, const WeightStore &store);

} // namespace torsh

#endif // TORSH_COMPILER_CONSTANTBYTES_H
