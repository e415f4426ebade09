//===-- Translate.h - Device kernels for the emulator -------------------------------------------------------===//
#ifndef TORSH_TEST_GPU_EMULATOR_TRANSLATE_H
#define TORSH_TEST_GPU_EMULATOR_TRANSLATE_H

#include "Machine.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include <functional>
#include <map>
#include <memory>

namespace torsh::emulator {

/// Turns a module of device kernels into one for x86: NVVM intrinsics, accesses and shared memory become calls of the
/// machine, and each kernel NAME gets a function NAME_emulated that takes its parameters as 8 bytes each.
llvm::Error translate(llvm::Module &module);

/// Kernels that were compiled for the emulator, by name.
class KernelStore {
public:
  KernelStore();

  /// Adds the kernel in a text of LLVM IR (DeviceStage::Llvm). `change` may damage the module before it is translated.
  llvm::Error add(const std::string &name, llvm::StringRef text,
                  const std::function<void(llvm::Module &)> &change = {});
  /// Null when there is none of this name.
  KernelFunction find(const std::string &name) const;
  size_t parameters(const std::string &name) const { return counts.at(name); }

private:
  std::unique_ptr<llvm::orc::LLJIT> jit;
  std::map<std::string, KernelFunction> functions;
  std::map<std::string, size_t> counts;
  unsigned number = 0;
};

} // namespace torsh::emulator

#endif // TORSH_TEST_GPU_EMULATOR_TRANSLATE_H
