//===-- AffineSets.cpp - Domains and relations of statements in isl -----------------------------------------===//
#include "passes/polyhedral/AffineSets.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/IR/IntegerSet.h"

using namespace mlir;

namespace torsh::poly {

std::string parameterName(unsigned index) { return "p" + std::to_string(index); }

isl::aff toIsl(AffineExpr expression, unsigned dims, const isl::space &space) {
  auto variable = [&](isl_dim_type kind, unsigned position) {
    return isl::manage(isl_aff_var_on_domain(isl_local_space_from_space(space.copy()), kind, position));
  };
  auto zero = [&] { return isl::aff::zero_on_domain(space); };
  switch (expression.getKind()) {
  case AffineExprKind::Constant:
    return zero().add_constant(cast<AffineConstantExpr>(expression).getValue());
  case AffineExprKind::DimId:
    return variable(isl_dim_set, cast<AffineDimExpr>(expression).getPosition());
  case AffineExprKind::SymbolId:
    return variable(isl_dim_param, cast<AffineSymbolExpr>(expression).getPosition());
  default:
    break;
  }
  auto binary = cast<AffineBinaryOpExpr>(expression);
  isl::aff left = toIsl(binary.getLHS(), dims, space), right = toIsl(binary.getRHS(), dims, space);
  switch (expression.getKind()) {
  case AffineExprKind::Add:
    return left.add(right);
  case AffineExprKind::Mul:
    return left.mul(right);
  case AffineExprKind::Mod:
    return left.mod(right.constant_val());
  case AffineExprKind::FloorDiv:
    return left.div(right).floor();
  default:
    return left.div(right).ceil();
  }
}

std::optional<AffineMap> Parameters::normalise(AffineMap map, ValueRange operands,
                                               ArrayRef<Operation *> loops) {
  SmallVector<Value> values(operands);
  affine::fullyComposeAffineMapAndOperands(&map, &values);
  affine::canonicalizeMapAndOperands(&map, &values);
  MLIRContext *context = map.getContext();
  SmallVector<AffineExpr> replacements;
  for (Value value : values) {
    const auto *loop = llvm::find_if(
        loops, [&](Operation *op) { return cast<affine::AffineForOp>(op).getInductionVar() == value; });
    if (loop != loops.end()) {
      replacements.push_back(getAffineDimExpr(loop - loops.begin(), context));
      continue;
    }
    if (affine::isAffineInductionVar(value) ||
        (value.getDefiningOp() && value.getDefiningOp()->getParentOfType<affine::AffineForOp>()))
      return std::nullopt;
    auto *place = llvm::find(list, value);
    replacements.push_back(getAffineSymbolExpr(place - list.begin(), context));
    if (place == list.end())
      list.push_back(value);
  }
  unsigned dims = map.getNumDims();
  ArrayRef<AffineExpr> all(replacements);
  return map.replaceDimsAndSymbols(all.take_front(dims), all.drop_front(dims), loops.size(), list.size());
}

isl::space statementSpace(IslContext &context, StringRef name, unsigned loops, unsigned parameters) {
  isl_space *space = isl_space_set_alloc(context.pointer(), parameters, loops);
  for (unsigned i = 0; i < parameters; ++i)
    space = isl_space_set_dim_name(space, isl_dim_param, i, parameterName(i).c_str());
  space = isl_space_set_tuple_name(space, isl_dim_set, name.str().c_str());
  return isl::manage(space);
}

std::optional<isl::set> statementDomain(const isl::space &space, ArrayRef<Operation *> around,
                                        Parameters &parameters, std::string &why) {
  isl::set domain = isl::set::universe(space);
  SmallVector<Operation *> loops;
  auto normalise = [&](AffineMap map, ValueRange operands) {
    std::optional<AffineMap> found = parameters.normalise(map, operands, loops);
    if (!found)
      why = "a bound or condition depends on a value that is computed inside of the loops";
    return found;
  };
  for (Operation *op : around) {
    if (auto condition = dyn_cast<affine::AffineIfOp>(op)) {
      IntegerSet set = condition.getIntegerSet();
      AffineMap map =
          AffineMap::get(set.getNumDims(), set.getNumSymbols(), set.getConstraints(), op->getContext());
      std::optional<AffineMap> found = normalise(map, condition.getOperands());
      if (!found)
        return std::nullopt;
      for (auto [expression, equality] : llvm::zip(found->getResults(), set.getEqFlags())) {
        isl::aff value = toIsl(expression, loops.size(), space), zero = isl::aff::zero_on_domain(space);
        domain = domain.intersect(equality ? value.eq_set(zero) : value.ge_set(zero));
      }
      continue;
    }
    auto loop = cast<affine::AffineForOp>(op);
    std::optional<AffineMap> low = normalise(loop.getLowerBoundMap(), loop.getLowerBoundOperands());
    std::optional<AffineMap> high = normalise(loop.getUpperBoundMap(), loop.getUpperBoundOperands());
    if (!low || !high)
      return std::nullopt;
    loops.push_back(op);
    isl::aff iterator = toIsl(getAffineDimExpr(loops.size() - 1, op->getContext()), loops.size(), space);
    for (AffineExpr expression : low->getResults())
      domain = domain.intersect(iterator.ge_set(toIsl(expression, loops.size(), space)));
    for (AffineExpr expression : high->getResults())
      domain = domain.intersect(iterator.lt_set(toIsl(expression, loops.size(), space)));
    int64_t step = loop.getStepAsInt();
    if (step == 1)
      continue;
    if (low->getNumResults() != 1) {
      why = "a loop with a step has several lower bounds";
      return std::nullopt;
    }
    isl::aff distance = iterator.sub(toIsl(low->getResult(0), loops.size(), space));
    domain = domain.intersect(distance.mod(step).eq_set(isl::aff::zero_on_domain(space)));
  }
  return domain;
}

isl::map accessRelation(const isl::space &space, AffineMap map, StringRef array) {
  isl_space *target = isl_space_set_alloc(isl_space_get_ctx(space.get()), 0, map.getNumResults());
  target = isl_space_set_tuple_name(target, isl_dim_set, array.str().c_str());
  target = isl_space_align_params(target, space.copy());
  isl::space range = isl::manage(target);
  isl::multi_aff subscripts =
      isl::manage(isl_multi_aff_zero(isl_space_map_from_domain_and_range(space.copy(), range.copy())));
  for (unsigned i = 0; i < map.getNumResults(); ++i)
    subscripts = subscripts.set_at(i, toIsl(map.getResult(i), map.getNumDims(), space));
  return subscripts.as_map();
}

} // namespace torsh::poly
