//===-- KernelLoader.cpp - Compiled kernels as functions of this process -------------------------------------===//
#include "compiler/tuner/KernelLoader.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"

using namespace llvm;

namespace torsh {

struct LoadedKernels::Memory {
  std::unique_ptr<orc::LLJIT> jit;
};

LoadedKernels::LoadedKernels() : memory(std::make_unique<Memory>()) {}
LoadedKernels::~LoadedKernels() = default;

Expected<std::unique_ptr<LoadedKernels>> LoadedKernels::load(ArrayRef<CompiledKernel> kernels) {
  initializeTargets();
  auto failed = [](Error error) {
    return createStringError("TSH-0662: a compiled kernel cannot be loaded: " + toString(std::move(error)));
  };
  auto jit = orc::LLJITBuilder().create();
  if (!jit)
    return failed(jit.takeError());
  std::unique_ptr<LoadedKernels> loaded(new LoadedKernels());
  for (const CompiledKernel &kernel : kernels)
    if (Error error = (*jit)->addObjectFile(MemoryBuffer::getMemBufferCopy(kernel.output, kernel.name)))
      return failed(std::move(error));
  loaded->memory->jit = std::move(*jit);
  return loaded;
}

Expected<torsh_kernel_fn> LoadedKernels::find(StringRef kernel, StringRef level) const {
  orc::LLJIT &jit = *memory->jit;
  // Kernels are hidden symbols: artifacts export their table alone.
  auto found = jit.getExecutionSession().lookup(
      orc::makeJITDylibSearchOrder(&jit.getMainJITDylib(), orc::JITDylibLookupFlags::MatchAllSymbols),
      jit.mangleAndIntern((kernel + "_" + level).str()));
  if (!found)
    return createStringError("TSH-0662: a compiled kernel cannot be loaded: " + toString(found.takeError()));
  return found->getAddress().toPtr<torsh_kernel_fn>();
}

} // namespace torsh
