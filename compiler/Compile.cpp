//===-- Compile.cpp - Model file -> artifact ----------------------------------------------------------------===//
#include "compiler/Compile.h"
#include "compiler/Artifact.h"
#include "compiler/HostPlan.h"
#include "compiler/KernelCompiler.h"
#include "compiler/Metadata.h"
#include "compiler/Pipeline.h"
#include "compiler/TuningSource.h"
#include "compiler/gpu/DevicePlan.h"
#include "dialects/torsh/Dim.h"
#include "frontends/onnx/Importer.h"
#include "frontends/torch/export/ImportProgram.h"
#include "frontends/torch/import/Importer.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ToolOutputFile.h"
#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <sched.h>

using namespace llvm;

namespace torsh {

unsigned allowedProcessors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0)
    return 1;
  return std::max(1, CPU_COUNT(&set));
}

Products getProducts(const CompileOptions &options) {
  if (options.precision != Precision::BF16)
    return Products::F32;
  return options.emulateBf16Dot ? Products::EmulatedBf16 : Products::Bf16;
}

void printReport(const ImportReport &report, StringRef path, raw_ostream &os) {
  for (const std::string &error : report.errors)
    os << "error: " << path << ": " << error << "\n";
  if (report.unsupported.empty())
    return;
  os << "error: TSH-0300: " << path << ": " << report.unsupported.size()
     << (report.unsupported.size() == 1 ? " node is" : " nodes are") << " not supported:\n";
  for (const UnsupportedNode &node : report.unsupported)
    os << "  " << node.node << " (" << node.op << ")" << (node.types.empty() ? "" : " on " + node.types)
       << ": " << node.constraint << "\n";
}

namespace {

/// Imports an open model into a context.
using ModelImporter = std::function<mlir::OwningOpRef<mlir::ModuleOp>(mlir::MLIRContext *, ImportReport &)>;

/// Whether PyTorch wrote the file, by its first bytes. What cannot be opened is left to the reader of ONNX.
bool isTorchFile(const std::string &path) {
  char head[16] = {};
  std::ifstream file(path, std::ios::binary);
  file.read(head, sizeof(head));
  return torch::looksLikeTorchFile(StringRef(head, size_t(file.gcount())));
}

} // namespace

InputTypes getInputTypes(const std::string &path) {
  if (!isTorchFile(path))
    return InputTypes::Stated;
  return torch::isExportArchive(StringRef(path)) ? InputTypes::OfStateOnly : InputTypes::Needed;
}

namespace {

Expected<ModelImporter> openModel(const std::string &path, const ImportOptions &options) {
  if (isTorchFile(path) && torch::isExportArchive(StringRef(path))) {
    auto archive = torch::ExportArchive::open(path);
    if (!archive)
      return archive.takeError();
    std::shared_ptr<torch::ExportArchive> shared = std::move(*archive);
    return [shared, &options](mlir::MLIRContext *context, ImportReport &report) {
      return torch::importProgram(context, shared, options, report);
    };
  }
  if (isTorchFile(path)) {
    auto archive = torch::Archive::open(path);
    if (!archive)
      return archive.takeError();
    std::shared_ptr<torch::Archive> shared = std::move(*archive);
    return [shared, &options](mlir::MLIRContext *context, ImportReport &report) {
      return torch::importArchive(context, shared, options, report);
    };
  }
  if (!options.inputs.empty())
    return createStringError(
        "TSH-0228: --input types are for TorchScript; an ONNX model states its own (--dim fixes "
        "sizes)");
  auto file = onnx::readModelFile(path);
  if (!file)
    return file.takeError();
  std::shared_ptr<onnx::ModelFile> shared = std::move(*file);
  return [shared, &options](mlir::MLIRContext *context, ImportReport &report) {
    return onnx::importModel(context, shared, options, report);
  };
}

} // namespace

ImportedModel importFile(const std::string &path, const ImportOptions &options, ImportReport &report,
                         CompileStatus &status) {
  ImportedModel result;
  status = CompileStatus::Malformed;
  auto importer = openModel(path, options);
  if (!importer) {
    report.errors.push_back(toString(importer.takeError()));
    return result;
  }
  mlir::DialectRegistry registry;
  registerKernelDialects(registry);
  result.context = std::make_unique<mlir::MLIRContext>(registry, mlir::MLIRContext::Threading::DISABLED);
  result.context->loadAllAvailableDialects();
  // What the verifier says about an import is part of the report.
  mlir::ScopedDiagnosticHandler handler(result.context.get(), [&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
      report.errors.push_back(diagnostic.str());
  });
  result.module = (*importer)(result.context.get(), report);
  if (!report.errors.empty() || !report.unsupported.empty())
    result.module = nullptr;
  status = result.module                                          ? CompileStatus::Ok
           : report.errors.empty() && !report.unsupported.empty() ? CompileStatus::Unsupported
                                                                  : CompileStatus::Malformed;
  return result;
}

