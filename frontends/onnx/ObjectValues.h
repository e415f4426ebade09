//===-- ObjectValues.h - Sequences, optionals and strings while a graph is imported -------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OBJECTVALUES_H
#define TORSH_FRONTENDS_ONNX_OBJECTVALUES_H

#include "dialects/torsh/Objects.h"
#include "frontends/onnx/NodeImport.h"

namespace torsh::onnx {

/// What values of a declared type are; null with the reason in `why`. Of a dense tensor of numbers its box.
mlir::ArrayAttr describeObject(mlir::MLIRContext *context, const Type *type, std::string &why);

/// Builds torsh.object ops at an insertion point.
class ObjectBuilder {
public:
  ObjectBuilder(NodeImport &node, mlir::OpBuilder &builder) : node(node), builder(builder) {}
  explicit ObjectBuilder(NodeImport &node) : ObjectBuilder(node, node.builder) {}

  /// A function of objects with one result that is an object.
  mlir::Value call(llvm::StringRef function, mlir::ValueRange operands, mlir::ArrayAttr result,
                   llvm::ArrayRef<int64_t> numbers = {}, llvm::ArrayRef<llvm::StringRef> strings = {});
  mlir::Operation *create(llvm::StringRef function, mlir::ValueRange operands, mlir::TypeRange results,
                          llvm::ArrayRef<int64_t> numbers = {}, llvm::ArrayRef<llvm::StringRef> strings = {});
  /// The object of a tensor; an object as it is. Null, with the node refused, where there is none.
  mlir::Value box(mlir::Value x);
  /// The tensor of an object, of sizes that are born now. The node is refused when the rank is not known; `rank` is one that
  /// the model declares elsewhere.
  mlir::Value unbox(mlir::Value handle, int64_t rank = -1);
  /// The value in a form that a joined type asks for: boxed, or under a wider description; null when it does not fit.
  mlir::Value convert(mlir::Value value, mlir::Type form);

private:
  NodeImport &node;
  mlir::OpBuilder &builder;
};

/// The form that holds values of both types: the type itself when they are equal, else an object; null when there is none.
mlir::Type joinForms(mlir::Type a, mlir::Type b);

/// The import functions of nodes with operands that are objects.
const OpTable &objectOps();

void addSequenceOps(OpTable &table);
void addOptionalOps(OpTable &table);
void addStringOps(OpTable &table);
/// Ops of both kinds, where an operand is an object.
void addOpsOnObjects(OpTable &table);
void addOpsOnStrings(OpTable &table);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OBJECTVALUES_H
