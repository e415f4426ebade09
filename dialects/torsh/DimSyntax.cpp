//===-- DimSyntax.cpp - Text form of dim expressions --------------------------------------------------------===//
#include "dialects/torsh/Dim.h"
#include "mlir/AsmParser/AsmParser.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace torsh {

static const std::pair<StringRef, DimKind> functionNames[] = {{"floordiv", DimKind::FloorDiv},
                                                              {"ceildiv", DimKind::CeilDiv},
                                                              {"mod", DimKind::Mod},
                                                              {"min", DimKind::Min},
                                                              {"max", DimKind::Max}};

/// Whether the parser reads the name as one keyword; others are quoted.
static bool isPlainName(StringRef name) {
  if (name.empty() || !(llvm::isAlpha(name[0]) || name[0] == '_'))
    return false;
  if (!llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; }))
    return false;
  // `i32` and its like are tokens of their own.
  StringRef digits = name;
  if (digits.consume_front("si") || digits.consume_front("ui") || digits.consume_front("i"))
    if (digits.empty() ? false : llvm::all_of(digits, llvm::isDigit))
      return false;
  return llvm::none_of(functionNames, [&](auto &entry) { return entry.first == name; });
}

static std::string factorToString(DimAttr dim) {
  std::string text = dim::toString(dim);
  return dim.getKind() == DimKind::Add ? "(" + text + ")" : text;
}

std::string dim::toString(DimAttr dim) {
  switch (dim.getKind()) {
  case DimKind::Constant:
    return std::to_string(dim.getValue());
  case DimKind::Symbol: {
    if (isPlainName(dim.getName()))
      return dim.getName().str();
    std::string text;
    llvm::raw_string_ostream os(text);
    os << '"';
    llvm::printEscapedString(dim.getName(), os);
    os << '"';
    return text;
  }
  case DimKind::Add: {
    std::string text;
    for (auto [index, term] : llvm::enumerate(dim.getOperands())) {
      std::string part = dim::toString(term);
      if (index == 0)
        text = part;
      else if (part[0] == '-')
        text += " - " + part.substr(1);
      else
        text += " + " + part;
    }
    return text;
  }
  case DimKind::Mul: {
    std::string text;
    for (auto [index, factor] : llvm::enumerate(dim.getOperands())) {
      if (index == 0 && dim::isConstant(factor, -1)) {
        text = "-";
        continue;
      }
      text += (text.empty() || text == "-" ? "" : "*") + factorToString(factor);
    }
    return text;
  }
  default:
    break;
  }
  for (auto [name, kind] : functionNames)
    if (kind == dim.getKind())
      return (name + "(" + dim::toString(dim.getOperands()[0]) + ", " + dim::toString(dim.getOperands()[1]) +
              ")")
          .str();
  return "";
}

static FailureOr<DimAttr> parseSum(AsmParser &parser, int depth);

static FailureOr<DimAttr> parseFactor(AsmParser &parser, int depth) {
  MLIRContext *context = parser.getContext();
  SMLoc loc = parser.getCurrentLocation();
  if (depth > 64)
    return parser.emitError(loc, "dim expression is nested too deeply"), failure();
  // Before the integer: parseOptionalInteger takes a minus and then insists on a number, but `-n` is a factor.
  if (succeeded(parser.parseOptionalMinus())) {
    auto operand = parseFactor(parser, depth + 1);
    return failed(operand) ? operand : dim::neg(*operand);
  }
  int64_t value;
  OptionalParseResult integer = parser.parseOptionalInteger(value);
  if (integer.has_value())
    return failed(*integer) ? FailureOr<DimAttr>(failure()) : dim::constant(context, value);
  std::string quoted;
  if (succeeded(parser.parseOptionalString(&quoted)))
    return dim::symbol(context, quoted);
  if (succeeded(parser.parseOptionalLParen())) {
    auto inner = parseSum(parser, depth + 1);
    if (failed(inner) || parser.parseRParen())
      return failure();
    return inner;
  }
  if (succeeded(parser.parseOptionalQuestion()))
    return dim::symbol(context, "?");
  StringRef keyword;
  if (parser.parseKeyword(&keyword))
    return failure();
  for (auto [name, kind] : functionNames) {
    if (name != keyword)
      continue;
    if (parser.parseLParen())
      return failure();
    auto a = parseSum(parser, depth + 1);
    if (failed(a) || parser.parseComma())
      return failure();
    auto b = parseSum(parser, depth + 1);
    if (failed(b) || parser.parseRParen())
      return failure();
    switch (kind) {
    case DimKind::FloorDiv:
      return dim::floorDiv(*a, *b);
    case DimKind::CeilDiv:
      return dim::ceilDiv(*a, *b);
    case DimKind::Mod:
      return dim::mod(*a, *b);
    case DimKind::Min:
      return dim::min(*a, *b);
    default:
      return dim::max(*a, *b);
    }
  }
  return dim::symbol(context, keyword);
}

static FailureOr<DimAttr> parseProduct(AsmParser &parser, int depth) {
  auto result = parseFactor(parser, depth);
  while (succeeded(result) && succeeded(parser.parseOptionalStar())) {
    auto factor = parseFactor(parser, depth);
    if (failed(factor))
      return failure();
    result = dim::mul(*result, *factor);
  }
  return result;
}

static FailureOr<DimAttr> parseSum(AsmParser &parser, int depth) {
  auto result = parseProduct(parser, depth);
  while (succeeded(result)) {
    bool minus = false;
    if (succeeded(parser.parseOptionalMinus()))
      minus = true;
    else if (failed(parser.parseOptionalPlus()))
      break;
    auto term = parseProduct(parser, depth);
    if (failed(term))
      return failure();
    result = minus ? dim::sub(*result, *term) : dim::add(*result, *term);
  }
  return result;
}

FailureOr<DimAttr> dim::parse(MLIRContext *context, StringRef text) {
  auto attribute = dyn_cast_or_null<DimAttr>(parseAttribute(("#torsh.dim<" + text + ">").str(), context));
  if (!attribute)
    return failure();
  return attribute;
}

Attribute DimAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess())
    return {};
  auto result = parseSum(parser, 0);
  if (failed(result) || parser.parseGreater())
    return {};
  return *result;
}

void DimAttr::print(AsmPrinter &printer) const { printer << "<" << dim::toString(*this) << ">"; }

Attribute DimsAttr::parse(AsmParser &parser, Type) {
  SmallVector<DimAttr> dims;
  auto parseOne = [&]() -> ParseResult {
    auto result = parseSum(parser, 0);
    if (failed(result))
      return failure();
    dims.push_back(*result);
    return success();
  };
  if (parser.parseLess() || parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseOne) ||
      parser.parseGreater())
    return {};
  return DimsAttr::get(parser.getContext(), dims);
}

void DimsAttr::print(AsmPrinter &printer) const {
  printer << "<[";
  llvm::interleaveComma(getDims(), printer, [&](DimAttr dim) { printer << dim::toString(dim); });
  printer << "]>";
}

DimsAttr DimsAttr::fromConstants(MLIRContext *context, ArrayRef<int64_t> values) {
  SmallVector<DimAttr> dims;
  for (int64_t value : values)
    dims.push_back(dim::constant(context, value));
  return DimsAttr::get(context, dims);
}

std::optional<SmallVector<int64_t>> DimsAttr::getConstants() const {
  SmallVector<int64_t> values;
  for (DimAttr dim : getDims()) {
    auto value = dim::asConstant(dim);
    if (!value)
      return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

} // namespace torsh
