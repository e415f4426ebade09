//===-- NodeImport.h - What an op's import function sees ----------------------------------------------------===//
//
// Importing an op is one function that composes torsh ops. It is registered with its domain, name and the first opset
// version that it serves; `OpTable::lookup` takes the greatest version not above the model's.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_NODEIMPORT_H
#define TORSH_FRONTENDS_ONNX_NODEIMPORT_H

#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"
#include "frontends/onnx/reader/Model.h"
#include "mlir/IR/Builders.h"

namespace torsh::onnx {

class GraphImport;

/// One node while it is imported: typed access to operands and attributes, a builder whose ops get the node's
/// location, and the ways to end (results, or a refusal that is collected into the report of all refusals).
class NodeImport {
public:
  NodeImport(GraphImport &graph, const Node &node, int64_t opset, mlir::OpBuilder &builder,
             mlir::Location loc)
      : graph(graph), node(node), opset(opset), builder(builder), loc(loc) {}

  GraphImport &graph;
  const Node &node;
  const int64_t opset;
  mlir::OpBuilder &builder;
  const mlir::Location loc;

  //===-- Operands -----------------------------------------------------------------------------------------===//
  size_t numInputs() const;
  size_t numOutputs() const;
  /// Whether input `i` is given (present and not named "").
  bool hasInput(size_t i) const;
  /// The i-th operand. A known shape value or small constant is materialised on demand. Must be given.
  mlir::Value operand(size_t i);
  /// Null when absent.
  mlir::Value optionalOperand(size_t i);
  mlir::RankedTensorType typeOf(size_t i);
  /// The operand's value as integer dim expressions (constants included) when it is known at import: initializers,
  /// Constant nodes and everything computed from Shape. Rank 0 gives one entry.
  std::optional<llvm::SmallVector<DimAttr>> knownValue(size_t i);
  /// As knownValue; else symbols that take the operand's elements as sizes during the run, which are checked not to be
  /// negative. None for what is no list of at most 64 integers.
  std::optional<llvm::SmallVector<DimAttr>> shapeValue(size_t i);
  /// As shapeValue for elements of any sign.
  std::optional<llvm::SmallVector<DimAttr>> integerValue(size_t i);
  /// As shapeValue, all constants.
  std::optional<llvm::SmallVector<int64_t>> constantInts(size_t i);
  /// A known constant of at most 64 Ki elements as doubles (integers converted), row-major.
  std::optional<llvm::SmallVector<double>> constantFloats(size_t i);

  //===-- Attributes ---------------------------------------------------------------------------------------===//
  const Attribute *attribute(llvm::StringRef name) const;
  int64_t intAttr(llvm::StringRef name, int64_t otherwise) const;
  double floatAttr(llvm::StringRef name, double otherwise) const;
  llvm::StringRef stringAttr(llvm::StringRef name, llvm::StringRef otherwise) const;
  std::optional<llvm::SmallVector<int64_t>> intsAttr(llvm::StringRef name) const;

  //===-- Results ------------------------------------------------------------------------------------------===//
  void setResult(size_t i, mlir::Value value);
  /// Records a result known as dim expressions (rank 0 or 1 of `elementType`); no op is built until it is used as data.
  void setShapeResult(size_t i, llvm::ArrayRef<DimAttr> values, bool scalar, mlir::Type elementType);
  /// Refuses the node with the constraint that failed ("pads is negative", "needs a constant axes input"); always fails.
  llvm::LogicalResult unsupported(const llvm::Twine &constraint);
  /// The node contradicts the specification; always fails.
  llvm::LogicalResult malformed(const llvm::Twine &reason);

