//===-- GraphImport.h - The state of one import
//------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_GRAPHIMPORT_H
#define TORSH_FRONTENDS_ONNX_GRAPHIMPORT_H

#include "dialects/torsh/import/DimUnifier.h"
#include "dialects/torsh/reference/Evaluator.h"
#include "frontends/onnx/Importer.h"
#include "frontends/onnx/NodeImport.h"
#include "frontends/onnx/reader/Checks.h"
#include "frontends/onnx/reader/ExternalData.h"
#include "llvm/ADT/StringSet.h"

namespace torsh::onnx {

/// A tensor of rank 0 or 1 whose elements are known as dim expressions. `elementType` may also be i1, or a
/// float when sizes were cast; only then the denominator, by which all elements are divided, can differ
/// from 1.
struct ShapeValue {
  llvm::SmallVector<DimAttr> dims;
  bool scalar = false;
  mlir::Type elementType;
  int64_t denominator = 1;

  mlir::RankedTensorType type() const;
  /// All elements when they are constants.
  std::optional<llvm::SmallVector<int64_t>> constants() const;
};

/// What a name of a graph stands for.
struct NamedValue {
  enum class Kind : uint8_t { Failed, Value, Shape, Initializer };
  Kind kind = Kind::Failed;
  mlir::Value value;
  ShapeValue shape;
  const Tensor *initializer = nullptr;
  bool parameter = false; ///< an initializer that training may change
};

/// The names visible at a node. A graph nested in an attribute sees the names around it, a function body does
/// not.
struct Scope {
  explicit Scope(Scope *parent = nullptr) : parent(parent) {}

  NamedValue *find(llvm::StringRef name);

  Scope *parent;
  llvm::StringMap<NamedValue> names;
};

/// The function body whose nodes are imported; the main graph is the outermost one.
struct Frame {
  const Frame *caller = nullptr;
  const Function *function = nullptr;
  llvm::ArrayRef<OpsetImport> opsets;
  /// The attributes of the call, with the function's defaults.
  llvm::StringMap<const Attribute *> attributes;
  /// Precedes node names in locations: the names of the calls.
  std::string prefix;

  int64_t opsetOf(llvm::StringRef domain) const;
};

/// Walks graphs and dispatches nodes. One object serves one call of importModel.
class GraphImport {
public:
  GraphImport(mlir::MLIRContext *context, std::shared_ptr<ModelFile> file, const ImportOptions &options,
              ImportReport &report);

  /// Null on failure, with the report filled.
  mlir::OwningOpRef<mlir::ModuleOp> run();

  //===-- Graphs
  //-------------------------------------------------------------------------------------------===//
  /// Imports the nodes that `graph`'s outputs need, at the builder's insertion point, into `scope`. Nodes
  /// that fail are reported and leave their outputs failed.
  void importNodes(const Graph &graph, Scope &scope, mlir::OpBuilder &builder);
  /// Imports a graph nested in an attribute and gives its outputs as values; fails when one of them failed.
  /// `inputs` are bound to the graph's input names.
  llvm::FailureOr<llvm::SmallVector<NamedValue>>
  importSubgraph(const Graph &graph, llvm::ArrayRef<NamedValue> inputs, mlir::OpBuilder &builder);
  /// Whether a type-checking trial is running, whose refusals must not reach the report.
  ImportReport &currentReport() { return *report; }
  /// Sends refusals to another report until `restoreReport`.
  ImportReport *redirectReport(ImportReport *other) { return std::exchange(report, other); }

