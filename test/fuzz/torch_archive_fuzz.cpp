//===-- torch_archive_fuzz.cpp - Arbitrary bytes as a TorchScript archive -----------------------------------===//
#include "frontends/torch/reader/Archive.h"
#include <cstdint>

using namespace torsh::torch;

/// Reads every byte, so that a sanitizer sees a view that leaves its file.
static void touch(llvm::StringRef bytes) {
  unsigned sum = 0;
  for (char c : bytes)
    sum += uint8_t(c);
  volatile unsigned sink = sum;
  (void)sink;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto buffer = llvm::MemoryBuffer::getMemBuffer(llvm::StringRef(reinterpret_cast<const char *>(data), size),
                                                 "fuzzed.pt", false);
  auto archive = Archive::fromBuffer(std::move(buffer));
  if (!archive) {
    llvm::consumeError(archive.takeError());
    return 0;
  }
  if (auto text = (*archive)->source("__torch__"))
    touch(*text);
  else
    llvm::consumeError(text.takeError());
  for (const PickleValue *item : (*archive)->object().items)
    for (const PickleValue *value : item->items)
      if (value->kind == PickleValue::Kind::Tensor) {
        if (auto bytes = (*archive)->storage(*value->items[0], false))
          touch(*bytes);
        else
          llvm::consumeError(bytes.takeError());
      }
  return 0;
}
