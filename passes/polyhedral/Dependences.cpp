//===-- Dependences.cpp - Exact dependences, by isl's data-flow analysis ------------------------------------===//
#include "passes/polyhedral/Dependences.h"

using namespace mlir;

namespace torsh::poly {
namespace {

isl::union_map earlierThan(const isl::union_map &order) {
  return isl::manage(isl_union_map_lex_lt_union_map(order.copy(), order.copy()));
}

/// Pairs of instances whose accesses meet.
isl::union_map meeting(const isl::union_map &first, const isl::union_map &second) {
  return first.apply_range(second.reverse());
}

bool isReduction(const Statement &statement, bool reassociate) {
  if (statement.combine == Combine::None)
    return false;
  bool sum = statement.combine == Combine::Add || statement.combine == Combine::Multiply;
  bool floats = isa<FloatType>(cast<MemRefType>(statement.store().memref.getType()).getElementType());
  return reassociate || !sum || !floats;
}

} // namespace

Dependences computeDependences(const Scop &scop, bool reassociate) {
  Dependences result;
  auto flowOf = [&](const isl::union_map &sink, const isl::union_map &must, const isl::union_map &may) {
    return isl::union_access_info(sink)
        .set_must_source(must)
        .set_may_source(may)
        .set_schedule_map(scop.order)
        .compute_flow();
  };
  isl::union_map none = isl::union_map::empty(scop.reads.ctx());
  result.flow = flowOf(scop.reads, scop.writes, none).may_dependence();
  // A write comes after the reads since the previous write, and after that write.
  result.storage = flowOf(scop.writes, scop.writes, scop.reads).may_dependence();
  isl::union_map before = earlierThan(scop.order);
  isl::union_map all = scop.reads.unite(scop.writes);
  result.conflicts = meeting(all, scop.writes).unite(meeting(scop.writes, scop.reads)).intersect(before);
  result.strict = result.conflicts;
  for (const Statement &statement : scop.statements) {
    if (!isReduction(statement, reassociate))
      continue;
    result.reductions = true;
    isl::set everything = statement.domain;
    isl::union_map within =
        isl::union_map::from_domain_and_range(isl::union_set(everything), isl::union_set(everything));
    result.strict = result.strict.subtract(within);
  }
  return result;
}

bool forgetDependence(Dependences &dependences, unsigned number) {
  std::map<std::string, isl::union_map> pairs;
  dependences.validity().foreach_map([&](isl::map map) {
    std::string from = isl_map_get_tuple_name(map.get(), isl_dim_in);
    std::string to = isl_map_get_tuple_name(map.get(), isl_dim_out);
    pairs[from + " " + to] = isl::union_map(isl::manage(isl_map_universe(map.space().release())));
  });
  if (number >= pairs.size())
    return false;
  const isl::union_map &lost = std::next(pairs.begin(), number)->second;
  for (isl::union_map *map :
       {&dependences.flow, &dependences.storage, &dependences.conflicts, &dependences.strict})
    *map = map->subtract(lost);
  return true;
}

} // namespace torsh::poly
