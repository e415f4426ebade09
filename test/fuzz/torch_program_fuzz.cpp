//===-- torch_program_fuzz.cpp - Arbitrary bytes as a program of torch.export -------------------------------===//
#include "frontends/torch/export/Program.h"
#include "llvm/Support/Error.h"

using namespace torsh::torch;

/// How deep an expression is: whoever follows it uses recursion.
static unsigned depthOf(const SizeExpression &size) {
  unsigned deepest = 0;
  for (const SizeExpression &operand : size.operands)
    deepest = std::max(deepest, depthOf(operand));
  return deepest + 1;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto program = readProgram(llvm::StringRef(reinterpret_cast<const char *>(data), size), "fuzzed");
  if (!program) {
    llvm::consumeError(program.takeError());
    return 0;
  }
  for (auto &[name, meta] : program->graph.tensors)
    for (const SizeExpression &one : meta.sizes)
      if (depthOf(one) > 8192)
        __builtin_trap();
  return 0;
}
