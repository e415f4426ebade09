//===-- Value.h - What a TorchScript expression stands for at import ----------------------------------------===//
//
// An import is a partial evaluation: numbers, sizes, lists, modules and functions are known, and only tensors become
// ops. A number that depends on data is a number whose value is a rank-0 tensor.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_ATEN_VALUE_H
#define TORSH_FRONTENDS_TORCH_ATEN_VALUE_H

#include "dialects/torsh/Dim.h"
#include "llvm/ADT/StringMap.h"
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace torsh::torch {

class TensorBuilder;
struct ClassDef;
struct FunctionDef;
struct PickleValue;
class Val;

/// A tensor that may be written in place and of which views may exist. The graph has values only, so a write gives a
/// cell a new value, and a write through a view gives its base a new value.
struct TensorCell {
  mlir::Value value;
  /// An integer of rank 0 that is known at import (a size as a tensor); `value` is built when it is needed.
  DimAttr known;
  mlir::Type knownType;
  /// Whether the tensor counts as a number in type promotion: what a trace wrote for `x * 1.5`.
  bool isNumber = false;
  /// Set when a comparison of sizes could not be decided: it holds when both are equal (or unequal).
  DimAttr lhs, rhs;
  bool negated = false;
  /// A stored tensor whose constant is built when it is needed.
  std::function<mlir::Value()> load;

  /// Counts the writes.
  unsigned version = 0;
  /// How many regions were open when the cell was made; a write from deeper inside must leave the region.
  unsigned regionDepth = 0;

  /// Of a view: whose elements it shows, how they are read from it, and the base with the elements of the view
  /// replaced (null when writing through the view is not supported).
  std::shared_ptr<TensorCell> base;
  unsigned baseVersion = 0;
  std::function<mlir::Value(mlir::Value)> forward;
  std::function<mlir::Value(mlir::Value, mlir::Value)> backward;
};
using TensorRef = std::shared_ptr<TensorCell>;

/// The items of a list or tuple; `names` are those of a named tuple.
struct Sequence {
  std::vector<Val> items;
  std::vector<std::string> names;
  /// How many regions were open when the list was made (TensorCell).
  unsigned regionDepth = 0;
};

struct Dict {
  std::vector<std::pair<Val, Val>> entries;
};

/// An object of a class in the archive: its attributes by name, and the path to it from the root ("layer1.0.conv1").
struct Object {
  std::string className;
  const ClassDef *definition = nullptr;
  std::string path;
  /// Whether the archive holds it, so that its attributes outlive a run.
  bool isStored = false;
  std::vector<std::pair<std::string, Val>> attributes;

  Val *find(llvm::StringRef name);
  void set(llvm::StringRef name, Val value);
};

/// A function that a local name stands for.
struct FunctionRef {
  std::string name;
  const FunctionDef *definition = nullptr;
  /// What a nested function sees of the function around it.
  std::shared_ptr<llvm::StringMap<Val>> captured;
};

/// The value of an expression. Lists, dicts, objects and tensors are shared by their copies, as in Python.
class Val {
public:
  enum class Kind : uint8_t {
    None,
    Bool,
    Int,
    Float,
    String,
    Device,
    Tensor,
    List,
    Tuple,
    Dict,
    Object,
    Function,
    Uninitialized,
  };

  Val() = default;
  static Val boolean(bool value);
  static Val integer(DimAttr value);
  static Val number(double value);
  static Val string(std::string text);
  static Val device(std::string text);
  static Val tensor(TensorRef cell);
  /// A number (Bool, Int or Float) whose value is a rank-0 tensor.
  static Val dynamic(Kind kind, TensorRef cell);
  static Val list(std::vector<Val> items);
  static Val tuple(std::vector<Val> items, std::vector<std::string> names = {});
  static Val dict(std::shared_ptr<Dict> dict);
  static Val object(std::shared_ptr<Object> object);
  static Val function(FunctionRef function);
  static Val uninitialized();

  Kind kind() const { return tag; }
  bool isNone() const { return tag == Kind::None; }
  bool isTensor() const { return tag == Kind::Tensor; }
  bool isSequence() const { return tag == Kind::List || tag == Kind::Tuple; }
  bool isNumber() const { return tag == Kind::Bool || tag == Kind::Int || tag == Kind::Float; }
  bool isDynamic() const { return isNumber() && payload; }
  bool isKnownInt() const { return tag == Kind::Int && !payload; }
  bool isKnownNumber() const { return isNumber() && !payload; }

  bool asBool() const { return flag; }
  DimAttr asDim() const { return dim; }
  double asDouble() const { return real; }
  /// A known Bool, Int (with a constant value) or Float as a double.
  std::optional<double> knownDouble() const;
  /// A known constant Int or Bool.
  std::optional<int64_t> knownInt() const;
  const std::string &asString() const { return *static_cast<const std::string *>(payload.get()); }
  TensorRef asCell() const { return std::static_pointer_cast<TensorCell>(payload); }
  Sequence &asSequence() const { return *static_cast<Sequence *>(payload.get()); }
  std::vector<Val> &items() const { return asSequence().items; }
  Dict &asDict() const { return *static_cast<Dict *>(payload.get()); }
  std::shared_ptr<Object> asObject() const { return std::static_pointer_cast<Object>(payload); }
  const FunctionRef &asFunction() const { return *static_cast<const FunctionRef *>(payload.get()); }
  /// Whether both are known to be one value: the same object, or the same number or text.
  bool isSame(const Val &other) const;

private:
  Kind tag = Kind::None;
  bool flag = false;
  DimAttr dim;
  double real = 0;
  std::shared_ptr<void> payload;
};

/// "Tensor", "int", ...: for messages.
llvm::StringRef kindName(const Val &value);

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_ATEN_VALUE_H
