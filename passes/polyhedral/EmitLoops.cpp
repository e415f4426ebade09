//===-- EmitLoops.cpp - Loops by their plans ----------------------------------------------------------------===//
//
// A place that stays the same in a loop is kept in a register: it is read before the loop and written after it, both only
// if the loop runs at all. What one iteration writes and the next one reads is passed on.
//
//===--------------------------------------------------------------------------------------------------------===//
#include "passes/polyhedral/EmitLoops.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/polyhedral/Emitter.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"

using namespace mlir;

namespace torsh::poly {

Emitter::Emitter(OpBuilder &builder, Location loc, const Scop &scop, const Machine &machine)
    : builder(builder), loc(loc), scop(scop), machine(machine) {
  for (auto [index, value] : llvm::enumerate(scop.parameters))
    names[parameterName(index)] = value;
}

void Emitter::emit(const LoopNode &node) {
  switch (node.kind) {
  case LoopNode::Block:
    for (const auto &child : node.children)
      emit(*child);
    return;
  case LoopNode::Leaf:
    return emitLeaf(node);
  case LoopNode::If:
    return emitIf(node);
  case LoopNode::For:
    return emitFor(node);
  }
}

void Emitter::emitIf(const LoopNode &node) {
  bool otherwise = node.children.size() == 2;
  auto made = scf::IfOp::create(builder, loc, condition(node.condition), otherwise);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(made.thenBlock());
  emit(*node.children[0]);
  if (otherwise) {
    builder.setInsertionPointToStart(made.elseBlock());
    emit(*node.children[1]);
  }
}

namespace {

bool hasCondition(const LoopNode &node) {
  return node.kind == LoopNode::If ||
         llvm::any_of(node.children, [](const auto &child) { return hasCondition(*child); });
}

bool hasVector(const LoopNode &node) {
  return (node.kind == LoopNode::For && node.plan == LoopPlan::Vector) ||
         llvm::any_of(node.children, [](const auto &child) { return hasVector(*child); });
}

/// The iterators of a loop and of those inside of it.
void collectIterators(const LoopNode &node, SmallVectorImpl<std::string> &iterators) {
  if (node.kind == LoopNode::For)
    iterators.push_back(node.iterator);
  for (const auto &child : node.children)
    collectIterators(*child, iterators);
}

/// True if every loop below the node runs at least once, whatever the values around it are.
bool alwaysRuns(const LoopNode &node) {
  if (node.kind == LoopNode::For) {
    LinearForm low = linearForm(node.low), high = linearForm(node.high);
    if (!low.exact || !high.exact || low.terms != high.terms || high.constant < low.constant)
      return false;
  }
  return llvm::all_of(node.children, [](const auto &child) { return alwaysRuns(*child); });
}

/// True if the element that `loaded` reads in an iteration is the one that `stored` wrote in the iteration before.
bool isPrevious(ArrayRef<LinearForm> loaded, ArrayRef<LinearForm> stored, const LoopNode &loop) {
  bool moves = false;
  for (auto [l, s] : llvm::zip(loaded, stored)) {
    if (!l.exact || !s.exact || l.terms != s.terms)
      return false;
    int64_t advance = s.coefficient(loop.iterator) * loop.step;
    moves |= advance != 0;
    if (s.constant - l.constant != advance)
      return false;
  }
  return moves;
}

Value identityOf(OpBuilder &builder, Location loc, Combine combine, VectorType type) {
  Type element = type.getElementType();
  TypedAttr value;
  if (auto floats = dyn_cast<FloatType>(element)) {
    const llvm::fltSemantics &semantics = floats.getFloatSemantics();
    APFloat number(semantics, 0);
    if (combine == Combine::Multiply)
      number = APFloat::getOne(semantics);
    if (combine == Combine::Max || combine == Combine::Min)
      number = APFloat::getInf(semantics, combine == Combine::Max);
    value = FloatAttr::get(element, number);
  } else {
    unsigned bits = element.getIntOrFloatBitWidth();
    APInt number(bits, combine == Combine::Multiply ? 1 : 0);
    if (combine == Combine::Max)
      number = APInt::getSignedMinValue(bits);
    if (combine == Combine::Min)
      number = APInt::getSignedMaxValue(bits);
    value = IntegerAttr::get(element, number);
  }
  return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, value));
}

/// The combining operation of a statement, on other values.
Value combineWith(OpBuilder &builder, Operation *combiner, Value left, Value right) {
  OperationState state(combiner->getLoc(), combiner->getName());
  state.addOperands({left, right});
  state.addTypes(left.getType());
  state.addAttributes(combiner->getAttrDictionary().getValue());
  return builder.create(state)->getResult(0);
}

