//===-- TrainStep.cpp - A model, its gradient, or one step of its training ----------------------------------===//
#include "compiler/Compile.h"
#include "dialects/torsh/Gradient.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "passes/autodiff/Passes.h"

using namespace llvm;

namespace torsh {

namespace {

/// Runs one pass; its errors go to the log.
mlir::LogicalResult runPass(const CompileOptions &options, mlir::ModuleOp module,
                            std::unique_ptr<mlir::Pass> pass) {
  mlir::ScopedDiagnosticHandler handler(module.getContext(), [&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
      *options.log << "error: " << options.modelPath << ": " << diagnostic << "\n";
  });
  mlir::PassManager pm(module.getContext());
  if (pass->getOpName() == mlir::func::FuncOp::getOperationName())
    pm.addNestedPass<mlir::func::FuncOp>(std::move(pass));
  else
    pm.addPass(std::move(pass));
  return pm.run(module);
}

mlir::LogicalResult buildTrainStep(const CompileOptions &options, mlir::ModuleOp module) {
  BuildTrainStepPassOptions step;
  step.loss = options.train.loss;
  step.optimizer = options.train.optimizer;
  step.momentum = options.train.momentum;
  step.nesterov = options.train.nesterov;
  step.weightDecay = options.train.weightDecay;
  step.beta1 = options.train.beta1;
  step.beta2 = options.train.beta2;
  step.epsilon = options.train.epsilon;
  step.freeze.append(options.train.freeze.begin(), options.train.freeze.end());
  return runPass(options, module, createBuildTrainStepPass(step));
}

/// Computes the derivatives that nodes of the model ask for.
mlir::LogicalResult expandGradients(const CompileOptions &options, mlir::ModuleOp module) {
  mlir::WalkResult found = module.walk([](GradientOp) { return mlir::WalkResult::interrupt(); });
  if (!found.wasInterrupted())
    return mlir::success();
  return runPass(options, module, createExpandGradientsPass());
}

/// Replaces main by the function that computes its gradients too.
mlir::LogicalResult buildGradient(const CompileOptions &options, mlir::ModuleOp module) {
  auto main = module.lookupSymbol<mlir::func::FuncOp>("main");
  AutodiffPassOptions gradient;
  gradient.mode = options.gradient.mode;
  gradient.name = "main_gradient";
  auto names = main->getAttrOfType<mlir::ArrayAttr>("torsh.input_names");
  for (const std::string &wanted : options.gradient.wrt) {
    auto found = llvm::find_if(
        names, [&](mlir::Attribute name) { return mlir::cast<mlir::StringAttr>(name).getValue() == wanted; });
    if (found == names.end()) {
      std::string all;
      raw_string_ostream os(all);
      interleaveComma(names.getAsValueRange<mlir::StringAttr>(), os);
      *options.log << "error: " << options.modelPath << ": TSH-0536: the model has no input '" << wanted
                   << "' to differentiate by; it has " << all << "\n";
      return mlir::failure();
    }
    gradient.wrt.push_back(found - names.begin());
  }
  if (failed(runPass(options, module, createAutodiffPass(gradient))))
    return mlir::failure();
  main.erase();
  module.lookupSymbol<mlir::func::FuncOp>(gradient.name).setName("main");
  return mlir::success();
}

} // namespace

ImportedModel importChosen(const CompileOptions &options, CompileStatus &status) {
  ImportReport report;
  ImportOptions import = options.import;
  import.parameters = options.train.enabled;
  ImportedModel model = importFile(options.modelPath, import, report, status);
  if (!model.module) {
    printReport(report, options.modelPath, *options.log);
  } else if (failed(expandGradients(options, *model.module))) {
    status = CompileStatus::Unsupported;
    model.module = nullptr;
  } else if (options.train.enabled && failed(buildTrainStep(options, *model.module))) {
    status = CompileStatus::Unsupported;
    model.module = nullptr;
  } else if (!options.gradient.mode.empty() && failed(buildGradient(options, *model.module))) {
    status = CompileStatus::Unsupported;
    model.module = nullptr;
  }
  return model;
}

} // namespace torsh
