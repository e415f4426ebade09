//===-- Interpreter.h - Runs TorchScript at import, where it does not depend on data ------------------------===//
//
// Attributes, lists, sizes and loops over modules are evaluated; calls are inlined; operators on tensors become torsh
// ops. Control flow that depends on data becomes regions (Regions.cpp).
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_IMPORT_INTERPRETER_H
#define TORSH_FRONTENDS_TORCH_IMPORT_INTERPRETER_H

#include "dialects/torsh/import/ImportReport.h"
#include "frontends/torch/aten/TensorBuilder.h"
#include "frontends/torch/reader/Archive.h"
#include "frontends/torch/script/Ast.h"

namespace torsh::torch {

/// One call of a function: its names, and the object whose method it is.
struct Frame {
  const FunctionDef *function = nullptr;
  std::string path; ///< of the object: "layer1.0.conv1"
  llvm::StringMap<Val> locals;
  std::optional<Val> returned;
};

using NamedArguments = llvm::SmallVector<std::pair<llvm::StringRef, Val>>;

class Interpreter {
public:
  Interpreter(mlir::MLIRContext *context, std::shared_ptr<Archive> archive, ImportReport &report)
      : b(context), archive(std::move(archive)), report(report), formatVersion(this->archive->version()) {}
  /// Without an archive, for programs of another form: only operators can be called.
  Interpreter(mlir::MLIRContext *context, ImportReport &report, int64_t formatVersion)
      : b(context), report(report), formatVersion(formatVersion) {}

  TensorBuilder b;

  //===-- Objects (Objects.cpp) ------------------------------------------------------------------------------===//
  /// The root object of the archive, with everything below it.
  llvm::FailureOr<Val> loadRoot();
  llvm::FailureOr<Val> constant(llvm::StringRef name, unsigned line);
  /// What outlives a run: tensors of the archive by name, and attributes that were assigned with their first value.
  struct StateWrite {
    std::shared_ptr<Object> object;
    std::string name;
    Val before;
  };
  std::vector<StateWrite> stateWrites;
  std::vector<std::pair<std::string, TensorRef>> storedTensors;

  //===-- Sources (Sources.cpp) ------------------------------------------------------------------------------===//
  /// `__torch__.a.b.Name`; null without a report when there is no such class or function.
  const ClassDef *findClass(llvm::StringRef name);
  const FunctionDef *findFunction(llvm::StringRef name);
  const ClassDef *classOf(Object &object);

  //===-- Calls (Calls.cpp) ----------------------------------------------------------------------------------===//
  llvm::FailureOr<Val> callFunction(const FunctionDef &function, llvm::ArrayRef<Val> arguments,
                                    const NamedArguments &named, llvm::StringRef path,
                                    const llvm::StringMap<Val> *captured = nullptr);
  llvm::FailureOr<Val> callMethod(const Val &object, llvm::StringRef name, llvm::ArrayRef<Val> arguments,
                                  const NamedArguments &named);
  /// Calls an operator of ATen ("add") or an arithmetic function of sizes for a node that `place` names in messages;
  /// `path` is the module's.
  llvm::FailureOr<Val> callOperatorAt(llvm::StringRef path, llvm::StringRef place, llvm::StringRef name,
                                      llvm::ArrayRef<Val> arguments, const NamedArguments &named);
  /// The default of a parameter.
  llvm::FailureOr<Val> evaluateDefault(const FunctionDef &function, const Expr &value);

  //===-- Failing --------------------------------------------------------------------------------------------===//
  /// Refuses what the present statement asks for; always fails.
  llvm::LogicalResult refuse(const llvm::Twine &op, const llvm::Twine &constraint);
  /// The code contradicts the language; always fails.
  llvm::LogicalResult malformed(const llvm::Twine &reason);
  /// "code/__torch__.py:12", or with the object's path in front.
  std::string here() const;
  /// Set when the program raised an exception on the path that it takes.
  std::optional<std::string> raised;

private:
  //===-- Expressions (Expressions.cpp) ----------------------------------------------------------------------===//
  llvm::FailureOr<Val> evaluate(const Expr &expr);
  llvm::FailureOr<std::vector<Val>> evaluateAll(llvm::ArrayRef<Expr *> exprs);
  llvm::FailureOr<Val> attribute(const Val &base, llvm::StringRef name);
  llvm::FailureOr<Val> subscript(const Val &base, const Val &index);
  llvm::FailureOr<Val> sliceOf(const Expr &expr);
  /// "a.b.c" when the chain begins with a name that is no local; empty otherwise.
  std::string dottedName(const Expr &expr) const;
  llvm::FailureOr<Val> global(llvm::StringRef name);
  bool hasType(const Val &value, const Expr &type);

