//===-- torsh-opt.cpp - Runs passes on torsh IR -------------------------------------------------------------===//
#include "compiler/KernelCompiler.h"
#include "compiler/Pipeline.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  torsh::registerKernelDialects(registry);
  torsh::registerPipelines();
  mlir::registerTransformsPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "torsh pass driver\n", registry));
}
