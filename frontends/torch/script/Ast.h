//===-- Ast.h - The syntax tree of TorchScript's serialized source ------------------------------------------===//
//
// The language that torch.jit.save writes is a small part of Python: no operators but a minus before numbers, no
// comprehensions, no early returns. Types are written like expressions and kept as such.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_SCRIPT_AST_H
#define TORSH_FRONTENDS_TORCH_SCRIPT_AST_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace torsh::torch {

struct FunctionDef;

/// An expression or a type.
struct Expr {
  enum class Kind : uint8_t {
    Name,      ///< `text`
    None,      ///< None
    Bool,      ///< `integer` is 0 or 1
    Int,       ///< `integer`
    Float,     ///< `number`
    Complex,   ///< `number` is the imaginary part
    String,    ///< `text`, decoded
    Attribute, ///< items[0].text
    Subscript, ///< items[0][items[1], ...]
    Slice,     ///< items[0][items[1]:items[2]], with null for what is left out
    Call,      ///< items[0](items[1], ..., named...)
    List,
    Tuple,
    Dict, ///< key, value, key, value, ...
  };
  Kind kind = Kind::None;
  unsigned line = 0;
  unsigned depth = 1;
  llvm::StringRef text;
  int64_t integer = 0;
  double number = 0;
  std::vector<Expr *> items;
  std::vector<std::pair<llvm::StringRef, Expr *>> named;

  bool isName(llvm::StringRef name) const { return kind == Kind::Name && text == name; }
  llvm::ArrayRef<Expr *> arguments() const { return llvm::ArrayRef(items).drop_front(); }
};

/// A statement. Blocks are lists of statements.
struct Stmt {
  enum class Kind : uint8_t {
    Assign,     ///< targets = values
    Expression, ///< values[0]
    Pass,
    Return, ///< values[0], or none
    If,     ///< if values[0]: body, else: other
    For,    ///< for targets[0] in range(values[0]): body
    While,  ///< while values[0]: body
    With,   ///< with values[0] as targets[0] (or none): body
    Def,    ///< a nested function, for fork
  };
  Kind kind = Kind::Pass;
  unsigned line = 0;
  /// Of an assignment: `a, = x` takes a tuple apart even with one target.
  bool unpack = false;
  std::vector<Expr *> targets, values;
  /// Of an assignment `x: T = value`: the type; else null.
  Expr *type = nullptr;
  std::vector<Stmt *> body, other;
  FunctionDef *function = nullptr;
};

/// A function or method. The first parameter of a method is the object, under any name.
struct FunctionDef {
  struct Parameter {
    llvm::StringRef name;
    Expr *type = nullptr, *otherwise = nullptr;
  };
  llvm::StringRef name;
  unsigned line = 0;
  std::vector<Parameter> parameters;
  Expr *result = nullptr;
  std::vector<Stmt *> body;
  const struct SourceFile *file = nullptr;
};

/// A class: a module, a plain class, a named tuple, an enumeration or an interface, by `base`.
struct ClassDef {
  struct Attribute {
    llvm::StringRef name;
    Expr *type = nullptr, *value = nullptr;
  };
  llvm::StringRef name, base;
  unsigned line = 0;
  std::vector<Attribute> attributes;
  std::vector<FunctionDef *> methods;

  const FunctionDef *method(llvm::StringRef wanted) const {
    for (const FunctionDef *function : methods)
      if (function->name == wanted)
        return function;
    return nullptr;
  }
};

/// One file of source, which owns its text and its tree.
struct SourceFile {
  std::string path, text;
  std::vector<ClassDef *> classes;
  std::vector<FunctionDef *> functions;

  std::deque<Expr> exprs;
  std::deque<Stmt> stmts;
  std::deque<FunctionDef> functionPool;
  std::deque<ClassDef> classPool;
  std::deque<std::string> strings; ///< decoded literals
};

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_SCRIPT_AST_H
