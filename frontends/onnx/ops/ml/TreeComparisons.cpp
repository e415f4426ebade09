//===-- TreeComparisons.cpp - Trees whose every node is "key <= threshold" ----------------------------------===//
//
// With unsigned keys in the order of the floats, x < t is key(x) <= key(t) - 1, and x >= t is that with the sides
// exchanged. NaN has the greatest key, so it goes right; where a missing value must go left, the comparison reads a
// second column of the feature in which NaN has the key 0. A test for one value is two comparisons, one for a set is a
// search tree of them.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/ml/TreeComparisons.h"
#include "llvm/ADT/bit.h"
#include <cmath>

using namespace llvm;

namespace torsh::onnx {

uint64_t ComparisonBuilder::keyOf(double value) const {
  value += 0.0;
  if (wide) {
    uint64_t bits = bit_cast<uint64_t>(value);
    return bits >> 63 ? ~bits : bits | uint64_t(1) << 63;
  }
  uint32_t bits = bit_cast<uint32_t>(float(value));
  return bits >> 31 ? ~bits : bits | uint32_t(1) << 31;
}

int64_t ComparisonBuilder::columnOf(int64_t feature, bool missingIsLow) {
  auto [found, isNew] = columnNumbers.try_emplace({feature, missingIsLow}, columns.size());
  if (isNew)
    columns.push_back({feature, missingIsLow});
  return found->second;
}

int64_t ComparisonBuilder::add(uint64_t threshold, int64_t column, int64_t left, int64_t right) {
  nodes.push_back({threshold, column, left, right});
  return int64_t(nodes.size()) - 1;
}

/// `keys` is sorted. What is in no key goes to `no`, a missing value to `missing`.
void ComparisonBuilder::expandSet(ArrayRef<uint64_t> keys, int64_t column, int64_t to, int64_t yes,
                                  int64_t no, int64_t missing) {
  // Parts of the list with the node that is to search them. NaN is right of all keys.
  struct Part {
    ArrayRef<uint64_t> keys;
    int64_t to;
    bool isLast;
  };
  SmallVector<Part> parts{{keys, to, true}};
  while (!parts.empty()) {
    Part part = parts.pop_back_val();
    if (part.keys.empty()) {
      // Only the whole list can be empty: numbers are no, NaN is missing.
      nodes[part.to] = {missingKey() - 1, column, no, missing};
      continue;
    }
    size_t middle = part.keys.size() / 2;
    ArrayRef<uint64_t> below = part.keys.take_front(middle), above = part.keys.drop_front(middle + 1);
    uint64_t key = part.keys[middle];
    int64_t equal = add(key, column, yes, no);
    int64_t lower = no;
    if (!below.empty()) {
      lower = add(0, column, -1, -1);
      parts.push_back({below, lower, false});
    }
    if (!above.empty()) {
      nodes[equal].right = add(0, column, -1, -1);
      parts.push_back({above, nodes[equal].right, part.isLast});
    } else if (part.isLast && missing != no) {
      nodes[equal].right = add(missingKey() - 1, column, no, missing);
    }
    nodes[part.to] = {key - 1, column, lower, equal};
  }
}

void ComparisonBuilder::expand(const TreeNode &from, int64_t to, int64_t yes, int64_t no) {
  bool isNumber = !std::isnan(from.threshold);
  uint64_t key = isNumber ? keyOf(from.threshold) : 0;
  int64_t high = columnOf(from.feature, false);
  auto low = [&] { return columnOf(from.feature, true); };
  switch (from.mode) {
  case TreeMode::Leq:
  case TreeMode::Lt: {
    // Nothing is less than NaN, and no key but that of a missing value is 0.
    uint64_t limit = !isNumber ? 0 : from.mode == TreeMode::Leq ? key : key - 1;
    nodes[to] = {limit, from.missingIsTrue ? low() : high, yes, no};
    return;
  }
  case TreeMode::Gte:
  case TreeMode::Gt: {
    uint64_t limit = !isNumber ? missingKey() - 1 : from.mode == TreeMode::Gt ? key : key - 1;
    nodes[to] = {limit, from.missingIsTrue ? high : low(), no, yes};
    return;
  }
  case TreeMode::Neq:
    // NaN differs from every number.
    std::swap(yes, no);
    [[fallthrough]];
  case TreeMode::Eq: {
    SmallVector<uint64_t> keys;
    if (isNumber)
      keys.push_back(key);
    bool missingIsYes = from.mode == TreeMode::Eq && from.missingIsTrue;
    return expandSet(keys, high, to, yes, no, missingIsYes ? yes : no);
  }
  case TreeMode::Member: {
    SmallVector<uint64_t> keys;
    for (double value : model.sets[from.index])
      keys.push_back(keyOf(value));
    sort(keys);
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return expandSet(keys, high, to, yes, no, from.missingIsTrue ? yes : no);
  }
  case TreeMode::Leaf:
    nodes[to] = {leafWords[from.index], -1, -1, -1};
  }
}

std::vector<KeyNode> ComparisonBuilder::build(int64_t root, std::vector<bool> &visited) {
  nodes.clear();
  SmallVector<std::pair<int64_t, int64_t>> work{{root, add(0, -1, -1, -1)}};
  while (!work.empty()) {
    auto [index, to] = work.pop_back_val();
    const TreeNode &from = model.nodes[index];
    if (from.mode == TreeMode::Leaf) {
      expand(from, to, -1, -1);
      continue;
    }
    if (visited[index])
      return {};
    visited[index] = true;
    int64_t yes = add(0, -1, -1, -1), no = add(0, -1, -1, -1);
    work.push_back({from.yes, yes});
    work.push_back({from.no, no});
    expand(from, to, yes, no);
  }
  return std::move(nodes);
}

} // namespace torsh::onnx