CompileStatus checkModel(const CompileOptions &options, ImportReport &report) {
  CompileStatus status;
  importFile(options.modelPath, options.import, report, status);
  return status;
}

namespace {

/// Milliseconds of the phases, for --time-passes and the metadata.
class PhaseClock {
public:
  void lap(StringRef name) {
    auto now = std::chrono::steady_clock::now();
    laps.emplace_back(name, std::chrono::duration<double, std::milli>(now - last).count());
    last = now;
  }
  double total() const {
    double sum = 0;
    for (auto &entry : laps)
      sum += entry.second;
    return sum;
  }
  std::vector<std::pair<std::string, double>> laps;

private:
  std::chrono::steady_clock::time_point last = std::chrono::steady_clock::now();
};

class Compilation {
public:
  explicit Compilation(const CompileOptions &options) : options(options), log(*options.log) {}
  CompileStatus run();

private:
  CompileStatus fail(const Twine &message) {
    log << "error: " << message << "\n";
    return CompileStatus::Failed;
  }
  CompileStatus fail(Error error) { return fail(toString(std::move(error))); }
  CompileStatus write(function_ref<void(raw_ostream &)> print);
  bool runPasses(mlir::ModuleOp module, function_ref<void(mlir::OpPassManager &)> build);
  CompileStatus emitKernelStage(mlir::ModuleOp module, ArrayRef<CpuLevel> levels, KernelStage stage);
  CompileStatus emitDeviceCode(ArrayRef<CompiledDeviceKernel> kernels);