vector::CombiningKind kindOf(Operation *combiner) {
  return llvm::StringSwitch<vector::CombiningKind>(combiner->getName().stripDialect())
      .Cases({"addf", "addi"}, vector::CombiningKind::ADD)
      .Cases({"mulf", "muli"}, vector::CombiningKind::MUL)
      .Case("maximumf", vector::CombiningKind::MAXIMUMF)
      .Case("maxnumf", vector::CombiningKind::MAXNUMF)
      .Case("maxsi", vector::CombiningKind::MAXSI)
      .Case("minimumf", vector::CombiningKind::MINIMUMF)
      .Case("minnumf", vector::CombiningKind::MINNUMF)
      .Default(vector::CombiningKind::MINSI);
}

} // namespace

/// The places that a loop can keep in registers. Nothing else in the loop may touch their arrays.
std::vector<Carried> Emitter::findCarried(const LoopNode &loop) {
  struct Use {
    const LoopNode *leaf;
    unsigned access;
  };
  llvm::MapVector<Value, std::vector<Use>> arrays;
  forEachLeaf(loop, [&](const LoopNode &leaf) {
    for (unsigned access = 0; access < leaf.statement->accesses.size(); ++access)
      arrays[leaf.statement->accesses[access].memref].push_back({&leaf, access});
  });
  SmallVector<std::string> inner;
  collectIterators(loop, inner);
  std::vector<Carried> result;
  // Vectors of partial results keep their places by themselves.
  if (hasCondition(loop) || hasVector(*loop.children.front()) || !alwaysRuns(*loop.children.front()))
    return result;
  for (auto &array : arrays) {
    Value memref = array.first;
    const std::vector<Use> &uses = array.second;
    const Use *write = nullptr, *read = nullptr;
    unsigned writes = 0;
    for (const Use &use : uses) {
      bool isWrite = use.leaf->statement->accesses[use.access].write;
      writes += isWrite;
      (isWrite ? write : read) = &use;
    }
    if (!write || llvm::any_of(carried, [&](const Carried &entry) { return entry.memref == memref; }))
      continue;
    const std::vector<LinearForm> &stored = write->leaf->subscripts[write->access];
    auto same = [&](const std::vector<LinearForm> &form) {
      return llvm::all_of(uses, [&](const Use &use) {
        return use.leaf->statement->accesses[use.access].write || use.leaf->subscripts[use.access] == form;
      });
    };
    bool moves = llvm::any_of(stored, [&](const LinearForm &form) {
      return !form.exact || llvm::any_of(inner, [&](const std::string &name) { return form.mentions(name); });
    });
    bool oneStore = llvm::all_of(uses, [&](const Use &use) {
      return !use.leaf->statement->accesses[use.access].write || use.leaf->subscripts[use.access] == stored;
    });
    if (!oneStore || !read)
      continue;
    if (!moves && same(stored))
      result.push_back({memref, &stored, &stored, write->leaf, 0, false, Value()});
    else if (moves && writes == 1 && inner.size() == 1) {
      const std::vector<LinearForm> &loaded = read->leaf->subscripts[read->access];
      if (same(loaded) && read->leaf == write->leaf && isPrevious(loaded, stored, loop))
        result.push_back({memref, &loaded, &stored, write->leaf, 0, true, Value()});
    }
  }
  return result;
}

Value Emitter::roundDown(Value low, Value end, int64_t step) {
  Value width = arith::SubIOp::create(builder, loc, end, low);
  Value rest = arith::RemSIOp::create(builder, loc, width, constant(step));
  return arith::SubIOp::create(builder, loc, end, rest);
}

/// The carried values that something in the loop changes.
SmallVector<unsigned> Emitter::carriedThrough(const LoopNode &loop) const {
  SmallVector<unsigned> result;
  for (unsigned index = 0; index < carried.size(); ++index) {
    bool written = false;
    forEachLeaf(loop, [&](const LoopNode &leaf) {
      written |= leaf.statement->store().memref == carried[index].memref;
    });
    if (written)
      result.push_back(index);
  }
  return result;
}

