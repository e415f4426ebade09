//===-- Calls.cpp - Functions, methods and special forms ----------------------------------------------------===//
#include "frontends/torch/aten/Table.h"
#include "frontends/torch/import/Interpreter.h"
#include "frontends/torch/reader/ReaderError.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;

namespace torsh::torch {

/// Calls inside of calls. TorchScript has no recursion, so more means a damaged archive.
static constexpr unsigned maxCalls = 200;

//===-- Functions --------------------------------------------------------------------------------------------===//

FailureOr<Val> Interpreter::callFunction(const FunctionDef &function, ArrayRef<Val> arguments,
                                         const NamedArguments &named, StringRef path,
                                         const llvm::StringMap<Val> *captured) {
  if (calls >= maxCalls)
    return LogicalResult(malformed("the function " + quoted(function.name) +
                                   " calls itself, or calls are nested deeper "
                                   "than " +
                                   Twine(maxCalls)));
  llvm::SaveAndRestore<unsigned> nested(calls, calls + 1);
  llvm::SaveAndRestore<unsigned> place(line, line);
  if (arguments.size() > function.parameters.size())
    return LogicalResult(malformed("the function " + quoted(function.name) + " has " +
                                   Twine(function.parameters.size()) + " parameters and gets " +
                                   Twine(arguments.size()) + " arguments"));
  Frame inner;
  inner.function = &function;
  inner.path = path.str();
  if (captured)
    inner.locals = *captured;
  for (auto [i, parameter] : llvm::enumerate(function.parameters)) {
    if (i < arguments.size()) {
      inner.locals[parameter.name] = arguments[i];
      continue;
    }
    StringRef wanted = parameter.name;
    const auto *given = llvm::find_if(named, [&](auto &entry) { return entry.first == wanted; });
    if (given != named.end()) {
      inner.locals[parameter.name] = given->second;
    } else if (parameter.otherwise) {
      FailureOr<Val> value = evaluateDefault(function, *parameter.otherwise);
      if (failed(value))
        return failure();
      inner.locals[parameter.name] = *value;
    } else {
      return LogicalResult(malformed("the call of " + quoted(function.name) + " lacks the argument " +
                                     quoted(parameter.name)));
    }
  }
  llvm::SaveAndRestore<Frame *> outer(frame, &inner);
  if (failed(run(function.body)))
    return failure();
  return inner.returned.value_or(Val());
}

FailureOr<Val> Interpreter::evaluateDefault(const FunctionDef &function, const Expr &value) {
  Frame empty;
  empty.function = &function;
  llvm::SaveAndRestore<Frame *> outer(frame, &empty);
  llvm::SaveAndRestore<unsigned> place(line, function.line);
  return evaluate(value);
}

FailureOr<Val> Interpreter::callMethod(const Val &object, StringRef name, ArrayRef<Val> arguments,
                                       const NamedArguments &named) {
  std::shared_ptr<Object> target = object.asObject();
  const ClassDef *definition = classOf(*target);
  const FunctionDef *method = definition ? definition->method(name) : nullptr;
  if (!method)
    return LogicalResult(
        malformed("the class " + quoted(target->className) + " has no method " + quoted(name)));
  SmallVector<Val> all = {object};
  all.append(arguments.begin(), arguments.end());
  return callFunction(*method, all, named, target->path.empty() ? frame ? frame->path : "" : target->path);
}

//===-- Dispatch ---------------------------------------------------------------------------------------------===//

FailureOr<Val> Interpreter::call(const Expr &expr) {
  const Expr &callee = *expr.items[0];
  if (callee.kind == Expr::Kind::Name && !frame->locals.contains(callee.text)) {
    bool handled = false;
    FailureOr<Val> value = callSpecial(callee.text, expr, handled);
    if (handled)
      return value;
  }
  // What a method belongs to comes before the arguments, as in Python.
  std::string name = dottedName(callee);
  FailureOr<Val> base = Val();
  if (name.empty()) {
    base = evaluate(callee.kind == Expr::Kind::Attribute ? *callee.items[0] : callee);
    if (failed(base))
      return failure();
  }
  FailureOr<std::vector<Val>> arguments = evaluateAll(expr.arguments());
  if (failed(arguments))
    return failure();
  NamedArguments named;
  for (auto &[key, value] : expr.named) {
    FailureOr<Val> evaluated = evaluate(*value);
    if (failed(evaluated))
      return failure();
    named.emplace_back(key, *evaluated);
  }
  line = expr.line;
  if (!name.empty())
    return callGlobal(name, *arguments, named);
  if (base->kind() == Val::Kind::Function && callee.kind != Expr::Kind::Attribute) {
    const FunctionRef &function = base->asFunction();
    if (function.definition)
      return callFunction(*function.definition, *arguments, named, frame->path, function.captured.get());
    return callGlobal(function.name, *arguments, named);
  }
  if (base->kind() == Val::Kind::Object && callee.kind == Expr::Kind::Attribute)
    return callMethod(*base, callee.text, *arguments, named);
  return LogicalResult(malformed(kindName(*base) + " cannot be called"));
}

FailureOr<Val> Interpreter::callGlobal(StringRef name, ArrayRef<Val> arguments, const NamedArguments &named) {
  StringRef rest = name;
  if (rest.consume_front("torch.") || rest.consume_front("ops.aten."))
    return callAten(rest, arguments, named);
  if (rest.consume_front("ops.prim."))
    return callPrim(rest, arguments, named);
  if (!name.starts_with("__torch__."))
    return LogicalResult(refuse(name, "this operator is not supported"));
  if (const FunctionDef *function = findFunction(name))
    return callFunction(*function, arguments, named, frame->path);
  StringRef className = name;
  bool makes = className.consume_back(".__new__");
  const ClassDef *definition = findClass(className);
  if (!definition)
    return LogicalResult(malformed("the function " + quoted(name) + " is not defined"));
  if (makes) {
    auto object = std::make_shared<Object>();
    object->className = className.str();
    object->definition = definition;
    return Val::object(object);
  }
  if (definition->base == "NamedTuple") {
    std::vector<std::string> names;
    for (const ClassDef::Attribute &field : definition->attributes)
      names.push_back(field.name.str());
    if (arguments.size() != names.size())
      return LogicalResult(malformed("a tuple " + quoted(name) + " has " + Twine(names.size()) + " fields"));
    return Val::tuple(std::vector<Val>(arguments.begin(), arguments.end()), std::move(names));
  }
  return LogicalResult(refuse(name, "objects of this class cannot be made by a call"));
}

/// Names that look like functions and are part of the language.
FailureOr<Val> Interpreter::callSpecial(StringRef name, const Expr &expr, bool &handled) {
  ArrayRef<Expr *> arguments = expr.arguments();
  handled = true;
  if (name == "annotate" || name == "unchecked_cast") {
    if (arguments.size() != 2)
      return LogicalResult(malformed(name + " needs a type and a value"));
    return evaluate(*arguments[1]);
  }
  if (name == "uninitialized")
    return Val::uninitialized();
  if (name == "isinstance" && arguments.size() == 2) {
    FailureOr<Val> value = evaluate(*arguments[0]);
    if (failed(value))
      return failure();
    return Val::boolean(hasType(*value, *arguments[1]));
  }
  FailureOr<std::vector<Val>> values = evaluateAll(arguments);
  if (failed(values))
    return failure();
  line = expr.line;
  if (values->empty())
    return LogicalResult(malformed(name + "() lacks its argument"));
  const Val &first = values->front();
  if (name == "getattr" && values->size() >= 2 && (*values)[1].kind() == Val::Kind::String)
    return attribute(first, (*values)[1].asString());
  if (name == "int")
    return convert(Val::Kind::Int, first);
  if (name == "float") {
    if (first.kind() == Val::Kind::String) {
      double number;
      if (!StringRef(first.asString()).getAsDouble(number))
        return Val::number(number);
    }
    return convert(Val::Kind::Float, first);
  }
  if (name == "bool")
    return convert(Val::Kind::Bool, first);
  if (name == "str" || name == "sorted")
    return callAten(name, *values, {});
  if (name == "print")
    return Val();
  if (name == "fork" || name == "awaitable") {
    if (first.kind() != Val::Kind::Function || !first.asFunction().definition)
      return LogicalResult(malformed(name + "() needs a function"));
    // A task has no effects but its result, so it can run at once.
    return callFunction(*first.asFunction().definition, ArrayRef(*values).drop_front(), {}, frame->path,
                        first.asFunction().captured.get());
  }
  return LogicalResult(refuse(name, "this function is not supported"));
}

//===-- Operators --------------------------------------------------------------------------------------------===//

FailureOr<Val> Interpreter::callAten(StringRef name, ArrayRef<Val> arguments, const NamedArguments &named) {
  if (name == "wait" && arguments.size() == 1)
    return arguments[0];
  if (name == "warn" || name == "_assert_async")
    return Val();
  if (named.empty()) {
    for (auto function : {&Interpreter::tensorQuery, &Interpreter::containerCall, &Interpreter::dictCall,
                          &Interpreter::stringCall, &Interpreter::compareCall, &Interpreter::numberCall})
      if (std::optional<FailureOr<Val>> value = (this->*function)(name, arguments))
        return *value;
  }
  return dispatch(name, arguments, named);
}

FailureOr<Val> Interpreter::callOperatorAt(StringRef path, StringRef at, StringRef name,
                                           ArrayRef<Val> arguments, const NamedArguments &named) {
  Frame own;
  own.path = path.str();
  Frame *outer = std::exchange(frame, &own);
  place = at.str();
  FailureOr<Val> result = callAten(name, arguments, named);
  frame = outer;
  return result;
}

/// An integer tensor of rank 0 whose value is known, as the number that it is.
static Val asKnownNumber(const Val &value) {
  return value.isTensor() && value.asCell()->known ? Val::integer(value.asCell()->known) : value;
}

FailureOr<Val> Interpreter::dispatch(StringRef name, ArrayRef<Val> arguments, const NamedArguments &named) {
  setLocation(name);
  // Sizes as tensors stay known: traced code computes with them so.
  static const StringRef sizeArithmetic[] = {"add", "sub", "mul", "floor_divide", "remainder", "neg", "rsub"};
  if (named.empty() && llvm::is_contained(sizeArithmetic, name) && !arguments.empty()) {
    SmallVector<Val> numbers;
    Type type;
    for (const Val &value : arguments) {
      numbers.push_back(asKnownNumber(value));
      if (value.isTensor() && value.asCell()->known)
        type = value.asCell()->knownType;
    }
    bool isAlpha = arguments.size() == 3 && numbers[2].knownInt() == 1;
    if (isAlpha)
      numbers.pop_back();
    if (name == "rsub" && numbers.size() == 2)
      std::swap(numbers[0], numbers[1]);
    if (type && llvm::all_of(numbers, [](const Val &v) { return v.isKnownInt(); })) {
      StringRef plain = name == "floor_divide" ? "floordiv" : name == "rsub" ? "sub" : name;
      if (std::optional<FailureOr<Val>> value = numberCall(plain, numbers))
        if (succeeded(*value) && (*value)->isKnownInt())
          return Val::tensor(b.knownCell((*value)->asDim(), type));
    }
  }
  static const StringRef onNumbers[] = {
      "add", "sub", "mul", "div",   "truediv", "floordiv", "remainder", "pow",    "neg",     "abs",
      "eq",  "ne",  "lt",  "le",    "gt",      "ge",       "min",       "max",    "exp",     "sqrt",
      "log", "sin", "cos", "floor", "ceil",    "round",    "__and__",   "__or__", "__xor__", "__not__"};
  if (!arguments.empty() && named.empty() && llvm::is_contained(onNumbers, name) &&
      llvm::all_of(arguments, [](const Val &v) { return v.isNumber(); }))
    return callOnNumbers(name, arguments, named);
  std::optional<Val> result = callOperator(b, name, arguments, named, formatVersion);
  std::string problem = b.takeProblem();
  if (!result)
    return LogicalResult(refuse("aten::" + name, "this operator is not supported"));
  if (!problem.empty()) {
    std::string types;
    for (const Val &value : arguments)
      if (value.isTensor())
        types += (types.empty() ? "" : ", ") + typeText(b.read(value).getType());
    report.unsupported.push_back({here(), ("aten::" + name).str(), types, problem});
    return failure();
  }
  return *result;
}

/// Arithmetic of numbers of which one depends on data: as tensors of rank 0, and back.
FailureOr<Val> Interpreter::callOnNumbers(StringRef name, ArrayRef<Val> arguments,
                                          const NamedArguments &named) {
  using Kind = Val::Kind;
  static const StringRef comparisons[] = {"eq", "ne", "lt", "le", "gt", "ge", "__not__"};
  SmallVector<Val> tensors;
  bool isFloat = name == "div" || name == "truediv";
  for (const Val &value : arguments)
    isFloat |= value.kind() == Kind::Float;
  bool isBool = llvm::all_of(arguments, [](const Val &v) { return v.kind() == Kind::Bool; });
  Type type = isFloat  ? Type(b.builder.getF64Type())
              : isBool ? Type(b.builder.getI1Type())
                       : Type(b.builder.getI64Type());
  for (const Val &value : arguments)
    tensors.push_back(b.tensor(asTensor(b, value, type)));
  std::optional<Val> result = callOperator(b, name, tensors, named, formatVersion);
  std::string problem = b.takeProblem();
  if (!result || !problem.empty() || !result->isTensor())
    return LogicalResult(refuse("aten::" + name, problem.empty()
                                                     ? "this operator is not supported for numbers that "
                                                       "depend on data or on symbolic sizes"
                                                     : problem));
  Kind kind = llvm::is_contained(comparisons, name) || (isBool && name.starts_with("__")) ? Kind::Bool
              : isFloat && name != "floor" && name != "ceil"                              ? Kind::Float
                                                                                          : Kind::Int;
  Type resultType = kind == Kind::Bool    ? Type(b.builder.getI1Type())
                    : kind == Kind::Float ? Type(b.builder.getF64Type())
                                          : Type(b.builder.getI64Type());
  Val value = Val::dynamic(kind, b.cell(b.cast(b.read(*result), resultType)));
  bool isEquality = name == "eq" || name == "ne";
  if (isEquality && arguments[0].isKnownInt() && arguments[1].isKnownInt()) {
    value.asCell()->lhs = arguments[0].asDim();
    value.asCell()->rhs = arguments[1].asDim();
    value.asCell()->negated = name == "ne";
  }
  return value;
}

FailureOr<Val> Interpreter::callPrim(StringRef name, ArrayRef<Val> arguments, const NamedArguments &named) {
  if (name == "RaiseException") {
    std::string message = !arguments.empty() && arguments[0].kind() == Val::Kind::String
                              ? arguments[0].asString()
                              : std::string();
    raised = quoted(message) + " at " + here();
    return failure();
  }
  if (arguments.size() == 1 &&
      (name == "unchecked_unwrap_optional" || name == "data" || name == "unchecked_cast"))
    return arguments[0];
  if (name == "NumToTensor" && arguments.size() == 1)
    return dispatch("prim::NumToTensor", arguments, named);
  if (name == "rangelist" && arguments.size() == 1) {
    std::optional<int64_t> count = arguments[0].knownInt();
    if (!count || *count > (1 << 20))
      return LogicalResult(refuse("prim::rangelist", "the length of a list must be known at compile time"));
    std::vector<Val> items;
    for (int64_t i = 0; i < *count; ++i)
      items.push_back(Val::integer(b.dim(i)));
    return Val::list(std::move(items));
  }
  static const StringRef sharedWithAten[] = {
      "min",           "max",      "abs",    "dtype",     "device",       "shape",     "layout",
      "requires_grad", "is_cuda",  "is_cpu", "is_nested", "is_quantized", "is_sparse", "is_mkldnn",
      "is_meta",       "is_mps",   "is_xla", "is_xpu",    "is_ipu",       "is_vulkan", "is_maia",
      "grad",          "itemsize", "T",      "mT"};
  if (llvm::is_contained(sharedWithAten, name))
    return callAten(name == "T" ? "numpy_T" : name, arguments, named);
  return LogicalResult(refuse("prim::" + name, "this operator is not supported"));
}

} // namespace torsh::torch
