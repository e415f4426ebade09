//===-- Expressions.cpp - Values of expressions -------------------------------------------------------------===//
#include "frontends/torch/import/Interpreter.h"
#include "frontends/torch/reader/ReaderError.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;

namespace torsh::torch {

/// Nested expressions and calls together; each costs some hundred bytes of stack.
static constexpr unsigned maxDepth = 4000;

FailureOr<std::vector<Val>> Interpreter::evaluateAll(ArrayRef<Expr *> exprs) {
  std::vector<Val> values;
  for (const Expr *expr : exprs) {
    FailureOr<Val> value = evaluate(*expr);
    if (failed(value))
      return failure();
    values.push_back(std::move(*value));
  }
  return values;
}

FailureOr<Val> Interpreter::evaluate(const Expr &expr) {
  if (depth >= maxDepth)
    return LogicalResult(malformed("calls are nested too deeply"));
  llvm::SaveAndRestore<unsigned> nested(depth, depth + 1);
  switch (expr.kind) {
  case Expr::Kind::Name: {
    auto it = frame->locals.find(expr.text);
    if (it != frame->locals.end())
      return it->second;
    return LogicalResult(malformed("the name " + quoted(expr.text) + " is not defined"));
  }
  case Expr::Kind::None:
    return Val();
  case Expr::Kind::Bool:
    return Val::boolean(expr.integer);
  case Expr::Kind::Int:
    return Val::integer(b.dim(expr.integer));
  case Expr::Kind::Float:
    return Val::number(expr.number);
  case Expr::Kind::String:
    return Val::string(expr.text.str());
  case Expr::Kind::Complex:
    return LogicalResult(refuse("complex", "complex numbers are not supported"));
  case Expr::Kind::Attribute: {
    if (std::string name = dottedName(expr); !name.empty())
      return global(name);
    FailureOr<Val> base = evaluate(*expr.items[0]);
    return failed(base) ? FailureOr<Val>(failure()) : attribute(*base, expr.text);
  }
  case Expr::Kind::Subscript: {
    if (expr.items.size() != 2)
      return LogicalResult(malformed("a subscript needs one index"));
    FailureOr<Val> base = evaluate(*expr.items[0]);
    if (failed(base))
      return failure();
    FailureOr<Val> index = evaluate(*expr.items[1]);
    return failed(index) ? FailureOr<Val>(failure()) : subscript(*base, *index);
  }
  case Expr::Kind::Slice:
    return sliceOf(expr);
  case Expr::Kind::Call:
    return call(expr);
  case Expr::Kind::List:
  case Expr::Kind::Tuple: {
    FailureOr<std::vector<Val>> items = evaluateAll(expr.items);
    if (failed(items))
      return failure();
    if (expr.kind == Expr::Kind::Tuple)
      return Val::tuple(std::move(*items));
    Val list = Val::list(std::move(*items));
    list.asSequence().regionDepth = b.regions.size();
    return list;
  }
  case Expr::Kind::Dict: {
    FailureOr<std::vector<Val>> items = evaluateAll(expr.items);
    if (failed(items))
      return failure();
    auto dict = std::make_shared<Dict>();
    for (size_t i = 0; i + 1 < items->size(); i += 2)
      dict->entries.emplace_back((*items)[i], (*items)[i + 1]);
    return Val::dict(std::move(dict));
  }
  }
  return failure();
}

std::string Interpreter::dottedName(const Expr &expr) const {
  SmallVector<StringRef> parts;
  const Expr *at = &expr;
  while (at->kind == Expr::Kind::Attribute) {
    parts.push_back(at->text);
    at = at->items[0];
  }
  if (at->kind != Expr::Kind::Name || frame->locals.contains(at->text))
    return "";
  std::string name = at->text.str();
  for (StringRef part : llvm::reverse(parts))
    name += "." + part.str();
  return name;
}

/// A constant of the table, a function, or a member of an enumeration.
FailureOr<Val> Interpreter::global(StringRef name) {
  StringRef rest = name;
  if (rest.consume_front("CONSTANTS."))
    return constant(rest, line);
  if (name.starts_with("__torch__.")) {
    if (const FunctionDef *function = findFunction(name))
      return Val::function({name.str(), function, nullptr});
    auto [className, member] = name.rsplit('.');
    const ClassDef *definition = className.contains('.') ? findClass(className) : nullptr;
    if (definition && definition->base == "Enum")
      for (const ClassDef::Attribute &entry : definition->attributes)
        if (entry.name == member && entry.value) {
          FailureOr<Val> value = evaluate(*entry.value);
          if (failed(value))
            return failure();
          auto object = std::make_shared<Object>();
          object->className = className.str();
          object->set("name", Val::string(member.str()));
          object->set("value", *value);
          return Val::object(object);
        }
    if (findClass(name))
      return Val::function({name.str(), nullptr, nullptr});
  }
  return LogicalResult(malformed("the name " + quoted(name) + " is not defined"));
}

FailureOr<Val> Interpreter::attribute(const Val &base, StringRef name) {
  if (base.kind() == Val::Kind::Object) {
    if (Val *found = base.asObject()->find(name))
      return *found;
    // Class constants: `eps : Final[float] = 1e-05`.
    if (const ClassDef *definition = classOf(*base.asObject()))
      for (const ClassDef::Attribute &entry : definition->attributes)
        if (entry.name == name && entry.value)
          return evaluate(*entry.value);
    return LogicalResult(malformed("an object of " + quoted(base.asObject()->className) +
                                   " has no attribute " + quoted(name)));
  }
  if (base.kind() == Val::Kind::Tuple)
    for (auto [i, field] : llvm::enumerate(base.asSequence().names))
      if (field == name)
        return base.items()[i];
  return LogicalResult(malformed(kindName(base) + " has no attribute " + quoted(name)));
}

FailureOr<Val> Interpreter::subscript(const Val &base, const Val &index) {
  if (base.kind() == Val::Kind::Dict) {
    for (auto &[key, value] : base.asDict().entries)
      if (areEqual(key, index).value_or(false))
        return value;
    return LogicalResult(malformed("a dict has no such key"));
  }
  // Modules in a container are attributes by number.
  if (base.kind() == Val::Kind::Object)
    if (std::optional<int64_t> number = index.knownInt())
      return attribute(base, std::to_string(*number));
  if (base.kind() == Val::Kind::Object && index.kind() == Val::Kind::String)
    return attribute(base, index.asString());
  if (base.kind() == Val::Kind::String) {
    std::optional<int64_t> number = index.knownInt();
    int64_t size = int64_t(base.asString().size());
    if (number && *number >= -size && *number < size)
      return Val::string(std::string(1, base.asString()[*number < 0 ? *number + size : *number]));
  }
  if (!base.isSequence())
    return LogicalResult(malformed(kindName(base) + " has no items"));
  std::optional<int64_t> number = index.knownInt();
  if (!number)
    return LogicalResult(refuse("subscript", "the index of a list depends on data or on a symbolic size"));
  int64_t size = int64_t(base.items().size());
  if (*number < -size || *number >= size)
    return LogicalResult(malformed("index " + Twine(*number) + " of a list of " + Twine(size) + " items"));
  return base.items()[*number < 0 ? *number + size : *number];
}

/// (tuple)[a:b]
FailureOr<Val> Interpreter::sliceOf(const Expr &expr) {
  FailureOr<Val> base = evaluate(*expr.items[0]);
  if (failed(base))
    return failure();
  if (!base->isSequence())
    return LogicalResult(malformed(kindName(*base) + " cannot be sliced"));
  int64_t size = int64_t(base->items().size()), bounds[2] = {0, size};
  for (int i : {0, 1}) {
    if (!expr.items[i + 1])
      continue;
    FailureOr<Val> value = evaluate(*expr.items[i + 1]);
    if (failed(value))
      return failure();
    std::optional<int64_t> known = value->knownInt();
    if (!known)
      return LogicalResult(refuse("slice", "the bounds of a slice of a tuple must be constants"));
    bounds[i] = std::clamp<int64_t>(*known < 0 ? *known + size : *known, 0, size);
  }
  std::vector<Val> items;
  for (int64_t i = bounds[0]; i < bounds[1]; ++i)
    items.push_back(base->items()[i]);
  return base->kind() == Val::Kind::List ? Val::list(std::move(items)) : Val::tuple(std::move(items));
}

/// isinstance: `type` is written as an expression.
bool Interpreter::hasType(const Val &value, const Expr &type) {
  using Kind = Val::Kind;
  Kind kind = value.kind();
  if (type.kind == Expr::Kind::Tuple)
    return llvm::any_of(type.items, [&](const Expr *one) { return hasType(value, *one); });
  if (type.kind == Expr::Kind::None)
    return kind == Kind::None;
  if (type.kind == Expr::Kind::Subscript) {
    const Expr &base = *type.items[0];
    if (base.isName("Optional"))
      return kind == Kind::None || hasType(value, *type.items[1]);
    if (base.isName("Union"))
      return llvm::any_of(type.arguments(), [&](const Expr *one) { return hasType(value, *one); });
    if (base.isName("Final"))
      return hasType(value, *type.items[1]);
    if (base.isName("List"))
      return kind == Kind::List &&
             llvm::all_of(value.items(), [&](const Val &item) { return hasType(item, *type.items[1]); });
    if (base.isName("Tuple")) {
      if (kind != Kind::Tuple || value.items().size() != type.arguments().size())
        return false;
      return llvm::all_of(llvm::zip_equal(value.items(), type.arguments()),
                          [&](auto pair) { return hasType(std::get<0>(pair), *std::get<1>(pair)); });
    }
    return base.isName("Dict") && kind == Kind::Dict;
  }
  if (kind == Kind::Object || kind == Kind::Tuple)
    if (std::string name = dottedName(type); !name.empty())
      return kind == Kind::Object && value.asObject()->className == name;
  static const std::pair<StringRef, Kind> names[] = {
      {"Tensor", Kind::Tensor}, {"int", Kind::Int},       {"float", Kind::Float},  {"bool", Kind::Bool},
      {"str", Kind::String},    {"NoneType", Kind::None}, {"Device", Kind::Device}};
  if (type.isName("Any") || (type.isName("number") && value.isNumber()))
    return true;
  return llvm::any_of(names, [&](auto &entry) { return type.isName(entry.first) && entry.second == kind; });
}

} // namespace torsh::torch
