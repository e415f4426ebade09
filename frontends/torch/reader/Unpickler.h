//===-- Unpickler.h - Pickles, read as data and never executed ----------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_READER_UNPICKLER_H
#define TORSH_FRONTENDS_TORCH_READER_UNPICKLER_H

#include "frontends/torch/reader/PickleValue.h"
#include "frontends/torch/reader/ReaderError.h"

namespace torsh::torch {

/// Bounds on what one pickle may ask for.
struct PickleLimits {
  uint64_t maxValues = uint64_t(1) << 20;
  uint64_t maxMemo = uint64_t(1) << 20;
};

/// Reads a pickle of protocol 2, as PyTorch writes them. Names of functions and classes are looked up in a short list
/// of meanings that are known here (torch._utils._rebuild_tensor_v2, collections.OrderedDict, ...; classes below
/// __torch__ become objects); every other name is refused, and nothing is ever called.
llvm::Expected<PickleGraph> readPickle(llvm::StringRef bytes, llvm::StringRef shownName,
                                       const PickleLimits &limits = {});

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_READER_UNPICKLER_H
