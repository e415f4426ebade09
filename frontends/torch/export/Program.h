//===-- Program.h - What torch.export writes, as structs ----------------------------------------------------===//
//
// The names are those of PyTorch's schema (torch/_export/serde/schema.py), of which everything is here that an import
// needs. Fields that a version adds are ignored.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_EXPORT_PROGRAM_H
#define TORSH_FRONTENDS_TORCH_EXPORT_PROGRAM_H

#include "frontends/torch/export/SizeExpression.h"
#include "frontends/torch/reader/PickleValue.h"
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace llvm::json {
class Value;
} // namespace llvm::json

namespace torsh::torch {

struct ExportedGraph;

/// The type of a tensor. Sizes are expressions of symbols.
struct TensorMeta {
  int64_t dtype = 0; ///< in the numbering of the schema
  std::vector<SizeExpression> sizes, strides;
  SizeExpression storageOffset;
};

/// An argument or result of a node.
struct Argument {
  enum class Kind : uint8_t {
    None,
    Name, ///< of a tensor, number or object of the graph: `text`
    Int,
    Float,
    Bool,
    String,
    ScalarType, ///< `integer`, in the numbering of the schema; the two below as well
    MemoryFormat,
    Layout,
    Device,
    Operator,
    Graph,
    List,
    Unsupported, ///< `text` is the key of the schema
  };
  Kind kind = Kind::None;
  int64_t integer = 0;
  double number = 0;
  std::string text;
  std::vector<Argument> items;
  std::shared_ptr<ExportedGraph> graph;
};

struct NamedArgument {
  std::string name;
  Argument value;
  bool isKeyword = false;
};

/// One call. `target` is torch.ops.aten.add.Tensor, _operator.mul, ...
struct ExportedNode {
  std::string target;
  std::vector<NamedArgument> inputs;
  std::vector<Argument> outputs;
  std::string module; ///< "layer1.0.conv1", where the file says it
};

struct ExportedGraph {
  std::vector<Argument> inputs, outputs;
  std::vector<ExportedNode> nodes;
  std::map<std::string, TensorMeta> tensors;
};

struct InputSpecification {
  enum class Kind : uint8_t { User, Parameter, Buffer, Constant, ConstantInput, Object, Token };
  Kind kind = Kind::User;
  Argument argument;
  std::string name; ///< of a parameter, buffer or constant: what the archive calls it
};

struct OutputSpecification {
  enum class Kind : uint8_t { User, Loss, BufferMutation, InputMutation, Gradient, Token };
  Kind kind = Kind::User;
  Argument argument;
  std::string name; ///< of a mutation: the buffer or input that changes
};

struct SizeRange {
  std::optional<int64_t> least, most;
};

struct ExportedProgram {
  ExportedGraph graph;
  std::vector<InputSpecification> inputs;
  std::vector<OutputSpecification> outputs;
  std::map<std::string, SizeRange> ranges; ///< by symbol
  /// Names of the leaves of what forward returns, "a" or "b_0"; empty where the file does not tell.
  std::vector<std::string> outputNames;
};

/// The element type behind a number of the schema (which is not ATen's numbering); none for unknown ones.
std::optional<ScalarType> fromSchemaType(int64_t number);

/// Whether a text of JSON has brackets within brackets beyond a limit: its parser follows them by recursion.
bool isNestedTooDeep(llvm::StringRef json);

/// The type of the tensor `name` in a list of stored tensors. The error is a clause for a sentence.
llvm::Expected<TensorMeta> readTensorMeta(const llvm::json::Value &value, llvm::StringRef name);

/// Reads a program. Every field that is missing or of another type is one sentence with its place.
llvm::Expected<ExportedProgram> readProgram(llvm::StringRef json, llvm::StringRef shownName);

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_EXPORT_PROGRAM_H
