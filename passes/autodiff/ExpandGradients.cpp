//===-- ExpandGradients.cpp - Derivatives that a model asks for -------------------------------------------------===//
#include "dialects/torsh/Gradient.h"
#include "dialects/torsh/Splat.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/autodiff/Differentiate.h"
#include "passes/autodiff/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_EXPANDGRADIENTSPASS
#include "passes/autodiff/Passes.h.inc"

namespace {

struct ExpandGradients : impl::ExpandGradientsPassBase<ExpandGradients> {
  void runOnOperation() override {
    SmallVector<GradientOp> gradients;
    getOperation().walk([&](GradientOp op) { gradients.push_back(op); });
    for (GradientOp op : gradients)
      if (failed(expand(op)))
        return signalPassFailure();
  }

private:
  LogicalResult expand(GradientOp op) {
    OpBuilder builder(op);
    auto typeOf = [](Value value) { return cast<RankedTensorType>(value.getType()); };
    SmallVector<Value> xs(op.getXs());
    Value seed = createSplat(builder, op.getLoc(), typeOf(op.getY()), 1);
    auto built = buildGradients(builder, {op.getY()}, {seed}, xs);
    if (failed(built))
      return failure();
    for (auto [x, result, gradient] : llvm::zip_equal(xs, op.getDxs(), *built)) {
      if (!gradient)
        gradient = createSplat(builder, op.getLoc(), typeOf(x), 0);
      result.replaceAllUsesWith(gradient);
    }
    op.erase();
    return success();
  }
};

} // namespace
} // namespace torsh
