//===-- LoopTree.cpp - From a schedule to a tree of loops ---------------------------------------------------===//
#include "passes/polyhedral/LoopTree.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace torsh::poly {

int64_t LinearForm::coefficient(llvm::StringRef name) const {
  auto found = terms.find(name.str());
  return found == terms.end() ? 0 : found->second;
}

bool LinearForm::mentions(llvm::StringRef name) const {
  return terms.count(name.str()) || llvm::is_contained(opaque, name);
}

bool LinearForm::operator==(const LinearForm &other) const {
  return exact && other.exact && constant == other.constant && terms == other.terms;
}

namespace {

int64_t intValue(isl_ast_expr *expression) {
  isl_val *value = isl_ast_expr_get_val(expression);
  int64_t result = isl_val_get_num_si(value);
  isl_val_free(value);
  return result;
}

std::string nameOf(isl_ast_expr *expression) {
  isl_id *id = isl_ast_expr_get_id(expression);
  std::string name = isl_id_get_name(id);
  isl_id_free(id);
  return name;
}

void collectNames(const isl::ast_expr &expression, std::vector<std::string> &names) {
  isl_ast_expr *raw = expression.get();
  if (isl_ast_expr_get_type(raw) == isl_ast_expr_id)
    names.push_back(nameOf(raw));
  if (isl_ast_expr_get_type(raw) == isl_ast_expr_op)
    for (int i = 0; i < isl_ast_expr_get_op_n_arg(raw); ++i)
      collectNames(isl::manage(isl_ast_expr_get_op_arg(raw, i)), names);
}

void addInto(LinearForm &sum, const LinearForm &term, int64_t factor) {
  for (auto [name, coefficient] : term.terms)
    if ((sum.terms[name] += factor * coefficient) == 0)
      sum.terms.erase(name);
  sum.constant += factor * term.constant;
  sum.exact &= term.exact;
  sum.opaque.insert(sum.opaque.end(), term.opaque.begin(), term.opaque.end());
}

LinearForm linearExpression(AffineExpr expression, ArrayRef<LinearForm> dims) {
  LinearForm result;
  switch (expression.getKind()) {
  case AffineExprKind::Constant:
    result.constant = cast<AffineConstantExpr>(expression).getValue();
    return result;
  case AffineExprKind::DimId:
    return dims[cast<AffineDimExpr>(expression).getPosition()];
  case AffineExprKind::SymbolId:
    result.terms[parameterName(cast<AffineSymbolExpr>(expression).getPosition())] = 1;
    return result;
  default:
    break;
  }
  auto binary = cast<AffineBinaryOpExpr>(expression);
  LinearForm left = linearExpression(binary.getLHS(), dims), right = linearExpression(binary.getRHS(), dims);
  if (expression.getKind() == AffineExprKind::Add) {
    addInto(result, left, 1);
    addInto(result, right, 1);
    return result;
  }
  if (expression.getKind() == AffineExprKind::Mul && right.terms.empty() && right.exact) {
    addInto(result, left, right.constant);
    return result;
  }
  result.exact = false;
  for (const LinearForm *side : {&left, &right}) {
    for (auto &[name, coefficient] : side->terms)
      result.opaque.push_back(name);
    result.opaque.insert(result.opaque.end(), side->opaque.begin(), side->opaque.end());
  }
  return result;
}

/// The freedom of a loop is found while isl generates it: which conflicting pairs meet in different iterations?
struct FreedomQuery {
  const Dependences *dependences;
};

bool carriesNothing(const isl::union_map &pairs, const isl::union_map &schedule, unsigned depth) {
  isl::union_map placed = pairs.apply_domain(schedule).apply_range(schedule);
  return placed.every_map([&](const isl::map &times) {
    isl_map *map = times.copy();
    for (unsigned d = 0; d < depth; ++d)
      map = isl_map_equate(map, isl_dim_in, d, isl_dim_out, d);
    isl::map same = isl::manage(map);
    isl::map forward = isl::manage(isl_map_order_lt(same.copy(), isl_dim_in, depth, isl_dim_out, depth));
    isl::map backward = isl::manage(isl_map_order_gt(same.copy(), isl_dim_in, depth, isl_dim_out, depth));
    return forward.is_empty() && backward.is_empty();
  });
}

isl_id *rememberFreedom(isl_ast_build *raw, void *user) {
  const Dependences &dependences = *static_cast<FreedomQuery *>(user)->dependences;
  isl_ctx *ctx = isl_ast_build_get_ctx(raw);
  // An exception must not pass through isl's C code.
  try {
    isl::union_map schedule = isl::manage(isl_ast_build_get_schedule(raw));
    isl::space space = isl::manage(isl_ast_build_get_schedule_space(raw));
    unsigned depth = isl_space_dim(space.get(), isl_dim_set) - 1;
    const char *name = "sequential";
    // Chains of exact dependences stand for all conflicts: a loop that carries one of these carries a link of its chain.
    // Without the links of a reduction chains are cut, so that needs all pairs.
    if (carriesNothing(dependences.validity(), schedule, depth))
      name = "parallel";
    else if (dependences.reductions && carriesNothing(dependences.strict, schedule, depth))
      name = "reduction";
    return isl_id_alloc(ctx, name, nullptr);
  } catch (const isl::exception &) {
    return nullptr;
  }
}

class TreeBuilder {
public:
  explicit TreeBuilder(const Scop &scop) : scop(scop) {}
  std::unique_ptr<LoopNode> build(const isl::ast_node &node);
  bool failed = false;

private:
  void buildFor(const isl::ast_node &node, LoopNode &result);
  void buildLeaf(const isl::ast_node &node, LoopNode &result);
  const Scop &scop;
};

void TreeBuilder::buildFor(const isl::ast_node &node, LoopNode &result) {
  isl_ast_node *raw = node.get();
  result.kind = LoopNode::For;
  isl::ast_expr iterator = isl::manage(isl_ast_node_for_get_iterator(raw));
  result.iterator = nameOf(iterator.get());
  result.low = isl::manage(isl_ast_node_for_get_init(raw));
  if (isl_ast_node_for_is_degenerate(raw)) {
    result.high = result.low;
  } else {
    isl::ast_expr condition = isl::manage(isl_ast_node_for_get_cond(raw));
    isl::ast_expr step = isl::manage(isl_ast_node_for_get_inc(raw));
    isl_ast_expr_op_type type = isl_ast_expr_get_op_type(condition.get());
    if (isl_ast_expr_get_type(condition.get()) != isl_ast_expr_op ||
        (type != isl_ast_expr_op_le && type != isl_ast_expr_op_lt) ||
        isl_ast_expr_get_type(step.get()) != isl_ast_expr_int) {
      failed = true;
      return;
    }
    result.high = isl::manage(isl_ast_expr_get_op_arg(condition.get(), 1));
    if (type == isl_ast_expr_op_lt)
      result.high = isl::manage(isl_ast_expr_sub(
          result.high.release(), isl_ast_expr_from_val(isl_val_one(isl_ast_expr_get_ctx(condition.get())))));
    result.step = intValue(step.get());
  }
  if (isl_id *note = isl_ast_node_get_annotation(raw)) {
    StringRef name = isl_id_get_name(note);
    result.freedom = name == "parallel"    ? LoopKind::Parallel
                     : name == "reduction" ? LoopKind::Reduction
                                           : LoopKind::Sequential;
    isl_id_free(note);
  }
  result.children.push_back(build(isl::manage(isl_ast_node_for_get_body(raw))));
}

void TreeBuilder::buildLeaf(const isl::ast_node &node, LoopNode &result) {
  result.kind = LoopNode::Leaf;
  isl::ast_expr call = isl::manage(isl_ast_node_user_get_expr(node.get()));
  isl::ast_expr callee = isl::manage(isl_ast_expr_get_op_arg(call.get(), 0));
  std::string name = nameOf(callee.get());
  for (const Statement &statement : scop.statements)
    if (statement.name == name)
      result.statement = &statement;
  std::vector<LinearForm> dims;
  for (int i = 1; i < isl_ast_expr_get_op_n_arg(call.get()); ++i) {
    result.iterators.push_back(isl::manage(isl_ast_expr_get_op_arg(call.get(), i)));
    dims.push_back(linearForm(result.iterators.back()));
  }
  for (const Access &access : result.statement->accesses) {
    result.subscripts.emplace_back();
    for (AffineExpr expression : access.map.getResults())
      result.subscripts.back().push_back(linearExpression(expression, dims));
  }
}

std::unique_ptr<LoopNode> TreeBuilder::build(const isl::ast_node &node) {
  auto result = std::make_unique<LoopNode>();
  isl_ast_node *raw = node.get();
  switch (isl_ast_node_get_type(raw)) {
  case isl_ast_node_for:
    buildFor(node, *result);
    break;
  case isl_ast_node_user:
    buildLeaf(node, *result);
    break;
  case isl_ast_node_if:
    result->kind = LoopNode::If;
    result->condition = isl::manage(isl_ast_node_if_get_cond(raw));
    result->children.push_back(build(isl::manage(isl_ast_node_if_get_then_node(raw))));
    if (isl_ast_node_if_has_else_node(raw))
      result->children.push_back(build(isl::manage(isl_ast_node_if_get_else_node(raw))));
    break;
  case isl_ast_node_block: {
    isl::ast_node_list list = isl::manage(isl_ast_node_block_get_children(raw));
    for (int i = 0; i < isl_ast_node_list_n_ast_node(list.get()); ++i)
      result->children.push_back(build(isl::manage(isl_ast_node_list_get_ast_node(list.get(), i))));
    break;
  }
  default:
    failed = true;
  }
  return result;
}

} // namespace

