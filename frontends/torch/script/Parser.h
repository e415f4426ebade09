//===-- Parser.h - Source -> syntax tree --------------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_SCRIPT_PARSER_H
#define TORSH_FRONTENDS_TORCH_SCRIPT_PARSER_H

#include "frontends/torch/script/Lexer.h"

namespace torsh::torch {

/// Parses one file of an archive's code/ folder. `path` is for messages and locations.
llvm::Expected<std::unique_ptr<SourceFile>> parseSource(std::string text, llvm::StringRef path);

/// A recursive-descent parser over the tokens of a file. Functions that fail return null or false and leave the first
/// error in `error`.
class Parser {
public:
  Parser(SourceFile &file, std::vector<Token> tokens) : file(file), tokens(std::move(tokens)) {}
  /// Fills the classes and functions of the file.
  llvm::Error run();

private:
  //===-- Tokens ---------------------------------------------------------------------------------------------===//
  const Token &peek(size_t ahead = 0) const { return tokens[std::min(at + ahead, tokens.size() - 1)]; }
  const Token &take() { return tokens[at + 1 < tokens.size() ? at++ : at]; }
  bool accept(llvm::StringRef punctuation);
  bool acceptWord(llvm::StringRef word);
  bool expect(llvm::StringRef punctuation);
  bool expectName(llvm::StringRef &name);
  bool expectKind(Token::Kind kind, llvm::StringRef what);
  bool fail(const llvm::Twine &what, bool tooDeep = false);

  //===-- Expressions (ParseExpression.cpp) ------------------------------------------------------------------===//
  Expr *make(Expr::Kind kind);
  /// Computes the depth of a finished node; null when it is too deep.
  Expr *finish(Expr *expr);
  Expr *expression();
  Expr *primary();
  Expr *number(bool negative);
  Expr *parenthesized();
  Expr *call(Expr *callee);
  Expr *subscript(Expr *base);
  bool list(Expr *into, llvm::StringRef close);
  bool dict(Expr *into);

  //===-- Statements (ParseStatement.cpp) --------------------------------------------------------------------===//
  bool block(std::vector<Stmt *> &into);
  bool statement(std::vector<Stmt *> &into);
  bool ifStatement(Stmt *stmt);
  bool forStatement(Stmt *stmt);
  bool withStatement(Stmt *stmt);
  bool assignment(Stmt *stmt);
  bool endOfLine();

  //===-- Declarations (ParseDeclaration.cpp) ----------------------------------------------------------------===//
  bool topLevel();
  bool classDef();
  bool classMember(ClassDef &into);
  FunctionDef *functionDef();
  bool parameter(FunctionDef &into);

  SourceFile &file;
  std::vector<Token> tokens;
  size_t at = 0;
  unsigned nesting = 0;
  std::string error;
  bool errorIsDepth = false;
};

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_SCRIPT_PARSER_H
