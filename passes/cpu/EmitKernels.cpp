//===-- EmitKernels.cpp - torsh.kernel -> functions ---------------------------------------------------------===//
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/cpu/Passes.h"
#include "passes/lowering/KernelBuilder.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_EMITKERNELSPASS
#include "passes/cpu/Passes.h.inc"

namespace {

struct EmitKernels : impl::EmitKernelsPassBase<EmitKernels> {
  using EmitKernelsPassBase::EmitKernelsPassBase;

  void runOnOperation() override {
    KernelTarget target;
    target.lanes = lanes;
    target.registers = registers;
    target.pairs = emulateBf16Dot ? PairDot::Emulated : bf16Dot ? PairDot::Native : PairDot::None;
    OpBuilder builder(&getContext());
    for (KernelOp kernel : llvm::make_early_inc_range(getOperation().getOps<KernelOp>())) {
      // The function takes the kernel's name, so the kernel leaves the symbol table first.
      std::string name = kernel.getSymName().str();
      builder.setInsertionPoint(kernel);
      std::string note;
      FailureOr<func::FuncOp> function = emitKernel(kernel, target, builder, &note);
      if (failed(function))
        return signalPassFailure();
      (*function)->setAttr("torsh.note", builder.getStringAttr(note));
      kernel.erase();
    }
  }
};

} // namespace
} // namespace torsh
