//===- Limits.h - Bounds that a model file may not exceed -------*- C++ -*-===//
#ifndef TORSH_FRONTENDS_ONNX_READER_LIMITS_H
#define TORSH_FRONTENDS_ONNX_READER_LIMITS_H

#include <cstdint>

namespace torsh::onnx {

/// What a model file may ask of us. A file beyond a limit is refused with a sentence that names the limit.
struct ReadLimits {
  /// Nested protobuf messages; one nested graph (an If in an If) takes three levels.
  unsigned maxDepth = 100;
  /// Bytes of parsed structures, which bounds the memory of a file made of millions of empty messages.
  uint64_t maxParsedBytes = uint64_t(1) << 30;
  /// Elements of one tensor, stored or declared.
  uint64_t maxElements = uint64_t(1) << 38;
  /// Nodes after all model-local functions have been expanded.
  uint64_t maxExpandedNodes = uint64_t(1) << 22;
};

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_READER_LIMITS_H
