//===-- EmitDeviceKernels.cpp - torsh.kernel -> functions of a GPU ------------------------------------------===//
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/gpu/DeviceKernels.h"
#include "passes/gpu/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_EMITDEVICEKERNELSPASS
#include "passes/gpu/Passes.h.inc"

namespace {

struct EmitDeviceKernels : impl::EmitDeviceKernelsPassBase<EmitDeviceKernels> {
  using EmitDeviceKernelsPassBase::EmitDeviceKernelsPassBase;

  void runOnOperation() override {
    DeviceTarget target{capability, fastF32};
    OpBuilder builder(&getContext());
    for (KernelOp kernel : llvm::make_early_inc_range(getOperation().getOps<KernelOp>())) {
      builder.setInsertionPoint(kernel);
      std::string note;
      FailureOr<func::FuncOp> function = emitDeviceKernel(kernel, target, builder, &note);
      if (failed(function))
        return signalPassFailure();
      (*function)->setAttr("torsh.note", builder.getStringAttr(note));
      kernel.erase();
    }
  }
};

} // namespace
} // namespace torsh