  const CompileOptions &options;
  raw_ostream &log;
  PhaseClock clock;
  unsigned threads = 1;
};

/// Dense constants of more than a handful of elements only hide the ops.
void printModule(mlir::ModuleOp module, raw_ostream &os) {
  mlir::OpPrintingFlags flags;
  flags.elideLargeElementsAttrs(16);
  module.print(os, flags);
}

/// Prints to the output file, or to standard output for none or "-".
CompileStatus Compilation::write(function_ref<void(raw_ostream &)> print) {
  if (options.outputPath.empty() || options.outputPath == "-") {
    print(outs());
    outs().flush();
    return CompileStatus::Ok;
  }
  std::string message;
  auto file = mlir::openOutputFile(options.outputPath, &message);
  if (!file)
    return fail("TSH-0640: " + message);
  print(file->os());
  file->keep();
  return CompileStatus::Ok;
}

bool Compilation::runPasses(mlir::ModuleOp module, function_ref<void(mlir::OpPassManager &)> build) {
  mlir::PassManager pm(module.getContext());
  if (!options.printIrTree.empty())
    pm.enableIRPrintingToFileTree([](mlir::Pass *, mlir::Operation *) { return false; },
                                  [](mlir::Pass *, mlir::Operation *) { return true; }, true, false, false,
                                  options.printIrTree);
  if (options.timePasses)
    pm.enableTiming();
  build(pm);
  std::string text;
  mlir::ScopedDiagnosticHandler handler(module.getContext(), [&](mlir::Diagnostic &diagnostic) {
    bool isError = diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error;
    if (!isError && !(options.report && diagnostic.getSeverity() == mlir::DiagnosticSeverity::Remark))
      return;
    raw_string_ostream os(text);
    if (isError)
      os << "error: " << options.modelPath << ": " << diagnostic << " [at " << diagnostic.getLocation()
         << "]\n";
    else
      os << "remark: " << diagnostic << "\n";
  });
  bool ok = succeeded(pm.run(module));
  log << text;
  return ok;
}

CompileStatus Compilation::emitKernelStage(mlir::ModuleOp module, ArrayRef<CpuLevel> levels,
                                           KernelStage stage) {
  auto kernels = compileKernels(module, levels, options.optLevel, threads, stage);
  if (!kernels)
    return fail(kernels.takeError());
  return write([&](raw_ostream &os) {
    for (const CompiledKernel &kernel : *kernels) {
      if (stage != KernelStage::Object)
        os << (stage == KernelStage::Loops  ? "// "
               : stage == KernelStage::Llvm ? "; "
                                            : "# ")
           << kernel.name << " " << kernel.level << ": " << kernel.note << "\n";
      os << kernel.output;
    }
  });
}

/// The device kernels as text, each behind a comment with its name and what the strategy chose, or why there is none.
CompileStatus Compilation::emitDeviceCode(ArrayRef<CompiledDeviceKernel> kernels) {
  StringRef comment = options.emit == EmitLevel::Ptx ? "// kernel " : "; kernel ";
  return write([&](raw_ostream &os) {
    for (const CompiledDeviceKernel &kernel : kernels)
      os << comment << kernel.name << ": " << (kernel.output.empty() ? kernel.reason : kernel.note) << "\n"
         << kernel.output;
  });
}

CompileStatus Compilation::run() {
  threads = options.threads ? options.threads : allowedProcessors();
  std::optional<DeviceTarget> device;
  if (options.target != "cpu") {
    auto parsed = parseDeviceTarget(options.target);
    if (!parsed)
      return fail(parsed.takeError());
    device = *parsed;
    device->fastF32 = options.fastF32;
  }
  bool emitsDeviceCode = options.emit == EmitLevel::Ptx || options.emit == EmitLevel::Nvvm;
  if (emitsDeviceCode && !device)
    return fail("TSH-0682: --emit=ptx and --emit=nvvm need a GPU: give --target=cuda:sm_80, cuda:sm_90 or "
                "cuda:sm_100");
  // Weights are packed once for both sides, and pairs of bf16 are a CPU's own.
  auto levels = selectLevels(options.targetCpu, device ? Products::F32 : getProducts(options));
  if (!levels)
    return fail(levels.takeError());
  CompileStatus status;
  ImportedModel model = importChosen(options, status);
  if (!model.module)
    return status;
  mlir::ModuleOp module = *model.module;
  std::shared_ptr<const TuningContext> tuning = openTuning(options, *levels, log);
  clock.lap("import");
  if (options.emit == EmitLevel::Torsh)
    return write([&](raw_ostream &os) { printModule(module, os); });
  if (!runPasses(module, [&](mlir::OpPassManager &pm) {
        GraphOptions graph;
        graph.optLevel = options.optLevel;
        graph.exactConv = options.exactConv;
        // A GPU wants all images at once, and its attention is two products and a softmax.
        graph.batchOrder = device ? BatchOrder::Layers : options.batchOrder;
        graph.streamAttention = !device;
        graph.narrowWeights = options.precision == Precision::BF16;
        graph.pairs = levels->front().kernels.pairs != PairDot::None;
        graph.fusion = options.fusion;
        graph.explainFusion = options.report;
        graph.tuning = tuning;
        buildGraphPipeline(pm, graph);
      }))
    return CompileStatus::Failed;
  clock.lap("graph");
  if (options.emit == EmitLevel::Graph)
    return write([&](raw_ostream &os) { printModule(module, os); });
  if (!runPasses(module, [&](mlir::OpPassManager &pm) { buildPlanPipeline(pm, tuning); }))
    return CompileStatus::Failed;
  clock.lap("plan");
  switch (options.emit) {
  case EmitLevel::Kernels:
    return write([&](raw_ostream &os) { printModule(module, os); });
  case EmitLevel::Loops:
    return emitKernelStage(module, *levels, KernelStage::Loops);
  case EmitLevel::Llvm:
    return emitKernelStage(module, *levels, KernelStage::Llvm);
  case EmitLevel::Assembly:
    return emitKernelStage(module, *levels, KernelStage::Assembly);
  default:
    break;
  }
  auto main = module.lookupSymbol<mlir::func::FuncOp>("main");
  if (!main)
    return fail("TSH-0641: the module has no function 'main'");
  std::vector<CompiledDeviceKernel> deviceKernels;
  if (device) {
    if (Error error = checkDevicePlan(main))
      return fail(std::move(error));
    DeviceStage stage = options.emit == EmitLevel::Nvvm ? DeviceStage::Llvm : DeviceStage::Ptx;
    auto compiled = compileDeviceKernels(module, *device, options.optLevel, threads, stage);
    if (!compiled)
      return fail(compiled.takeError());
    deviceKernels = std::move(*compiled);
    clock.lap("device");
  }
  if (emitsDeviceCode)
    return emitDeviceCode(deviceKernels);
  LLVMContext llvmContext;
  std::optional<DevicePlan> devicePlan;
  if (device)
    devicePlan = planDevice(main, *device, deviceKernels);
  auto plan = buildHostPlan(main, *levels, llvmContext, devicePlan ? &*devicePlan : nullptr);
  if (!plan)
    return fail(plan.takeError());
  // Reads the whole model, so it goes beside the kernels.
  auto identity = std::async(threads > 1 ? std::launch::async : std::launch::deferred,
                             [&] { return identifyModel(options.modelPath); });
  auto started = std::chrono::steady_clock::now();
  auto progress = [&](size_t done, size_t total) {
    if (options.progress && std::chrono::steady_clock::now() - started > std::chrono::seconds(1))
      log << "\rcompiling kernels: " << done << " of " << total << (done == total ? "\n" : "");
  };
  auto kernels = compileKernels(module, *levels, options.optLevel, threads, KernelStage::Object, progress);
  if (!kernels)
    return fail(kernels.takeError());
  clock.lap("kernels");
  // The plan is straight-line address arithmetic: -O1 is enough and quick on thousands of launches.
  CpuLevel baseline = levels->front();
  baseline.cpu = "x86-64";
  baseline.features = "";
  auto machine = createTargetMachine(baseline, 1);
  if (!machine)
    return fail(machine.takeError());
  SmallVector<char, 0> planObject;
  if (Error error = optimizeModule(**plan, **machine, 1))
    return fail(std::move(error));
  if (Error error = emitMachineCode(**plan, **machine, false, planObject))
    return fail(std::move(error));
  std::vector<std::string> objects{std::string(planObject.begin(), planObject.end())};
  for (CompiledKernel &kernel : *kernels)
    objects.push_back(kernel.output);
  clock.lap("host plan");
  if (options.emit == EmitLevel::Object) {
    auto linked = linkRelocatable(objects);
    if (!linked)
      return fail(linked.takeError());
    return write([&](raw_ostream &os) { os.write(linked->data(), linked->size()); });
  }
  auto elf = linkSharedObject(objects);
  if (!elf)
    return fail(elf.takeError());
  clock.lap("link");
  std::string metadata = buildMetadata(
      main, *levels, *kernels, options.modelPath, identity.get(), options.optLevel,
      options.precision == Precision::BF16 ? "bf16" : "f32",
      options.weightsSidecar.empty() ? StringRef() : sys::path::filename(options.weightsSidecar),
      options.target, deviceKernels);
  if (Error error = writeArtifact(options.outputPath, *elf, metadata, main, options.weightsSidecar, threads))
    return fail(std::move(error));
  clock.lap("weights");
  if (options.report) {
    log << "arena " << dim::toString(mlir::cast<DimAttr>(main->getAttr("torsh.arena_bytes"))) << " bytes";
    if (auto bound = main->getAttrOfType<mlir::IntegerAttr>("torsh.arena_lower_bound"))
      log << ", at least " << bound.getInt() << " are alive at one step";
    log << "\n";
    for (const CompiledKernel &kernel : *kernels)
      log << formatv("{0,-60} {1,-3} {2,8:F1} ms  {3}\n", kernel.name, kernel.level, kernel.milliseconds,
                     kernel.note);
    for (const CompiledDeviceKernel &kernel : deviceKernels)
      log << formatv("{0,-60} {1}  {2}\n", kernel.name, options.target,
                     kernel.output.empty() ? "runs on the CPU: " + kernel.reason : kernel.note);
    printTuning(tuning.get(), module, log);
  }
  if (options.timePasses) {
    for (auto &[name, ms] : clock.laps)
      log << formatv("{0,-12} {1,9:F1} ms\n", name, ms);
    CompiledKernel sum;
    for (const CompiledKernel &kernel : *kernels) {
      sum.build += kernel.build;
      sum.lower += kernel.lower;
      sum.optimize += kernel.optimize;
      sum.generate += kernel.generate;
    }
    log << formatv(
        "kernels in processor time: {0} of them, loops {1:F1} ms, to LLVM IR {2:F1} ms, LLVM's passes {3:F1} "
        "ms, machine code {4:F1} ms\n",
        kernels->size(), sum.build, sum.lower, sum.optimize, sum.generate);
  }
  return CompileStatus::Ok;
}

} // namespace

CompileStatus compileModel(const CompileOptions &options) { return Compilation(options).run(); }

} // namespace torsh
