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
  using LowerVectorsPassBase::LowerVectorsPassBase;
  LowerVectors(const LowerVectors &other) : LowerVectorsPassBase(other) {}

  /// Patterns and passes are collected once, not for each kernel.
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet early(context);
    populateLogisticApproximation(early);
    logistic = FrozenRewritePatternSet(std::move(early));
    // Functions without a polynomial of their own are first written through ones that have one.
    RewritePatternSet patterns(context);
    SmallVector<StringRef> expanded{"tan", "sinh", "cosh", "asinh", "acosh", "atanh", "fpowi"};
    math::populateExpansionPatterns(patterns, expanded);
    populateMathApproximations(patterns);
    populateMathPolynomialApproximationPatterns(patterns, MathPolynomialApproximationOptions{});
    functions = FrozenRewritePatternSet(std::move(patterns));

    pipelineOfKernels = buildPipeline(/*arrays=*/false, nativeBf16);
    pipelineOfArrays = buildPipeline(/*arrays=*/true, nativeBf16);
    return success();
  }

  static OpPassManager buildPipeline(bool arrays, bool nativeBf16) {
    OpPassManager pipeline(ModuleOp::getOperationName());
    // bf16 is rounded by integer arithmetic: LLVM would call the compiler's runtime library, which no artifact has. This
    // comes first, because canonical forms convert integers to bf16 directly. AVX512-BF16 has an instruction for it.
    arith::ArithExpandOpsPassOptions expansion;
    expansion.includeBf16 = !nativeBf16;
    pipeline.addPass(arith::createArithExpandOpsPass(expansion));
    pipeline.addPass(createCanonicalizerPass());
    pipeline.addPass(createCSEPass());
    pipeline.addPass(createLoopInvariantCodeMotionPass());
    pipeline.addPass(createSCFToControlFlowPass());
    // Kernels of the strategies use addresses; scheduled affine functions use arrays.
    if (arrays)
      pipeline.addPass(memref::createExpandStridedMetadataPass());
    pipeline.addPass(createConvertVectorToLLVMPass());
    pipeline.addPass(createConvertMathToLLVMPass());
    pipeline.addPass(createArithToLLVMConversionPass());
    pipeline.addPass(createConvertIndexToLLVMPass());
    pipeline.addPass(createUBToLLVMConversionPass());
    if (arrays)
      pipeline.addPass(createFinalizeMemRefToLLVMConversionPass());
    pipeline.addPass(createConvertControlFlowToLLVMPass());
    ConvertFuncToLLVMPassOptions functions;
    functions.useBarePtrCallConv = true;
    pipeline.addPass(createConvertFuncToLLVMPass(functions));
    pipeline.addPass(createReconcileUnrealizedCastsPass());
    pipeline.addPass(createCanonicalizerPass());
    return pipeline;
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    allowContraction(module);
    // The logistic function before its exponential is gone.
    if (failed(applyPatternsGreedily(module, logistic)) || failed(applyPatternsGreedily(module, functions)))
      return signalPassFailure();
    if (failed(runPipeline(usesArrays(module) ? pipelineOfArrays : pipelineOfKernels, module)))
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

private:
  FrozenRewritePatternSet logistic, functions;
  OpPassManager pipelineOfKernels, pipelineOfArrays;
};

} // namespace
} // namespace torsh
