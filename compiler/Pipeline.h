//===-- Pipeline.h - The pass pipelines ---------------------------------------------------------------------===//
#ifndef TORSH_COMPILER_PIPELINE_H
#define TORSH_COMPILER_PIPELINE_H

#include "mlir/Pass/PassManager.h"
#include <memory>

namespace torsh {

struct TuningContext;

/// imported -> optimised: torsh to torsh, ends with fusion groups. -O0 keeps one op a group.
/// `exactConv` computes convolutions as the direct sum alone; `tuning` are measured choices, or null.
void buildGraphPipeline(mlir::OpPassManager &pm, unsigned optLevel, bool exactConv = false,
                        std::shared_ptr<const TuningContext> tuning = nullptr);
/// The two parts of the graph pipeline: up to the convolutions that Winograd's transforms may replace, and from there.
void buildAlgebraPipeline(mlir::OpPassManager &pm, unsigned optLevel);
void buildGroupingPipeline(mlir::OpPassManager &pm, unsigned optLevel, bool exactConv = false,
                           std::shared_ptr<const TuningContext> tuning = nullptr);
/// optimised -> kernels: outlined kernels and a placed host plan.
void buildPlanPipeline(mlir::OpPassManager &pm, std::shared_ptr<const TuningContext> tuning = nullptr);
/// Registers all passes and the pipelines above as torsh-graph-pipeline and torsh-plan-pipeline.
void registerPipelines();

} // namespace torsh

#endif // TORSH_COMPILER_PIPELINE_H
