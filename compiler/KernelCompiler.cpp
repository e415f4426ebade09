//===-- KernelCompiler.cpp - Kernels -> object files, in parallel -------------------------------------------===//
#include "compiler/KernelCompiler.h"
#include "compiler/CapturedDiagnostics.h"
#include "dialects/torsh/Torsh.h"
#include "dialects/torsh/gradients/Gradients.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "passes/cpu/Passes.h"
#include "llvm/IR/LLVMContext.h"
#include <atomic>
#include <chrono>
#include <ctime>
#include <mutex>
#include <thread>

using namespace llvm;

namespace torsh {

void registerKernelDialects(mlir::DialectRegistry &registry) {
  registerGradientRules(registry);
  registry.insert<TorshDialect, mlir::affine::AffineDialect, mlir::func::FuncDialect,
                  mlir::arith::ArithDialect, mlir::scf::SCFDialect, mlir::vector::VectorDialect,
                  mlir::math::MathDialect, mlir::LLVM::LLVMDialect, mlir::cf::ControlFlowDialect,
                  mlir::ub::UBDialect, mlir::index::IndexDialect, mlir::memref::MemRefDialect>();
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
}

namespace {

/// One kernel as text: contexts are not shared between workers.
struct Job {
  std::string name, text;
  const CpuLevel *level;
};

std::string printModule(mlir::ModuleOp module) {
  std::string text;
  raw_string_ostream os(text);
  module.print(os);
  return text;
}

/// Processor time of the calling thread.
double threadMilliseconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) * 1e3 + double(time.tv_nsec) * 1e-6;
}

class Worker {
public:
  Worker(unsigned optLevel, KernelStage stage) : optLevel(optLevel), stage(stage) {
    mlir::DialectRegistry registry;
    registerKernelDialects(registry);
    context = std::make_unique<mlir::MLIRContext>(registry, mlir::MLIRContext::Threading::DISABLED);
    context->loadAllAvailableDialects();
  }

  Error compile(const Job &job, CompiledKernel &result);

private:
  unsigned optLevel;
  KernelStage stage;
  mlir::PassManager &emissionFor(const CpuLevel &level);
  mlir::PassManager &loweringFor(const CpuLevel &level);

  std::unique_ptr<mlir::MLIRContext> context;
  /// Kept from kernel to kernel: passes collect their patterns when they run for the first time.
  std::unique_ptr<mlir::PassManager> lowering[2];         ///< without and with instructions for bf16
  StringMap<std::unique_ptr<mlir::PassManager>> emission; ///< by CPU level
};

mlir::PassManager &Worker::loweringFor(const CpuLevel &level) {
  bool native = level.kernels.pairs == PairDot::Native;
  std::unique_ptr<mlir::PassManager> &passes = lowering[native];
  if (!passes) {
    passes = std::make_unique<mlir::PassManager>(context.get());
    passes->enableVerifier(false);
    LowerVectorsPassOptions options;
    options.nativeBf16 = native;
    passes->addPass(createLowerVectorsPass(options));
  }
  return *passes;
}

mlir::PassManager &Worker::emissionFor(const CpuLevel &level) {
  std::unique_ptr<mlir::PassManager> &passes = emission[level.name];
  if (!passes) {
    passes = std::make_unique<mlir::PassManager>(context.get());
    passes->enableVerifier(false);
    EmitKernelsPassOptions options;
    options.lanes = level.kernels.lanes;
    options.registers = level.kernels.registers;
    options.bf16Dot = level.kernels.pairs == PairDot::Native;
    options.emulateBf16Dot = level.kernels.pairs == PairDot::Emulated;
    passes->addPass(createEmitKernelsPass(options));
  }
  return *passes;
}

