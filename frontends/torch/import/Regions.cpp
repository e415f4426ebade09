//===-- Regions.cpp - Conditions that depend on data --------------------------------------------------------===//
//
// Both arms are imported into regions. What differs after them (names, and tensors from outside that were written in
// place) becomes a result of the torsh.if.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/torch/aten/Call.h"
#include "frontends/torch/import/Interpreter.h"
#include "frontends/torch/reader/ReaderError.h"

using namespace mlir;

namespace torsh::torch {

/// One arm after its import: its ops, and the names and tensors as it leaves them.
struct Interpreter::Arm {
  Region region;
  Block *block = nullptr;
  llvm::StringMap<Val> locals;
  std::vector<std::pair<TensorRef, Value>> written; ///< with the values inside of the arm
  std::optional<std::string> raised;
};

LogicalResult Interpreter::runArm(ArrayRef<Stmt *> block, Arm &arm) {
  arm.block = new Block;
  arm.region.push_back(arm.block);
  OpBuilder::InsertionGuard guard(b.builder);
  b.builder.setInsertionPointToEnd(arm.block);
  llvm::StringMap<Val> before = frame->locals;
  b.regions.emplace_back();
  // An arm that may not run must not state conditions for the whole function.
  b.dims.freeze();
  LogicalResult done = run(block);
  b.dims.thaw();
  TensorBuilder::Region region = std::move(b.regions.back());
  b.regions.pop_back();
  for (auto &[cell, value] : region.written) {
    arm.written.emplace_back(cell, cell->value);
    cell->value = value;
    ++cell->version;
  }
  arm.locals = std::move(frame->locals);
  frame->locals = std::move(before);
  if (failed(done)) {
    arm.raised = std::exchange(raised, std::nullopt);
    return success(arm.raised.has_value());
  }
  if (frame->returned) {
    frame->returned.reset();
    return refuse("return", "a return under a condition that depends on data");
  }
  return success();
}

/// A value that is one of two, by a condition. Tensors and numbers get a cell whose value is a result of the op; the
/// pairs are added to the arms' yields.
FailureOr<Val> Interpreter::merge(const Val &onTrue, const Val &onFalse, StringRef name, Arm &a, Arm &other,
                                  std::vector<TensorRef> &results) {
  using Kind = Val::Kind;
  if (onTrue.isSame(onFalse))
    return onTrue;
  if (onTrue.isSequence() && onTrue.kind() == onFalse.kind() &&
      onTrue.items().size() == onFalse.items().size()) {
    std::vector<Val> items;
    for (auto [x, y] : llvm::zip_equal(onTrue.items(), onFalse.items())) {
      FailureOr<Val> item = merge(x, y, name, a, other, results);
      if (failed(item))
        return failure();
      items.push_back(*item);
    }
    return onTrue.kind() == Kind::List ? Val::list(std::move(items))
                                       : Val::tuple(std::move(items), onTrue.asSequence().names);
  }
  bool tensors = onTrue.isTensor() && onFalse.isTensor(), numbers = onTrue.isNumber() && onFalse.isNumber();
  if (!tensors && !numbers)
    return LogicalResult(refuse("if", "the name " + quoted(name) + " is " + kindName(onTrue) + " or " +
                                          kindName(onFalse) + " by a condition that depends on data"));
  Kind kind = onTrue.kind() == onFalse.kind() ? onTrue.kind() : Kind::Float;
  Type number = kind == Kind::Bool    ? Type(b.builder.getI1Type())
                : kind == Kind::Float ? Type(b.builder.getF64Type())
                                      : Type(b.builder.getI64Type());
  OpBuilder::InsertionGuard guard(b.builder);
  Value values[2];
  for (auto [arm, value, into] :
       {std::tuple(&a, &onTrue, &values[0]), std::tuple(&other, &onFalse, &values[1])}) {
    b.builder.setInsertionPointToEnd(arm->block);
    *into = asTensor(b, *value, tensors ? Type() : number);
  }
  if (values[0].getType() != values[1].getType())
    return LogicalResult(refuse("if", "the tensor " + quoted(name) + " is " + typeText(values[0].getType()) +
                                          " or " + typeText(values[1].getType()) +
                                          " by a condition that depends on data"));
  a.written.emplace_back(nullptr, values[0]);
  other.written.emplace_back(nullptr, values[1]);
  TensorRef cell = b.cell(values[0]);
  results.push_back(cell);
  return tensors ? Val::tensor(cell) : Val::dynamic(kind, cell);
}

LogicalResult Interpreter::runDynamicIf(const Stmt &stmt, const Val &condition) {
  Arm arms[2];
  unsigned at = line;
  if (failed(runArm(stmt.body, arms[0])) || failed(runArm(stmt.other, arms[1])))
    return failure();
  line = at;
  // `if size != 512: raise` is a condition on sizes, which the run checks before it begins.
  for (int i : {0, 1}) {
    if (!arms[i].raised)
      continue;
    TensorRef cell = condition.asCell();
    bool needsEqual = cell->lhs && cell->negated == (i == 0);
    if (!needsEqual || !b.regions.empty() ||
        !b.dims.unify(cell->lhs, cell->rhs, "the program raises " + *arms[i].raised + " otherwise"))
      return refuse("if", "the program raises " + *arms[i].raised +
                              " under a condition that depends on data; such checks are not supported");
    return run(i == 0 ? stmt.other : stmt.body);
  }
  setLocation("if");
  // Tensors from outside that only one arm wrote have their old value in the other.
  std::vector<TensorRef> cells, results;
  for (Arm &arm : arms)
    for (auto &[cell, value] : arm.written)
      if (!llvm::is_contained(cells, cell))
        cells.push_back(cell);
  std::vector<std::pair<TensorRef, Value>> written[2] = {std::move(arms[0].written),
                                                         std::move(arms[1].written)};
  SmallVector<Value> yields[2];
  for (const TensorRef &cell : cells)
    for (int i : {0, 1}) {
      auto found = llvm::find_if(written[i], [&](auto &entry) { return entry.first == cell; });
      yields[i].push_back(found == written[i].end() ? b.read(*cell) : found->second);
    }
  arms[0].written.clear();
  arms[1].written.clear();
  llvm::StringMap<Val> merged = frame->locals;
  SmallVector<StringRef> names;
  for (auto &entry : arms[0].locals)
    names.push_back(entry.getKey());
  llvm::sort(names);
  for (StringRef name : names) {
    auto other = arms[1].locals.find(name);
    // A name of one arm only is not used afterwards.
    if (other == arms[1].locals.end())
      continue;
    const Val &onTrue = arms[0].locals[name], &onFalse = other->second;
    if (onTrue.kind() == Val::Kind::Uninitialized || onFalse.kind() == Val::Kind::Uninitialized) {
      merged[name] = Val::uninitialized();
      continue;
    }
    FailureOr<Val> value = merge(onTrue, onFalse, name, arms[0], arms[1], results);
    if (failed(value))
      return failure();
    merged[name] = *value;
  }
  for (int i : {0, 1}) {
    for (auto &[cell, value] : arms[i].written)
      yields[i].push_back(value);
    OpBuilder::InsertionGuard guard(b.builder);
    b.builder.setInsertionPointToEnd(arms[i].block);
    YieldOp::create(b.builder, b.loc, yields[i]);
  }
  for (auto [x, y] : llvm::zip_equal(yields[0], yields[1]))
    if (x.getType() != y.getType())
      return refuse("if", "a tensor has two types by a condition that depends on data");
  auto op = IfOp::create(b.builder, b.loc, ValueRange(yields[0]).getTypes(), b.read(*condition.asCell()));
  op.getThenRegion().takeBody(arms[0].region);
  op.getElseRegion().takeBody(arms[1].region);
  frame->locals = std::move(merged);
  for (auto [cell, value] : llvm::zip(cells, op.getYs()))
    b.write(cell, value);
  for (auto [cell, value] : llvm::zip_equal(results, op.getYs().drop_front(cells.size())))
    cell->value = value;
  return success();
}

} // namespace torsh::torch
