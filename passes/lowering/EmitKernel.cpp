//===-- EmitKernel.cpp - Which strategy builds a kernel -----------------------------------------------------===//
#include "passes/lowering/KernelBuilder.h"
#include "passes/lowering/TileSpaces.h"
#include "passes/lowering/TreeKernel.h"

using namespace mlir;

namespace torsh {
namespace {

/// One row a strategy: the anchor that a fusion group carries, its code and its tile space.
struct Strategy {
  StringRef anchor;
  LogicalResult (*emit)(KernelBuilder &);
  TileSpace (*tiles)(KernelOp);
};

const Strategy strategies[] = {
    {"elementwise", emitElementwiseKernel, getElementwiseTiles},
    {"concat", emitConcatKernel, getConcatTiles},
    {"reduce", emitReduceKernel, getReduceTiles},
    {"row_norm", emitRowNormKernel, getRowNormTiles},
    {"dot", emitDotKernel, getDotTiles},
    {"attention", emitAttentionKernel, getAttentionTiles},
    {"conv", emitConvKernel, getConvTiles},
    {"depthwise", emitDepthwiseKernel, getDepthwiseTiles},
    {"expand_depthwise", emitExpandDepthwiseKernel, getExpandDepthwiseTiles},
    {"pool", emitPoolKernel, getPoolTiles},
    {"pool_grad", emitPoolGradKernel, getPoolGradTiles},
    {"weight_grad", emitWeightGradKernel, getWeightGradTiles},
    {"recurrent", emitRecurrentKernel, getRecurrentTiles},
    {"resize", emitResizeKernel, getResizeTiles},
    {"scan", emitScanKernel, getScanTiles},
    {"trees", emitTreeKernel, getTreeTiles},
    {"index", emitIndexKernel, getIndexTiles},
    {"winograd_input", emitWinogradInputKernel, getWinogradInputTiles},
    {"winograd_output", emitWinogradOutputKernel, getWinogradOutputTiles},
};

const Strategy *find(StringRef anchor) {
  for (const Strategy &strategy : strategies)
    if (strategy.anchor == anchor)
      return &strategy;
  return nullptr;
}

} // namespace

TileSpace getTileSpace(KernelOp kernel) {
  const Strategy *strategy = find(kernel.getAnchor());
  return strategy ? strategy->tiles(kernel) : TileSpace{dim::constant(kernel.getContext(), 1), 1};
}

FailureOr<func::FuncOp> emitKernel(KernelOp kernel, const KernelTarget &target, OpBuilder &builder,
                                   std::string *note) {
  const Strategy *strategy = find(kernel.getAnchor());
  if (!strategy)
    return kernel.emitError("TSH-0502: no strategy builds kernels anchored by '")
               << kernel.getAnchor() << "'",
           failure();
  if (std::string reason = explainIllegal(kernel, target, KernelChoices::of(kernel, getLevelName(target)));
      !reason.empty())
    return kernel.emitError("TSH-0506: the choices for kernel '")
               << kernel.getSymName() << "' are wrong: " << reason,
           failure();
  OpBuilder::InsertionGuard guard(builder);
  KernelBuilder kb(kernel, target, builder);
  LogicalResult built = strategy->emit(kb);
  kb.finish();
  if (note && kb.choices.isDefault())
    *note = kb.note;
  else if (note)
    *note = kb.note + "; tuned: " + kb.choices.toString();
  if (failed(built)) {
    kb.getFunction().erase();
    return failure();
  }
  return kb.getFunction();
}

} // namespace torsh
