//===-- Pipeline.cpp - The pass pipelines -------------------------------------------------------------------===//
#include "compiler/Pipeline.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "passes/autodiff/Passes.h"
#include "passes/cpu/Passes.h"
#include "passes/gpu/Passes.h"
#include "passes/graph/Passes.h"
#include "passes/polyhedral/Passes.h"
#include "passes/tuning/Passes.h"

using namespace mlir;

namespace torsh {

// Dialects alive: torsh, func.
void buildGraphPipeline(OpPassManager &pm, const GraphOptions &options) {
  buildAlgebraPipeline(pm, options);
  buildGroupingPipeline(pm, options);
}

void buildAlgebraPipeline(OpPassManager &pm, const GraphOptions &options) {
  // First: a frontend's mistake is told before any pass changes what it wrote.
  pm.addPass(createCheckImportPass());
  // Importers compose freely; identities go before any pattern looks at the graph.
  pm.addPass(createCanonicalizerPass());
  // Equal subgraphs (masks, position ids) must be one value before groups duplicate their readers.
  pm.addPass(createCSEPass());
  // After the identities, which leave fewer ops that wait; before bodies become functions, for stages do too.
  pm.addNestedPass<func::FuncOp>(createFormStagesPass());
  // Passes know functions: what a body needs is done to it as to main. After the identities, which resolve known conditions.
  pm.addPass(createOutlineRegionsPass());
  // Numbers that no input can change; the passes below ask for constants.
  pm.addNestedPass<func::FuncOp>(createFoldConstantsPass());
  // After CSE, because equal means must be one value; before simplify, which knows norms and softmax.
  if (options.optLevel > 0)
    pm.addNestedPass<func::FuncOp>(createRaisePatternsPass());
  // Before simplify, which splits what broadcasts over a row op, and before any pass that knows contractions.
  pm.addNestedPass<func::FuncOp>(createExpandAttentionPass());
  // Before any layout pass moves the weights whose outputs it scales.
  pm.addNestedPass<func::FuncOp>(createFoldBatchNormPass());
  // Row ops get their only kernel form here; after raising, which makes some of them.
  pm.addNestedPass<func::FuncOp>(createSimplifyPass());
  // Code generation demands the rest, at every level.
  // After all algebra, which knows layouts as the model has them; its transposes are folded into weights at once.
  pm.addNestedPass<func::FuncOp>(createChannelsLastPass());
  // Makes convolutions, so it comes before what convolutions need.
  pm.addNestedPass<func::FuncOp>(createExpandConvTransposePass());
}

void buildGroupingPipeline(OpPassManager &pm, const GraphOptions &options) {
  // Twice as many products at once for the direct sum leave Winograd's transforms nothing to save.
  bool winograd = options.optLevel > 1 && !options.exactConv && !options.pairs;
  // A convolution's choice is one for or against Winograd.
  if (options.tuning && winograd)
    pm.addPass(createApplyChoicesPass(options.tuning));
  // Needs channels-last; its transforms pad by themselves, and its products are contractions like others below.
  if (winograd)
    pm.addNestedPass<func::FuncOp>(createApplyWinogradPass());
  pm.addNestedPass<func::FuncOp>(createMaterializePaddingPass());
  // Decides by the transposes and reshapes below an operand, which must be merged for that.
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addNestedPass<func::FuncOp>(createNormalizeContractionsPass());
  // Needs weights as [K, N].
  pm.addNestedPass<func::FuncOp>(createPackWeightsPass());
  // Before narrow-weights, which takes what has no pairs.
  if (options.pairs)
    pm.addNestedPass<func::FuncOp>(createPairContractionsPass());
  // Panels are what gets narrow: what is read by anything else keeps its type.
  if (options.narrowWeights)
    pm.addNestedPass<func::FuncOp>(createNarrowWeightsPass());
  // Weights as they were before, and copies that two contractions need.
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  // A contraction's choice is one for or against an epilogue.
  if (options.tuning)
    pm.addPass(createApplyChoicesPass(options.tuning));
  // Last, because groups hide their ops from every pass above.
  FormGroupsPassOptions groups;
  groups.level = options.fusion;
  groups.explain = options.explainFusion;
  groups.streamAttention = options.streamAttention;
  pm.addNestedPass<func::FuncOp>(createFormGroupsPass(groups));
  // Only groups show which results are stored twice.
  if (options.pairs)
    pm.addNestedPass<func::FuncOp>(createNarrowActivationsPass());
  // Counts what groups hand to each other.
  if (options.batchOrder != BatchOrder::Layers && options.optLevel > 1) {
    SplitBatchPassOptions split;
    split.always = options.batchOrder == BatchOrder::Images;
    pm.addNestedPass<func::FuncOp>(createSplitBatchPass(split));
  }
}

// Dialects alive: torsh, func; afterwards torsh.kernel, torsh.launch and aliases.
void buildPlanPipeline(OpPassManager &pm, std::shared_ptr<const TuningContext> tuning) {
  // Moves groups, whose bodies tell what they read.
  pm.addNestedPass<func::FuncOp>(createOrderUpdatesPass());
  pm.addPass(createOutlineKernelsPass());
  // Its keys are the texts of kernels.
  if (tuning)
    pm.addPass(createApplyChoicesPass(std::move(tuning)));
  // Places need the final list of launches.
  pm.addNestedPass<func::FuncOp>(createPlanMemoryPass());
  // Needs the arenas of all functions.
  pm.addPass(createPlaceBodiesPass());
}

void registerPipelines() {
  registerTorshGraphPasses();
  registerTorshAutodiffPasses();
  registerTorshCpuPasses();
  registerTorshGpuPasses();
  registerTorshPolyhedralPasses();
  registerTorshTuningPasses();
  PassPipelineRegistration<>("torsh-graph-pipeline", "imported torsh to fusion groups (-O3)",
                             [](OpPassManager &pm) { buildGraphPipeline(pm, GraphOptions()); });
  PassPipelineRegistration<>("torsh-plan-pipeline", "fusion groups to kernels and a placed host plan",
                             [](OpPassManager &pm) { buildPlanPipeline(pm); });
}

} // namespace torsh
