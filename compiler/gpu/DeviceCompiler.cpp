//===-- DeviceCompiler.cpp - Kernels -> PTX, in parallel ----------------------------------------------------===//
//
// LLVM ends the process on an operation that its NVPTX target cannot select, so a function is looked through before: what
// is not known to be selected is a reason, and the kernel keeps its CPU body.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "compiler/gpu/DeviceCompiler.h"
#include "compiler/CapturedDiagnostics.h"
#include "compiler/KernelCompiler.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "passes/cpu/Passes.h"
#include "passes/gpu/Passes.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include <atomic>
#include <mutex>
#include <thread>

using namespace llvm;

namespace torsh {
namespace {

/// PTX versions are the oldest that know a chip: the version, not the chip, says which drivers take the text.
struct Chip {
  unsigned capability;
  const char *name, *features;
};
const Chip chips[] = {{80, "sm_80", "+ptx70"}, {90, "sm_90", "+ptx78"}, {100, "sm_100", "+ptx86"}};

const Chip *findChip(unsigned capability) {
  for (const Chip &chip : chips)
    if (chip.capability == capability)
      return &chip;
  return nullptr;
}

Expected<std::unique_ptr<TargetMachine>> createDeviceMachine(const DeviceTarget &device, unsigned optLevel) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
  Triple triple("nvptx64-nvidia-cuda");
  std::string message;
  const llvm::Target *target = TargetRegistry::lookupTarget(triple, message);
  const Chip *chip = findChip(device.capability);
  if (!target || !chip)
    return createStringError("TSH-0680: LLVM has no code generator for " + getDeviceTargetName(device) +
                             ": " + message);
  std::unique_ptr<TargetMachine> machine(target->createTargetMachine(
      triple, chip->name, chip->features, TargetOptions(), std::nullopt, std::nullopt,
      optLevel == 0 ? CodeGenOptLevel::None : CodeGenOptLevel::Aggressive));
  if (!machine)
    return createStringError("TSH-0680: LLVM cannot make a code generator for " +
                             getDeviceTargetName(device));
  return machine;
}

/// Whether NVPTX selects a call of the intrinsic for the types that kernels compute in.
bool isSelected(Intrinsic::ID id) {
  switch (id) {
  case Intrinsic::fma:
  case Intrinsic::fmuladd:
  case Intrinsic::sqrt:
  case Intrinsic::fabs:
  case Intrinsic::floor:
  case Intrinsic::ceil:
  case Intrinsic::trunc:
  case Intrinsic::rint:
  case Intrinsic::nearbyint:
  case Intrinsic::roundeven:
  case Intrinsic::minimum:
  case Intrinsic::maximum:
  case Intrinsic::minnum:
  case Intrinsic::maxnum:
  case Intrinsic::copysign:
  case Intrinsic::abs:
  case Intrinsic::smax:
  case Intrinsic::smin:
  case Intrinsic::umax:
  case Intrinsic::umin:
  case Intrinsic::ctlz:
  case Intrinsic::cttz:
  case Intrinsic::ctpop:
  case Intrinsic::fshl:
  case Intrinsic::fshr:
  case Intrinsic::assume:
  case Intrinsic::lifetime_start:
  case Intrinsic::lifetime_end:
    return true;
  default:
    return Intrinsic::getBaseName(id).starts_with("llvm.nvvm.");
  }
}

/// The first operation of the module that NVPTX may not select, as a clause; empty without one.
std::string findUnselected(Module &module) {
  for (Function &function : module)
    for (Instruction &instruction : instructions(function)) {
      auto *call = dyn_cast<CallBase>(&instruction);
      if (!call)
        continue;
      Function *callee = call->getCalledFunction();
      if (!callee || (callee->isDeclaration() && !callee->isIntrinsic()))
        return "it calls '" + (callee ? callee->getName().str() : "a pointer") +
               "', which a GPU does not have";
      if (callee->isIntrinsic() && !isSelected(callee->getIntrinsicID()))
        return "a GPU has no instruction for '" + callee->getName().str() + "'";
    }
  return "";
}

/// One kernel as text: contexts are not shared between workers.
struct Job {
  std::string name, text;
  unsigned threads;
};

class Worker {
public:
  Worker(const DeviceTarget &target, unsigned optLevel, DeviceStage stage)
      : target(target), optLevel(optLevel), stage(stage) {
    mlir::DialectRegistry registry;
    registerKernelDialects(registry);
    context = std::make_unique<mlir::MLIRContext>(registry, mlir::MLIRContext::Threading::DISABLED);
    context->loadAllAvailableDialects();
    passes = std::make_unique<mlir::PassManager>(context.get());
    passes->enableVerifier(false);
    EmitDeviceKernelsPassOptions options;
    options.capability = target.capability;
    options.fastF32 = target.fastF32;
    passes->addPass(createEmitDeviceKernelsPass(options));
    passes->addPass(createLowerVectorsPass());
  }

