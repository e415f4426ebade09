//===-- EmitStatements.cpp - One instance, or one vector of instances, of a statement -----------------------===//
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "passes/polyhedral/Emitter.h"

using namespace mlir;

namespace torsh::poly {

Value Emitter::splat(Value scalar) {
  if (isa<VectorType>(scalar.getType()))
    return scalar;
  return vector::BroadcastOp::create(builder, loc, VectorType::get({(int64_t)lanes}, scalar.getType()),
                                     scalar);
}

Value Emitter::sum(const LinearForm &form) {
  Value result;
  for (auto &[name, coefficient] : form.terms) {
    Value term = names.at(name);
    if (coefficient != 1)
      term = arith::MulIOp::create(builder, loc, term, constant(coefficient));
    result = result ? arith::AddIOp::create(builder, loc, result, term).getResult() : term;
  }
  if (!result)
    return constant(form.constant);
  // The constant comes last, so that neighbouring places share the rest.
  return form.constant ? arith::AddIOp::create(builder, loc, result, constant(form.constant)).getResult()
                       : result;
}

/// Positions in the array, for the first lane of a vector.
SmallVector<Value> Emitter::subscripts(const LoopNode &leaf, unsigned access) {
  const std::vector<LinearForm> &forms = leaf.subscripts[access];
  if (llvm::all_of(forms, [](const LinearForm &form) { return form.exact; }))
    return llvm::map_to_vector(forms, [&](const LinearForm &form) { return sum(form); });
  SmallVector<Value> dims, symbols;
  for (const isl::ast_expr &iterator : leaf.iterators)
    dims.push_back(expression(iterator));
  for (unsigned i = 0; i < scop.parameters.size(); ++i)
    symbols.push_back(names.at(parameterName(i)));
  AffineMap map = leaf.statement->accesses[access].map;
  SmallVector<Value> operands(dims);
  operands.append(symbols.begin(), symbols.begin() + map.getNumSymbols());
  return *affine::expandAffineMap(builder, loc, map, operands);
}

unsigned Emitter::accessOf(const LoopNode &leaf, const std::vector<LinearForm> *subscripts) const {
  return subscripts - leaf.subscripts.data();
}

/// Where a short unrolled loop moves an access by one: 1 if the next iteration reads the elements between those of this
/// one, -1 if the iteration before did (they share their loads in pairs), 0 if there is no such neighbour.
int64_t Emitter::neighbourOf(const LoopNode &leaf, unsigned access) const {
  ArrayRef<LinearForm> forms = leaf.subscripts[access];
  for (const auto &entry : unrolled) {
    const std::string &name = entry.first;
    bool elsewhere =
        llvm::any_of(forms.drop_back(), [&](const LinearForm &form) { return form.mentions(name); });
    if (elsewhere || !forms.back().exact || forms.back().coefficient(name) != 1)
      continue;
    auto [iteration, count] = entry.second;
    if (iteration % 2)
      return -1;
    return iteration + 1 < count ? 1 : 0;
  }
  return 0;
}

/// Elements 0, 2, 4, ... from two loads. Nothing outside of the array is read: with a neighbour the loads of both cover
/// what both need, else the second half begins one element early.
Value Emitter::loadEverySecond(const LoopNode &leaf, unsigned access) {
  const Access &place = leaf.statement->accesses[access];
  int64_t width = lanes, neighbour = neighbourOf(leaf, access);
  auto type = VectorType::get({width}, cast<MemRefType>(place.memref.getType()).getElementType());
  SmallVector<Value> at = subscripts(leaf, access);
  auto vectorAt = [&](int64_t offset) -> Value {
    SmallVector<Value> shifted(at);
    shifted.back() = arith::AddIOp::create(builder, loc, at.back(), constant(offset));
    return vector::LoadOp::create(builder, loc, type, place.memref, shifted);
  };
  int64_t first = neighbour < 0 ? -1 : 0;
  int64_t second = neighbour ? first + width : width - 1;
  SmallVector<int64_t> mask;
  for (int64_t lane = 0; lane < width; ++lane)
    mask.push_back(lane < width / 2 ? 2 * lane - first : width + 2 * lane - second);
  Value low = vectorAt(first), high = vectorAt(second);
  return vector::ShuffleOp::create(builder, loc, low, high, mask);
}

Value Emitter::load(const LoopNode &leaf, unsigned access) {
  const Access &place = leaf.statement->accesses[access];
  for (const Carried &entry : carried)
    if (entry.memref == place.memref && entry.copy == copy && *entry.loaded == leaf.subscripts[access])
      return entry.value;
  Motion motion =
      vectorIterator.empty() ? Motion::Uniform : motionOf(leaf.subscripts[access], vectorIterator);
  Type element = cast<MemRefType>(place.memref.getType()).getElementType();
  int64_t width = lanes;
  auto type = VectorType::get({width}, element);
  SmallVector<Value> at = motion == Motion::Scattered ? SmallVector<Value>() : subscripts(leaf, access);
  auto vectorAt = [&](int64_t offset) -> Value {
    SmallVector<Value> shifted(at);
    shifted.back() = arith::AddIOp::create(builder, loc, at.back(), constant(offset));
    return vector::LoadOp::create(builder, loc, type, place.memref, shifted);
  };
  SmallVector<int64_t> mask;
  switch (motion) {
  case Motion::Uniform:
    return memref::LoadOp::create(builder, loc, place.memref, at);
  case Motion::Contiguous:
    return vector::LoadOp::create(builder, loc, type, place.memref, at);
  case Motion::Reversed:
    for (int64_t lane = 0; lane < width; ++lane)
      mask.push_back(width - 1 - lane);
    {
      Value loaded = vectorAt(1 - width);
      return vector::ShuffleOp::create(builder, loc, loaded, loaded, mask);
    }
  case Motion::EverySecond:
    return loadEverySecond(leaf, access);
  case Motion::Scattered:
    break;
  }
  SmallVector<Value> elements;
  Value base = names.at(vectorIterator);
  for (int64_t lane = 0; lane < width; ++lane) {
    names[vectorIterator] = arith::AddIOp::create(builder, loc, base, constant(lane));
    elements.push_back(memref::LoadOp::create(builder, loc, place.memref, subscripts(leaf, access)));
  }
  names[vectorIterator] = base;
  return vector::FromElementsOp::create(builder, loc, type, elements);
}

void Emitter::store(const LoopNode &leaf, Value value) {
  unsigned access = leaf.statement->accesses.size() - 1;
  const Access &place = leaf.statement->accesses[access];
  for (Carried &entry : carried) {
    if (entry.memref != place.memref || entry.copy != copy || !(*entry.stored == leaf.subscripts[access]))
      continue;
    entry.value = isa<VectorType>(entry.value.getType()) ? splat(value) : value;
    if (!entry.keepStore)
      return;
  }
  Motion motion =
      vectorIterator.empty() ? Motion::Uniform : motionOf(leaf.subscripts[access], vectorIterator);
  if (motion == Motion::Uniform) {
    memref::StoreOp::create(builder, loc, value, place.memref, subscripts(leaf, access));
    return;
  }
  int64_t width = lanes;
  value = splat(value);
  if (motion == Motion::Contiguous) {
    vector::StoreOp::create(builder, loc, value, place.memref, subscripts(leaf, access));
    return;
  }
  if (motion == Motion::Reversed) {
    SmallVector<int64_t> mask;
    for (int64_t lane = 0; lane < width; ++lane)
      mask.push_back(width - 1 - lane);
    SmallVector<Value> at = subscripts(leaf, access);
    at.back() = arith::AddIOp::create(builder, loc, at.back(), constant(1 - width));
    value = vector::ShuffleOp::create(builder, loc, value, value, mask);
    vector::StoreOp::create(builder, loc, value, place.memref, at);
    return;
  }
  Value base = names.at(vectorIterator);
  for (int64_t lane = 0; lane < width; ++lane) {
    names[vectorIterator] = arith::AddIOp::create(builder, loc, base, constant(lane));
    Value element = vector::ExtractOp::create(builder, loc, value, lane);
    memref::StoreOp::create(builder, loc, element, place.memref, subscripts(leaf, access));
  }
  names[vectorIterator] = base;
}

Value Emitter::loadCarried(const Carried &entry) {
  // The value is not carried yet, so this reads memory.
  return load(*entry.leaf, accessOf(*entry.leaf, entry.loaded));
}

void Emitter::storeCarried(const Carried &entry) { store(*entry.leaf, entry.value); }

void Emitter::emitInstance(const LoopNode &leaf) {
  const Statement &statement = *leaf.statement;
  IRMapping values;
  for (auto [loop, iterator] : llvm::zip(statement.loops, leaf.iterators))
    values.map(cast<affine::AffineForOp>(loop).getInductionVar(), expression(iterator));
  unsigned access = 0;
  for (Operation *op : statement.body) {
    if (isa<affine::AffineLoadOp>(op)) {
      values.map(op->getResult(0), load(leaf, access++));
      continue;
    }
    if (auto original = dyn_cast<affine::AffineStoreOp>(op)) {
      store(leaf, values.lookupOrDefault(original.getValueToStore()));
      continue;
    }
    if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
      SmallVector<Value> operands;
      for (Value operand : apply.getOperands())
        operands.push_back(values.lookupOrDefault(operand));
      values.map(op->getResult(0),
                 (*affine::expandAffineMap(builder, loc, apply.getAffineMap(), operands))[0]);
      continue;
    }
    bool wide = llvm::any_of(op->getOperands(), [&](Value operand) {
      return isa<VectorType>(values.lookupOrDefault(operand).getType());
    });
    if (!wide) {
      builder.clone(*op, values);
      continue;
    }
    OperationState state(op->getLoc(), op->getName());
    for (Value operand : op->getOperands())
      state.addOperands(splat(values.lookupOrDefault(operand)));
    for (Type type : op->getResultTypes())
      state.addTypes(VectorType::get({(int64_t)lanes}, type));
    state.addAttributes(op->getAttrDictionary().getValue());
    Operation *made = builder.create(state);
    values.map(op->getResults(), made->getResults());
  }
}

/// Visits the iterations that run side by side, with the iterator at each of them.
void Emitter::forEachCopy(function_ref<void()> visit) {
  if (jamIterator.empty())
    return visit();
  Value base = names.at(jamIterator);
  int64_t distance = jamIterator == vectorIterator ? lanes : 1;
  for (copy = 0; copy < copies; ++copy) {
    names[jamIterator] = arith::AddIOp::create(builder, loc, base, constant(copy * distance));
    visit();
  }
  copy = 0;
  names[jamIterator] = base;
}

void Emitter::emitLeaf(const LoopNode &leaf) {
  forEachCopy([&] { emitInstance(leaf); });
}

} // namespace torsh::poly
