//===-- Term.h - Formulas over tensors of one shape ---------------------------------------------------------===//
//
// Ops that sample or gather at computed places are formulas over indices: where a result element reads, and with which
// weight. A Term is a tensor in such a formula, and its operators build torsh ops. All terms of one expression have one
// shape; `spread` brings a smaller tensor to it.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_TERM_H
#define TORSH_FRONTENDS_ONNX_OPS_TERM_H

#include "frontends/onnx/ops/Compose.h"

namespace torsh::onnx {

/// The shape and element type that the terms of a formula have.
struct TermSpace {
  NodeImport &n;
  llvm::SmallVector<DimAttr> dims;
  mlir::Type element;

  mlir::RankedTensorType type() const { return makeTensorType(dims, element); }
  /// The same shape with another element type.
  TermSpace with(mlir::Type other) const { return {n, dims, other}; }
};

/// A tensor in a formula.
class Term {
public:
  Term(NodeImport &n, mlir::Value value) : n(&n), held(value) {}

  /// The index along an axis.
  static Term iota(const TermSpace &space, int64_t axis);
  static Term number(const TermSpace &space, double value);
  /// A size as a number; known only at the run where it is symbolic.
  static Term size(const TermSpace &space, DimAttr size);
  /// Dim i of the tensor becomes dim axes[i] of the space.
  static Term spread(const TermSpace &space, mlir::Value value, llvm::ArrayRef<int64_t> axes);

  mlir::Value value() const { return held; }
  mlir::Type element() const { return elementTypeOf(held); }
  /// The shape of this term, for further ones.
  TermSpace space() const { return {*n, getDims(held), element()}; }
  Term to(mlir::Type type) const { return {*n, n->cast(held, type)}; }

  Term floor() const { return unary<FloorOp>(); }
  /// The nearest integer, halves to even.
  Term round() const { return unary<RoundOp>(); }
  Term ceil() const { return unary<CeilOp>(); }
  Term abs() const { return unary<AbsOp>(); }
  Term negated() const { return unary<NegOp>(); }

  Term operator+(const Term &other) const { return binary<AddOp>(other); }
  Term operator-(const Term &other) const { return binary<SubOp>(other); }
  Term operator*(const Term &other) const { return binary<MulOp>(other); }
  /// Integers truncate.
  Term operator/(const Term &other) const { return binary<DivOp>(other); }
  /// The remainder with the sign of the divisor.
  Term mod(const Term &other) const { return binary<ModOp>(other); }
  Term min(const Term &other) const { return binary<MinimumOp>(other); }
  Term max(const Term &other) const { return binary<MaximumOp>(other); }
  Term operator&(const Term &other) const { return binary<AndOp>(other); }
  Term operator|(const Term &other) const { return binary<OrOp>(other); }
  Term operator<(const Term &other) const { return compare(other, ComparePredicate::lt); }
  Term operator<=(const Term &other) const { return compare(other, ComparePredicate::le); }
  Term operator>(const Term &other) const { return compare(other, ComparePredicate::gt); }
  Term operator>=(const Term &other) const { return compare(other, ComparePredicate::ge); }
  Term operator==(const Term &other) const { return compare(other, ComparePredicate::eq); }
  Term operator!=(const Term &other) const { return compare(other, ComparePredicate::ne); }

  Term operator+(double other) const { return *this + number(space(), other); }
  Term operator-(double other) const { return *this - number(space(), other); }
  Term operator*(double other) const { return *this * number(space(), other); }
  Term operator/(double other) const { return *this / number(space(), other); }
  Term mod(double other) const { return mod(number(space(), other)); }
  Term min(double other) const { return min(number(space(), other)); }
  Term max(double other) const { return max(number(space(), other)); }
  Term operator<(double other) const { return *this < number(space(), other); }
  Term operator<=(double other) const { return *this <= number(space(), other); }
  Term operator>(double other) const { return *this > number(space(), other); }
  Term operator>=(double other) const { return *this >= number(space(), other); }
  Term operator==(double other) const { return *this == number(space(), other); }

  /// Of a bool term: `yes` where it holds, `no` elsewhere.
  Term choose(const Term &yes, const Term &no) const;

private:
  template <typename OpTy> Term unary() const { return {*n, n->create<OpTy>(held)}; }
  template <typename OpTy> Term binary(const Term &other) const {
    return {*n, n->create<OpTy>(held, other.held)};
  }
  Term compare(const Term &other, ComparePredicate predicate) const;

  NodeImport *n;
  mlir::Value held;
};

/// The row-major position of an index tuple in a box of these sizes.
Term linearPosition(llvm::ArrayRef<Term> index, llvm::ArrayRef<DimAttr> sizes);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_TERM_H
