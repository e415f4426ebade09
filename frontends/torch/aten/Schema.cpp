//===-- Schema.cpp - Signatures of ATen operators -----------------------------------------------------------===//
#include "frontends/torch/aten/Schema.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;

namespace torsh::torch {

Schema Schema::parse(StringRef text) {
  Schema schema;
  auto [name, rest] = text.split('(');
  schema.name = name.str();
  rest = rest.rtrim(")");
  SmallVector<StringRef> parts;
  // Defaults contain no commas but in brackets, and there only [] and [0, 1] occur, written without spaces.
  rest.split(parts, ", ", -1, false);
  for (StringRef part : parts) {
    part = part.trim();
    if (part == "*")
      continue;
    Parameter parameter;
    auto [type, declared] = part.split(' ');
    parameter.optional = type.consume_back("?");
    if (type.consume_back("[]"))
      parameter.isList = true;
    parameter.type = type.str();
    parameter.hasDefault = declared.contains('=');
    parameter.name = declared.split('=').first.str();
    parameter.otherwise = declared.split('=').second.str();
    schema.parameters.push_back(std::move(parameter));
  }
  return schema;
}

/// None, True, 1, 0.5, "text", [], [0,1], or a word that has no meaning here (contiguous_format).
static Val parseDefault(mlir::MLIRContext *context, StringRef text) {
  int64_t integer;
  double number;
  if (text == "True" || text == "False")
    return Val::boolean(text == "True");
  if (!text.getAsInteger(10, integer))
    return Val::integer(dim::constant(context, integer));
  if (!text.getAsDouble(number))
    return Val::number(number);
  if (text.consume_front("\""))
    return Val::string(text.drop_back().str());
  if (text.consume_front("[")) {
    std::vector<Val> items;
    SmallVector<StringRef> parts;
    text.drop_back().split(parts, ',', -1, false);
    for (StringRef part : parts)
      items.push_back(parseDefault(context, part));
    return Val::list(std::move(items));
  }
  return Val();
}

static bool fitsOne(StringRef type, const Val &value) {
  using Kind = Val::Kind;
  Kind kind = value.kind();
  if (type == "any")
    return true;
  if (type == "Tensor")
    return kind == Kind::Tensor || value.isDynamic();
  if (type == "Operand")
    return kind == Kind::Tensor || value.isNumber();
  // A tensor of rank 0 stands for a number where PyTorch converts implicitly.
  if (type == "Scalar" || type == "float")
    return value.isNumber() || kind == Kind::Tensor;
  if (type == "int")
    return kind == Kind::Int || kind == Kind::Tensor;
  if (type == "bool")
    return kind == Kind::Bool || kind == Kind::Int;
  if (type == "str")
    return kind == Kind::String;
  return false;
}

static bool fits(const Parameter &parameter, const Val &value) {
  if (value.isNone())
    return parameter.optional || parameter.type == "any";
  if (!parameter.isList)
    return fitsOne(parameter.type, value);
  if (!value.isSequence())
    return parameter.type != "Tensor" && fitsOne(parameter.type, value);
  return all_of(value.items(), [&](const Val &item) {
    return fitsOne(parameter.type, item) || (item.isNone() && parameter.type == "Tensor");
  });
}

std::optional<std::vector<Val>> Schema::bind(mlir::MLIRContext *context, ArrayRef<Val> positional,
                                             ArrayRef<std::pair<StringRef, Val>> named) const {
  if (positional.size() > parameters.size())
    return std::nullopt;
  std::vector<Val> values(positional.begin(), positional.end());
  size_t used = 0;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Parameter &parameter = parameters[i];
    const Val *given = i < positional.size() ? &positional[i] : nullptr;
    for (const auto &[name, value] : named)
      if (name == parameter.name) {
        if (given)
          return std::nullopt;
        given = &value;
        ++used;
      }
    if (!given && !parameter.hasDefault)
      return std::nullopt;
    if (given && !fits(parameter, *given))
      return std::nullopt;
    if (i >= positional.size())
      values.push_back(given ? *given : parseDefault(context, parameter.otherwise));
  }
  if (used != named.size())
    return std::nullopt;
  return values;
}

} // namespace torsh::torch
