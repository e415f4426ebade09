//===-- EmitExpressions.cpp - Bounds and conditions of loops ------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/polyhedral/Emitter.h"

using namespace mlir;

namespace torsh::poly {

Value Emitter::constant(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

Value Emitter::condition(const isl::ast_expr &expression) {
  isl_ast_expr *raw = expression.get();
  auto argument = [&](int i) { return isl::manage(isl_ast_expr_get_op_arg(raw, i)); };
  auto compare = [&](arith::CmpIPredicate predicate) -> Value {
    return arith::CmpIOp::create(builder, loc, predicate, this->expression(argument(0)),
                                 this->expression(argument(1)));
  };
  auto fold = [&](auto make) {
    Value result = condition(argument(0));
    for (int i = 1; i < isl_ast_expr_get_op_n_arg(raw); ++i)
      result = make(result, condition(argument(i)));
    return result;
  };
  if (isl_ast_expr_get_type(raw) != isl_ast_expr_op)
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, this->expression(expression),
                                 constant(0));
  switch (isl_ast_expr_get_op_type(raw)) {
  case isl_ast_expr_op_eq:
    return compare(arith::CmpIPredicate::eq);
  case isl_ast_expr_op_le:
    return compare(arith::CmpIPredicate::sle);
  case isl_ast_expr_op_lt:
    return compare(arith::CmpIPredicate::slt);
  case isl_ast_expr_op_ge:
    return compare(arith::CmpIPredicate::sge);
  case isl_ast_expr_op_gt:
    return compare(arith::CmpIPredicate::sgt);
  case isl_ast_expr_op_and:
  case isl_ast_expr_op_and_then:
    return fold([&](Value a, Value b) -> Value { return arith::AndIOp::create(builder, loc, a, b); });
  case isl_ast_expr_op_or:
  case isl_ast_expr_op_or_else:
    return fold([&](Value a, Value b) -> Value { return arith::OrIOp::create(builder, loc, a, b); });
  default:
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, this->expression(expression),
                                 constant(0));
  }
}

Value Emitter::expression(const isl::ast_expr &expression) {
  isl_ast_expr *raw = expression.get();
  auto argument = [&](int i) { return this->expression(isl::manage(isl_ast_expr_get_op_arg(raw, i))); };
  if (isl_ast_expr_get_type(raw) == isl_ast_expr_int) {
    isl::val value = isl::manage(isl_ast_expr_get_val(raw));
    return constant(isl_val_get_num_si(value.get()));
  }
  if (isl_ast_expr_get_type(raw) == isl_ast_expr_id) {
    isl::id id = isl::manage(isl_ast_expr_get_id(raw));
    return names.at(isl_id_get_name(id.get()));
  }
  auto fold = [&](auto make) {
    Value result = argument(0);
    for (int i = 1; i < isl_ast_expr_get_op_n_arg(raw); ++i)
      result = make(result, argument(i));
    return result;
  };
  switch (isl_ast_expr_get_op_type(raw)) {
  case isl_ast_expr_op_add:
    return arith::AddIOp::create(builder, loc, argument(0), argument(1));
  case isl_ast_expr_op_sub:
    return arith::SubIOp::create(builder, loc, argument(0), argument(1));
  case isl_ast_expr_op_mul:
    return arith::MulIOp::create(builder, loc, argument(0), argument(1));
  case isl_ast_expr_op_minus:
    return arith::SubIOp::create(builder, loc, constant(0), argument(0));
  case isl_ast_expr_op_max:
    return fold([&](Value a, Value b) -> Value { return arith::MaxSIOp::create(builder, loc, a, b); });
  case isl_ast_expr_op_min:
    return fold([&](Value a, Value b) -> Value { return arith::MinSIOp::create(builder, loc, a, b); });
  case isl_ast_expr_op_fdiv_q:
    return arith::FloorDivSIOp::create(builder, loc, argument(0), argument(1));
  case isl_ast_expr_op_pdiv_q:
  case isl_ast_expr_op_div:
    return arith::DivSIOp::create(builder, loc, argument(0), argument(1));
  case isl_ast_expr_op_pdiv_r:
  case isl_ast_expr_op_zdiv_r:
    return arith::RemSIOp::create(builder, loc, argument(0), argument(1));
  case isl_ast_expr_op_cond:
  case isl_ast_expr_op_select:
    return arith::SelectOp::create(builder, loc, condition(isl::manage(isl_ast_expr_get_op_arg(raw, 0))),
                                   argument(1), argument(2));
  default:
    return arith::IndexCastOp::create(
        builder, loc, builder.getIndexType(),
        arith::ExtUIOp::create(builder, loc, builder.getI64Type(), condition(expression)));
  }
}

} // namespace torsh::poly