  //===-- Calls ----------------------------------------------------------------------------------------------===//
  llvm::FailureOr<Val> call(const Expr &expr);
  llvm::FailureOr<Val> callSpecial(llvm::StringRef name, const Expr &expr, bool &handled);
  llvm::FailureOr<Val> callGlobal(llvm::StringRef name, llvm::ArrayRef<Val> arguments,
                                  const NamedArguments &named);
  llvm::FailureOr<Val> callAten(llvm::StringRef name, llvm::ArrayRef<Val> arguments,
                                const NamedArguments &named);
  llvm::FailureOr<Val> callPrim(llvm::StringRef name, llvm::ArrayRef<Val> arguments,
                                const NamedArguments &named);
  llvm::FailureOr<Val> dispatch(llvm::StringRef name, llvm::ArrayRef<Val> arguments,
                                const NamedArguments &named);
  llvm::FailureOr<Val> callOnNumbers(llvm::StringRef name, llvm::ArrayRef<Val> arguments,
                                     const NamedArguments &named);

  /// None when the function has another meaning for these arguments. (NumberCalls.cpp, ContainerCalls.cpp,
  /// StringCalls.cpp, TensorQueries.cpp)
  std::optional<llvm::FailureOr<Val>> numberCall(llvm::StringRef name, llvm::ArrayRef<Val> arguments);
  std::optional<llvm::FailureOr<Val>> compareCall(llvm::StringRef name, llvm::ArrayRef<Val> arguments);
  std::optional<llvm::FailureOr<Val>> containerCall(llvm::StringRef name, llvm::ArrayRef<Val> arguments);
  std::optional<llvm::FailureOr<Val>> dictCall(llvm::StringRef name, llvm::ArrayRef<Val> arguments);
  std::optional<llvm::FailureOr<Val>> stringCall(llvm::StringRef name, llvm::ArrayRef<Val> arguments);
  std::optional<llvm::FailureOr<Val>> tensorQuery(llvm::StringRef name, llvm::ArrayRef<Val> arguments);
  /// A conversion of a number or a tensor of one element.
  llvm::FailureOr<Val> convert(Val::Kind kind, const Val &value);
  std::optional<bool> areEqual(const Val &a, const Val &b);
  bool mayChange(const Val &container);

  //===-- Statements (Statements.cpp) ------------------------------------------------------------------------===//
  llvm::LogicalResult run(llvm::ArrayRef<Stmt *> block);
  llvm::LogicalResult run(const Stmt &stmt);
  llvm::LogicalResult assign(const Stmt &stmt);
  llvm::LogicalResult assignTo(const Expr &target, Val value);
  llvm::LogicalResult runIf(const Stmt &stmt);
  llvm::LogicalResult runFor(const Stmt &stmt);
  llvm::LogicalResult runWhile(const Stmt &stmt);
  llvm::LogicalResult runWith(const Stmt &stmt);

  //===-- Control flow that depends on data (Regions.cpp, Loops.cpp) -----------------------------------------===//
  struct Arm;
  llvm::LogicalResult runArm(llvm::ArrayRef<Stmt *> block, Arm &arm);
  llvm::LogicalResult runDynamicIf(const Stmt &stmt, const Val &condition);
  llvm::FailureOr<Val> merge(const Val &onTrue, const Val &onFalse, llvm::StringRef name, Arm &a, Arm &other,
                             std::vector<TensorRef> &results);
  struct LoopState;
  llvm::LogicalResult runDynamicFor(const Stmt &stmt, const Val &count);
  llvm::LogicalResult runDynamicWhile(const Stmt &stmt, llvm::StringRef condition);
  llvm::LogicalResult enterLoop(const Stmt &stmt, LoopState &state);
  llvm::LogicalResult runBody(const Stmt &stmt, LoopState &state, mlir::Block &body, unsigned extraArguments);
  llvm::LogicalResult
  importBody(const Stmt &stmt, LoopState &state, mlir::Region &region,
             llvm::function_ref<void(mlir::Block &, llvm::SmallVectorImpl<mlir::Value> &)> next);
  llvm::LogicalResult collectYields(LoopState &state, llvm::SmallVectorImpl<mlir::Value> &yields);
  void leaveLoop(LoopState &state, mlir::ValueRange results);

  //===-- State ----------------------------------------------------------------------------------------------===//
  const SourceFile *source(llvm::StringRef module);
  llvm::FailureOr<Val> load(const PickleValue &value, bool ofConstants, llvm::StringRef path, unsigned depth);
  llvm::FailureOr<Val> loadTensor(const PickleValue &value, bool ofConstants, llvm::StringRef path);
  llvm::LogicalResult countStep();
  void setLocation(llvm::StringRef op);

  std::shared_ptr<Archive> archive;
  ImportReport &report;
  const int64_t formatVersion;
  std::string place; ///< of a node without source
  llvm::StringMap<std::unique_ptr<SourceFile>> sources;
  llvm::DenseMap<const PickleValue *, Val> loaded;
  Frame *frame = nullptr;
  unsigned line = 0;
  unsigned depth = 0; ///< nested expressions and calls
  unsigned calls = 0;
  uint64_t steps = 0;
};

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_IMPORT_INTERPRETER_H
