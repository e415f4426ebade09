//===-- Schedule.h - New orders for a function's statements -------------------------------------------------===//
#ifndef TORSH_PASSES_POLYHEDRAL_SCHEDULE_H
#define TORSH_PASSES_POLYHEDRAL_SCHEDULE_H

#include "passes/polyhedral/Dependences.h"
#include "passes/polyhedral/Machine.h"

namespace torsh::poly {

/// A legal order of all statements, and what was done for it.
struct Candidate {
  isl::schedule schedule;
  double cycles; ///< estimated for memory traffic; not for arithmetic
  bool tiled;
  std::string description; ///< for remarks: `tiles 16 x 64 x 256, original order within`
};

/// Schedules to choose from: isl's bands, tiled where that saves traffic, with the original order within tiles or with
/// isl's; and the loops as written, fused and tiled where that is legal as it is. The first one is preferred among equals.
std::vector<Candidate> scheduleCandidates(const Scop &scop, const Dependences &dependences,
                                          const Machine &machine);

} // namespace torsh::poly

#endif // TORSH_PASSES_POLYHEDRAL_SCHEDULE_H
