//===-- Dependences.h - What must keep its order ------------------------------------------------------------===//
#ifndef TORSH_PASSES_POLYHEDRAL_DEPENDENCES_H
#define TORSH_PASSES_POLYHEDRAL_DEPENDENCES_H

#include "passes/polyhedral/Scop.h"

namespace torsh::poly {

/// Relations between statement instances, from the earlier one to the later one.
struct Dependences {
  isl::union_map flow;    ///< a value and its readers: exact, the last write only
  isl::union_map storage; ///< reads and writes before the next write of their place
  /// Every ordered pair that touches one element and writes it; follows from the above.
  isl::union_map conflicts;
  isl::union_map strict;   ///< conflicts, without those between two instances of one reduction
  bool reductions = false; ///< strict is less than conflicts

  isl::union_map validity() const { return flow.unite(storage); }
};

/// `reassociate`: sums and products of floats count as reductions, as those of integers do.
Dependences computeDependences(const Scop &scop, bool reassociate);

/// The dependences between two statements are numbered; forgets those of one number, everywhere. Returns false if there
/// are fewer. For tests that a wrong schedule is found.
bool forgetDependence(Dependences &dependences, unsigned number);

/// True if the schedule (instances to a common space) puts every conflicting pair in its order.
bool respects(const isl::union_map &schedule, const Dependences &dependences);

} // namespace torsh::poly

#endif // TORSH_PASSES_POLYHEDRAL_DEPENDENCES_H
