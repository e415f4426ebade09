//===-- CastOps.h - Cast and CastLike ------------------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_CASTOPS_H
#define TORSH_FRONTENDS_ONNX_OPS_CASTOPS_H

#include "frontends/onnx/NodeImport.h"

namespace torsh::onnx {

void addCastOps(OpTable &table);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_CASTOPS_H
