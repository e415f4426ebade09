//===-- Einsum.cpp - Einstein summation as dot_general, transposes and reductions
//---------------------------===//
//
// Operands are joined from left to right. A label that no later operand and not the result needs is
// contracted when the last two operands that carry it are joined, or summed before when only one carries it.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/Einsum.h"
#include "frontends/onnx/ops/Compose.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// A tensor whose dims carry labels: letters, or 256 + i for the i-th dim (from the right) of the ellipsis.
struct Labelled {
  Value value;
  SmallVector<int> labels;
};

constexpr int ellipsisLabel = 256;

bool contains(ArrayRef<int> labels, int label) { return llvm::is_contained(labels, label); }

/// One term of the equation. `ellipsisRank` is the number of dims that `...` stands for.
FailureOr<SmallVector<int>> parseTerm(NodeImport &n, StringRef term, int64_t ellipsisRank) {
  SmallVector<int> labels;
  for (size_t i = 0; i < term.size(); ++i) {
    char c = term[i];
    if (llvm::isAlpha(c)) {
      labels.push_back(c);
    } else if (term.substr(i).starts_with("...")) {
      for (int64_t k = ellipsisRank; k-- > 0;)
        labels.push_back(ellipsisLabel + k);
      i += 2;
    } else {
      return n.malformed("the equation has an unexpected character");
    }
  }
  return labels;
}

/// Keeps the diagonal of dims that share a label.
void takeDiagonals(NodeImport &n, Labelled &x) {
  for (size_t i = 0; i < x.labels.size(); ++i) {
    for (size_t j = x.labels.size(); j-- > i + 1;) {
      if (x.labels[i] != x.labels[j])
        continue;
      SmallVector<DimAttr> dims = getDims(x.value);
      auto indexType = makeTensorType(dims, n.builder.getI64Type());
      Value hit =
          n.create<CompareOp>(makeTensorType(dims, n.builder.getI1Type()), n.create<IotaOp>(indexType, i),
                              n.create<IotaOp>(indexType, j), ComparePredicate::eq);
      Value kept = n.create<SelectOp>(hit, x.value, n.splatLike(x.value, 0));
      SmallVector<int64_t> axes = {static_cast<int64_t>(j)};
      x.value = n.create<ReduceOp>(kept, ReduceKind::sum, axes, false);
      x.labels.erase(x.labels.begin() + j);
    }
  }
}

/// Sums the dims whose label is not needed.
void sumUnneeded(NodeImport &n, Labelled &x, ArrayRef<int> needed) {
  SmallVector<int64_t> axes;
  SmallVector<int> labels;
  for (auto [i, label] : llvm::enumerate(x.labels)) {
    if (contains(needed, label))
      labels.push_back(label);
    else
      axes.push_back(i);
  }
  if (axes.empty())
    return;
  x.value = n.create<ReduceOp>(x.value, ReduceKind::sum, axes, false);
  x.labels = labels;
}

/// Brings the dims into the order of `labels`, with unit dims for labels that x has not.
Value alignTo(NodeImport &n, const Labelled &x, ArrayRef<int> labels) {
  SmallVector<int64_t> permutation;
  SmallVector<DimAttr> dims, own = getDims(x.value);
  for (int label : labels) {
    const int *at = llvm::find(x.labels, label);
    if (at == x.labels.end()) {
      dims.push_back(dim::constant(n.context(), 1));
      continue;
    }
    permutation.push_back(at - x.labels.begin());
    dims.push_back(own[permutation.back()]);
  }
  Value value = x.value;
  if (!llvm::is_sorted(permutation))
    value = n.transpose(value, permutation);
  return dims.size() == permutation.size() ? value : n.reshape(value, dims);
}

/// Makes the sizes of shared labels equal; a 1 is repeated.
LogicalResult unifyShared(NodeImport &n, Labelled &a, Labelled &b) {
  for (auto [i, label] : llvm::enumerate(a.labels)) {
    const int *at = llvm::find(b.labels, label);
    if (at == b.labels.end())
      continue;
    size_t j = at - b.labels.begin();
    DimAttr left = getDims(a.value)[i], right = getDims(b.value)[j];
    if (left == right)
      continue;
    bool unitLeft = dim::isConstant(left, 1), unitRight = dim::isConstant(right, 1);
    if (unitLeft || unitRight) {
      Labelled &small = unitLeft ? a : b;
      SmallVector<DimAttr> dims = getDims(small.value);
      dims[unitLeft ? i : j] = unitLeft ? right : left;
      small.value = n.broadcastTo(small.value, dims);
    } else if (!n.unify(left, right, "dims of Einsum with one label")) {
      return n.malformed("a label has the sizes " + dim::toString(left) + " and " + dim::toString(right));
    }
  }
  return success();
}