  //===-- Building -----------------------------------------------------------------------------------------===//
  template <typename OpTy, typename... Args> mlir::Value create(Args &&...args) {
    return OpTy::create(builder, loc, std::forward<Args>(args)...)->getResult(0);
  }
  mlir::MLIRContext *context() const { return builder.getContext(); }
  /// A splat or scalar of `like`'s element type and shape.
  mlir::Value splatLike(mlir::Value like, double value);
  mlir::Value splat(mlir::RankedTensorType type, double value);
  /// A rank-0 constant.
  mlir::Value scalar(mlir::Type elementType, double value);
  /// A 1-D or 0-D i64 constant or from_dims.
  mlir::Value fromDims(llvm::ArrayRef<DimAttr> dims, bool scalar = false);
  mlir::Value reshape(mlir::Value x, llvm::ArrayRef<DimAttr> dims);
  mlir::Value transpose(mlir::Value x, llvm::ArrayRef<int64_t> permutation);
  mlir::Value broadcastTo(mlir::Value x, llvm::ArrayRef<DimAttr> dims);
  mlir::Value cast(mlir::Value x, mlir::Type elementType);
  /// NumPy broadcasting of all values to one shape. Two different symbols that meet are unified with a guard
  /// (a static 1 on either side broadcasts).
  llvm::LogicalResult broadcastTogether(llvm::MutableArrayRef<mlir::Value> values);
  /// Makes two dims equal: true when they already are; two symbols are unified and guarded; false when they
  /// cannot be equal (different constants).
  bool unify(DimAttr a, DimAttr b, const llvm::Twine &why);
  /// A negative axis counts from the end; fails as malformed when out of range.
  llvm::FailureOr<int64_t> axis(int64_t value, int64_t rank);
  /// A fresh symbol for a size born at run time.
  DimAttr freshSymbol(llvm::StringRef hint);
  /// Symbols that take the elements of a list of integers as sizes during the run (torsh.bind_sizes).
  llvm::SmallVector<DimAttr> bindSizes(mlir::Value list, llvm::StringRef hint);
  /// As bindSizes for elements of any sign.
  llvm::SmallVector<DimAttr> bindIntegers(mlir::Value list, llvm::StringRef hint);
  /// Symbols for sizes that are long expressions of others; negative values end the run.
  llvm::SmallVector<DimAttr> nameSizes(llvm::ArrayRef<DimAttr> sizes, llvm::StringRef hint);

private:
  std::optional<llvm::SmallVector<DimAttr>> bindOperand(size_t i, bool isSigned);

public:
  /// Set when an operand was asked for that the node does not have; the node is then rejected.
  bool invalid = false;
};

/// Imports one node; on success every used output has a result.
using ImportFunction = llvm::LogicalResult (*)(NodeImport &);

/// The supported ops: (domain, name, since version) -> import function.
class OpTable {
public:
  /// `domain` is "" for ai.onnx. `sinceVersion` is the first opset whose semantics the function implements.
  void add(llvm::StringRef domain, llvm::StringRef name, int64_t sinceVersion, ImportFunction function);
  ImportFunction lookup(llvm::StringRef domain, llvm::StringRef name, int64_t opset) const;
  /// All (domain, name) pairs in order, for the support table.
  llvm::SmallVector<std::pair<llvm::StringRef, llvm::StringRef>> names() const;
  /// The table of everything below.
  static const OpTable &get();

private:
  std::map<std::pair<std::string, std::string>, std::map<int64_t, ImportFunction>> functions;
};

// One registration function a topic file.
void addElementwiseOps(OpTable &table);
void addActivationOps(OpTable &table);
void addShapeOps(OpTable &table);
void addIndexingOps(OpTable &table);
void addConstantOps(OpTable &table);
void addReductionOps(OpTable &table);
void addContractionOps(OpTable &table);
void addConvolutionOps(OpTable &table);
void addPoolingOps(OpTable &table);
void addNormalizationOps(OpTable &table);
void addRecurrentOps(OpTable &table);
void addResizeOps(OpTable &table);
void addAttentionOps(OpTable &table);
void addControlFlowOps(OpTable &table);
void addRandomOps(OpTable &table);
void addQuantizeOps(OpTable &table);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_NODEIMPORT_H
