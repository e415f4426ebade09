//===-- ParseStatement.cpp - Statements and blocks ----------------------------------------------------------===//
#include "frontends/torch/script/Parser.h"

using namespace llvm;

namespace torsh::torch {

bool Parser::endOfLine() {
  if (peek().kind == Token::Kind::End)
    return true;
  return expectKind(Token::Kind::Newline, "the end of the line");
}

/// ':' NEWLINE INDENT statements DEDENT
bool Parser::block(std::vector<Stmt *> &into) {
  if (!expect(":") || !expectKind(Token::Kind::Newline, "a new line") ||
      !expectKind(Token::Kind::Indent, "an indented block"))
    return false;
  while (peek().kind != Token::Kind::Dedent && peek().kind != Token::Kind::End)
    if (!statement(into))
      return false;
  return expectKind(Token::Kind::Dedent, "the end of the block");
}

bool Parser::statement(std::vector<Stmt *> &into) {
  file.stmts.emplace_back();
  Stmt *stmt = &file.stmts.back();
  stmt->line = peek().line;
  into.push_back(stmt);
  if (acceptWord("pass"))
    return endOfLine();
  if (acceptWord("return")) {
    stmt->kind = Stmt::Kind::Return;
    if (peek().kind != Token::Kind::Newline) {
      Expr *value = expression();
      if (!value)
        return false;
      stmt->values.push_back(value);
    }
    return endOfLine();
  }
  if (peek().isWord("def")) {
    stmt->kind = Stmt::Kind::Def;
    stmt->function = functionDef();
    return stmt->function;
  }
  if (acceptWord("if"))
    return ifStatement(stmt);
  if (acceptWord("for"))
    return forStatement(stmt);
  if (acceptWord("while")) {
    stmt->kind = Stmt::Kind::While;
    Expr *condition = expression();
    if (!condition)
      return false;
    stmt->values.push_back(condition);
    return block(stmt->body);
  }
  if (acceptWord("with"))
    return withStatement(stmt);
  return assignment(stmt);
}

bool Parser::ifStatement(Stmt *stmt) {
  stmt->kind = Stmt::Kind::If;
  Expr *condition = expression();
  if (!condition)
    return false;
  stmt->values.push_back(condition);
  if (!block(stmt->body))
    return false;
  return !acceptWord("else") || block(stmt->other);
}

/// for NAME in range(e): block
bool Parser::forStatement(Stmt *stmt) {
  stmt->kind = Stmt::Kind::For;
  Expr *index = make(Expr::Kind::Name);
  if (!expectName(index->text))
    return false;
  stmt->targets.push_back(index);
  if (!acceptWord("in") || !acceptWord("range"))
    return fail("'in range(' is expected");
  if (!expect("("))
    return false;
  Expr *count = expression();
  if (!count)
    return false;
  stmt->values.push_back(count);
  return expect(")") && block(stmt->body);
}

bool Parser::withStatement(Stmt *stmt) {
  stmt->kind = Stmt::Kind::With;
  Expr *object = expression();
  if (!object)
    return false;
  stmt->values.push_back(object);
  if (acceptWord("as")) {
    Expr *name = make(Expr::Kind::Name);
    if (!expectName(name->text))
      return false;
    stmt->targets.push_back(name);
  }
  return block(stmt->body);
}

/// An expression alone, `a = e`, `a: T = e`, `a, b = e1, e2`, or `a, b, = e`.
bool Parser::assignment(Stmt *stmt) {
  Expr *first = expression();
  if (!first)
    return false;
  if (peek().kind == Token::Kind::Newline) {
    stmt->kind = Stmt::Kind::Expression;
    stmt->values.push_back(first);
    return endOfLine();
  }
  stmt->kind = Stmt::Kind::Assign;
  stmt->targets.push_back(first);
  if (accept(":")) {
    stmt->type = expression();
    if (!stmt->type)
      return false;
  }
  while (accept(",")) {
    if (peek().is("=")) {
      stmt->unpack = true;
      break;
    }
    Expr *target = expression();
    if (!target)
      return false;
    stmt->targets.push_back(target);
  }
  for (const Expr *target : stmt->targets)
    if (target->kind != Expr::Kind::Name && target->kind != Expr::Kind::Attribute)
      return fail("only a name or an attribute can be assigned");
  if (!expect("="))
    return false;
  do {
    Expr *value = expression();
    if (!value)
      return false;
    stmt->values.push_back(value);
  } while (accept(",") && peek().kind != Token::Kind::Newline);
  if (stmt->targets.size() > 1 && stmt->values.size() == 1)
    stmt->unpack = true;
  if (!stmt->unpack && stmt->values.size() != stmt->targets.size())
    return fail("as many values as targets are expected");
  if (stmt->unpack && stmt->values.size() != 1)
    return fail("one value to take apart is expected");
  return endOfLine();
}

} // namespace torsh::torch
