//===-- torch_pickle_fuzz.cpp - Arbitrary bytes as a pickle -------------------------------------------------===//
// The unpickler alone, since a fuzzer rarely finds its way through a zip file's checksums.
#include "frontends/torch/reader/Unpickler.h"
#include <cstdint>

using namespace torsh::torch;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  PickleLimits limits;
  limits.maxValues = 1 << 16;
  limits.maxMemo = 1 << 16;
  auto graph = readPickle(llvm::StringRef(reinterpret_cast<const char *>(data), size), "fuzzed.pkl", limits);
  if (!graph) {
    llvm::consumeError(graph.takeError());
    return 0;
  }
  // What a tensor refers to lies within its storage; the importer relies on it.
  for (const PickleValue &value : graph->values) {
    if (value.kind != PickleValue::Kind::Tensor)
      continue;
    unsigned __int128 last = uint64_t(value.integer);
    bool empty = false;
    for (size_t i = 0; i < value.sizes.size(); ++i) {
      empty |= value.sizes[i] == 0;
      last += static_cast<unsigned __int128>(uint64_t(value.sizes[i]) - (value.sizes[i] > 0)) *
              uint64_t(value.strides[i]);
    }
    if (!empty && last >= uint64_t(value.items[0]->integer))
      __builtin_trap();
  }
  return 0;
}
