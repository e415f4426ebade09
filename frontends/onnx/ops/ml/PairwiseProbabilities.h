//===-- PairwiseProbabilities.h - Class probabilities from those of pairs -----------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_ML_PAIRWISEPROBABILITIES_H
#define TORSH_FRONTENDS_ONNX_OPS_ML_PAIRWISEPROBABILITIES_H

#include "frontends/onnx/ops/ml/MlOps.h"

namespace torsh::onnx {

/// Probabilities [rows, classes] from `pairs`, [rows, classes * (classes - 1) / 2]: the probability of class i where it
/// is i or j, for i < j in order (Wu, Lin, Weng 2004, section 4, as libsvm and ONNX Runtime iterate it).
mlir::Value classProbabilities(NodeImport &node, mlir::Value pairs, int64_t classes);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_ML_PAIRWISEPROBABILITIES_H
