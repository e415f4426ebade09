//===-- Schedule.cpp - Pluto-like schedules by isl, tiled ---------------------------------------------------===//
//
// isl finds bands of loops that can be permuted, hence tiled: all dependences run forward along every member. A tile is
// then executed as a whole, and within it any legal order will do. The original order is one, and its rows are those
// that the programmer wrote: for a stencil they can be vectorised where the skewed loops cannot.
//
//===--------------------------------------------------------------------------------------------------------===//
#include "passes/polyhedral/Schedule.h"
#include "passes/polyhedral/TileSizes.h"

using namespace mlir;

namespace torsh::poly {
namespace {

enum class Inner { Original, Band };

class Scheduler {
public:
  Scheduler(const Scop &scop, const Dependences &dependences, const Machine &machine)
      : scop(scop), dependences(dependences), machine(machine) {}
  Candidate make(const isl::schedule &plan, Inner inner);
  isl::schedule plan();
  std::optional<isl::schedule> planAsWritten();

private:
  isl::schedule_node rework(isl::schedule_node node, Inner inner);
  isl::schedule_node reworkBand(isl::schedule_node_band band, Inner inner);
  std::vector<BandStatement> under(const isl::schedule_node_band &band);
  SmallVector<unsigned> memberOrder(ArrayRef<BandStatement> statements, unsigned members);
  isl::schedule_node originalBelow(isl::schedule_node node);

