//===-- Statements.cpp - Runs blocks, and control flow that is known at import ------------------------------===//
#include "frontends/torch/import/Interpreter.h"
#include "frontends/torch/reader/ReaderError.h"

using namespace mlir;

namespace torsh::torch {

LogicalResult Interpreter::run(ArrayRef<Stmt *> block) {
  for (const Stmt *stmt : block) {
    if (failed(run(*stmt)))
      return failure();
    if (frame->returned)
      break;
  }
  return success();
}

LogicalResult Interpreter::run(const Stmt &stmt) {
  if (failed(countStep()))
    return failure();
  line = stmt.line;
  switch (stmt.kind) {
  case Stmt::Kind::Pass:
    return success();
  case Stmt::Kind::Expression:
    return failure(failed(evaluate(*stmt.values[0])));
  case Stmt::Kind::Return: {
    FailureOr<Val> value = stmt.values.empty() ? FailureOr<Val>(Val()) : evaluate(*stmt.values[0]);
    if (failed(value))
      return failure();
    frame->returned = *value;
    return success();
  }
  case Stmt::Kind::Assign:
    return assign(stmt);
  case Stmt::Kind::If:
    return runIf(stmt);
  case Stmt::Kind::For:
    return runFor(stmt);
  case Stmt::Kind::While:
    return runWhile(stmt);
  case Stmt::Kind::With:
    return runWith(stmt);
  case Stmt::Kind::Def:
    frame->locals[stmt.function->name] = Val::function(
        {stmt.function->name.str(), stmt.function, std::make_shared<llvm::StringMap<Val>>(frame->locals)});
    return success();
  }
  return failure();
}

LogicalResult Interpreter::assign(const Stmt &stmt) {
  // All values before all targets: `a, b = b, a` swaps.
  FailureOr<std::vector<Val>> values = evaluateAll(stmt.values);
  if (failed(values))
    return failure();
  if (stmt.unpack) {
    const Val &whole = (*values)[0];
    if (!whole.isSequence())
      return malformed(kindName(whole) + " cannot be taken apart");
    std::vector<Val> items = whole.items();
    *values = std::move(items);
  }
  if (values->size() != stmt.targets.size())
    return malformed(Twine(values->size()) + " values for " + Twine(stmt.targets.size()) + " targets");
  for (auto [target, value] : llvm::zip_equal(stmt.targets, *values))
    if (failed(assignTo(*target, value)))
      return failure();
  return success();
}

LogicalResult Interpreter::assignTo(const Expr &target, Val value) {
  if (target.kind == Expr::Kind::Name) {
    frame->locals[target.text] = std::move(value);
    return success();
  }
  FailureOr<Val> base = evaluate(*target.items[0]);
  if (failed(base))
    return failure();
  if (base->kind() != Val::Kind::Object)
    return malformed("an attribute of " + kindName(*base) + " is assigned");
  if (!b.regions.empty())
    return refuse("assignment", "the attribute " + quoted(target.text) +
                                    " is assigned under a condition or loop that depends on data");
  std::shared_ptr<Object> object = base->asObject();
  bool isKnown = llvm::any_of(stateWrites, [&](const StateWrite &write) {
    return write.object == object && write.name == target.text;
  });
  if (object->isStored && !isKnown) {
    Val *before = object->find(target.text);
    stateWrites.push_back({object, target.text.str(), before ? *before : Val::uninitialized()});
  }
  object->set(target.text, std::move(value));
  return success();
}

LogicalResult Interpreter::runIf(const Stmt &stmt) {
  FailureOr<Val> condition = evaluate(*stmt.values[0]);
  if (failed(condition))
    return failure();
  if (condition->isTensor()) {
    condition = convert(Val::Kind::Bool, *condition);
    if (failed(condition))
      return failure();
  }
  if (std::optional<double> known = condition->knownDouble())
    return run(*known != 0 ? stmt.body : stmt.other);
  if (condition->isDynamic())
    return runDynamicIf(stmt, *condition);
  return malformed("a condition is " + kindName(*condition));
}

LogicalResult Interpreter::runFor(const Stmt &stmt) {
  FailureOr<Val> count = evaluate(*stmt.values[0]);
  if (failed(count))
    return failure();
  std::optional<int64_t> trips = count->knownInt();
  if (!trips)
    return runDynamicFor(stmt, *count);
  for (int64_t i = 0; i < *trips; ++i) {
    frame->locals[stmt.targets[0]->text] = Val::integer(b.dim(i));
    if (failed(countStep()) || failed(run(stmt.body)))
      return failure();
    if (frame->returned)
      break;
  }
  return success();
}

/// Iterations whose condition is known run here; from the first one on that depends on data the rest is a loop.
LogicalResult Interpreter::runWhile(const Stmt &stmt) {
  while (true) {
    FailureOr<Val> condition = evaluate(*stmt.values[0]);
    if (failed(condition))
      return failure();
    std::optional<double> known = condition->knownDouble();
    if (!known) {
      if (stmt.values[0]->kind != Expr::Kind::Name || !condition->isDynamic())
        return malformed("the condition of a loop is no name of a bool");
      return runDynamicWhile(stmt, stmt.values[0]->text);
    }
    if (*known == 0)
      return success();
    if (failed(countStep()) || failed(run(stmt.body)))
      return failure();
    if (frame->returned)
      return success();
  }
}

/// Contexts of autograd change nothing that an inference computes.
LogicalResult Interpreter::runWith(const Stmt &stmt) {
  FailureOr<Val> context = evaluate(*stmt.values[0]);
  if (failed(context))
    return failure();
  bool isGradMode =
      context->kind() == Val::Kind::Object &&
      StringRef(context->asObject()->className).starts_with("__torch__.torch.autograd.grad_mode.");
  if (!isGradMode)
    return refuse("with", "only torch.no_grad and its relatives are supported as contexts");
  for (const Expr *target : stmt.targets)
    frame->locals[target->text] = *context;
  return run(stmt.body);
}

} // namespace torsh::torch
