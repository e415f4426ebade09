//===-- OpTable.cpp - Which ONNX ops can be imported
//--------------------------------------------------------===//
#include "frontends/onnx/NodeImport.h"
#include "frontends/onnx/ObjectValues.h"
#include "frontends/onnx/ops/TopicTables.h"
#include "frontends/onnx/ops/Topics.h"
#include "frontends/onnx/ops/microsoft/MicrosoftOps.h"
#include "frontends/onnx/ops/ml/MlOps.h"

using namespace llvm;

namespace torsh::onnx {

void OpTable::add(StringRef domain, StringRef name, int64_t sinceVersion, ImportFunction function) {
  functions[{domain.str(), name.str()}][sinceVersion] = function;
}

ImportFunction OpTable::lookup(StringRef domain, StringRef name, int64_t opset) const {
  auto op = functions.find({domain.str(), name.str()});
  if (op == functions.end())
    return nullptr;
  auto version = op->second.upper_bound(opset);
  return version == op->second.begin() ? nullptr : std::prev(version)->second;
}

SmallVector<std::pair<StringRef, StringRef>> OpTable::names() const {
  SmallVector<std::pair<StringRef, StringRef>> result;
  for (const auto &entry : functions)
    result.push_back({entry.first.first, entry.first.second});
  return result;
}

const OpTable &OpTable::get() {
  static const OpTable table = [] {
    OpTable result;
    addElementwiseOps(result);
    addActivationOps(result);
    addShapeOps(result);
    addIndexingOps(result);
    addConstantOps(result);
    addReductionOps(result);
    addContractionOps(result);
    addConvolutionOps(result);
    addPoolingOps(result);
    addNormalizationOps(result);
    addRecurrentOps(result);
    addResizeOps(result);
    addAttentionOps(result);
    addControlFlowOps(result);
    addRandomOps(result);
    addQuantizeOps(result);
    addMicrosoftOps(result);
    addLossOps(result);
    addGridOps(result);
    addDeformConvOps(result);
    addRegionPoolOps(result);
    addFoldOps(result);
    addCenterCropOps(result);
    addCacheOps(result);
    addDeterminantOps(result);
    addTextOps(result);
    addScanOps(result);
    addFourierOps(result);
    addWindowFunctionOps(result);
    addStatefulOps(result);
    addTrainingOps(result);
    addSelectionOps(result);
    addMlOps(result);
    addSequenceOps(result);
    addOptionalOps(result);
    addStringOps(result);
    return result;
  }();
  return table;
}

} // namespace torsh::onnx