  const Scop &scop;
  const Dependences &dependences;
  const Machine &machine;
  std::string description;
  double cycles = 0;
};

isl::schedule Scheduler::plan() {
  isl_ctx *ctx = scop.domain.ctx().get();
  isl_options_set_schedule_maximize_band_depth(ctx, 1);
  isl_options_set_schedule_outer_coincidence(ctx, 0);
  isl_options_set_schedule_serialize_sccs(ctx, 0);
  isl_options_set_schedule_whole_component(ctx, 0);
  isl_options_set_schedule_maximize_coincidence(ctx, 0);
  isl_options_set_schedule_max_coefficient(ctx, 8);
  isl_options_set_tile_scale_tile_loops(ctx, 0);
  isl_options_set_tile_shift_point_loops(ctx, 0);
  return isl::schedule_constraints::on_domain(scop.domain)
      .set_validity(dependences.validity())
      .set_coincidence(dependences.validity())
      .set_proximity(dependences.flow)
      .compute_schedule();
}

/// One band of the loops as written: the first loops of all statements together, then the second ones, and so on. isl
/// fuses only what depends on each other first; nests that read the same arrays gain from this. Only loops along which
/// every dependence runs forward become members.
std::optional<isl::schedule> Scheduler::planAsWritten() {
  size_t depth = 0;
  for (const Statement &statement : scop.statements)
    depth = std::max(depth, statement.loops.size());
  isl::union_map validity = dependences.validity();
  isl_union_pw_aff_list *members = isl_union_pw_aff_list_alloc(scop.domain.ctx().get(), depth);
  unsigned count = 0;
  for (size_t level = 0; level < depth; ++level) {
    isl::union_pw_aff member = isl::manage(isl_union_pw_aff_empty(scop.domain.space().release()));
    for (const Statement &statement : scop.statements) {
      isl::aff value = isl::aff::zero_on_domain(statement.domain.space());
      if (level < statement.loops.size())
        value = isl::manage(isl_aff_var_on_domain(
            isl_local_space_from_space(statement.domain.space().release()), isl_dim_set, level));
      isl_pw_aff *piece =
          isl_pw_aff_intersect_domain(isl_pw_aff_from_aff(value.release()), statement.domain.copy());
      member = isl::manage(isl_union_pw_aff_add_pw_aff(member.release(), piece));
    }
    isl::union_map times = isl::manage(isl_union_map_from_union_pw_aff(member.copy()));
    isl::union_map moved = validity.apply_domain(times).apply_range(times);
    bool forward = moved.every_map([](const isl::map &map) {
      isl::map back = isl::manage(isl_map_lex_gt(isl_space_domain(map.space().release())));
      return map.intersect(back).is_empty();
    });
    if (!forward)
      continue;
    members = isl_union_pw_aff_list_add(members, member.release());
    ++count;
  }
  if (count == 0) {
    isl_union_pw_aff_list_free(members);
    return std::nullopt;
  }
  isl_space *space = isl_space_set_alloc(scop.domain.ctx().get(), 0, count);
  space = isl_space_align_params(space, scop.domain.space().release());
  isl::multi_union_pw_aff band = isl::manage(isl_multi_union_pw_aff_from_union_pw_aff_list(space, members));
  isl::schedule_node node =
      isl::schedule::from_domain(scop.domain).root().child(0).insert_partial_schedule(band);
  return node.as<isl::schedule_node_band>().set_permutable(1).schedule();
}

/// What a member of a band is for the statement of a name: coefficients of the statement's loops.
struct MemberQuery {
  StringRef name;
  SmallVector<int64_t> coefficients;
};

isl_stat readPiece(isl_set *domain, isl_aff *aff, void *user) {
  auto &coefficients = static_cast<MemberQuery *>(user)->coefficients;
  for (size_t i = 0; i < coefficients.size(); ++i) {
    isl_val *coefficient = isl_aff_get_coefficient_val(aff, isl_dim_in, i);
    coefficients[i] = isl_val_is_int(coefficient) ? isl_val_get_num_si(coefficient) : 0;
    isl_val_free(coefficient);
  }
  isl_set_free(domain);
  isl_aff_free(aff);
  return isl_stat_ok;
}

isl_stat readMember(isl_pw_aff *value, void *user) {
  auto &query = *static_cast<MemberQuery *>(user);
  isl::id name = isl::manage(isl_pw_aff_get_tuple_id(value, isl_dim_in));
  // Different expressions for different instances count as no expression.
  if (query.name == isl_id_get_name(name.get()) && isl_pw_aff_n_piece(value) == 1)
    isl_pw_aff_foreach_piece(value, readPiece, user);
  isl_pw_aff_free(value);
  return isl_stat_ok;
}

SmallVector<int64_t> coefficientsOf(const isl::multi_union_pw_aff &partial, unsigned member,
                                    const Statement &statement) {
  isl::union_pw_aff one = isl::manage(isl_multi_union_pw_aff_get_union_pw_aff(partial.get(), member));
  MemberQuery query{statement.name, SmallVector<int64_t>(statement.loops.size(), 0)};
  isl_union_pw_aff_foreach_pw_aff(one.get(), readMember, &query);
  return query.coefficients;
}

std::vector<BandStatement> Scheduler::under(const isl::schedule_node_band &band) {
  isl::union_set domain = isl::manage(isl_schedule_node_get_domain(band.get()));
  isl::multi_union_pw_aff partial = band.partial_schedule();
  std::vector<BandStatement> result;
  for (const Statement &statement : scop.statements) {
    if (isl::union_set(statement.domain).intersect(domain).is_empty())
      continue;
    BandStatement entry = describeStatement(statement);
    for (unsigned k = 0; k < band.n_member(); ++k)
      entry.members.push_back(coefficientsOf(partial, k, statement));
    result.push_back(std::move(entry));
  }
  return result;
}

/// The members of a permutable band, with the one last along which most accesses have stride one.
SmallVector<unsigned> Scheduler::memberOrder(ArrayRef<BandStatement> statements, unsigned members) {
  SmallVector<unsigned> order = llvm::to_vector(llvm::seq(0u, members));
  int best = -1, bestScore = 0;
  for (unsigned k = 0; k < members; ++k) {
    int score = 0;
    for (const BandStatement &band : statements) {
      SmallVector<int64_t> row = band.members[k];
      if (llvm::count_if(row, [](int64_t c) { return c != 0; }) != 1)
        continue;
      unsigned loop = llvm::find_if(row, [](int64_t c) { return c != 0; }) - row.begin();
      for (const Access &access : band.statement->accesses) {
        unsigned rank = access.map.getNumResults();
        for (unsigned d = 0; d < rank; ++d)
          if (access.map.getResult(d).isFunctionOfDim(loop))
            score += d + 1 == rank ? (access.write ? 3 : 2) : -3;
      }
    }
    if (best < 0 || score >= bestScore) {
      best = k;
      bestScore = score;
    }
  }
  if (best >= 0) {
    order.erase(order.begin() + best);
    order.push_back(best);
  }
  return order;
}

isl::multi_union_pw_aff chosenMembers(const isl::multi_union_pw_aff &partial, ArrayRef<unsigned> members) {
  isl::union_pw_aff_list list(partial.ctx(), members.size());
  for (unsigned member : members)
    list = list.add(isl::manage(isl_multi_union_pw_aff_get_union_pw_aff(partial.get(), member)));
  isl_space *space = isl_multi_union_pw_aff_get_space(partial.get());
  unsigned all = isl_space_dim(space, isl_dim_set);
  space = isl_space_drop_dims(space, isl_dim_set, members.size(), all - members.size());
  space = isl_space_reset_tuple_id(space, isl_dim_set);
  return isl::manage(isl_multi_union_pw_aff_from_union_pw_aff_list(space, list.release()));
}

/// Replaces what is below by the original order.
isl::schedule_node Scheduler::originalBelow(isl::schedule_node node) {
  node = isl::manage(isl_schedule_node_cut(node.release()));
  isl::union_set domain = isl::manage(isl_schedule_node_get_domain(node.get()));
  isl::union_map order = scop.order.intersect_domain(domain);
  return node.insert_partial_schedule(isl::manage(isl_multi_union_pw_aff_from_union_map(order.release())));
}

isl::schedule_node Scheduler::reworkBand(isl::schedule_node_band band, Inner inner) {
  std::vector<BandStatement> statements = under(band);
  unsigned members = band.n_member();
  bool permutable = band.permutable() || members == 1;
  TileChoice choice = chooseTileSizes(statements, permutable ? members : 0, machine);
  const SmallVector<int64_t> &sizes = choice.sizes;
  cycles += choice.cycles;
  isl::multi_union_pw_aff partial = band.partial_schedule();
  isl::schedule_node node = band;
  if (inner == Inner::Band && permutable) {
    SmallVector<unsigned> order = memberOrder(statements, members);
    isl::multi_union_pw_aff permuted = chosenMembers(partial, order);
    node = isl::manage(isl_schedule_node_delete(node.release())).insert_partial_schedule(permuted);
    node = node.as<isl::schedule_node_band>().set_permutable(1);
  }
  SmallVector<unsigned> cut;
  for (unsigned k = 0; k < sizes.size(); ++k)
    if (sizes[k])
      cut.push_back(k);
  if (!cut.empty()) {
    description += description.empty() ? "tiles" : "; tiles";
    isl::multi_union_pw_aff tiles = chosenMembers(partial, cut);
    isl::multi_val divisors = isl::manage(isl_multi_val_zero(isl_multi_union_pw_aff_get_space(tiles.get())));
    for (auto [i, k] : llvm::enumerate(cut)) {
      divisors = isl::manage(
          isl_multi_val_set_val(divisors.release(), i, isl_val_int_from_si(node.ctx().get(), sizes[k])));
      description += (i ? " x " : " ") + std::to_string(sizes[k]);
    }
    tiles = isl::manage(isl_multi_union_pw_aff_floor(
        isl_multi_union_pw_aff_scale_down_multi_val(tiles.release(), divisors.release())));
    node = node.insert_partial_schedule(tiles);
    if (inner == Inner::Original)
      return originalBelow(node.child(0)).parent();
    return node;
  }
  if (inner == Inner::Band)
    return node;
  isl::schedule_node parent = isl::manage(isl_schedule_node_cut(node.release()));
  isl::union_set domain = isl::manage(isl_schedule_node_get_domain(parent.get()));
  isl::union_map order = scop.order.intersect_domain(domain);
  return parent.insert_partial_schedule(isl::manage(isl_multi_union_pw_aff_from_union_map(order.release())));
}

/// Reworks the outermost bands below a node and returns to it.
isl::schedule_node Scheduler::rework(isl::schedule_node node, Inner inner) {
  if (node.isa<isl::schedule_node_band>())
    return reworkBand(node.as<isl::schedule_node_band>(), inner);
  for (unsigned i = 0; i < node.n_children(); ++i)
    node = rework(node.child(i), inner).parent();
  return node;
}

Candidate Scheduler::make(const isl::schedule &plan, Inner inner) {
  description.clear();
  cycles = 0;
  isl::schedule_node root = rework(plan.root(), inner);
  bool tiled = !description.empty();
  if (!tiled)
    description = "no tiles";
  description += inner == Inner::Original ? ", the original order within" : ", isl's order within";
  return {root.schedule(), cycles, tiled, description};
}

} // namespace

std::vector<Candidate> scheduleCandidates(const Scop &scop, const Dependences &dependences,
                                          const Machine &machine) {
  Scheduler scheduler(scop, dependences, machine);
  isl::schedule plan = scheduler.plan();
  std::vector<Candidate> result;
  result.push_back(scheduler.make(plan, Inner::Original));
  // Without tiles this would be the first one again.
  if (std::optional<isl::schedule> written = scheduler.planAsWritten()) {
    Candidate candidate = scheduler.make(*written, Inner::Original);
    if (candidate.tiled)
      result.push_back(candidate);
  }
  result.push_back(scheduler.make(plan, Inner::Band));
  return result;
}

} // namespace torsh::poly
