//===-- Pipeline.h - The pass pipelines ---------------------------------------------------------------------===//
#ifndef TORSH_COMPILER_PIPELINE_H
#define TORSH_COMPILER_PIPELINE_H

#include "mlir/Pass/PassManager.h"

namespace torsh {

/// imported -> optimised: torsh to torsh, ends with fusion groups. -O0 keeps one op a group.
/// `exactConv` computes convolutions as the direct sum alone.
void buildGraphPipeline(mlir::OpPassManager &pm, unsigned optLevel, bool exactConv = false);
/// optimised -> kernels: outlined kernels and a placed host plan.
void buildPlanPipeline(mlir::OpPassManager &pm);
/// Registers all passes and the pipelines above as torsh-graph-pipeline and torsh-plan-pipeline.
void registerPipelines();

} // namespace torsh

#endif // TORSH_COMPILER_PIPELINE_H
