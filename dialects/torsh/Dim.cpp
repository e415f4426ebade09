//===-- Dim.cpp - Arithmetic of dim expressions in normal form ----------------------------------------------===//
#include "dialects/torsh/Dim.h"
#include <atomic>
#include <map>

using namespace mlir;

namespace torsh {
namespace {

/// A product of atoms (symbols, divisions, minima: everything that is not a sum or a product) with a coefficient.
struct Term {
  SmallVector<DimAttr> factors; // sorted by text
  int64_t coefficient = 0;
};

/// A sum of terms keyed by the text of their factors, so equal monomials meet. Sums wrap, because bounds of slices may be
/// the largest integers; products that do are not built.
struct Polynomial {
  std::map<std::string, Term> terms;
  bool overflows = false;

  void add(ArrayRef<DimAttr> factors, int64_t coefficient) {
    std::string key;
    for (DimAttr factor : factors)
      key += dim::toString(factor) + "*";
    Term &term = terms[key];
    term.factors.assign(factors.begin(), factors.end());
    term.coefficient = int64_t(uint64_t(term.coefficient) + uint64_t(coefficient));
    if (term.coefficient == 0)
      terms.erase(key);
  }
};

int64_t wrappingMul(int64_t a, int64_t b) { return int64_t(uint64_t(a) * uint64_t(b)); }

Term toTerm(DimAttr dim) {
  Term term;
  term.coefficient = 1;
  if (dim.getKind() == DimKind::Constant) {
    term.coefficient = dim.getValue();
    return term;
  }
  ArrayRef<DimAttr> factors = dim.getKind() == DimKind::Mul ? dim.getOperands() : ArrayRef<DimAttr>(dim);
  for (DimAttr factor : factors) {
    if (factor.getKind() == DimKind::Constant)
      term.coefficient = wrappingMul(term.coefficient, factor.getValue());
    else
      term.factors.push_back(factor);
  }
  return term;
}

Polynomial toPolynomial(DimAttr dim) {
  Polynomial result;
  ArrayRef<DimAttr> terms = dim.getKind() == DimKind::Add ? dim.getOperands() : ArrayRef<DimAttr>(dim);
  for (DimAttr part : terms) {
    Term term = toTerm(part);
    result.add(term.factors, term.coefficient);
  }
  return result;
}

/// Real shapes need a few dozen constants and symbols; a hostile graph doubles their number with each node.
constexpr int64_t mostLeaves = 1024;
constexpr StringRef tooLargePrefix = "too large #";

/// Stands for an expression that is not built. Each is another symbol, so that no two of them cancel.
DimAttr makeTooLarge(MLIRContext *context) {
  static std::atomic<uint64_t> counter{0};
  return dim::symbol(context, (tooLargePrefix + Twine(counter++)).str());
}

/// Takes the constants and symbols of the expression off `left`; false once it is used up.
bool takeLeaves(DimAttr dim, int64_t &left) {
  if (dim.getOperands().empty())
    return --left >= 0;
  return llvm::all_of(dim.getOperands(), [&](DimAttr operand) { return takeLeaves(operand, left); });
}

DimAttr make(MLIRContext *context, DimKind kind, ArrayRef<DimAttr> operands) {
  int64_t left = mostLeaves;
  for (DimAttr operand : operands)
    if (!takeLeaves(operand, left))
      return makeTooLarge(context);
  return DimAttr::get(context, kind, 0, "", operands);
}

DimAttr fromPolynomial(MLIRContext *context, const Polynomial &polynomial) {
  SmallVector<DimAttr> parts;
  int64_t constant = 0;
  for (const auto &[key, term] : polynomial.terms) {
    if (term.factors.empty()) {
      constant = term.coefficient;
      continue;
    }
    if (term.factors.size() == 1 && term.coefficient == 1) {
      parts.push_back(term.factors.front());
      continue;
    }
    SmallVector<DimAttr> factors;
    if (term.coefficient != 1)
      factors.push_back(dim::constant(context, term.coefficient));
    factors.append(term.factors.begin(), term.factors.end());
    parts.push_back(make(context, DimKind::Mul, factors));
  }
  if (constant != 0 || parts.empty())
    parts.push_back(dim::constant(context, constant));
  return parts.size() == 1 ? parts.front() : make(context, DimKind::Add, parts);
}

Polynomial multiply(const Polynomial &a, const Polynomial &b) {
  Polynomial result;
  for (const auto &[keyA, termA] : a.terms)
    for (const auto &[keyB, termB] : b.terms) {
      SmallVector<DimAttr> factors(termA.factors);
      factors.append(termB.factors.begin(), termB.factors.end());
      llvm::sort(factors, [](DimAttr l, DimAttr r) { return dim::toString(l) < dim::toString(r); });
      int64_t coefficient;
      result.overflows |= __builtin_mul_overflow(termA.coefficient, termB.coefficient, &coefficient);
      result.add(factors, coefficient);
    }
  return result;
}

/// a / b when b's factors are all in a and the coefficient divides.
std::optional<Term> divide(const Term &a, const Term &b) {
  // The smallest integer has no remainder by -1 that the processor can compute.
  bool negates = b.coefficient == -1;
  if (b.coefficient == 0 || (!negates && a.coefficient % b.coefficient != 0))
    return std::nullopt;
  Term quotient;
  quotient.factors = a.factors;
  quotient.coefficient = negates ? wrappingMul(a.coefficient, -1) : a.coefficient / b.coefficient;
  for (DimAttr factor : b.factors) {
    auto *it = llvm::find(quotient.factors, factor);
    if (it == quotient.factors.end())
      return std::nullopt;
    quotient.factors.erase(it);
  }
  return quotient;
}

int64_t floorDivide(int64_t a, int64_t b) {
  if (b == 0)
    return 0;
  if (b == -1)
    return wrappingMul(a, -1);
  int64_t quotient = a / b;
  return quotient * b != a && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

/// Splits a into (multiple of c) / c and the rest, for a constant c > 0.
std::pair<DimAttr, DimAttr> splitMultiples(DimAttr a, int64_t c) {
  Polynomial quotient, rest;
  for (const auto &[key, term] : toPolynomial(a).terms) {
    int64_t whole = term.factors.empty() ? floorDivide(term.coefficient, c)
                                         : (term.coefficient % c == 0 ? term.coefficient / c : 0);
    if (whole != 0)
      quotient.add(term.factors, whole);
    if (term.coefficient - whole * c != 0)
      rest.add(term.factors, term.coefficient - whole * c);
  }
  return {fromPolynomial(a.getContext(), quotient), fromPolynomial(a.getContext(), rest)};
}

} // namespace

namespace dim {

DimAttr constant(MLIRContext *context, int64_t value) {
  return DimAttr::get(context, DimKind::Constant, value, "", {});
}

DimAttr symbol(MLIRContext *context, StringRef name) {
  return DimAttr::get(context, DimKind::Symbol, 0, name, {});
}

std::optional<int64_t> asConstant(DimAttr dim) {
  if (dim && dim.getKind() == DimKind::Constant)
    return dim.getValue();
  return std::nullopt;
}

bool isTooLarge(DimAttr dim) {
  if (auto name = asSymbol(dim))
    return name->starts_with(tooLargePrefix);
  return llvm::any_of(dim.getOperands(), isTooLarge);
}

std::optional<StringRef> asSymbol(DimAttr dim) {
  if (dim && dim.getKind() == DimKind::Symbol)
    return dim.getName();
  return std::nullopt;
}

DimAttr add(DimAttr a, DimAttr b) {
  auto ca = asConstant(a), cb = asConstant(b);
  if (ca && cb)
    return constant(a.getContext(), int64_t(uint64_t(*ca) + uint64_t(*cb)));
  Polynomial sum = toPolynomial(a);
  for (const auto &[key, term] : toPolynomial(b).terms)
    sum.add(term.factors, term.coefficient);
  return fromPolynomial(a.getContext(), sum);
}

DimAttr mul(DimAttr a, DimAttr b) {
  auto ca = asConstant(a), cb = asConstant(b);
  if (ca && cb) {
    int64_t result;
    if (__builtin_mul_overflow(*ca, *cb, &result))
      return makeTooLarge(a.getContext());
    return constant(a.getContext(), result);
  }
  if (ca == 1)
    return b;
  if (cb == 1)
    return a;
  Polynomial left = toPolynomial(a), right = toPolynomial(b);
  if (int64_t(left.terms.size() * right.terms.size()) > mostLeaves)
    return makeTooLarge(a.getContext());
  Polynomial product = multiply(left, right);
  return product.overflows ? makeTooLarge(a.getContext()) : fromPolynomial(a.getContext(), product);
}

DimAttr neg(DimAttr a) {
  Polynomial result;
  for (const auto &[key, term] : toPolynomial(a).terms)
    result.add(term.factors, wrappingMul(term.coefficient, -1));
  return fromPolynomial(a.getContext(), result);
}
DimAttr sub(DimAttr a, DimAttr b) { return add(a, neg(b)); }

DimAttr floorDiv(DimAttr a, DimAttr b) {
  MLIRContext *context = a.getContext();
  auto ca = asConstant(a), cb = asConstant(b);
  if (cb == 0)
    return constant(context, 0);
  if (ca && cb)
    return constant(context, floorDivide(*ca, *cb));
  if (auto quotient = exactQuotient(a, b))
    return *quotient;
  if (cb && *cb > 0) {
    // floor((c*q + r) / c) = q + floor(r / c)
    auto [whole, rest] = splitMultiples(a, *cb);
    if (asConstant(rest))
      return add(whole, constant(context, floorDivide(*asConstant(rest), *cb)));
    // floor(floor(x / c) / d) = floor(x / (c*d))
    if (rest.getKind() == DimKind::FloorDiv && asConstant(rest.getOperands()[1]).value_or(0) > 0)
      return add(whole, floorDiv(rest.getOperands()[0], mul(rest.getOperands()[1], b)));
    return add(whole, make(context, DimKind::FloorDiv, {rest, b}));
  }
  return make(context, DimKind::FloorDiv, {a, b});
}

DimAttr ceilDiv(DimAttr a, DimAttr b) {
  // ceil(a / c) = floor((a + c - 1) / c) for c > 0
  if (auto cb = asConstant(b); cb && *cb > 0)
    return floorDiv(add(a, constant(a.getContext(), *cb - 1)), b);
  if (auto quotient = exactQuotient(a, b))
    return *quotient;
  return neg(floorDiv(neg(a), b));
}

DimAttr mod(DimAttr a, DimAttr b) {
  if (auto cb = asConstant(b); cb && *cb > 0) {
    auto [whole, rest] = splitMultiples(a, *cb);
    if (auto c = asConstant(rest))
      return constant(a.getContext(), *c - *cb * floorDivide(*c, *cb));
    return make(a.getContext(), DimKind::Mod, {rest, b});
  }
  return sub(a, mul(b, floorDiv(a, b)));
}

static DimAttr extremum(DimKind kind, DimAttr a, DimAttr b) {
  if (a == b)
    return a;
  if (auto difference = asConstant(sub(a, b)))
    return (*difference < 0) == (kind == DimKind::Min) ? a : b;
  if (toString(b) < toString(a))
    std::swap(a, b);
  return make(a.getContext(), kind, {a, b});
}

DimAttr min(DimAttr a, DimAttr b) { return extremum(DimKind::Min, a, b); }
DimAttr max(DimAttr a, DimAttr b) { return extremum(DimKind::Max, a, b); }

DimAttr product(MLIRContext *context, ArrayRef<DimAttr> dims) {
  DimAttr result = constant(context, 1);
  for (DimAttr dim : dims)
    result = mul(result, dim);
  return result;
}

std::optional<DimAttr> exactQuotient(DimAttr a, DimAttr b) {
  Polynomial rest = toPolynomial(a), divisor = toPolynomial(b), quotient;
  if (divisor.terms.empty())
    return std::nullopt;
  // Long division by the divisor's first term. The order of terms is not a monomial order, so the number of steps is
  // bounded and the remainder decides.
  const Term &lead = divisor.terms.rbegin()->second;
  for (int step = 0; step < 16 && !rest.terms.empty(); ++step) {
    std::optional<Term> part;
    for (auto it = rest.terms.rbegin(); it != rest.terms.rend() && !part; ++it)
      part = divide(it->second, lead);
    if (!part)
      return std::nullopt;
    quotient.add(part->factors, part->coefficient);
    Polynomial single;
    single.add(part->factors, part->coefficient);
    for (const auto &[key, term] : multiply(single, divisor).terms)
      rest.add(term.factors, wrappingMul(term.coefficient, -1));
  }
  if (!rest.terms.empty())
    return std::nullopt;
  return fromPolynomial(a.getContext(), quotient);
}

std::optional<int64_t> evaluate(DimAttr dim, const Bindings &bindings) {
  if (auto value = asConstant(dim))
    return value;
  if (auto name = asSymbol(dim)) {
    auto it = bindings.find(*name);
    return it == bindings.end() ? std::nullopt : std::optional<int64_t>(it->second);
  }
  SmallVector<int64_t> values;
  for (DimAttr operand : dim.getOperands()) {
    auto value = evaluate(operand, bindings);
    if (!value)
      return std::nullopt;
    values.push_back(*value);
  }
  int64_t result = values[0];
  for (int64_t value : ArrayRef(values).drop_front()) {
    switch (dim.getKind()) {
    case DimKind::Add:
      result = int64_t(uint64_t(result) + uint64_t(value));
      break;
    case DimKind::Mul:
      result = wrappingMul(result, value);
      break;
    case DimKind::FloorDiv:
      result = floorDivide(result, value);
      break;
    case DimKind::CeilDiv:
      result = -floorDivide(-result, value);
      break;
    case DimKind::Mod:
      result = result - value * floorDivide(result, value);
      break;
    case DimKind::Min:
      result = std::min(result, value);
      break;
    case DimKind::Max:
      result = std::max(result, value);
      break;
    case DimKind::Constant:
    case DimKind::Symbol:
      break;
    }
  }
  return result;
}

/// Rebuilds a compound expression over new operands through the normalising builders.
static DimAttr rebuild(DimKind kind, ArrayRef<DimAttr> operands) {
  DimAttr result = operands.front();
  for (DimAttr operand : operands.drop_front()) {
    switch (kind) {
    case DimKind::Add:
      result = add(result, operand);
      break;
    case DimKind::Mul:
      result = mul(result, operand);
      break;
    case DimKind::FloorDiv:
      result = floorDiv(result, operand);
      break;
    case DimKind::CeilDiv:
      result = ceilDiv(result, operand);
      break;
    case DimKind::Mod:
      result = mod(result, operand);
      break;
    case DimKind::Min:
      result = min(result, operand);
      break;
    case DimKind::Max:
      result = max(result, operand);
      break;
    case DimKind::Constant:
    case DimKind::Symbol:
      break;
    }
  }
  return result;
}

DimAttr substitute(DimAttr dim, const llvm::StringMap<DimAttr> &replacements) {
  if (asConstant(dim))
    return dim;
  if (auto name = asSymbol(dim)) {
    auto it = replacements.find(*name);
    return it == replacements.end() ? dim : it->second;
  }
  SmallVector<DimAttr> operands;
  for (DimAttr operand : dim.getOperands())
    operands.push_back(substitute(operand, replacements));
  return rebuild(dim.getKind(), operands);
}

void collectSymbols(DimAttr dim, SmallVectorImpl<StringRef> &symbols) {
  if (auto name = asSymbol(dim)) {
    if (!llvm::is_contained(symbols, *name))
      symbols.push_back(*name);
    return;
  }
  for (DimAttr operand : dim.getOperands())
    collectSymbols(operand, symbols);
}

} // namespace dim

SmallVector<DimAttr> getDims(RankedTensorType type) {
  if (auto encoding = dyn_cast_or_null<DimsAttr>(type.getEncoding()))
    return SmallVector<DimAttr>(encoding.getDims());
  SmallVector<DimAttr> dims;
  for (int64_t size : type.getShape())
    dims.push_back(ShapedType::isDynamic(size) ? dim::symbol(type.getContext(), "?")
                                               : dim::constant(type.getContext(), size));
  return dims;
}

RankedTensorType makeTensorType(ArrayRef<DimAttr> dims, Type elementType) {
  SmallVector<int64_t> shape;
  bool symbolic = false;
  for (DimAttr dim : dims) {
    auto size = dim::asConstant(dim);
    // A negative size can only come from contradictory shapes; as a symbolic dim it fails the guards at run time.
    symbolic |= !size || *size < 0;
    shape.push_back(size && *size >= 0 ? *size : ShapedType::kDynamic);
  }
  Attribute encoding;
  if (symbolic)
    encoding = DimsAttr::get(elementType.getContext(), dims);
  return RankedTensorType::get(shape, elementType, encoding);
}

RankedTensorType withElementType(RankedTensorType type, Type elementType) {
  return RankedTensorType::get(type.getShape(), elementType, type.getEncoding());
}

DimAttr getNumElements(RankedTensorType type) { return dim::product(type.getContext(), getDims(type)); }

} // namespace torsh