  //===-- Names
  //--------------------------------------------------------------------------------------------===//
  NamedValue *find(llvm::StringRef name) { return scope->find(name); }
  void define(llvm::StringRef name, NamedValue value) { scope->names[name] = std::move(value); }
  /// The SSA value of a name; builds the constant or from_dims op on demand.
  mlir::Value materialize(NamedValue &named, mlir::OpBuilder &builder, mlir::Location loc);
  mlir::Value materializeShape(const ShapeValue &shape, mlir::OpBuilder &builder, mlir::Location loc);
  /// The elements as dim expressions when known.
  std::optional<ShapeValue> shapeOf(const NamedValue &named);
  mlir::RankedTensorType typeOf(const NamedValue &named);
  /// The elements of a constant of at most 64 Ki elements.
  std::optional<torsh::Tensor> constantOf(const NamedValue &named);
  bool isSmallConstant(const NamedValue &named);

  //===-- Constants
  //----------------------------------------------------------------------------------------===//
  /// A torsh.constant at the function's start, so that it dominates everything.
  mlir::Value constant(const torsh::Tensor &tensor, mlir::Location loc);
  mlir::Value constant(mlir::Attribute value, mlir::RankedTensorType type, mlir::Location loc);
  mlir::Value constant(llvm::ArrayRef<llvm::StringRef> strings, llvm::ArrayRef<int64_t> dims,
                       mlir::Location loc);
  /// The constant of a TensorProto; a null value when the tensor is refused, with the reason in `why`.
  mlir::Value constant(const Tensor &tensor, mlir::Location loc, std::string &why);
  WeightStore &weights();
  /// The value of a torsh.param that starts with the constant's value and has its name.
  mlir::Value parameter(ConstantOp initial, llvm::StringRef name);

  //===-- Failing
  //------------------------------------------------------------------------------------------===//
  llvm::LogicalResult refuse(const NodeImport &node, const llvm::Twine &constraint);
  llvm::LogicalResult reject(const NodeImport &node, const llvm::Twine &reason);
  void error(const llvm::Twine &sentence) { report->errors.push_back(sentence.str()); }

  mlir::MLIRContext *const context;
  const ImportOptions &options;
  DimUnifier dims;
  /// Values whose elements have symbols in a block: by value and block, without and with signs.
  llvm::DenseMap<std::pair<mlir::Value, mlir::Block *>, llvm::SmallVector<DimAttr>> boundSizes, boundIntegers;
  Frame *frame = nullptr;
  Scope *scope = nullptr;

private:
  bool checkOpsets();
  bool importSignature(mlir::func::FuncOp function, Scope &scope);
  std::optional<mlir::RankedTensorType> inputType(const ValueInfo &input);
  void bindInitializers(const Graph &graph, Scope &scope);
  mlir::Value asDeclared(mlir::Value value, const ValueInfo &output, mlir::OpBuilder &builder,
                         mlir::Location loc);
  bool importOutputs(const Graph &graph, mlir::OpBuilder &builder);
  void finish(mlir::func::FuncOp function);

  void importNode(const Node &node, size_t index, mlir::OpBuilder &builder);
  bool importCall(const Node &node, const Function &callee, mlir::OpBuilder &builder, llvm::StringRef name);
  void dispatch(const Node &node, mlir::OpBuilder &builder, mlir::Location loc);
  /// Refuses the node when the size of an output is an expression that is too large to keep.
  bool hasTooLargeDims(NodeImport &node);
  bool verifyNewOps(NodeImport &node, mlir::Block *block, mlir::Operation *before);
  void foldNewOps(const Node &node, mlir::Block *block, mlir::Operation *before);
  bool anyOperandFailed(const Node &node, bool &undefined);
  void failOutputs(const Node &node);
  const Function *findFunction(const Node &node) const;
  llvm::ArrayRef<uint32_t> orderOf(const Graph &graph);

  struct Storage {
    std::shared_ptr<ModelFile> file;
    ExternalData external;
  };

  std::shared_ptr<ModelFile> file;
  std::shared_ptr<Storage> storage;
  ImportReport *report;
  CheckedModel checked;
  mlir::func::FuncOp main;
  mlir::Operation *lastConstant = nullptr;
  llvm::DenseMap<const Tensor *, mlir::Value> initializerOps;
  llvm::StringMap<const Function *> functions;
};

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_GRAPHIMPORT_H
