//===-- SizeExpression.cpp - Sizes as torch.export writes them ----------------------------------------------===//
#include "frontends/torch/export/SizeExpression.h"
#include "frontends/torch/reader/ReaderError.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include <optional>

using namespace llvm;

namespace torsh::torch {
namespace {

using Kind = SizeExpression::Kind;
constexpr unsigned maxDepth = 100;
constexpr size_t maxLength = 8192;

/// sum := product (('+' | '-') product)*, product := unary (('*' | '//' | '%') unary)*,
/// unary := '-' unary | number | name | name '(' sum (',' sum)* ')' | '(' sum ')'
class Parser {
public:
  explicit Parser(StringRef text) : rest(text) {}

  std::optional<SizeExpression> parse() {
    std::optional<SizeExpression> result = sum();
    skip();
    return rest.empty() ? result : std::nullopt;
  }

private:
  void skip() { rest = rest.ltrim(); }
  bool take(StringRef token) {
    skip();
    return rest.consume_front(token);
  }
  static SizeExpression constant(int64_t value) {
    SizeExpression result;
    result.value = value;
    return result;
  }
  static SizeExpression make(Kind kind, std::vector<SizeExpression> operands) {
    SizeExpression result;
    result.kind = kind;
    result.operands = std::move(operands);
    return result;
  }
  std::optional<SizeExpression> sum();
  std::optional<SizeExpression> product();
  std::optional<SizeExpression> unary();
  std::optional<SizeExpression> call(StringRef name);
  std::optional<SizeExpression> symbol();

  StringRef rest;
  unsigned depth = 0;
};

std::optional<SizeExpression> Parser::sum() {
  std::optional<SizeExpression> left = product();
  while (left) {
    bool minus = false;
    if (!take("+") && !(minus = take("-")))
      break;
    std::optional<SizeExpression> right = product();
    if (!right)
      return std::nullopt;
    if (minus)
      right = make(Kind::Mul, {constant(-1), std::move(*right)});
    left = make(Kind::Add, {std::move(*left), std::move(*right)});
  }
  return left;
}

std::optional<SizeExpression> Parser::product() {
  std::optional<SizeExpression> left = unary();
  while (left) {
    skip();
    // A power has no meaning here.
    if (rest.starts_with("**"))
      return std::nullopt;
    Kind kind;
    if (take("//"))
      kind = Kind::FloorDiv;
    else if (take("*"))
      kind = Kind::Mul;
    else if (take("%"))
      kind = Kind::Mod;
    else
      break;
    std::optional<SizeExpression> right = unary();
    if (!right)
      return std::nullopt;
    left = make(kind, {std::move(*left), std::move(*right)});
  }
  return left;
}

/// Symbol('s0', positive=True, integer=True), behind the bracket: only the name counts.
std::optional<SizeExpression> Parser::symbol() {
  skip();
  if (rest.empty() || (rest.front() != '\'' && rest.front() != '"'))
    return std::nullopt;
  char quote = rest.front();
  size_t end = rest.find(quote, 1), close = rest.find(')');
  if (end == StringRef::npos || end == 1 || close == StringRef::npos || close < end)
    return std::nullopt;
  SizeExpression result;
  result.kind = Kind::Symbol;
  result.name = rest.slice(1, end).str();
  rest = rest.drop_front(close + 1);
  return result;
}

std::optional<SizeExpression> Parser::call(StringRef name) {
  if (name == "Symbol")
    return symbol();
  std::vector<SizeExpression> operands;
  if (!take(")")) {
    do {
      std::optional<SizeExpression> operand = sum();
      if (!operand)
        return std::nullopt;
      operands.push_back(std::move(*operand));
    } while (take(","));
    if (!take(")"))
      return std::nullopt;
  }
  if (name == "Integer" && operands.size() == 1 && operands[0].kind == Kind::Constant)
    return operands[0];
  std::optional<Kind> kind = StringSwitch<std::optional<Kind>>(name)
                                 .Case("Add", Kind::Add)
                                 .Case("Mul", Kind::Mul)
                                 .Cases({"FloorDiv", "CleanDiv"}, Kind::FloorDiv)
                                 .Case("CeilDiv", Kind::CeilDiv)
                                 .Cases({"Mod", "PythonMod"}, Kind::Mod)
                                 .Case("Min", Kind::Min)
                                 .Case("Max", Kind::Max)
                                 .Default(std::nullopt);
  bool isBinary = kind == Kind::FloorDiv || kind == Kind::CeilDiv || kind == Kind::Mod;
  if (!kind || operands.empty() || (isBinary && operands.size() != 2))
    return std::nullopt;
  return operands.size() == 1 ? operands[0] : make(*kind, std::move(operands));
}

std::optional<SizeExpression> Parser::unary() {
  if (++depth > maxDepth)
    return std::nullopt;
  std::optional<SizeExpression> result;
  skip();
  if (take("-")) {
    result = unary();
    if (result && result->kind == Kind::Constant && result->value != INT64_MIN)
      result->value = -result->value;
    else if (result)
      result = make(Kind::Mul, {constant(-1), std::move(*result)});
  } else if (take("(")) {
    result = sum();
    if (!take(")"))
      result.reset();
  } else if (!rest.empty() && isDigit(rest.front())) {
    int64_t value;
    StringRef digits = rest.take_while(isDigit);
    rest = rest.drop_front(digits.size());
    if (!digits.getAsInteger(10, value))
      result = constant(value);
  } else {
    StringRef name = rest.take_while([](char c) { return isAlnum(c) || c == '_'; });
    rest = rest.drop_front(name.size());
    if (name.empty()) {
      result.reset();
    } else if (take("(")) {
      result = call(name);
    } else {
      result.emplace();
      result->kind = Kind::Symbol;
      result->name = name.str();
    }
  }
  --depth;
  return result;
}

} // namespace

Expected<SizeExpression> parseSizeExpression(StringRef text) {
  if (text.size() <= maxLength)
    if (std::optional<SizeExpression> result = Parser(text).parse())
      return std::move(*result);
  return createStringError(quoted(text) + " is no expression of sizes that is known here");
}

} // namespace torsh::torch