LinearForm linearForm(const isl::ast_expr &expression) {
  LinearForm result;
  isl_ast_expr *raw = expression.get();
  switch (isl_ast_expr_get_type(raw)) {
  case isl_ast_expr_int:
    result.constant = intValue(raw);
    return result;
  case isl_ast_expr_id:
    result.terms[nameOf(raw)] = 1;
    return result;
  default:
    break;
  }
  isl_ast_expr_op_type type = isl_ast_expr_get_op_type(raw);
  auto argument = [&](int i) { return linearForm(isl::manage(isl_ast_expr_get_op_arg(raw, i))); };
  if (type == isl_ast_expr_op_add || type == isl_ast_expr_op_sub) {
    addInto(result, argument(0), 1);
    addInto(result, argument(1), type == isl_ast_expr_op_add ? 1 : -1);
    return result;
  }
  if (type == isl_ast_expr_op_minus) {
    addInto(result, argument(0), -1);
    return result;
  }
  if (type == isl_ast_expr_op_mul) {
    LinearForm left = argument(0), right = argument(1);
    if (left.terms.empty() && left.exact)
      std::swap(left, right);
    if (right.terms.empty() && right.exact) {
      addInto(result, left, right.constant);
      return result;
    }
  }
  result.exact = false;
  collectNames(expression, result.opaque);
  return result;
}

void forEachLeaf(const LoopNode &node, llvm::function_ref<void(const LoopNode &)> visit) {
  if (node.kind == LoopNode::Leaf)
    visit(node);
  for (const auto &child : node.children)
    forEachLeaf(*child, visit);
}

std::unique_ptr<LoopNode> buildLoops(const Scop &scop, const Dependences &dependences,
                                     const isl::schedule &schedule) {
  isl_ctx *ctx = scop.domain.ctx().get();
  isl_options_set_ast_build_detect_min_max(ctx, 1);
  isl_options_set_ast_build_atomic_upper_bound(ctx, 1);
  isl_options_set_ast_build_prefer_pdiv(ctx, 1);
  FreedomQuery query{&dependences};
  isl_ast_build *build = isl_ast_build_alloc(ctx);
  build = isl_ast_build_set_before_each_for(build, rememberFreedom, &query);
  isl_ast_node *root = isl_ast_build_node_from_schedule(build, schedule.copy());
  isl_ast_build_free(build);
  if (!root)
    return nullptr;
  TreeBuilder builder(scop);
  auto tree = builder.build(isl::manage(root));
  return builder.failed ? nullptr : std::move(tree);
}

} // namespace torsh::poly
