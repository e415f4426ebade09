//===-- torch_source_fuzz.cpp - Arbitrary bytes as TorchScript source ---------------------------------------===//
#include "frontends/torch/script/Parser.h"
#include <cstdint>

using namespace torsh::torch;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto file = parseSource(std::string(reinterpret_cast<const char *>(data), size), "code/fuzzed.py");
  if (!file) {
    llvm::consumeError(file.takeError());
    return 0;
  }
  // The interpreter follows this tree with recursion, so its depth has a bound.
  for (const Expr &expr : (*file)->exprs)
    if (expr.depth > 500)
      __builtin_trap();
  return 0;
}