/// A loop over [low, end) by steps, which passes on what the body keeps in registers.
void Emitter::strip(const LoopNode &node, Value low, Value end, int64_t step, function_ref<void()> body) {
  SmallVector<unsigned> passed = carriedThrough(node);
  SmallVector<Value> initial;
  for (unsigned index : passed)
    initial.push_back(carried[index].value);
  auto loop = scf::ForOp::create(builder, loc, low, end, constant(step), initial);
  // For whoever distributes the outermost loop over threads.
  if (depth == 0 && node.freedom == LoopKind::Parallel)
    loop->setAttr("torsh.parallel", builder.getUnitAttr());
  ++depth;
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    names[node.iterator] = loop.getInductionVar();
    for (auto [i, index] : llvm::enumerate(passed))
      carried[index].value = loop.getRegionIterArg(i);
    body();
    SmallVector<Value> results;
    for (unsigned index : passed)
      results.push_back(carried[index].value);
    if (!results.empty())
      scf::YieldOp::create(builder, loc, results);
    else if (!loop.getBody()->mightHaveTerminator())
      scf::YieldOp::create(builder, loc);
  }
  --depth;
  for (auto [i, index] : llvm::enumerate(passed))
    carried[index].value = loop.getResult(i);
  names.erase(node.iterator);
}

/// Reads what the loop is going to keep in registers, for each of the copies.
std::vector<Carried> Emitter::loadAll(ArrayRef<Carried> found) {
  std::vector<Carried> result;
  forEachCopy([&] {
    for (const Carried &entry : found) {
      Carried one = entry;
      one.copy = copy;
      one.value = loadCarried(entry);
      if (!vectorIterator.empty() && motionOf(*entry.stored, vectorIterator) != Motion::Uniform)
        one.value = splat(one.value);
      result.push_back(one);
    }
  });
  return result;
}

/// Writes back what the loop kept in registers.
void Emitter::storeAll(ArrayRef<Carried> finished) {
  forEachCopy([&] {
    for (const Carried &entry : finished)
      if (!entry.keepStore && entry.copy == copy)
        storeCarried(entry);
  });
}

/// The number of iterations of a loop that is short and of known length, 0 for others.
static int64_t shortTrip(const LoopNode &node) {
  LinearForm low = linearForm(node.low), high = linearForm(node.high);
  if (!low.exact || !high.exact || low.terms != high.terms || node.step != 1)
    return 0;
  int64_t trip = high.constant - low.constant + 1;
  return trip >= 1 && trip <= 8 ? trip : 0;
}

/// Copies of the statements below a node when all short loops are unrolled.
static int64_t unrolledSize(const LoopNode &node) {
  if (node.kind == LoopNode::Leaf)
    return 1;
  int64_t size = 0;
  for (const auto &child : node.children)
    size += unrolledSize(*child);
  if (node.kind == LoopNode::For && shortTrip(node))
    size *= shortTrip(node);
  return size;
}

/// Runs every iteration by itself.
void Emitter::emitScalarLoop(const LoopNode &node, Value low, Value end) {
  std::vector<Carried> found = findCarried(node);
  auto body = [&] { emit(*node.children.front()); };
  size_t outer = carried.size();
  auto finish = [&](Value first) {
    std::vector<Carried> finished(carried.begin() + outer, carried.end());
    carried.resize(outer);
    names[node.iterator] = first;
    storeAll(finished);
    names.erase(node.iterator);
  };
  constexpr int64_t mostUnrolled = 32;
  if (int64_t trip = shortTrip(node);
      trip && !hasVector(*node.children.front()) && unrolledSize(node) * copies <= mostUnrolled) {
    names[node.iterator] = low;
    std::vector<Carried> entries = loadAll(found);
    carried.insert(carried.end(), entries.begin(), entries.end());
    for (int64_t i = 0; i < trip; ++i) {
      names[node.iterator] = arith::AddIOp::create(builder, loc, low, constant(i));
      unrolled[node.iterator] = {i, trip};
      body();
    }
    unrolled.erase(node.iterator);
    return finish(low);
  }
  if (found.empty())
    return strip(node, low, end, node.step, body);
  Value runs = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, low, end);
  // Values that outer loops carry pass through the condition, too.
  SmallVector<unsigned> passed = carriedThrough(node);
  SmallVector<Value> before;
  for (unsigned index : passed)
    before.push_back(carried[index].value);
  SmallVector<Type> types(ValueRange(before).getTypes());
  auto guarded = scf::IfOp::create(builder, loc, types, runs, !types.empty());
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(guarded.thenBlock());
    names[node.iterator] = low;
    std::vector<Carried> entries = loadAll(found);
    carried.insert(carried.end(), entries.begin(), entries.end());
    strip(node, low, end, node.step, body);
    finish(low);
    if (!types.empty()) {
      SmallVector<Value> results;
      for (unsigned index : passed)
        results.push_back(carried[index].value);
      scf::YieldOp::create(builder, loc, results);
      builder.setInsertionPointToStart(guarded.elseBlock());
      scf::YieldOp::create(builder, loc, before);
    }
  }
  for (auto [i, index] : llvm::enumerate(passed))
    carried[index].value = guarded.getResult(i);
}

