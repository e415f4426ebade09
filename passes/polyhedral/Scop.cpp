//===-- Scop.cpp - Reading the affine loops of a function ---------------------------------------------------===//
//
// A statement is a store with its backward slice. A load may move to the store that uses it only if nothing between the
// two can write the loaded array; what breaks that rule is refused.
//
//===--------------------------------------------------------------------------------------------------------===//
#include "passes/polyhedral/Scop.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/polyhedral/AffineSets.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace torsh::poly {
namespace {

bool isFrame(Operation *op) {
  return isa<memref::AllocOp, memref::AllocaOp, memref::DeallocOp, memref::DimOp, func::ReturnOp>(op);
}

class Reader {
public:
  Reader(func::FuncOp function, IslContext &context, Refusal &refusal)
      : function(function), context(context), refusal(refusal),
        nothing(isl::manage(isl_map_empty(isl_space_alloc(context.pointer(), 0, 0, 0)))) {}
  std::optional<Scop> read();

private:
  bool refuse(Operation *op, const Twine &why) {
    refusal = {op->getLoc(), why.str()};
    return false;
  }
  bool checkFrame();
  bool checkOperation(Operation *op);
  bool visit(Block &block);
  bool addStatement(affine::AffineStoreOp store);
  bool collectBody(affine::AffineStoreOp store, Statement &statement);
  bool checkMovedLoad(affine::AffineLoadOp load, affine::AffineStoreOp store);
  void recogniseReduction(Statement &statement);
  bool build();

