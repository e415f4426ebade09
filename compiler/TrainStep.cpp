//===-- TrainStep.cpp - A model, or one step of its training ------------------------------------------------===//
#include "compiler/Compile.h"
#include "mlir/Pass/PassManager.h"
#include "passes/autodiff/Passes.h"

using namespace llvm;

namespace torsh {

static mlir::LogicalResult buildTrainStep(const CompileOptions &options, mlir::ModuleOp module) {
  mlir::ScopedDiagnosticHandler handler(module.getContext(), [&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
      *options.log << "error: " << options.modelPath << ": " << diagnostic << "\n";
  });
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
  mlir::PassManager pm(module.getContext());
  pm.addPass(createBuildTrainStepPass(step));
  return pm.run(module);
}

ImportedModel importChosen(const CompileOptions &options, CompileStatus &status) {
  ImportReport report;
  ImportOptions import = options.import;
  import.parameters = options.train.enabled;
  ImportedModel model = importFile(options.modelPath, import, report, status);
  if (!model.module) {
    printReport(report, options.modelPath, *options.log);
  } else if (options.train.enabled && failed(buildTrainStep(options, *model.module))) {
    status = CompileStatus::Unsupported;
    model.module = nullptr;
  }
  return model;
}

} // namespace torsh
