//===-- ContainerCalls.cpp - Lists and dicts ----------------------------------------------------------------===//
#include "frontends/torch/import/Interpreter.h"

using namespace mlir;

namespace torsh::torch {

using Result = std::optional<FailureOr<Val>>;

/// Whether a list may be changed here: one from outside of a region must stay as it is, since the region may not run.
bool Interpreter::mayChange(const Val &container) {
  if (container.asSequence().regionDepth >= b.regions.size())
    return true;
  (void)refuse("list", "a list is changed under a condition or loop that depends on data");
  return false;
}

Result Interpreter::containerCall(StringRef name, ArrayRef<Val> x) {
  if (x.empty())
    return std::nullopt;
  auto fresh = [&](std::vector<Val> items) -> FailureOr<Val> {
    Val list = Val::list(std::move(items));
    list.asSequence().regionDepth = b.regions.size();
    return list;
  };
  if (name == "list" && x[0].isSequence())
    return fresh(x[0].items());
  if (!x[0].isSequence())
    return std::nullopt;
  std::vector<Val> &items = x[0].items();
  auto size = int64_t(items.size());
  // An index that is known and inside; none after a report.
  auto position = [&](const Val &index, bool toEnd) -> std::optional<int64_t> {
    std::optional<int64_t> known = index.knownInt();
    if (!known) {
      (void)refuse(name, "the index of a list depends on data or on a symbolic size");
      return std::nullopt;
    }
    int64_t at = *known < 0 ? *known + size : *known;
    if (at >= 0 && at < size + toEnd)
      return at;
    (void)malformed("index " + Twine(*known) + " of a list of " + Twine(size) + " items");
    return std::nullopt;
  };
  if (name == "len" && x.size() == 1)
    return FailureOr<Val>(Val::integer(b.dim(size)));
  if (name == "__getitem__" && x.size() == 2)
    return subscript(x[0], x[1]);
  if (name == "__contains__" && x.size() == 2) {
    bool known = true;
    for (const Val &item : items) {
      std::optional<bool> equal = areEqual(item, x[1]);
      if (equal == true)
        return FailureOr<Val>(Val::boolean(true));
      known &= equal.has_value();
    }
    if (known)
      return FailureOr<Val>(Val::boolean(false));
    return FailureOr<Val>(LogicalResult(refuse(name, "whether a list has an item depends on data")));
  }
  if (name == "add" && x.size() == 2 && x[1].isSequence()) {
    std::vector<Val> joined = items;
    joined.insert(joined.end(), x[1].items().begin(), x[1].items().end());
    return fresh(std::move(joined));
  }
  if (name == "mul" && x.size() == 2 && x[1].knownInt()) {
    std::vector<Val> repeated;
    for (int64_t i = 0; i < *x[1].knownInt() && repeated.size() < (1 << 20); ++i)
      repeated.insert(repeated.end(), items.begin(), items.end());
    return fresh(std::move(repeated));
  }
  if (name == "slice") {
    int64_t bounds[3] = {0, size, 1};
    for (size_t i = 1; i < x.size() && i < 4; ++i) {
      if (x[i].isNone())
        continue;
      std::optional<int64_t> known = x[i].knownInt();
      if (!known)
        return FailureOr<Val>(
            LogicalResult(refuse(name, "the bounds of a slice of a list must be constants")));
      bounds[i - 1] = i == 3 ? *known : std::clamp<int64_t>(*known < 0 ? *known + size : *known, 0, size);
    }
    if (bounds[2] < 1)
      return FailureOr<Val>(LogicalResult(refuse(name, "a slice of a list needs a positive step")));
    std::vector<Val> part;
    for (int64_t i = bounds[0]; i < bounds[1]; i += bounds[2])
      part.push_back(items[i]);
    return fresh(std::move(part));
  }
  if (name == "copy")
    return fresh(items);
  if (name == "sum" && llvm::all_of(items, [](const Val &v) { return v.isKnownNumber(); })) {
    Val sum = Val::integer(b.dim(0));
    for (const Val &item : items) {
      Result next = numberCall("add", {sum, item});
      if (!next || failed(*next))
        return next;
      sum = **next;
    }
    return FailureOr<Val>(sum);
  }
  if ((name == "any" || name == "all") &&
      llvm::all_of(items, [](const Val &v) { return v.knownInt().has_value(); })) {
    auto isTrue = [](const Val &v) { return *v.knownInt() != 0; };
    return FailureOr<Val>(
        Val::boolean(name == "any" ? llvm::any_of(items, isTrue) : llvm::all_of(items, isTrue)));
  }
  if (name == "sorted" && llvm::all_of(items, [](const Val &v) { return v.knownDouble().has_value(); })) {
    std::vector<Val> ordered = items;
    llvm::sort(ordered, [](const Val &a, const Val &c) { return *a.knownDouble() < *c.knownDouble(); });
    return fresh(std::move(ordered));
  }
  if (x[0].kind() != Val::Kind::List)
    return std::nullopt;

  static const StringRef changes[] = {"append",  "extend",    "insert", "pop",    "clear",
                                      "reverse", "_set_item", "add_",   "Delete", "remove"};
  if (!llvm::is_contained(changes, name))
    return std::nullopt;
  if (!mayChange(x[0]))
    return FailureOr<Val>(failure());
  if (name == "append" && x.size() == 2) {
    items.push_back(x[1]);
    return FailureOr<Val>(x[0]);
  }
  if ((name == "extend" || name == "add_") && x.size() == 2 && x[1].isSequence()) {
    std::vector<Val> more = x[1].items();
    items.insert(items.end(), more.begin(), more.end());
    return FailureOr<Val>(x[0]);
  }
  if (name == "insert" && x.size() == 3) {
    std::optional<int64_t> known = x[1].knownInt();
    if (!known)
      return FailureOr<Val>(LogicalResult(refuse(name, "the index of a list must be a constant")));
    int64_t at = std::clamp<int64_t>(*known < 0 ? *known + size : *known, 0, size);
    items.insert(items.begin() + at, x[2]);
    return FailureOr<Val>(Val());
  }
  if (name == "pop" || name == "Delete") {
    std::optional<int64_t> at = position(x.size() > 1 ? x[1] : Val::integer(b.dim(-1)), false);
    if (!at)
      return FailureOr<Val>(failure());
    Val item = items[*at];
    items.erase(items.begin() + *at);
    return FailureOr<Val>(item);
  }
  if (name == "remove" && x.size() == 2) {
    for (int64_t i = 0; i < size; ++i)
      if (areEqual(items[i], x[1]).value_or(false)) {
        items.erase(items.begin() + i);
        return FailureOr<Val>(Val());
      }
    return FailureOr<Val>(LogicalResult(malformed("an item is removed that the list does not have")));
  }
  if (name == "clear")
    items.clear();
  if (name == "reverse")
    std::reverse(items.begin(), items.end());
  if (name == "_set_item" && x.size() == 3) {
    std::optional<int64_t> at = position(x[1], false);
    if (!at)
      return FailureOr<Val>(failure());
    items[*at] = x[2];
  }
  return FailureOr<Val>(x[0]);
}

Result Interpreter::dictCall(StringRef name, ArrayRef<Val> x) {
  if (name == "dict" && x.empty())
    return FailureOr<Val>(Val::dict(std::make_shared<Dict>()));
  if (x.empty() || x[0].kind() != Val::Kind::Dict)
    return std::nullopt;
  auto &entries = x[0].asDict().entries;
  auto find = [&](const Val &key) {
    return llvm::find_if(entries, [&](auto &entry) { return areEqual(entry.first, key).value_or(false); });
  };
  std::vector<Val> items;
  if (name == "len")
    return FailureOr<Val>(Val::integer(b.dim(int64_t(entries.size()))));
  if (name == "keys" || name == "values" || name == "items") {
    for (auto &[key, value] : entries)
      items.push_back(name == "keys" ? key : name == "values" ? value : Val::tuple({key, value}));
    return FailureOr<Val>(Val::list(std::move(items)));
  }
  if (name == "__contains__" && x.size() == 2)
    return FailureOr<Val>(Val::boolean(find(x[1]) != entries.end()));
  if (name == "__getitem__" && x.size() == 2)
    return subscript(x[0], x[1]);
  if (name == "get" && x.size() >= 2) {
    auto it = find(x[1]);
    return FailureOr<Val>(it != entries.end() ? it->second : x.size() > 2 ? x[2] : Val());
  }
  if (name == "copy" || name == "dict")
    return FailureOr<Val>(Val::dict(std::make_shared<Dict>(x[0].asDict())));
  static const StringRef changes[] = {"_set_item", "pop", "clear", "update", "setdefault", "Delete"};
  if (!llvm::is_contained(changes, name))
    return std::nullopt;
  if (!b.regions.empty())
    return FailureOr<Val>(
        LogicalResult(refuse("dict", "a dict is changed under a condition or loop that depends on data")));
  if (name == "_set_item" && x.size() == 3) {
    if (auto it = find(x[1]); it != entries.end())
      it->second = x[2];
    else
      entries.emplace_back(x[1], x[2]);
    return FailureOr<Val>(Val());
  }
  if (name == "clear") {
    entries.clear();
    return FailureOr<Val>(Val());
  }
  if ((name == "pop" || name == "Delete") && x.size() >= 2) {
    auto it = find(x[1]);
    if (it == entries.end())
      return x.size() > 2 ? FailureOr<Val>(x[2])
                          : FailureOr<Val>(LogicalResult(malformed("a dict has no such key")));
    Val value = it->second;
    entries.erase(it);
    return FailureOr<Val>(value);
  }
  return FailureOr<Val>(LogicalResult(refuse(name, "this function of dicts is not supported")));
}

} // namespace torsh::torch
