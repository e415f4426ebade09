//===-- LowerVectors.cpp - Kernels -> LLVM dialect ----------------------------------------------------------===//
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"
#include "passes/cpu/MathApproximations.h"
#include "passes/cpu/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_LOWERVECTORSPASS
#include "passes/cpu/Passes.h.inc"

namespace {

/// Products and sums may fuse; results stay NaN- and infinity-safe.
void allowContraction(ModuleOp module) {
  module.walk([](arith::ArithFastMathInterface op) {
    if (isa<arith::AddFOp, arith::SubFOp, arith::MulFOp>(op.getOperation()))
      op->setAttr("fastmath",
                  arith::FastMathFlagsAttr::get(op->getContext(), arith::FastMathFlags::contract));
  });
}

bool usesArrays(ModuleOp module) {
  return module
      .walk([](Operation *op) {
        return llvm::any_of(op->getOperandTypes(), llvm::IsaPred<MemRefType>) ? WalkResult::interrupt()
                                                                              : WalkResult::advance();
      })
      .wasInterrupted();
}

struct LowerVectors : impl::LowerVectorsPassBase<LowerVectors> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    allowContraction(module);
    {
      // Functions without a polynomial of their own are first written through ones that have one.
      RewritePatternSet patterns(&getContext());
      SmallVector<StringRef> expanded{"tan", "sinh", "cosh", "asinh", "acosh", "atanh", "powf", "fpowi"};
      math::populateExpansionPatterns(patterns, expanded);
      populateMathApproximations(patterns);
      populateMathPolynomialApproximationPatterns(patterns, MathPolynomialApproximationOptions{});
      if (failed(applyPatternsGreedily(module, std::move(patterns))))
        return signalPassFailure();
    }
    OpPassManager pipeline(ModuleOp::getOperationName());
    // bf16 is rounded by integer arithmetic: LLVM would call the compiler's runtime library, which no artifact has. This
    // comes first, because canonical forms convert integers to bf16 directly.
    arith::ArithExpandOpsPassOptions expansion;
    expansion.includeBf16 = true;
    pipeline.addPass(arith::createArithExpandOpsPass(expansion));
    pipeline.addPass(createCanonicalizerPass());
    pipeline.addPass(createCSEPass());
    pipeline.addPass(createLoopInvariantCodeMotionPass());
    pipeline.addPass(createSCFToControlFlowPass());
    // Kernels of the strategies use addresses; scheduled affine functions use arrays.
    if (usesArrays(module))
      pipeline.addPass(memref::createExpandStridedMetadataPass());
    pipeline.addPass(createConvertVectorToLLVMPass());
    pipeline.addPass(createConvertMathToLLVMPass());
    pipeline.addPass(createArithToLLVMConversionPass());
    pipeline.addPass(createConvertIndexToLLVMPass());
    pipeline.addPass(createUBToLLVMConversionPass());
    if (usesArrays(module))
      pipeline.addPass(createFinalizeMemRefToLLVMConversionPass());
    pipeline.addPass(createConvertControlFlowToLLVMPass());
    ConvertFuncToLLVMPassOptions functions;
    functions.useBarePtrCallConv = true;
    pipeline.addPass(createConvertFuncToLLVMPass(functions));
    pipeline.addPass(createReconcileUnrealizedCastsPass());
    pipeline.addPass(createCanonicalizerPass());
    if (failed(runPipeline(pipeline, module)))
      return signalPassFailure();
    WalkResult result = module.walk([&](Operation *op) {
      if (isa<ModuleOp>(op) || isa<LLVM::LLVMDialect>(op->getDialect()))
        return WalkResult::advance();
      op->emitError("TSH-0503: an operation has no machine-level form: ") << op->getName();
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
} // namespace torsh
