//===-- Lexer.cpp - Tokens of TorchScript's serialized source -----------------------------------------------===//
#include "frontends/torch/script/Lexer.h"
#include "frontends/torch/reader/ReaderError.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>

using namespace llvm;

namespace torsh::torch {
namespace {

/// Nested blocks; real ones have a few dozen.
constexpr size_t maxIndents = 200;

class Lexer {
public:
  explicit Lexer(SourceFile &file) : file(file), rest(file.text) {}

  Expected<std::vector<Token>> run() {
    while (!rest.empty()) {
      if (lineStart && brackets == 0) {
        if (Error error = indentation())
          return error;
        continue;
      }
      if (Error error = next())
        return error;
    }
    if (!tokens.empty() && tokens.back().kind != Token::Kind::Newline)
      add(Token::Kind::Newline, "");
    for (; indents.size() > 1; indents.pop_back())
      add(Token::Kind::Dedent, "");
    add(Token::Kind::End, "");
    return std::move(tokens);
  }

private:
  Error fail(const Twine &what) {
    return readerError(Code::Syntax, Twine(file.path) + ":" + Twine(line) + ": " + what +
                                         "; this is no source that PyTorch writes");
  }
  Token &add(Token::Kind kind, StringRef text) {
    tokens.emplace_back();
    tokens.back().kind = kind;
    tokens.back().line = line;
    tokens.back().text = text;
    return tokens.back();
  }
  void skipLine() {
    rest = rest.drop_while([](char c) { return c != '\n'; });
  }
  Error indentation();
  Error next();
  Error number();
  Error string();

  SourceFile &file;
  StringRef rest;
  std::vector<Token> tokens;
  std::vector<size_t> indents = {0};
  unsigned line = 1;
  unsigned brackets = 0;
  bool lineStart = true;
};

/// At a line's start: opens and closes blocks. Empty lines and comments open nothing.
Error Lexer::indentation() {
  size_t width = rest.find_first_not_of(' ');
  width = width == StringRef::npos ? rest.size() : width;
  rest = rest.drop_front(width);
  if (rest.starts_with("#"))
    skipLine();
  if (rest.empty())
    return Error::success();
  if (rest.front() == '\n' || rest.starts_with("\r\n")) {
    rest = rest.drop_front(rest.front() == '\n' ? 1 : 2);
    ++line;
    return Error::success();
  }
  if (rest.front() == '\t')
    return fail("a tab at the start of a line");
  lineStart = false;
  if (width > indents.back()) {
    if (indents.size() >= maxIndents)
      return readerError(Code::SyntaxTooDeep, Twine(file.path) + ":" + Twine(line) +
                                                  ": blocks are nested deeper than " + Twine(maxIndents) +
                                                  "; this is no source that PyTorch writes");
    indents.push_back(width);
    add(Token::Kind::Indent, "");
    return Error::success();
  }
  for (; width < indents.back(); indents.pop_back())
    add(Token::Kind::Dedent, "");
  return width == indents.back() ? Error::success() : fail("a block that begins nowhere");
}

Error Lexer::number() {
  size_t size = 0;
  auto digits = [&] {
    while (size < rest.size() && isDigit(rest[size]))
      ++size;
  };
  digits();
  bool isFloat = false;
  if (size < rest.size() && rest[size] == '.') {
    isFloat = true;
    ++size;
    digits();
  }
  if (size < rest.size() && (rest[size] == 'e' || rest[size] == 'E')) {
    isFloat = true;
    ++size;
    if (size < rest.size() && (rest[size] == '+' || rest[size] == '-'))
      ++size;
    digits();
  }
  StringRef text = rest.take_front(size);
  Token token;
  if (isFloat) {
    if (text.getAsDouble(token.number, /*AllowInexact=*/true))
      return fail("the number " + text);
  } else {
    uint64_t value;
    if (text.getAsInteger(10, value) || value > uint64_t(1) << 63)
      return fail("the number " + text);
    // 2^63 occurs as the absolute value of the smallest integer.
    token.integer = int64_t(value);
    token.number = double(value);
  }
  rest = rest.drop_front(size);
  bool imaginary = rest.consume_front("j");
  Token &added = add(imaginary ? Token::Kind::Complex
                     : isFloat ? Token::Kind::Float
                               : Token::Kind::Int,
                     text);
  added.integer = token.integer;
  added.number = token.number;
  return Error::success();
}

Error Lexer::string() {
  char quote = rest.front();
  rest = rest.drop_front();
  std::string &value = file.strings.emplace_back();
  while (!rest.empty() && rest.front() != quote) {
    char c = rest.front();
    rest = rest.drop_front();
    if (c == '\n')
      break;
    if (c != '\\') {
      value += c;
      continue;
    }
    if (rest.empty())
      break;
    c = rest.front();
    if (c >= '0' && c <= '7') {
      unsigned code = 0;
      for (int i = 0; i < 3 && !rest.empty() && rest.front() >= '0' && rest.front() <= '7'; ++i) {
        code = code * 8 + unsigned(rest.front() - '0');
        rest = rest.drop_front();
      }
      value += char(code);
      continue;
    }
    rest = rest.drop_front();
    if (c == 'x') {
      unsigned code;
      if (rest.size() < 2 || rest.take_front(2).getAsInteger(16, code))
        return fail("an escape in a string");
      rest = rest.drop_front(2);
      value += char(code);
      continue;
    }
    static constexpr StringLiteral letters("abfnrtv"), meanings("\a\b\f\n\r\t\v");
    size_t at = letters.find(c);
    value += at == StringRef::npos ? c : meanings[at];
  }
  if (rest.empty() || rest.front() != quote)
    return fail("a string without an end");
  rest = rest.drop_front();
  add(Token::Kind::String, value);
  return Error::success();
}

Error Lexer::next() {
  char c = rest.front();
  if (c == '\n' || c == '\r') {
    rest = rest.drop_front();
    if (c == '\r')
      return Error::success();
    if (brackets == 0) {
      add(Token::Kind::Newline, "");
      lineStart = true;
    }
    ++line;
    return Error::success();
  }
  if (c == ' ') {
    rest = rest.drop_front();
    return Error::success();
  }
  if (c == '#') {
    skipLine();
    return Error::success();
  }
  if (isAlpha(c) || c == '_') {
    StringRef name = rest.take_while([](char d) { return isAlnum(d) || d == '_'; });
    rest = rest.drop_front(name.size());
    if (name == "inf" || name == "nan" || name == "infj" || name == "nanj") {
      Token &token = add(name.ends_with("j") ? Token::Kind::Complex : Token::Kind::Float, name);
      token.number = name.starts_with("inf") ? HUGE_VAL : std::nan("");
      return Error::success();
    }
    add(Token::Kind::Name, name);
    return Error::success();
  }
  if (isDigit(c) || (c == '.' && rest.size() > 1 && isDigit(rest[1])))
    return number();
  if (c == '"' || c == '\'')
    return string();
  size_t width = rest.starts_with("->") ? 2 : 1;
  if (width == 1 && !StringRef("()[]{},:.=-").contains(c))
    return fail("the character " + quoted(StringRef(&c, 1)));
  if (StringRef("([{").contains(c))
    ++brackets;
  if (StringRef(")]}").contains(c) && brackets > 0)
    --brackets;
  add(Token::Kind::Punctuation, rest.take_front(width));
  rest = rest.drop_front(width);
  return Error::success();
}

} // namespace

Expected<std::vector<Token>> tokenize(SourceFile &file) { return Lexer(file).run(); }

} // namespace torsh::torch
