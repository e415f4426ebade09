//===-- Session.h - An artifact or model, loaded through the C API
//------------------------------------------===//
#ifndef TORSH_TOOLS_TORSHC_SESSION_H
#define TORSH_TOOLS_TORSHC_SESSION_H

#include "compiler/Compile.h"
#include "tools/torshc/Npy.h"

namespace torsh {

/// An input or output as the artifact declares it.
struct Port {
  std::string name;
  torsh_dtype dtype;
  std::vector<int64_t> dims; ///< -1 where the dim is symbolic
  std::vector<std::string> dimNames;
};

/// A loaded artifact with one context.
class Session {
public:
  /// Loads an artifact; a model is compiled to a temporary file first. Null with a message on failure, and
  /// `exitCode` says which kind.
  static std::unique_ptr<Session> open(const std::string &path, CompileOptions options, unsigned threads,
                                       int &exitCode);
  ~Session();

  /// False with a message on failure. Outputs belong to the context until the next run.
  bool run(std::vector<torsh_value> &inputs, std::vector<torsh_value> &outputs);
  /// Empty outputs for run().
  std::vector<torsh_value> makeOutputs() const;

  const torsh_api *api = nullptr;
  torsh_module *module = nullptr;
  torsh_context *context = nullptr;
  std::vector<Port> inputs, outputs;
  double compileMs = 0, loadMs = 0;

private:
  std::string temporary; ///< an artifact to delete
};

/// A value over an array, which must outlive it.
torsh_value valueOf(NpyArray &array);

/// Whether the path is an artifact rather than a model: by its first bytes, or by its name when it cannot be
/// read.
bool isArtifact(const std::string &path);

} // namespace torsh

#endif // TORSH_TOOLS_TORSHC_SESSION_H
