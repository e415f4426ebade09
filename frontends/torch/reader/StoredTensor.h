//===-- StoredTensor.h - Where the elements of a tensor lie -------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_READER_STOREDTENSOR_H
#define TORSH_FRONTENDS_TORCH_READER_STOREDTENSOR_H

#include "frontends/torch/reader/PickleValue.h"

namespace torsh::torch {

/// A tensor of a file: a view of a storage that others may share. Its reader has checked that all elements lie within the
/// storage, and that sizes and strides are as many and not negative.
struct StoredTensor {
  ScalarType dtype = ScalarType::F32;
  std::vector<int64_t> sizes, strides;
  int64_t offset = 0;      ///< in elements
  llvm::StringRef storage; ///< all of it
};

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_READER_STOREDTENSOR_H