  func::FuncOp function;
  IslContext &context;
  Refusal &refusal;
  isl::map nothing; ///< isl does not copy objects without a value
  Scop scop;
  Parameters parameters;
  SmallVector<Operation *> around;                    ///< loops and conditions at the place of the walk
  std::vector<SmallVector<Operation *>> surroundings; ///< of each statement
  std::vector<SmallVector<int64_t>> positions;        ///< of each statement: numbers between its loops
  SmallVector<int64_t> counters;
  llvm::SetVector<Value> written;
};

/// Allocations come first, deallocations last, and nothing else is beside the loops.
bool Reader::checkFrame() {
  if (!function.getBody().hasOneBlock())
    return refuse(function, "its control flow is not structured");
  bool started = false;
  for (Operation &op : function.getBody().front()) {
    if (isFrame(&op)) {
      if (started && isa<memref::AllocOp, memref::AllocaOp, memref::DimOp>(op))
        return refuse(&op, "an allocation stands behind the first loop; move it to the front");
      if (isa<func::ReturnOp>(op) && op.getNumOperands())
        return refuse(&op, "it returns values");
      continue;
    }
    if (isa<affine::AffineForOp, affine::AffineIfOp, affine::AffineStoreOp>(op))
      started = true;
    if (started)
      scop.roots.push_back(&op);
    else if (!isPure(&op))
      return refuse(&op, "'" + op.getName().getStringRef() + "' has no place in an affine function");
  }
  return true;
}

bool Reader::checkOperation(Operation *op) {
  if (auto loop = dyn_cast<affine::AffineForOp>(op)) {
    if (loop.getNumIterOperands())
      return refuse(op, "a loop carries values; keep them in a memref");
    return true;
  }
  if (auto condition = dyn_cast<affine::AffineIfOp>(op)) {
    if (condition.hasElse() || condition.getNumResults())
      return refuse(op, "a condition has an else branch or results");
    return true;
  }
  if (isa<affine::AffineLoadOp, affine::AffineStoreOp, affine::AffineYieldOp, affine::AffineApplyOp>(op)) {
    for (Value operand : op->getOperands()) {
      auto type = dyn_cast<MemRefType>(operand.getType());
      if (!type)
        continue;
      // A view would be the same memory under another name.
      Operation *origin = operand.getDefiningOp();
      if (origin && !isa<memref::AllocOp, memref::AllocaOp>(origin))
        return refuse(op, "an array is neither an argument nor allocated here");
      if (!type.getLayout().isIdentity() || !type.getElementType().isIntOrFloat())
        return refuse(op, "an array has strides or elements that are no numbers");
    }
    return true;
  }
  if (isPure(op) && op->getNumRegions() == 0 && isa<arith::ArithDialect>(op->getDialect()))
    return true;
  if (isPure(op) && op->getNumRegions() == 0 && op->getDialect() &&
      op->getDialect()->getNamespace() == "math")
    return true;
  return refuse(op, "'" + op->getName().getStringRef() + "' is not affine");
}

bool Reader::visit(Block &block) {
  for (Operation &op : block) {
    if (isFrame(&op) || (around.empty() && !llvm::is_contained(scop.roots, &op)))
      continue;
    if (!checkOperation(&op))
      return false;
    if (isa<affine::AffineForOp, affine::AffineIfOp>(op)) {
      around.push_back(&op);
      bool loop = isa<affine::AffineForOp>(op);
      if (loop)
        counters.push_back(0);
      if (!visit(op.getRegion(0).front()))
        return false;
      if (loop) {
        counters.pop_back();
        ++counters.back();
      }
      around.pop_back();
    } else if (auto store = dyn_cast<affine::AffineStoreOp>(op)) {
      if (!addStatement(store))
        return false;
      ++counters.back();
    }
  }
  return true;
}

/// The load happens at the store instead of at its place: nothing between may write the array.
bool Reader::checkMovedLoad(affine::AffineLoadOp load, affine::AffineStoreOp store) {
  if (!written.contains(load.getMemRef()))
    return true;
  if (load->getBlock() != store->getBlock())
    return refuse(load, "a value is loaded outside of the loop that uses it, from an array that is written");
  for (Operation *op = load->getNextNode(); op != store; op = op->getNextNode()) {
    WalkResult result = op->walk([&](affine::AffineStoreOp other) {
      return other.getMemRef() == load.getMemRef() ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (result.wasInterrupted())
      return refuse(load, "an array is written between a load and the store that uses it");
  }
  return true;
}

bool Reader::collectBody(affine::AffineStoreOp store, Statement &statement) {
  llvm::SetVector<Operation *> slice;
  SmallVector<Value> work{store.getValueToStore()};
  slice.insert(store);
  auto inside = [&](Operation *op) {
    return llvm::any_of(scop.roots, [&](Operation *root) { return root->isAncestor(op); });
  };
  while (!work.empty()) {
    Operation *op = work.pop_back_val().getDefiningOp();
    if (!op || !inside(op) || !slice.insert(op))
      continue;
    if (auto load = dyn_cast<affine::AffineLoadOp>(op)) {
      if (!checkMovedLoad(load, store))
        return false;
      continue;
    }
    if (isa<affine::AffineApplyOp>(op))
      continue;
    work.append(op->operand_begin(), op->operand_end());
  }
  // Dominance orders the slice: an operation of an outer block comes before the inner ones.
  statement.body = slice.takeVector();
  llvm::sort(statement.body, [](Operation *a, Operation *b) {
    if (a->getBlock() == b->getBlock())
      return a->isBeforeInBlock(b);
    if (Operation *up = a->getBlock()->findAncestorOpInBlock(*b))
      return a->isBeforeInBlock(up);
    if (Operation *up = b->getBlock()->findAncestorOpInBlock(*a))
      return up->isBeforeInBlock(b);
    return false;
  });
  return true;
}

bool Reader::addStatement(affine::AffineStoreOp store) {
  Statement statement;
  statement.domain = nothing.domain();
  statement.position = nothing;
  statement.name = "S" + std::to_string(scop.statements.size());
  for (Operation *op : around)
    if (isa<affine::AffineForOp>(op))
      statement.loops.push_back(op);
  if (!collectBody(store, statement))
    return false;
  for (Operation *op : statement.body) {
    AffineMap map;
    SmallVector<Value> operands;
    Value memref;
    bool write = false;
    if (auto load = dyn_cast<affine::AffineLoadOp>(op)) {
      map = load.getAffineMap();
      operands = llvm::to_vector(load.getMapOperands());
      memref = load.getMemRef();
    } else if (op == store) {
      map = store.getAffineMap();
      operands = llvm::to_vector(store.getMapOperands());
      memref = store.getMemRef();
      write = true;
    } else {
      continue;
    }
    std::optional<AffineMap> found = parameters.normalise(map, operands, statement.loops);
    if (!found)
      return refuse(op, "a subscript depends on a value that is computed inside of the loops");
    statement.accesses.push_back({op, memref, write, *found, nothing});
  }
  recogniseReduction(statement);
  positions.push_back(counters);
  surroundings.push_back(around);
  scop.statements.push_back(std::move(statement));
  return true;
}

Combine combineOf(Operation *op) {
  if (isa<arith::AddFOp, arith::AddIOp>(op))
    return Combine::Add;
  if (isa<arith::MulFOp, arith::MulIOp>(op))
    return Combine::Multiply;
  if (isa<arith::MaximumFOp, arith::MaxNumFOp, arith::MaxSIOp>(op))
    return Combine::Max;
  if (isa<arith::MinimumFOp, arith::MinNumFOp, arith::MinSIOp>(op))
    return Combine::Min;
  return Combine::None;
}

void Reader::recogniseReduction(Statement &statement) {
  const Access &store = statement.store();
  Operation *combiner = cast<affine::AffineStoreOp>(store.op).getValueToStore().getDefiningOp();
  if (!combiner || !llvm::is_contained(statement.body, combiner))
    return;
  Combine combine = combineOf(combiner);
  const Access *carried = nullptr;
  for (const Access &access : statement.accesses) {
    if (access.write || access.memref != store.memref)
      continue;
    // A second load of the array would see an order of the partial results.
    if (carried || access.map != store.map)
      return;
    carried = &access;
  }
  if (combine == Combine::None || !carried)
    return;
  Value old = carried->op->getResult(0);
  bool once =
      llvm::count(combiner->getOperands(), old) == 1 && llvm::none_of(statement.body, [&](Operation *op) {
        return op != combiner && llvm::is_contained(op->getOperands(), old);
      });
  if (!once)
    return;
  statement.combine = combine;
  statement.combiner = combiner;
  statement.carried = carried->op;
}

bool Reader::build() {
  unsigned count = parameters.values().size();
  scop.parameters.assign(parameters.values().begin(), parameters.values().end());
  size_t depth = 0;
  for (const Statement &statement : scop.statements)
    depth = std::max(depth, statement.loops.size());
  isl::ctx ctx = context.get();
  isl_union_set *domain = isl_union_set_empty_ctx(context.pointer());
  scop.domain = isl::manage(domain);
  scop.reads = scop.writes = scop.order = isl::union_map::empty(ctx);
  SmallVector<Value> arrays;
  for (auto [index, statement] : llvm::enumerate(scop.statements)) {
    isl::space space = statementSpace(context, statement.name, statement.loops.size(), count);
    std::string why;
    Parameters known = parameters;
    std::optional<isl::set> instances = statementDomain(space, surroundings[index], known, why);
    if (!instances)
      return refuse(statement.body.back(), why);
    statement.domain = *instances;
    scop.domain = scop.domain.unite(isl::union_set(statement.domain));
    for (Access &access : statement.accesses) {
      auto *place = llvm::find(arrays, access.memref);
      std::string name = "A" + std::to_string(place - arrays.begin());
      if (place == arrays.end())
        arrays.push_back(access.memref);
      access.relation = accessRelation(space, access.map, name).intersect_domain(statement.domain);
      isl::union_map &into = access.write ? scop.writes : scop.reads;
      into = into.unite(isl::union_map(access.relation));
    }
    // Positions between loops alternate with the loops; short nests are filled up with zeros.
    MLIRContext *mlir = function.getContext();
    SmallVector<AffineExpr> numbers;
    for (size_t level = 0; level <= depth; ++level) {
      bool inside = level < positions[index].size();
      numbers.push_back(getAffineConstantExpr(inside ? positions[index][level] : 0, mlir));
      if (level < depth)
        numbers.push_back(level < statement.loops.size() ? getAffineDimExpr(level, mlir)
                                                         : getAffineConstantExpr(0, mlir));
    }
    AffineMap order = AffineMap::get(statement.loops.size(), count, numbers, mlir);
    statement.position = accessRelation(space, order, "").intersect_domain(statement.domain);
    statement.position = isl::manage(isl_map_reset_tuple_id(statement.position.release(), isl_dim_out));
    scop.order = scop.order.unite(isl::union_map(statement.position));
  }
  return true;
}

std::optional<Scop> Reader::read() {
  if (!checkFrame())
    return std::nullopt;
  function.walk([&](affine::AffineStoreOp store) { written.insert(store.getMemRef()); });
  counters.push_back(0);
  if (!visit(function.getBody().front()))
    return std::nullopt;
  // A first look at all bounds: the spaces below must name every parameter.
  for (auto [index, statement] : llvm::enumerate(scop.statements)) {
    isl::space space = statementSpace(context, statement.name, statement.loops.size(), 64);
    std::string why;
    if (!statementDomain(space, surroundings[index], parameters, why)) {
      refuse(statement.body.back(), why);
      return std::nullopt;
    }
  }
  if (scop.statements.empty())
    refuse(function, "it has no loops that store anything");
  for (Value size : parameters.values()) {
    Operation *origin = size.getDefiningOp();
    if (origin && llvm::is_contained(scop.roots, origin)) {
      refuse(origin, "a size is computed behind the first loop; move it to the front");
      return std::nullopt;
    }
  }
  if (scop.statements.empty() || !build())
    return std::nullopt;
  return std::move(scop);
}

} // namespace

std::optional<Scop> readScop(func::FuncOp function, IslContext &context, Refusal &refusal) {
  return Reader(function, context, refusal).read();
}

} // namespace torsh::poly
