//===-- ParseDeclaration.cpp - Files, classes and functions -------------------------------------------------===//
#include "frontends/torch/reader/ReaderError.h"
#include "frontends/torch/script/Parser.h"

using namespace llvm;

namespace torsh::torch {

//===-- Tokens -----------------------------------------------------------------------------------------------===//

bool Parser::accept(StringRef punctuation) {
  if (!peek().is(punctuation))
    return false;
  take();
  return true;
}

bool Parser::acceptWord(StringRef word) {
  if (!peek().isWord(word))
    return false;
  take();
  return true;
}

bool Parser::expect(StringRef punctuation) {
  return accept(punctuation) || fail("'" + punctuation + "' is expected");
}

bool Parser::expectName(StringRef &name) {
  if (peek().kind != Token::Kind::Name)
    return fail("a name is expected");
  name = take().text;
  return true;
}

bool Parser::expectKind(Token::Kind kind, StringRef what) {
  if (peek().kind != kind)
    return fail(what + " is expected");
  take();
  return true;
}

bool Parser::fail(const Twine &what, bool tooDeep) {
  if (error.empty()) {
    const Token &token = peek();
    std::string found = token.kind == Token::Kind::Newline  ? "the end of the line"
                        : token.kind == Token::Kind::Indent ? "an indented block"
                        : token.kind == Token::Kind::Dedent ? "the end of a block"
                        : token.kind == Token::Kind::End    ? "the end of the file"
                                                            : quoted(token.text);
    error = (Twine(file.path) + ":" + Twine(token.line) + ": " + what + (tooDeep ? "" : ", not " + found) +
             "; this is no source that PyTorch writes")
                .str();
    errorIsDepth = tooDeep;
  }
  return false;
}

//===-- Declarations -----------------------------------------------------------------------------------------===//

Error Parser::run() {
  while (peek().kind != Token::Kind::End)
    if (!topLevel())
      return readerError(errorIsDepth ? Code::SyntaxTooDeep : Code::Syntax, error);
  return Error::success();
}

/// A class, a function, or what PyTorch 1.4 wrote before them: `op_version_set = 1` and `import a.b`.
bool Parser::topLevel() {
  if (peek().isWord("class"))
    return classDef();
  if (peek().isWord("def")) {
    FunctionDef *function = functionDef();
    if (function)
      file.functions.push_back(function);
    return function;
  }
  if (peek().isWord("op_version_set") || peek().isWord("import")) {
    while (peek().kind != Token::Kind::Newline && peek().kind != Token::Kind::End)
      take();
    return endOfLine();
  }
  return fail("a class or a function is expected");
}

bool Parser::classDef() {
  file.classPool.emplace_back();
  ClassDef &into = file.classPool.back();
  into.line = peek().line;
  take();
  if (!expectName(into.name))
    return false;
  if (accept("(") && !(expectName(into.base) && expect(")")))
    return false;
  if (!expect(":") || !expectKind(Token::Kind::Newline, "a new line") ||
      !expectKind(Token::Kind::Indent, "an indented block"))
    return false;
  while (peek().kind != Token::Kind::Dedent && peek().kind != Token::Kind::End)
    if (!classMember(into))
      return false;
  file.classes.push_back(&into);
  return expectKind(Token::Kind::Dedent, "the end of the class");
}

/// A method, `pass`, `name : T`, `name : T = value`, `name = value`, or `__annotations__["0"] = T`.
bool Parser::classMember(ClassDef &into) {
  if (peek().isWord("def")) {
    FunctionDef *function = functionDef();
    if (function)
      into.methods.push_back(function);
    return function;
  }
  if (acceptWord("pass"))
    return endOfLine();
  ClassDef::Attribute attribute;
  if (peek().isWord("__annotations__") && peek(1).is("[")) {
    take();
    take();
    attribute.name = peek().text;
    if (!expectKind(Token::Kind::String, "a name in quotes") || !expect("]") || !expect("="))
      return false;
    attribute.type = expression();
    into.attributes.push_back(attribute);
    return attribute.type && endOfLine();
  }
  if (!expectName(attribute.name))
    return false;
  if (accept(":")) {
    attribute.type = expression();
    if (!attribute.type)
      return false;
  }
  if (accept("=")) {
    attribute.value = expression();
    if (!attribute.value)
      return false;
  }
  if (!attribute.type && !attribute.value)
    return fail("':' or '=' is expected");
  into.attributes.push_back(attribute);
  return endOfLine();
}

FunctionDef *Parser::functionDef() {
  file.functionPool.emplace_back();
  FunctionDef &into = file.functionPool.back();
  into.line = peek().line;
  into.file = &file;
  take();
  if (!expectName(into.name) || !expect("("))
    return nullptr;
  while (!accept(")"))
    if (!parameter(into) || (!peek().is(")") && !expect(",")))
      return nullptr;
  if (accept("->")) {
    into.result = expression();
    if (!into.result)
      return nullptr;
  }
  return block(into.body) ? &into : nullptr;
}

bool Parser::parameter(FunctionDef &into) {
  FunctionDef::Parameter parameter;
  if (!expectName(parameter.name))
    return false;
  if (accept(":")) {
    parameter.type = expression();
    if (!parameter.type)
      return false;
  }
  if (accept("=")) {
    parameter.otherwise = expression();
    if (!parameter.otherwise)
      return false;
  }
  into.parameters.push_back(parameter);
  return true;
}

Expected<std::unique_ptr<SourceFile>> parseSource(std::string text, StringRef path) {
  auto file = std::make_unique<SourceFile>();
  file->path = path.str();
  file->text = std::move(text);
  Expected<std::vector<Token>> tokens = tokenize(*file);
  if (!tokens)
    return tokens.takeError();
  if (Error error = Parser(*file, std::move(*tokens)).run())
    return error;
  return file;
}

} // namespace torsh::torch
