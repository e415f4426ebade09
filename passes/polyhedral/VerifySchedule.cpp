//===-- VerifySchedule.cpp - Is every dependence respected? -------------------------------------------------===//
//
// Independent of the data-flow analysis that the scheduler saw: the pairs are all that touch one element, found from the
// accesses and the original order alone.
//
//===--------------------------------------------------------------------------------------------------------===//
#include "passes/polyhedral/Dependences.h"

namespace torsh::poly {

bool respects(const isl::union_map &schedule, const Dependences &dependences) {
  return dependences.conflicts.every_map([&](const isl::map &pairs) {
    isl::union_map placed = isl::union_map(pairs).apply_domain(schedule).apply_range(schedule);
    // A pair that the schedule does not place at all would vanish above.
    isl::union_set from = isl::union_map(pairs).domain(), to = isl::union_map(pairs).range();
    if (!from.is_subset(schedule.domain()) || !to.is_subset(schedule.domain()))
      return false;
    return placed.every_map([](const isl::map &times) {
      isl::map late = isl::manage(isl_map_lex_ge(isl_space_domain(times.space().release())));
      return times.intersect(late).is_empty();
    });
  });
}

} // namespace torsh::poly
