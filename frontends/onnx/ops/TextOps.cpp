//===-- TextOps.cpp - TfIdfVectorizer -----------------------------------------------------------------------===//
//
// Every n-gram of the pool is compared with every place of the sequence: [B, grams, places]. The counts of all lengths and
// skips, one after the other, are then brought into the order of the outputs.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ops/Term.h"
#include "frontends/onnx/ops/TopicTables.h"
#include "llvm/ADT/DenseSet.h"
#include <map>

using namespace mlir;

namespace torsh::onnx {
namespace {

/// The n-grams of one length that are counted, with the output that each belongs to.
struct GramList {
  int64_t length = 1;
  SmallVector<SmallVector<int64_t>> grams;
  SmallVector<int64_t> outputs;
};

struct Vectorizer {
  NodeImport &n;
  int64_t shortest = 1, longest = 1, skips = 0, size = 0;
  SmallVector<GramList> lists = {};

  LogicalResult read();
  Value countsOf(Value x, const GramList &list, int64_t skip);
  Value inOrder(ArrayRef<Value> counts, ArrayRef<int64_t> outputs);
};

LogicalResult Vectorizer::read() {
  auto counts = n.intsAttr("ngram_counts"), outputs = n.intsAttr("ngram_indexes"),
       pool = n.intsAttr("pool_int64s");
  if (n.attribute("pool_strings"))
    return n.unsupported("pool_strings is not supported; use pool_int64s");
  if (!counts || !outputs || !pool || counts->empty() || outputs->empty())
    return n.malformed("ngram_counts, ngram_indexes and pool_int64s are needed");
  shortest = n.intAttr("min_gram_length", 1);
  longest = n.intAttr("max_gram_length", 1);
  skips = n.intAttr("max_skip_count", 0);
  if (shortest < 1 || longest < shortest || skips < 0 || skips > 1 << 10 || longest > 1 << 10)
    return n.malformed("the lengths of the n-grams or max_skip_count are not usable");
  size = *llvm::max_element(*outputs) + 1;
  if (*llvm::min_element(*outputs) < 0 || size > 1 << 24)
    return n.malformed("ngram_indexes has an entry that is negative or too large");
  size_t gram = 0;
  for (size_t i = 0; i < counts->size(); ++i) {
    int64_t length = i + 1, from = (*counts)[i],
            to = i + 1 < counts->size() ? (*counts)[i + 1] : pool->size();
    if (from < 0 || to < from || to > int64_t(pool->size()) || (to - from) % length)
      return n.malformed("ngram_counts does not divide the pool into n-grams");
    // Of equal n-grams the last one counts.
    std::map<SmallVector<int64_t>, int64_t> list;
    for (int64_t at = from; at < to; at += length, ++gram) {
      if (gram >= outputs->size())
        return n.malformed("ngram_indexes has fewer entries than there are n-grams");
      ArrayRef<int64_t> items = ArrayRef(*pool).slice(at, length);
      list[SmallVector<int64_t>(items)] = (*outputs)[gram];
    }
    if (list.empty() || length < shortest || length > longest)
      continue;
    lists.push_back({length, {}, {}});
    for (const auto &[items, output] : list) {
      lists.back().grams.push_back(items);
      lists.back().outputs.push_back(output);
    }
  }
  return success();
}

/// How often each n-gram occurs in x [B, L] with `skip` steps from item to item: f32 [B, grams]. Null where L has no room.
Value Vectorizer::countsOf(Value x, const GramList &list, int64_t skip) {
  SmallVector<DimAttr> dims = getDims(x);
  auto number = [&](int64_t value) { return dim::constant(n.context(), value); };
  int64_t reach = (list.length - 1) * skip;
  DimAttr places = dim::sub(dims[1], number(reach));
  if (std::optional<int64_t> known = dim::asConstant(places); known && *known <= 0)
    return {};
  if (!dim::asConstant(places))
    places = dim::max(places, number(0));
  int64_t count = list.grams.size();
  TermSpace space{n, {dims[0], number(count), places}, n.builder.getI64Type()};
  std::optional<Term> all;
  for (int64_t item = 0; item < list.length; ++item) {
    torsh::Tensor wanted = torsh::Tensor::zeros(space.element, {count});
    for (int64_t gram = 0; gram < count; ++gram)
      wanted.ints[gram] = list.grams[gram][item];
    DimAttr start = number(item * skip);
    // A short sequence has no places, and then the start must not lie behind its end.
    if (!dim::asConstant(dims[1]))
      start = dim::min(start, dims[1]);
    Term read = Term::spread(space, sliceAxis(n, x, 1, start, places), {0, 2});
    Term equal = read == Term::spread(space, n.graph.constant(wanted, n.loc), {1});
    all = all ? *all & equal : equal;
  }
  Value hits = all->to(n.builder.getF32Type()).value();
  return n.create<ReduceOp>(hits, ReduceKind::sum, ArrayRef<int64_t>{2}, false);
}

/// The counts [B, grams], next to each other, summed up in the places of the result: f32 [B, size].
Value Vectorizer::inOrder(ArrayRef<Value> counts, ArrayRef<int64_t> outputs) {
  Value joined = counts.size() == 1 ? counts[0] : n.create<ConcatOp>(ValueRange(counts), 1);
  DimAttr batch = getDims(joined)[0], width = dim::constant(n.context(), size);
  torsh::Tensor places = torsh::Tensor::zeros(n.builder.getI64Type(), {int64_t(outputs.size())});
  llvm::copy(outputs, places.ints.begin());
  TermSpace space{n, getDims(joined), n.builder.getI64Type()};
  Term index = Term::spread(space, n.graph.constant(places, n.loc), {1});
  Value zeros = n.splat(makeTensorType({batch, width}, n.builder.getF32Type()), 0);
  return ScatterElementsOp::create(n.builder, n.loc, zeros.getType(), zeros, index.value(), joined, 1,
                                   ScatterKind::add);
}

LogicalResult importTfIdf(NodeImport &n) {
  Vectorizer vectorizer{n};
  if (failed(requireInputs(n, 1)) || failed(vectorizer.read()))
    return failure();
  Value x = n.operand(0);
  int64_t rank = rankOf(x);
  if (!isa<IntegerType>(elementTypeOf(x)))
    return n.unsupported("sequences of " + typeText(elementTypeOf(x)) + " are not supported; use integers");
  if (rank > 2)
    return n.malformed("x must be [C] or [B, C]");
  StringRef mode = n.stringAttr("mode", "");
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF")
    return n.malformed("mode must be TF, IDF or TFIDF");
  SmallVector<DimAttr> dims = getDims(x);
  DimAttr one = dim::constant(n.context(), 1);
  x = n.reshape(n.cast(x, n.builder.getI64Type()),
                {rank == 2 ? dims[0] : one, rank == 0 ? one : dims.back()});
  SmallVector<Value> counts;
  SmallVector<int64_t> outputs;
  for (const GramList &list : vectorizer.lists)
    for (int64_t skip = 1; skip <= vectorizer.skips + 1; ++skip) {
      // A single item has nothing to skip.
      if (list.length == 1 && skip > 1)
        break;
      if (Value count = vectorizer.countsOf(x, list, skip)) {
        counts.push_back(count);
        outputs.append(list.outputs);
      }
    }
  DimAttr width = dim::constant(n.context(), vectorizer.size);
  TermSpace space{n, {getDims(x)[0], width}, n.builder.getF32Type()};
  Term y = counts.empty() ? Term::number(space, 0) : Term(n, vectorizer.inOrder(counts, outputs));
  if (mode == "IDF")
    y = y.min(1);
  if (const Attribute *given = n.attribute("weights"); given && mode != "TF" && !given->floats.empty()) {
    if (given->floats.size() != n.intsAttr("ngram_indexes")->size())
      return n.malformed("weights must have one entry an n-gram");
    // The weights belong to the n-grams in the order of the pool.
    torsh::Tensor weights = torsh::Tensor::zeros(space.element, {vectorizer.size});
    SmallVector<int64_t> places = *n.intsAttr("ngram_indexes");
    for (auto [place, weight] : llvm::zip(places, given->floats))
      weights.floats[place] = weight;
    y = y * Term::spread(space, n.graph.constant(weights, n.loc), {1});
  }
  n.setResult(0, rank == 2 ? y.value() : n.reshape(y.value(), {width}));
  return success();
}

} // namespace

void addTextOps(OpTable &table) { table.add("", "TfIdfVectorizer", 9, importTfIdf); }

} // namespace torsh::onnx
