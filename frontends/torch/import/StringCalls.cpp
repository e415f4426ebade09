//===-- StringCalls.cpp - Text ------------------------------------------------------------------------------===//
#include "frontends/torch/import/Interpreter.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace torsh::torch {

using Result = std::optional<FailureOr<Val>>;

/// The value as print() shows it; texts of messages need no more.
static std::string textOf(const Val &value) {
  using Kind = Val::Kind;
  if (value.isDynamic() || value.isTensor())
    return "<data>";
  switch (value.kind()) {
  case Kind::None:
    return "None";
  case Kind::Bool:
    return value.asBool() ? "True" : "False";
  case Kind::Int:
    return dim::toString(value.asDim());
  case Kind::Float: {
    std::string text;
    llvm::raw_string_ostream(text) << llvm::format("%g", value.asDouble());
    return text;
  }
  case Kind::String:
  case Kind::Device:
    return value.asString();
  case Kind::List:
  case Kind::Tuple: {
    std::vector<std::string> items;
    for (const Val &item : value.items())
      items.push_back(textOf(item));
    std::string text = llvm::join(items, ", ");
    return value.kind() == Kind::List ? "[" + text + "]" : "(" + text + ")";
  }
  default:
    return "<" + kindName(value).str() + ">";
  }
}

Result Interpreter::stringCall(StringRef name, ArrayRef<Val> x) {
  using Kind = Val::Kind;
  if (name == "str" && x.size() == 1)
    return FailureOr<Val>(Val::string(textOf(x[0])));
  if (name == "device" && !x.empty() && x[0].kind() == Kind::String)
    return FailureOr<Val>(Val::device(x[0].asString()));
  if (x.empty() || x[0].kind() != Kind::String)
    return std::nullopt;
  StringRef text = x[0].asString();
  StringRef other = x.size() > 1 && x[1].kind() == Kind::String ? StringRef(x[1].asString()) : StringRef();
  if (name == "format") {
    std::string result;
    size_t next = 1;
    while (!text.empty()) {
      if (text.consume_front("{}"))
        result += next < x.size() ? textOf(x[next++]) : "{}";
      else {
        result += text.front();
        text = text.drop_front();
      }
    }
    return FailureOr<Val>(Val::string(std::move(result)));
  }
  if (name == "len")
    return FailureOr<Val>(Val::integer(b.dim(int64_t(text.size()))));
  if (name == "lower" || name == "upper")
    return FailureOr<Val>(Val::string(name == "lower" ? text.lower() : text.upper()));
  if (name == "strip")
    return FailureOr<Val>(Val::string(text.trim().str()));
  if (x.size() < 2 || x[1].kind() != Kind::String)
    return std::nullopt;
  if (name == "add")
    return FailureOr<Val>(Val::string((text + other).str()));
  if (name == "startswith")
    return FailureOr<Val>(Val::boolean(text.starts_with(other)));
  if (name == "endswith")
    return FailureOr<Val>(Val::boolean(text.ends_with(other)));
  if (name == "__contains__")
    return FailureOr<Val>(Val::boolean(text.contains(other)));
  if (name == "find") {
    size_t at = text.find(other);
    return FailureOr<Val>(Val::integer(b.dim(at == StringRef::npos ? -1 : int64_t(at))));
  }
  if (name == "split" && !other.empty()) {
    SmallVector<StringRef> parts;
    text.split(parts, other);
    std::vector<Val> items;
    for (StringRef part : parts)
      items.push_back(Val::string(part.str()));
    return FailureOr<Val>(Val::list(std::move(items)));
  }
  return std::nullopt;
}

} // namespace torsh::torch
