//===-- AffineCompiler.cpp - Affine functions -> an object file ---------------------------------------------===//
#include "compiler/AffineCompiler.h"
#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "passes/cpu/Passes.h"
#include "llvm/IR/LLVMContext.h"

using namespace llvm;

namespace torsh {
namespace {

std::string describe(mlir::Diagnostic &diagnostic) {
  std::string text;
  raw_string_ostream os(text);
  os << diagnostic.getLocation() << ": " << diagnostic;
  return text;
}

/// Addresses stand for arrays, so their sizes must be in the types.
Error checkSignatures(mlir::ModuleOp module) {
  for (auto function : module.getOps<mlir::func::FuncOp>())
    for (mlir::Type type : function.getArgumentTypes())
      if (auto array = dyn_cast<mlir::MemRefType>(type))
        if (!array.hasStaticShape() || !array.getLayout().isIdentity())
          return createStringError("TSH-0520: an array of function '" + function.getName() +
                                   "' has no fixed sizes; write them in its type");
  return Error::success();
}

} // namespace

Expected<std::string> compileAffine(StringRef text, const CpuLevel &level, const AffineOptions &options,
                                    std::string *remarks) {
  mlir::DialectRegistry registry;
  registerKernelDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  std::string errors;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    std::string line = describe(diagnostic) + "\n";
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
      errors += line;
    else if (remarks)
      *remarks += line;
  });
  auto fail = [&](const Twine &what) { return createStringError(what + "\n" + StringRef(errors).rtrim()); };
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!module)
    return fail("TSH-0521: the functions cannot be read");
  if (Error error = checkSignatures(*module))
    return std::move(error);

  mlir::PassManager loops(&context);
  if (options.schedule) {
    ScheduleAffinePassOptions passes = options.passes;
    passes.vectorBits = level.kernels.lanes * 32;
    loops.addNestedPass<mlir::func::FuncOp>(createScheduleAffinePass(passes));
  }
  // What was not scheduled stays as it is, without vectors.
  loops.addPass(mlir::createLowerAffinePass());
  loops.addPass(mlir::createCanonicalizerPass());
  loops.addPass(mlir::createCSEPass());
  loops.addPass(mlir::createLoopInvariantCodeMotionPass());
  if (failed(loops.run(*module)))
    return fail("TSH-0522: the functions cannot be scheduled");
  std::string output;
  raw_string_ostream os(output);
  if (options.stage == KernelStage::Loops) {
    module->print(os);
    return output;
  }
  mlir::PassManager lowering(&context);
  lowering.addPass(createLowerVectorsPass());
  if (failed(lowering.run(*module)))
    return fail("TSH-0522: the functions cannot be lowered");
  LLVMContext llvmContext;
  std::unique_ptr<Module> code = mlir::translateModuleToLLVMIR(*module, llvmContext, "affine");
  if (!code)
    return fail("TSH-0522: the functions have no LLVM IR");
  for (Function &function : *code)
    if (!function.isDeclaration())
      setLevel(function, level);
  if (options.stage == KernelStage::Llvm) {
    code->print(os, nullptr);
    return output;
  }
  auto machine = createTargetMachine(level, options.optLevel);
  if (!machine)
    return machine.takeError();
  SmallVector<char, 0> bytes;
  if (Error error =
          emitMachineCode(*code, **machine, options.optLevel, options.stage == KernelStage::Assembly, bytes))
    return std::move(error);
  return std::string(bytes.begin(), bytes.end());
}

} // namespace torsh
