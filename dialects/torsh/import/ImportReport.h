//===-- ImportReport.h - Choices of an import, and what it says -----------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_IMPORT_IMPORTREPORT_H
#define TORSH_DIALECTS_TORSH_IMPORT_IMPORTREPORT_H

#include "llvm/ADT/StringMap.h"
#include <cstdint>
#include <string>
#include <vector>

namespace torsh {

/// Choices of an import.
struct ImportOptions {
  /// Values for named dims (`--dim batch=4`), and for anonymous ones as `input.axis` (`--dim x.0=4`).
  llvm::StringMap<int64_t> dims;
  /// Directory beneath which external data may be reached over links (onnx::ExternalDataOptions).
  std::string trustRoot;
  /// Types of inputs for formats that do not store them: `x=f32[batch,3,224,224]`, or `steps=3`.
  std::vector<std::string> inputs;
  /// Weights of floats, single numbers apart, become torsh.param with their names, which training may change; constants
  /// computed from them are not folded. ONNX only.
  bool parameters = false;
};

/// One node that cannot be imported.
struct UnsupportedNode {
  std::string node;       ///< the node's name, or `Op#index (outputs: ...)`
  std::string op;         ///< the op as the format calls it: `Conv-17`, `aten::conv2d`
  std::string types;      ///< the operand types as far as known
  std::string constraint; ///< what failed, as a sentence
};

/// What an import says besides the module.
struct ImportReport {
  std::vector<UnsupportedNode> unsupported; ///< all of them, not only the first
  std::vector<std::string> errors;          ///< the model contradicts the specification (TSH-02xx)
};

} // namespace torsh

#endif // TORSH_DIALECTS_TORSH_IMPORT_IMPORTREPORT_H