void Emitter::emitVectorLoop(const LoopNode &node, Value low, Value end) {
  lanes = lanesOf(node, machine);
  Value middle = roundDown(low, end, lanes);
  vectorIterator = node.iterator;
  strip(node, low, middle, lanes, [&] { emit(*node.children.front()); });
  vectorIterator.clear();
  lanes = 1;
  // The rest, of fewer iterations than a vector has lanes.
  strip(node, middle, end, 1, [&] { emit(*node.children.front()); });
}

/// Several vectors of partial results, so that the latency of a sum does not count; then their sum, and a scalar rest.
void Emitter::emitReductionLoop(const LoopNode &node, Value low, Value end) {
  constexpr unsigned sums = 4;
  std::vector<const LoopNode *> leaves;
  forEachLeaf(node, [&](const LoopNode &leaf) {
    if (isPartialSum(leaf, node.iterator))
      leaves.push_back(&leaf);
  });
  Value runs = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, low, end);
  auto guarded = scf::IfOp::create(builder, loc, runs, false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(guarded.thenBlock());
  lanes = lanesOf(node, machine);
  vectorIterator = jamIterator = node.iterator;
  copies = sums;
  for (const LoopNode *leaf : leaves) {
    const Access &place = leaf->statement->store();
    auto type = VectorType::get({(int64_t)lanes}, cast<MemRefType>(place.memref.getType()).getElementType());
    Value identity = identityOf(builder, loc, leaf->statement->combine, type);
    for (unsigned c = 0; c < copies; ++c)
      carried.push_back(
          {place.memref, &leaf->subscripts.back(), &leaf->subscripts.back(), leaf, c, false, identity});
  }
  auto body = [&] { emit(*node.children.front()); };
  Value wide = roundDown(low, end, lanes * copies);
  strip(node, low, wide, lanes * copies, body);
  copies = 1;
  std::vector<Carried> partial;
  for (size_t first = 0; first < carried.size(); first += sums) {
    Carried sum = carried[first];
    for (unsigned c = 1; c < sums; ++c)
      sum.value = combineWith(builder, sum.leaf->statement->combiner, sum.value, carried[first + c].value);
    partial.push_back(sum);
  }
  carried = partial;
  Value middle = roundDown(wide, end, lanes);
  strip(node, wide, middle, lanes, body);
  partial = carried;
  carried.clear();
  lanes = 1;
  vectorIterator.clear();
  jamIterator.clear();
  names[node.iterator] = low;
  for (Carried &entry : partial) {
    Operation *combiner = entry.leaf->statement->combiner;
    Value scalar = vector::ReductionOp::create(builder, loc, kindOf(combiner), entry.value,
                                               arith::FastMathFlags::reassoc);
    entry.value = combineWith(builder, combiner, loadCarried(entry), scalar);
  }
  carried = partial;
  strip(node, middle, end, 1, body);
  partial = carried;
  carried.clear();
  names[node.iterator] = low;
  for (const Carried &entry : partial)
    storeCarried(entry);
  names.erase(node.iterator);
}

void Emitter::emitJammedLoop(const LoopNode &node, Value low, Value end) {
  constexpr unsigned rows = 8;
  Value middle = roundDown(low, end, rows);
  jamIterator = node.iterator;
  copies = rows;
  strip(node, low, middle, rows, [&] { emit(*node.children.front()); });
  jamIterator.clear();
  copies = 1;
  strip(node, middle, end, 1, [&] { emit(*node.children.front()); });
}

void Emitter::emitFor(const LoopNode &node) {
  Value low = expression(node.low);
  Value end = arith::AddIOp::create(builder, loc, expression(node.high), constant(1));
  if (node.plan == LoopPlan::Jam)
    return emitJammedLoop(node, low, end);
  if (node.plan != LoopPlan::Vector)
    return emitScalarLoop(node, low, end);
  bool partial = false;
  forEachLeaf(node, [&](const LoopNode &leaf) { partial |= isPartialSum(leaf, node.iterator); });
  if (partial && node.freedom == LoopKind::Reduction)
    return emitReductionLoop(node, low, end);
  return emitVectorLoop(node, low, end);
}

void emitLoops(OpBuilder &builder, Location loc, const Scop &scop, const LoopNode &tree,
               const Machine &machine) {
  Emitter(builder, loc, scop, machine).emit(tree);
}

} // namespace torsh::poly
