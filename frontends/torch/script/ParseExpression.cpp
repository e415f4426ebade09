//===-- ParseExpression.cpp - Expressions and types ---------------------------------------------------------===//
#include "frontends/torch/script/Parser.h"

using namespace llvm;

namespace torsh::torch {

/// How deep expressions may be nested; traced networks nest some dozens of calls.
static constexpr unsigned maxDepth = 500;

Expr *Parser::make(Expr::Kind kind) {
  file.exprs.emplace_back();
  Expr *expr = &file.exprs.back();
  expr->kind = kind;
  expr->line = peek().line;
  return expr;
}

Expr *Parser::finish(Expr *expr) {
  for (const Expr *item : expr->items)
    if (item)
      expr->depth = std::max(expr->depth, item->depth + 1);
  for (const auto &[name, item] : expr->named)
    expr->depth = std::max(expr->depth, item->depth + 1);
  if (expr->depth <= maxDepth)
    return expr;
  fail("an expression is nested deeper than " + Twine(maxDepth), true);
  return nullptr;
}

/// primary { '.' NAME | '[' ... ']' | '(' ... ')' }
Expr *Parser::expression() {
  // The recursion is bounded here, and the depth of the tree in `finish`.
  if (nesting >= maxDepth) {
    fail("an expression is nested deeper than " + Twine(maxDepth), true);
    return nullptr;
  }
  ++nesting;
  Expr *expr = primary();
  while (expr) {
    if (accept(".")) {
      Expr *attribute = make(Expr::Kind::Attribute);
      attribute->items = {expr};
      expr = expectName(attribute->text) ? finish(attribute) : nullptr;
    } else if (peek().is("(")) {
      expr = call(expr);
    } else if (peek().is("[")) {
      expr = subscript(expr);
    } else {
      break;
    }
  }
  --nesting;
  return expr;
}

Expr *Parser::number(bool negative) {
  const Token &token = peek();
  Expr *expr = make(token.kind == Token::Kind::Int     ? Expr::Kind::Int
                    : token.kind == Token::Kind::Float ? Expr::Kind::Float
                                                       : Expr::Kind::Complex);
  // 2^63 is already the smallest integer, and stays it.
  expr->integer = negative ? int64_t(0 - uint64_t(token.integer)) : token.integer;
  expr->number = negative ? -token.number : token.number;
  take();
  return expr;
}

Expr *Parser::primary() {
  const Token &token = peek();
  switch (token.kind) {
  case Token::Kind::Int:
  case Token::Kind::Float:
  case Token::Kind::Complex:
    return number(false);
  case Token::Kind::String: {
    Expr *expr = make(Expr::Kind::String);
    expr->text = take().text;
    return expr;
  }
  case Token::Kind::Name: {
    Expr *expr = make(token.text == "None"                            ? Expr::Kind::None
                      : token.text == "True" || token.text == "False" ? Expr::Kind::Bool
                                                                      : Expr::Kind::Name);
    expr->text = token.text;
    expr->integer = token.text == "True";
    take();
    return expr;
  }
  case Token::Kind::Punctuation: {
    if (token.is("("))
      return parenthesized();
    if (token.is("[")) {
      Expr *expr = make(Expr::Kind::List);
      take();
      return list(expr, "]") ? finish(expr) : nullptr;
    }
    if (token.is("{")) {
      Expr *expr = make(Expr::Kind::Dict);
      take();
      return dict(expr) ? finish(expr) : nullptr;
    }
    if (token.is("-")) {
      take();
      Token::Kind kind = peek().kind;
      if (kind == Token::Kind::Int || kind == Token::Kind::Float || kind == Token::Kind::Complex)
        return number(true);
    }
    break;
  }
  default:
    break;
  }
  fail("an expression is expected");
  return nullptr;
}

/// (e) is e; (), (a,) and (a, b) are tuples.
Expr *Parser::parenthesized() {
  Expr *tuple = make(Expr::Kind::Tuple);
  take();
  if (accept(")"))
    return tuple;
  Expr *first = expression();
  if (!first)
    return nullptr;
  if (accept(")"))
    return first;
  tuple->items.push_back(first);
  if (!expect(","))
    return nullptr;
  return list(tuple, ")") ? finish(tuple) : nullptr;
}

/// The rest of a list up to its bracket; a comma may stand before it.
bool Parser::list(Expr *into, StringRef close) {
  while (!accept(close)) {
    Expr *item = expression();
    if (!item)
      return false;
    into->items.push_back(item);
    if (!peek().is(close) && !expect(","))
      return false;
  }
  return true;
}

bool Parser::dict(Expr *into) {
  while (!accept("}")) {
    Expr *key = expression();
    if (!key || !expect(":"))
      return false;
    Expr *value = expression();
    if (!value)
      return false;
    into->items.push_back(key);
    into->items.push_back(value);
    if (!peek().is("}") && !expect(","))
      return false;
  }
  return true;
}

Expr *Parser::call(Expr *callee) {
  Expr *expr = make(Expr::Kind::Call);
  expr->line = callee->line;
  expr->items = {callee};
  take();
  while (!accept(")")) {
    if (peek().kind == Token::Kind::Name && peek(1).is("=")) {
      StringRef name = take().text;
      take();
      Expr *value = expression();
      if (!value)
        return nullptr;
      expr->named.emplace_back(name, value);
    } else {
      Expr *value = expression();
      if (!value)
        return nullptr;
      if (!expr->named.empty()) {
        fail("a positional argument after a named one");
        return nullptr;
      }
      expr->items.push_back(value);
    }
    if (!peek().is(")") && !expect(","))
      return nullptr;
  }
  return finish(expr);
}

Expr *Parser::subscript(Expr *base) {
  Expr *expr = make(Expr::Kind::Subscript);
  expr->items = {base};
  take();
  if (peek().is(":")) {
    expr->items.push_back(nullptr);
  } else {
    Expr *first = expression();
    if (!first)
      return nullptr;
    expr->items.push_back(first);
  }
  if (accept(":")) {
    expr->kind = Expr::Kind::Slice;
    Expr *end = peek().is("]") ? nullptr : expression();
    if (!end && !peek().is("]"))
      return nullptr;
    expr->items.push_back(end);
    return expect("]") ? finish(expr) : nullptr;
  }
  if (!peek().is("]") && !expect(","))
    return nullptr;
  return list(expr, "]") ? finish(expr) : nullptr;
}

} // namespace torsh::torch
