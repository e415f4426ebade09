//===-- Loops.cpp - Loops whose number of iterations depends on data or on a symbolic size ------------------===//
//
// The names that a body assigns, and the tensors from outside that it writes in place, are carried. What is written is
// only known after the body has run, so it runs twice: once to learn that, and once for good.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/torch/aten/Call.h"
#include "frontends/torch/import/Interpreter.h"
#include "frontends/torch/reader/ReaderError.h"

using namespace mlir;

namespace torsh::torch {

/// What a loop carries. Names come first, flattened to tensors, then the written tensors.
struct Interpreter::LoopState {
  std::vector<std::string> names;
  llvm::StringMap<Val> before;
  std::vector<TensorRef> cells;
  SmallVector<Value> initial;
  /// The names and cells inside of the body.
  std::vector<std::pair<TensorRef, Value>> restored;
};

static void collectTargets(ArrayRef<Stmt *> block, std::vector<std::string> &names) {
  for (const Stmt *stmt : block) {
    if (stmt->kind == Stmt::Kind::Assign)
      for (const Expr *target : stmt->targets)
        if (target->kind == Expr::Kind::Name && !llvm::is_contained(names, target->text))
          names.push_back(target->text.str());
    collectTargets(stmt->body, names);
    collectTargets(stmt->other, names);
  }
}

static Type numberType(TensorBuilder &b, Val::Kind kind) {
  return kind == Val::Kind::Bool    ? Type(b.builder.getI1Type())
         : kind == Val::Kind::Float ? Type(b.builder.getF64Type())
                                    : Type(b.builder.getI64Type());
}

/// The tensors of a value: itself, or those of its items. False for what cannot be carried.
static bool flatten(TensorBuilder &b, const Val &value, SmallVectorImpl<Value> &into) {
  if (value.isTensor() || value.isNumber()) {
    into.push_back(asTensor(b, value, value.isTensor() ? Type() : numberType(b, value.kind())));
    return true;
  }
  return value.isSequence() &&
         llvm::all_of(value.items(), [&](const Val &item) { return flatten(b, item, into); });
}

/// A value of the same form over other tensors.
static Val rebuild(TensorBuilder &b, const Val &form, ValueRange values, size_t &next) {
  if (form.isTensor())
    return b.tensor(values[next++]);
  if (form.isNumber())
    return Val::dynamic(form.kind(), b.cell(values[next++]));
  std::vector<Val> items;
  for (const Val &item : form.items())
    items.push_back(rebuild(b, item, values, next));
  return form.kind() == Val::Kind::List ? Val::list(std::move(items))
                                        : Val::tuple(std::move(items), form.asSequence().names);
}

/// Learns what the loop carries, and its first values.
LogicalResult Interpreter::enterLoop(const Stmt &stmt, LoopState &state) {
  state.before = frame->locals;
  std::vector<std::string> targets;
  collectTargets(stmt.body, targets);
  for (const std::string &name : targets)
    if (auto it = frame->locals.find(name); it != frame->locals.end()) {
      SmallVector<Value> parts;
      if (!flatten(b, it->second, parts))
        return refuse("loop", "the name " + quoted(name) + " is " + kindName(it->second) +
                                  " and changes in a loop whose length depends on data");
      state.names.push_back(name);
      llvm::append_range(state.initial, parts);
    }
  // The trial: a body whose ops are thrown away.
  {
    Region trial;
    auto *block = new Block;
    trial.push_back(block);
    OpBuilder::InsertionGuard guard(b.builder);
    std::vector<TensorRef> written;
    if (failed(runBody(stmt, state, *block, stmt.kind == Stmt::Kind::For)))
      return failure();
    for (auto &[cell, value] : state.restored)
      written.push_back(cell);
    frame->locals = state.before;
    state.cells = std::move(written);
    state.restored.clear();
  }
  for (const TensorRef &cell : state.cells)
    state.initial.push_back(b.read(*cell));
  return success();
}

/// Runs the body in a block whose arguments are the carried values (after `extraArguments` others). Afterwards the
/// names are those at the body's end, and written tensors have their old values again.
LogicalResult Interpreter::runBody(const Stmt &stmt, LoopState &state, Block &body, unsigned extraArguments) {
  OpBuilder::InsertionGuard guard(b.builder);
  b.builder.setInsertionPointToEnd(&body);
  if (extraArguments)
    body.addArgument(RankedTensorType::get({}, b.builder.getI64Type()), b.loc);
  for (Value value : state.initial)
    body.addArgument(value.getType(), b.loc);
  b.regions.emplace_back();
  if (extraArguments)
    frame->locals[stmt.targets[0]->text] = Val::dynamic(Val::Kind::Int, b.cell(body.getArgument(0)));
  ValueRange arguments = ValueRange(body.getArguments()).drop_front(extraArguments);
  size_t next = 0;
  for (const std::string &name : state.names)
    frame->locals[name] = rebuild(b, state.before[name], arguments, next);
  for (const TensorRef &cell : state.cells)
    b.write(cell, arguments[next++]);
  b.dims.freeze();
  LogicalResult done = run(stmt.body);
  b.dims.thaw();
  TensorBuilder::Region region = std::move(b.regions.back());
  b.regions.pop_back();
  for (auto &[cell, value] : region.written) {
    state.restored.emplace_back(cell, cell->value);
    cell->value = value;
    ++cell->version;
  }
  if (failed(done)) {
    if (raised) {
      std::string message = *std::exchange(raised, std::nullopt);
      return refuse("loop", "the program raises " + message + " in a loop whose length depends on data");
    }
    return failure();
  }
  if (frame->returned)
    return refuse("return", "a return in a loop whose length depends on data");
  return success();
}

/// The carried values at the body's end, at the builder's place; they must have the types that they began with.
LogicalResult Interpreter::collectYields(LoopState &state, SmallVectorImpl<Value> &yields) {
  for (const std::string &name : state.names) {
    size_t first = yields.size();
    const Val &value = frame->locals[name], &form = state.before[name];
    Val cast = form.isNumber() && value.isNumber() && !form.isTensor()
                   ? b.tensor(asTensor(b, value, numberType(b, form.kind())))
                   : value;
    if (!flatten(b, cast, yields))
      return refuse("loop", "the name " + quoted(name) + " becomes " + kindName(value) +
                                " in a loop whose length depends on data");
    for (size_t i = first; i < yields.size(); ++i)
      if (i >= state.initial.size() || yields[i].getType() != state.initial[i].getType())
        return refuse("loop", "the type of " + quoted(name) +
                                  " changes in a loop whose length depends on data, to " +
                                  typeText(yields[i].getType()));
  }
  for (const TensorRef &cell : state.cells)
    for (auto &[written, value] : state.restored)
      if (written == cell)
        yields.push_back(value);
  if (yields.size() != state.initial.size())
    return refuse("loop", "the form of a list changes in a loop whose length depends on data");
  return success();
}

void Interpreter::leaveLoop(LoopState &state, ValueRange results) {
  frame->locals = state.before;
  size_t next = 0;
  for (const std::string &name : state.names)
    frame->locals[name] = rebuild(b, state.before[name], results, next);
  for (const TensorRef &cell : state.cells)
    b.write(cell, results[next++]);
}

/// Imports the body into a region. `next` gives what the body yields before the carried values, at the body's end.
LogicalResult Interpreter::importBody(const Stmt &stmt, LoopState &state, Region &region,
                                      llvm::function_ref<void(Block &, SmallVectorImpl<Value> &)> next) {
  Location loc = b.loc;
  auto *body = new Block;
  region.push_back(body);
  if (failed(runBody(stmt, state, *body, stmt.kind == Stmt::Kind::For)))
    return failure();
  b.loc = loc;
  OpBuilder::InsertionGuard guard(b.builder);
  b.builder.setInsertionPointToEnd(body);
  SmallVector<Value> yields, carried;
  if (failed(collectYields(state, carried)))
    return failure();
  next(*body, yields);
  yields.append(carried);
  YieldOp::create(b.builder, loc, yields);
  return success();
}

LogicalResult Interpreter::runDynamicFor(const Stmt &stmt, const Val &count) {
  if (!count.isNumber())
    return malformed("the length of a loop is " + kindName(count));
  setLocation("for");
  Location loc = b.loc;
  LoopState state;
  Region region;
  if (failed(enterLoop(stmt, state)))
    return failure();
  b.loc = loc;
  if (count.isKnownInt()) {
    if (failed(importBody(stmt, state, region, [](Block &, SmallVectorImpl<Value> &) {})))
      return failure();
    auto op = ForOp::create(b.builder, loc, ValueRange(state.initial).getTypes(),
                            b.dims.canonical(count.asDim()), state.initial);
    op.getBody().takeBody(region);
    leaveLoop(state, op.getYs());
    return success();
  }
  // The length depends on data: a while loop that carries the iteration.
  Type i64 = b.builder.getI64Type();
  Value limit = asTensor(b, count, i64), zero = b.scalar(i64, 0);
  SmallVector<Value> initial{zero};
  llvm::append_range(initial, state.initial);
  if (failed(importBody(stmt, state, region, [&](Block &body, SmallVectorImpl<Value> &yields) {
        Value following = b.addNumber(body.getArgument(0), 1);
        yields.append({b.compare(following, limit, ComparePredicate::lt), following});
      })))
    return failure();
  Value first = b.compare(zero, limit, ComparePredicate::lt);
  auto op = WhileOp::create(b.builder, loc, ValueRange(initial).getTypes(), first, initial);
  op.getBody().takeBody(region);
  leaveLoop(state, op.getYs().drop_front());
  return success();
}

LogicalResult Interpreter::runDynamicWhile(const Stmt &stmt, StringRef condition) {
  setLocation("while");
  Location loc = b.loc;
  Value first = b.read(frame->locals[condition]);
  LoopState state;
  Region region;
  if (failed(enterLoop(stmt, state)))
    return failure();
  b.loc = loc;
  if (failed(importBody(stmt, state, region, [&](Block &, SmallVectorImpl<Value> &yields) {
        yields.push_back(asTensor(b, frame->locals[condition], b.builder.getI1Type()));
      })))
    return failure();
  auto op = WhileOp::create(b.builder, loc, ValueRange(state.initial).getTypes(), first, state.initial);
  op.getBody().takeBody(region);
  leaveLoop(state, op.getYs());
  return success();
}

} // namespace torsh::torch
