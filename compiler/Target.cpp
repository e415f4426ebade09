//===-- Target.cpp - CPU levels and machine code ------------------------------------------------------------===//
#include "compiler/Target.h"
#include "torsh/artifact.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include <mutex>

using namespace llvm;

namespace torsh {

static const KernelTarget avx2{8, 16}, avx512{16, 32};
static const CpuLevel level3{TORSH_CPU_X86_64_V3, "v3", "x86-64-v3", "", "generic", avx2};
// Kernels choose their vectors themselves: 512-bit registers are wanted.
static const CpuLevel level4{TORSH_CPU_X86_64_V4, "v4", "x86-64-v4", "-prefer-256-bit", "generic", avx512};

/// v4 as it is on CPUs with AVX512-BF16. The name is v4's: what was measured there holds for all kernels but those on pairs,
/// which have keys of their own.
static const CpuLevel level4Bf16{TORSH_CPU_X86_64_V4_BF16,      "v4",      "x86-64-v4",
                                 "-prefer-256-bit,+avx512bf16", "generic", {16, 32, PairDot::Native}};

static Expected<std::vector<CpuLevel>> levelsOf(StringRef targetCpu, bool bf16) {
  if (targetCpu == "portable")
    return std::vector<CpuLevel>{level3, level4};
  if (targetCpu == "x86-64-v3")
    return std::vector<CpuLevel>{level3};
  if (targetCpu == "x86-64-v4")
    return std::vector<CpuLevel>{level4};
  // The name has to outlive the level.
  static const char *const withBf16[] = {"cooperlake",    "sapphirerapids", "emeraldrapids",
                                         "graniterapids", "znver4",         "znver5"};
  if (const auto *found = llvm::find(withBf16, targetCpu); found != std::end(withBf16)) {
    CpuLevel level = bf16 ? level4Bf16 : level4;
    level.tune = *found;
    return std::vector<CpuLevel>{level};
  }
  if (targetCpu == "host" || targetCpu == "native") {
    StringMap<bool> features = sys::getHostCPUFeatures();
    if (!features.lookup("avx2") || !features.lookup("fma"))
      return createStringError(
          "TSH-0601: this machine's CPU has no AVX2 and FMA, the least that kernels need; compile "
          "with --target-cpu=portable for other machines");
    bool wide = features.lookup("avx512f") && features.lookup("avx512vl") && features.lookup("avx512bw") &&
                features.lookup("avx512dq") && features.lookup("avx512cd");
    // The level stays the psABI one, so that the artifact's check at load is exact; only the tuning is the host's.
    CpuLevel level = !wide ? level3 : bf16 && features.lookup("avx512bf16") ? level4Bf16 : level4;
    static const std::string host = sys::getHostCPUName().str();
    level.tune = host;
    return std::vector<CpuLevel>{level};
  }
  return createStringError("TSH-0602: unknown target CPU '" + targetCpu +
                           "'; use portable, host, x86-64-v3, x86-64-v4, or with AVX512-BF16 cooperlake, "
                           "sapphirerapids, emeraldrapids, graniterapids, znver4 or znver5");
}

Expected<std::vector<CpuLevel>> selectLevels(StringRef targetCpu, Products products) {
  Expected<std::vector<CpuLevel>> levels = levelsOf(targetCpu, products == Products::Bf16);
  if (levels && products == Products::EmulatedBf16)
    for (CpuLevel &level : *levels)
      level.kernels.pairs = PairDot::Emulated;
  return levels;
}

bool runsHere(const CpuLevel &level) {
  StringMap<bool> features = sys::getHostCPUFeatures();
  auto has = [&](std::initializer_list<StringRef> names) {
    return llvm::all_of(names, [&](StringRef name) { return features.lookup(name); });
  };
  return has({"avx2", "fma"}) &&
         (level.number < TORSH_CPU_X86_64_V4 ||
          has({"avx512f", "avx512vl", "avx512bw", "avx512dq", "avx512cd"})) &&
         (level.number < TORSH_CPU_X86_64_V4_BF16 || has({"avx512bf16"}));
}

void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
  });
}

Expected<std::unique_ptr<TargetMachine>> createTargetMachine(const CpuLevel &level, unsigned optLevel) {
  initializeTargets();
  Triple triple("x86_64-unknown-linux-gnu");
  std::string message;
  const llvm::Target *target = TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return createStringError("TSH-0603: LLVM has no X86 code generator: " + message);
  TargetOptions options;
  CodeGenOptLevel level_ = optLevel == 0 ? CodeGenOptLevel::None : CodeGenOptLevel::Aggressive;
  std::unique_ptr<TargetMachine> machine(target->createTargetMachine(
      triple, level.cpu, level.features, options, Reloc::PIC_, std::nullopt, level_));
  if (!machine)
    return createStringError("TSH-0603: LLVM cannot make a code generator for " + level.cpu);
  return machine;
}

void setLevel(Function &function, const CpuLevel &level) {
  function.addFnAttr("target-cpu", level.cpu);
  if (!level.features.empty())
    function.addFnAttr("target-features", level.features);
  function.addFnAttr("tune-cpu", level.tune);
  if (level.kernels.lanes == 16)
    function.addFnAttr("prefer-vector-width", "512");
}

/// What kernels need of LLVM's passes. They come as one function in SSA form with vectors, register tiles and unrolled
/// loops, so most of the default pipelines finds nothing, and this one takes half of their time for the same speed. Ranges
/// (ipsccp, correlated-propagation) turn the signed divisions of index arithmetic into unsigned ones.
static const char kernelPasses[] =
    "ipsccp,function(simplifycfg,early-cse<memssa>,correlated-propagation,instcombine<no-verify-fixpoint>,"
    "loop-simplify,lcssa,loop-mssa(loop-rotate,licm),simplifycfg,loop(indvars),gvn,correlated-propagation,"
    "instcombine<no-verify-fixpoint>,simplifycfg)";

void setLoopStrengthReduction(bool enabled) {
  // LLVM has no other way to leave it out.
  if (cl::Option *option = cl::getRegisteredOptions().lookup("disable-lsr"))
    option->addOccurrence(0, "disable-lsr", enabled ? "false" : "true");
}

Error optimizeModule(Module &module, TargetMachine &machine, unsigned optLevel, bool wholePipeline) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  if (optLevel > 0) {
    LoopAnalysisManager loops;
    FunctionAnalysisManager functions;
    CGSCCAnalysisManager components;
    ModuleAnalysisManager modules;
    PassBuilder builder(&machine);
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(components);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, components, modules);
    ModulePassManager passes;
    if (wholePipeline)
      passes = builder.buildPerModuleDefaultPipeline(optLevel == 1 ? OptimizationLevel::O1
                                                                   : OptimizationLevel::O3);
    else if (Error error = builder.parsePassPipeline(passes, kernelPasses))
      return error;
    passes.run(module, modules);
  }
  return Error::success();
}

Error emitMachineCode(Module &module, TargetMachine &machine, bool assembly, SmallVectorImpl<char> &output) {
  raw_svector_ostream os(output);
  legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, os, nullptr,
                                  assembly ? CodeGenFileType::AssemblyFile : CodeGenFileType::ObjectFile))
    return createStringError("TSH-0603: LLVM cannot emit this kind of file");
  passes.run(module);
  return Error::success();
}

} // namespace torsh
