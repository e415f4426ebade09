//===-- Naive.h - A model run by the reference evaluator
//----------------------------------------------------===//
#ifndef TORSH_COMPILER_NAIVE_H
#define TORSH_COMPILER_NAIVE_H

#include "compiler/Compile.h"
#include "torsh/torsh.h"
#include <optional>

namespace torsh {

/// A tensor on its way into or out of the reference evaluator: contiguous, row-major, booleans one byte each.
struct NaiveTensor {
  std::string name;
  torsh_dtype dtype = {0, 0, 1};
  std::vector<int64_t> shape;
  std::vector<char> bytes;
};

/// A model that is evaluated op by op instead of compiled: slow, and independent of code generation.
class NaiveModel {
public:
  /// Imports the model; with `graphLevel` also runs the graph passes of that optimisation level, so that a
  /// wrong result can be told to come from them or from code generation. Null on failure, with messages on
  /// `options.log`.
  static std::unique_ptr<NaiveModel> load(const CompileOptions &options, std::optional<unsigned> graphLevel,
                                          CompileStatus &status);

  /// Names and dtypes in the model's order; shape and bytes stay empty.
  std::vector<NaiveTensor> inputs() const;
  std::vector<NaiveTensor> outputs() const;

  /// The outputs for inputs in the model's order, which are checked against its types.
  llvm::Expected<std::vector<NaiveTensor>> run(llvm::ArrayRef<NaiveTensor> inputs);

private:
  ImportedModel model;
};

} // namespace torsh

#endif // TORSH_COMPILER_NAIVE_H
