//===-- Pipeline.h - The pass pipelines ---------------------------------------------------------------------===//
#ifndef TORSH_COMPILER_PIPELINE_H
#define TORSH_COMPILER_PIPELINE_H

#include "compiler/BatchOrder.h"
#include "mlir/Pass/PassManager.h"
#include <memory>

namespace torsh {

struct TuningContext;

/// Choices of the graph pipeline.
struct GraphOptions {
  unsigned optLevel = 3;  ///< 0 keeps the model's ops apart where code generation can
  bool exactConv = false; ///< convolutions as direct sums alone
  BatchOrder batchOrder = BatchOrder::Auto;
  bool narrowWeights = false;     ///< weights of contractions are stored as bf16
  bool pairs = false;             ///< contractions sum products of pairs of bf16
  std::string fusion = "default"; ///< conservative, default or aggressive
  bool streamAttention = true;    ///< two products with a softmax between them are one kernel
  bool explainFusion = false;     ///< remarks about values that kernels hand to each other in memory
  std::shared_ptr<const TuningContext> tuning; ///< measured choices, or null
};

/// imported -> optimised: torsh to torsh, ends with fusion groups.
void buildGraphPipeline(mlir::OpPassManager &pm, const GraphOptions &options);
/// The two parts of the graph pipeline: up to the convolutions that Winograd's transforms may replace, and from there.
void buildAlgebraPipeline(mlir::OpPassManager &pm, const GraphOptions &options);
void buildGroupingPipeline(mlir::OpPassManager &pm, const GraphOptions &options);
/// optimised -> kernels: outlined kernels and a placed host plan.
void buildPlanPipeline(mlir::OpPassManager &pm, std::shared_ptr<const TuningContext> tuning = nullptr);
/// Registers all passes and the pipelines above as torsh-graph-pipeline and torsh-plan-pipeline.
void registerPipelines();

} // namespace torsh

#endif // TORSH_COMPILER_PIPELINE_H
