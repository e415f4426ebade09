//===-- Npy.h - NumPy array files
//---------------------------------------------------------------------------===//
#ifndef TORSH_TOOLS_TORSHC_NPY_H
#define TORSH_TOOLS_TORSHC_NPY_H

#include "torsh/torsh.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace torsh {

/// A contiguous row-major array in memory.
struct NpyArray {
  torsh_dtype dtype = {0, 0, 1};
  std::vector<int64_t> shape;
  std::vector<char> bytes;
};

/// The name of a dtype in messages: float32, int64, bool, bfloat16.
std::string dtypeName(torsh_dtype dtype);

/// The elements of a shape, or nothing when a size is negative or the bytes would not fit in 63 bits.
std::optional<uint64_t> byteSize(torsh_dtype dtype, llvm::ArrayRef<int64_t> shape);

/// Reads a file of format 1, 2 or 3, little-endian, row-major or column-major (which is turned).
llvm::Expected<NpyArray> readNpy(const std::string &path);

/// Writes format 1. Refuses dtypes that NumPy has none for (bfloat16, floats of at most 8 bits, integers below 8).
llvm::Error writeNpy(const std::string &path, torsh_dtype dtype, llvm::ArrayRef<int64_t> shape,
                     llvm::ArrayRef<char> bytes);

} // namespace torsh

#endif // TORSH_TOOLS_TORSHC_NPY_H