Error Worker::compile(const Job &job, CompiledKernel &result) {
  auto start = std::chrono::steady_clock::now();
  double last = threadMilliseconds();
  auto lap = [&](double &phase) {
    double now = threadMilliseconds();
    phase = now - last;
    last = now;
  };
  auto fail = [&](StringRef what, StringRef detail) {
    return createStringError("kernel '" + job.name + "' for " + job.level->name + ": " + what +
                             (detail.empty() ? "" : "\n" + detail.rtrim()));
  };
  DiagnosticText diagnostics(context.get());
  auto module = mlir::parseSourceString<mlir::ModuleOp>(job.text, context.get());
  if (!module)
    return fail("TSH-0504: its text does not parse", diagnostics.text);
  if (failed(emissionFor(*job.level).run(*module)))
    return fail("no loops could be built", diagnostics.text);
  lap(result.build);
  result.name = job.name;
  result.level = job.level->name.str();
  for (auto function : module->getOps<mlir::func::FuncOp>())
    if (auto note = function->getAttrOfType<mlir::StringAttr>("torsh.note"))
      result.note = note.str();
  auto finish = [&] {
    result.milliseconds =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  };
  if (stage == KernelStage::Loops) {
    result.output = printModule(*module);
    finish();
    return Error::success();
  }
  if (failed(loweringFor(*job.level).run(*module)))
    return fail("its loops could not be lowered", diagnostics.text);

  LLVMContext llvmContext;
  std::string llvmErrors;
  llvmContext.setDiagnosticHandler(std::make_unique<KeepDiagnostics>(&llvmErrors));
  std::unique_ptr<Module> code = mlir::translateModuleToLLVMIR(*module, llvmContext, job.name);
  if (!code)
    return fail("TSH-0505: no LLVM IR", diagnostics.text);
  for (Function &function : *code) {
    if (function.isDeclaration())
      continue;
    setLevel(function, *job.level);
    function.setUWTableKind(UWTableKind::Default);
    function.setName(job.name + "_" + job.level->name);
    function.setVisibility(GlobalValue::HiddenVisibility);
  }
  lap(result.lower);
  if (stage == KernelStage::Llvm) {
    raw_string_ostream os(result.output);
    code->print(os, nullptr);
    finish();
    return Error::success();
  }
  auto machine = createTargetMachine(*job.level, optLevel);
  if (!machine)
    return machine.takeError();
  if (Error error = optimizeModule(*code, **machine, optLevel))
    return error;
  lap(result.optimize);
  SmallVector<char, 0> output;
  if (Error error = emitMachineCode(*code, **machine, stage == KernelStage::Assembly, output))
    return error;
  lap(result.generate);
  if (!llvmErrors.empty())
    return fail("TSH-0505: LLVM refused it", llvmErrors);
  result.output.assign(output.begin(), output.end());
  finish();
  return Error::success();
}

} // namespace

Expected<std::vector<CompiledKernel>> compileKernels(mlir::ModuleOp module, ArrayRef<CpuLevel> levels,
                                                     unsigned optLevel, unsigned threads, KernelStage stage,
                                                     std::function<void(size_t, size_t)> progress) {
  initializeTargets();
  setLoopStrengthReduction(optLevel > 1);
  std::vector<Job> jobs;
  for (KernelOp kernel : module.getOps<KernelOp>()) {
    mlir::OwningOpRef<mlir::ModuleOp> alone = mlir::ModuleOp::create(kernel.getLoc());
    alone->push_back(kernel->clone());
    std::string text = printModule(*alone);
    for (const CpuLevel &level : levels)
      jobs.push_back({kernel.getSymName().str(), text, &level});
  }
  std::vector<CompiledKernel> results(jobs.size());
  std::vector<std::string> errors(jobs.size());
  std::atomic<size_t> next{0}, done{0};
  std::mutex progressLock;
  auto work = [&] {
    Worker worker(optLevel, stage);
    for (size_t index = next++; index < jobs.size(); index = next++) {
      if (Error error = worker.compile(jobs[index], results[index]))
        errors[index] = toString(std::move(error));
      size_t count = ++done;
      if (progress) {
        std::lock_guard<std::mutex> lock(progressLock);
        progress(count, jobs.size());
      }
    }
  };
  threads = std::max(1u, std::min<unsigned>(threads, jobs.size()));
  std::vector<std::thread> pool;
  for (unsigned i = 1; i < threads; ++i)
    pool.emplace_back(work);
  work();
  for (std::thread &thread : pool)
    thread.join();
  std::string all;
  for (const std::string &error : errors)
    if (!error.empty())
      all += (all.empty() ? "" : "\n") + error;
  if (!all.empty())
    return createStringError(all);
  return results;
}

} // namespace torsh