  /// Fails when LLVM has no such target; a kernel that cannot be has a reason.
  Error compile(const Job &job, CompiledDeviceKernel &result);

private:
  DeviceTarget target;
  unsigned optLevel;
  DeviceStage stage;
  std::unique_ptr<mlir::MLIRContext> context;
  std::unique_ptr<mlir::PassManager> passes;
};

Error Worker::compile(const Job &job, CompiledDeviceKernel &result) {
  result.name = job.name;
  auto refuse = [&](StringRef reason) {
    result.reason = reason.rtrim().str();
    return Error::success();
  };
  DiagnosticText diagnostics(context.get());
  auto module = mlir::parseSourceString<mlir::ModuleOp>(job.text, context.get());
  if (!module || failed(passes->run(*module)))
    return refuse(diagnostics.text);
  module->walk([&](mlir::Operation *function) {
    if (auto note = function->getAttrOfType<mlir::StringAttr>("torsh.note"))
      result.note = note.str();
  });
  auto machine = createDeviceMachine(target, optLevel);
  if (!machine)
    return machine.takeError();
  LLVMContext llvmContext;
  std::string llvmErrors;
  llvmContext.setDiagnosticHandler(std::make_unique<KeepDiagnostics>(&llvmErrors));
  std::unique_ptr<Module> code = mlir::translateModuleToLLVMIR(*module, llvmContext, job.name);
  if (!code)
    return refuse(diagnostics.text);
  if (std::string unselected = findUnselected(*code); !unselected.empty())
    return refuse("TSH-0591: no device code for kernel '" + job.name + "': " + unselected);
  code->setTargetTriple((*machine)->getTargetTriple());
  code->setDataLayout((*machine)->createDataLayout());
  for (Function &function : *code)
    if (!function.isDeclaration()) {
      function.setCallingConv(CallingConv::PTX_Kernel);
      function.addFnAttr("nvvm.maxntid", std::to_string(job.threads));
    }
  if (stage == DeviceStage::Llvm) {
    raw_string_ostream os(result.output);
    code->print(os, nullptr);
    return Error::success();
  }
  SmallVector<char, 0> text;
  if (Error error = optimizeModule(*code, **machine, optLevel, /*wholePipeline=*/true))
    return error;
  // What LLVM made of the code itself has to be selected too.
  if (std::string unselected = findUnselected(*code); !unselected.empty())
    return refuse("TSH-0591: no device code for kernel '" + job.name + "': " + unselected);
  if (Error error = emitMachineCode(*code, **machine, /*assembly=*/true, text))
    return error;
  if (!llvmErrors.empty())
    return refuse("TSH-0591: no device code for kernel '" + job.name + "': " + llvmErrors);
  result.output.assign(text.begin(), text.end());
  return Error::success();
}

} // namespace

Expected<DeviceTarget> parseDeviceTarget(StringRef text) {
  for (const Chip &chip : chips)
    if (text == ("cuda:" + StringRef(chip.name)).str()) {
      DeviceTarget target;
      target.capability = chip.capability;
      return target;
    }
  return createStringError("TSH-0681: unknown target '" + text +
                           "'; use cpu, cuda:sm_80, cuda:sm_90 or cuda:sm_100");
}

std::string getDeviceTargetName(const DeviceTarget &target) {
  return "cuda:sm_" + std::to_string(target.capability);
}

Expected<std::vector<CompiledDeviceKernel>> compileDeviceKernels(mlir::ModuleOp module,
                                                                 const DeviceTarget &target,
                                                                 unsigned optLevel, unsigned threads,
                                                                 DeviceStage stage) {
  std::vector<CompiledDeviceKernel> results;
  std::vector<Job> jobs;
  std::vector<size_t> resultOfJob;
  for (KernelOp kernel : module.getOps<KernelOp>()) {
    results.emplace_back();
    results.back().name = kernel.getSymName().str();
    std::optional<DeviceLaunch> launch = getDeviceLaunch(kernel);
    if (!launch) {
      results.back().reason =
          ("TSH-0590: kernels anchored by '" + kernel.getAnchor() + "' have no code for a GPU").str();
      continue;
    }
    mlir::OwningOpRef<mlir::ModuleOp> alone = mlir::ModuleOp::create(kernel.getLoc());
    alone->push_back(kernel->clone());
    std::string text;
    raw_string_ostream os(text);
    alone->print(os);
    jobs.push_back({kernel.getSymName().str(), text, launch->threads});
    resultOfJob.push_back(results.size() - 1);
  }
  std::vector<std::string> errors(jobs.size());
  std::atomic<size_t> next{0};
  auto work = [&] {
    Worker worker(target, optLevel, stage);
    for (size_t index = next++; index < jobs.size(); index = next++)
      if (Error error = worker.compile(jobs[index], results[resultOfJob[index]]))
        errors[index] = toString(std::move(error));
  };
  threads = std::max(1u, std::min<unsigned>(threads, jobs.size()));
  std::vector<std::thread> pool;
  for (unsigned i = 1; i < threads; ++i)
    pool.emplace_back(work);
  work();
  for (std::thread &thread : pool)
    thread.join();
  for (const std::string &error : errors)
    if (!error.empty())
      return createStringError(error);
  return results;
}

} // namespace torsh
