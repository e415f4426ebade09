//===-- TopicTables.h - Registration of the rarer topics ----------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_TOPICTABLES_H
#define TORSH_FRONTENDS_ONNX_OPS_TOPICTABLES_H

#include "frontends/onnx/NodeImport.h"

namespace torsh::onnx {

// One registration function a topic file, as in NodeImport.h.
void addLossOps(OpTable &table);
void addGridOps(OpTable &table);
void addDeformConvOps(OpTable &table);
void addRegionPoolOps(OpTable &table);
void addFoldOps(OpTable &table);
void addCenterCropOps(OpTable &table);
void addCacheOps(OpTable &table);
void addDeterminantOps(OpTable &table);
void addTextOps(OpTable &table);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_TOPICTABLES_H