/// The product of two tensors, summed over the labels that nothing else needs.
FailureOr<Labelled> join(NodeImport &n, Labelled a, Labelled b, ArrayRef<int> needed) {
  SmallVector<int> neededByA(needed), neededByB(needed);
  neededByA.append(b.labels);
  neededByB.append(a.labels);
  sumUnneeded(n, a, neededByA);
  sumUnneeded(n, b, neededByB);
  if (failed(unifyShared(n, a, b)))
    return failure();
  SmallVector<int64_t> batchA, batchB, contractA, contractB;
  SmallVector<int> batch, freeA, freeB;
  for (auto [i, label] : llvm::enumerate(a.labels)) {
    const int *at = llvm::find(b.labels, label);
    if (at == b.labels.end()) {
      freeA.push_back(label);
      continue;
    }
    bool keep = contains(needed, label);
    (keep ? batchA : contractA).push_back(i);
    (keep ? batchB : contractB).push_back(at - b.labels.begin());
    if (keep)
      batch.push_back(label);
  }
  for (int label : b.labels)
    if (!contains(a.labels, label))
      freeB.push_back(label);
  Labelled y;
  y.labels = batch;
  y.labels.append(freeA);
  y.labels.append(freeB);
  if (!contractA.empty()) {
    y.value = n.create<DotGeneralOp>(a.value, b.value, batchA, batchB, contractA, contractB);
    return y;
  }
  // Nothing is summed: an elementwise product.
  SmallVector<Value> values = {alignTo(n, a, y.labels), alignTo(n, b, y.labels)};
  if (failed(n.broadcastTogether(values)))
    return failure();
  y.value = n.create<MulOp>(values[0], values[1]);
  return y;
}

struct Equation {
  SmallVector<SmallVector<int>> operands;
  SmallVector<int> result;
};

FailureOr<Equation> parseEquation(NodeImport &n) {
  std::string text;
  for (char c : n.stringAttr("equation", ""))
    if (c != ' ')
      text += c;
  auto [left, right] = StringRef(text).split("->");
  bool explicitResult = StringRef(text).contains("->");
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  if (terms.size() != n.numInputs())
    return n.malformed("the equation has another number of terms than the node has operands");
  Equation e;
  int64_t longest = 0;
  for (auto [i, term] : llvm::enumerate(terms)) {
    int64_t rank = n.typeOf(i).getRank();
    bool hasEllipsis = term.contains("...");
    int64_t letters = static_cast<int64_t>(term.size()) - (hasEllipsis ? 3 : 0);
    if (letters > rank || (!hasEllipsis && letters != rank))
      return n.malformed("term " + Twine(i) + " of the equation does not fit an operand of rank " +
                         Twine(rank));
    FailureOr<SmallVector<int>> labels = parseTerm(n, term, hasEllipsis ? rank - letters : 0);
    if (failed(labels))
      return failure();
    longest = std::max(longest, hasEllipsis ? rank - letters : 0);
    e.operands.push_back(*labels);
  }
  if (explicitResult) {
    FailureOr<SmallVector<int>> labels = parseTerm(n, right, longest);
    if (failed(labels))
      return failure();
    e.result = *labels;
  } else {
    // The dims of the ellipsis, then the labels that appear once, sorted.
    std::map<int, int> counts;
    for (ArrayRef<int> labels : e.operands)
      for (int label : labels)
        ++counts[label];
    for (int64_t k = longest; k-- > 0;)
      e.result.push_back(ellipsisLabel + k);
    for (auto [label, count] : counts)
      if (count == 1 && label < ellipsisLabel)
        e.result.push_back(label);
  }
  return e;
}

} // namespace

LogicalResult importEinsum(NodeImport &n) {
  if (failed(requireInputs(n, std::max<size_t>(n.numInputs(), 1))))
    return failure();
  FailureOr<Equation> equation = parseEquation(n);
  if (failed(equation))
    return failure();
  Labelled joined;
  for (size_t i = 0; i < n.numInputs(); ++i) {
    Labelled next{n.operand(i), equation->operands[i]};
    if (elementTypeOf(next.value).isInteger(1) || elementTypeOf(next.value) != n.typeOf(0).getElementType())
      return n.malformed("the operands must have one numeric element type");
    takeDiagonals(n, next);
    SmallVector<int> needed = equation->result;
    for (size_t later = i + 1; later < n.numInputs(); ++later)
      needed.append(equation->operands[later]);
    if (i == 0) {
      sumUnneeded(n, next, needed);
      joined = next;
      continue;
    }
    FailureOr<Labelled> product = join(n, joined, next, needed);
    if (failed(product))
      return failure();
    joined = *product;
  }
  for (int label : equation->result)
    if (!contains(joined.labels, label))
      return n.malformed("a label of the result appears in no operand");
  n.setResult(0, alignTo(n, joined, equation->result));
  return success();
}

} // namespace torsh::onnx
