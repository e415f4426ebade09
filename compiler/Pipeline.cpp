//===-- Pipeline.cpp - The pass pipelines -------------------------------------------------------------------===//
#include "compiler/Pipeline.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "passes/cpu/Passes.h"
#include "passes/graph/Passes.h"

using namespace mlir;

namespace torsh {

// Dialects alive: torsh, func.
void buildGraphPipeline(OpPassManager &pm, unsigned optLevel) {
  // Importers compose freely; identities go before any pattern looks at the graph.
  pm.addPass(createCanonicalizerPass());
  // Equal subgraphs (masks, position ids) must be one value before groups duplicate their readers.
  pm.addPass(createCSEPass());
  // Last, because groups hide their ops from every pass above.
  pm.addNestedPass<func::FuncOp>(createFormGroupsPass());
}

// Dialects alive: torsh, func; afterwards torsh.kernel, torsh.launch and aliases.
void buildPlanPipeline(OpPassManager &pm) {
  pm.addPass(createOutlineKernelsPass());
  // Places need the final list of launches.
  pm.addNestedPass<func::FuncOp>(createPlanMemoryPass());
}

void registerPipelines() {
  registerTorshGraphPasses();
  registerTorshCpuPasses();
  PassPipelineRegistration<>("torsh-graph-pipeline", "imported torsh to fusion groups (-O3)",
                             [](OpPassManager &pm) { buildGraphPipeline(pm, 3); });
  PassPipelineRegistration<>("torsh-plan-pipeline", "fusion groups to kernels and a placed host plan",
                             [](OpPassManager &pm) { buildPlanPipeline(pm); });
}

} // namespace torsh
