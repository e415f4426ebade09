//===-- DimUnifier.cpp - Symbols of an import and what is known to be equal
//---------------------------------===//
#include "dialects/torsh/import/DimUnifier.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace torsh {

/// A name in the form that dim expressions can be parsed from.
static std::string sanitise(StringRef name) {
  std::string result;
  for (char c : name)
    result += llvm::isAlnum(c) || c == '_' ? c : '_';
  if (result.empty() || llvm::isDigit(result.front()))
    result.insert(0, "d");
  // Words that the syntax of dim expressions uses itself.
  if (llvm::is_contained({"min", "max", "mod", "floordiv", "ceildiv"}, result))
    result += "_";
  if (result.size() > 64)
    result.resize(64);
  return result;
}

std::string DimUnifier::unique(StringRef hint) {
  std::string base = sanitise(hint), name = base;
  for (unsigned i = 1; !age.try_emplace(name, age.size()).second; ++i)
    name = base + "_" + std::to_string(i);
  return name;
}

DimAttr DimUnifier::named(StringRef name) {
  auto [it, added] = namedSymbols.try_emplace(name);
  if (added)
    it->second = unique(name);
  return dim::symbol(context, it->second);
}

DimAttr DimUnifier::anonymous(StringRef hint) {
  std::string name = unique(hint);
  anonymousSymbols.insert(name);
  return dim::symbol(context, name);
}

DimAttr DimUnifier::bornAtRun(StringRef hint) {
  std::string name = unique(hint);
  bornSymbols.insert(name);
  return dim::symbol(context, name);
}

DimAttr DimUnifier::canonical(DimAttr dim) const {
  if (dim::asConstant(dim) || (symbolValues.empty() && expressionValues.empty()))
    return dim;
  // Replacements never contain replaced symbols (see replaceSymbol), so one substitution is enough for
  // symbols; an expression may only match after it.
  DimAttr result = dim::substitute(dim, symbolValues);
  for (auto it = expressionValues.find(result); it != expressionValues.end();
       it = expressionValues.find(result))
    result = it->second;
  return result;
}

RankedTensorType DimUnifier::canonical(RankedTensorType type) const {
  // Other encodings say what a handle is.
  if (!isa_and_present<DimsAttr>(type.getEncoding()))
    return type;
  SmallVector<DimAttr> dims = getDims(type);
  for (DimAttr &dim : dims)
    dim = canonical(dim);
  return makeTensorType(dims, type.getElementType());
}

/// Solves `difference = 0` for one of its symbols.
bool DimUnifier::replaceSymbol(DimAttr difference, DimAttr a, DimAttr b) {
  SmallVector<StringRef> symbols;
  dim::collectSymbols(difference, symbols);
  llvm::erase_if(symbols, [&](StringRef name) { return bornSymbols.contains(name); });
  // Anonymous symbols go before names that the model gave, later ones before earlier ones.
  llvm::sort(symbols, [&](StringRef l, StringRef r) {
    auto rank = [&](StringRef name) {
      return std::make_pair(!anonymousSymbols.contains(name), -int64_t(age.lookup(name)));
    };
    return rank(l) < rank(r);
  });
  DimAttr zero = dim::constant(context, 0);
  for (StringRef name : symbols) {
    DimAttr symbol = dim::symbol(context, name);
    llvm::StringMap<DimAttr> none;
    none[name] = zero;
    DimAttr rest = dim::substitute(difference, none);
    std::optional<DimAttr> factor = dim::exactQuotient(dim::sub(difference, rest), symbol);
    if (!factor || !dim::asConstant(*factor) || dim::isConstant(*factor, 0))
      continue;
    std::optional<DimAttr> value = dim::exactQuotient(dim::neg(rest), *factor);
    if (!value)
      continue;
    SmallVector<StringRef> left;
    dim::collectSymbols(*value, left);
    if (llvm::any_of(left, [&](StringRef s) { return bornSymbols.contains(s); }))
      continue;
    // A size is never negative, and a later symbol may stand in earlier replacements.
    if (auto constant = dim::asConstant(*value); constant && *constant < 0)
      return false;
    llvm::StringMap<DimAttr> single;
    std::string key = name.str();
    single[key] = *value;
    for (auto &entry : symbolValues)
      entry.second = dim::substitute(entry.second, single);
    symbolValues[key] = *value;
    llvm::DenseMap<DimAttr, DimAttr> renewed;
    for (auto &[from, to] : expressionValues) {
      DimAttr newFrom = dim::substitute(from, single), newTo = dim::substitute(to, single);
      if (newFrom != newTo)
        renewed[newFrom] = newTo;
    }
    expressionValues = std::move(renewed);
    for (Guard &guard : guards) {
      guard.lhs = dim::substitute(guard.lhs, single);
      guard.rhs = dim::substitute(guard.rhs, single);
    }
    return true;
  }
  return false;
}

bool DimUnifier::unify(DimAttr a, DimAttr b, const Twine &why) {
  a = canonical(a);
  b = canonical(b);
  if (a == b)
    return true;
  DimAttr difference = dim::sub(a, b);
  if (dim::isConstant(difference, 0))
    return true;
  if (dim::asConstant(difference) || frozen)
    return false;
  if (!replaceSymbol(difference, a, b)) {
    // What is known later is replaced: nothing before it may wait for it. Sizes of inputs are all known first.
    auto birth = [&](DimAttr dim) {
      SmallVector<StringRef> symbols;
      dim::collectSymbols(dim, symbols);
      int64_t latest = -1;
      for (StringRef name : symbols)
        if (bornSymbols.contains(name))
          latest = std::max<int64_t>(latest, age.lookup(name));
      return std::tuple(latest, !dim::asConstant(dim), dim::toString(dim).size());
    };
    if (birth(a) < birth(b))
      std::swap(a, b);
    guards.push_back({a, b, why.str()});
    expressionValues[a] = b;
  }
  rewriteFunction();
  return true;
}

void DimUnifier::rewriteFunction() {
  if (!function)
    return;
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](DimAttr dim) -> std::optional<std::pair<Attribute, WalkResult>> {
    return std::make_pair(Attribute(canonical(dim)), WalkResult::skip());
  });
  replacer.addReplacement([&](RankedTensorType type) -> std::optional<std::pair<Type, WalkResult>> {
    return std::make_pair(Type(canonical(type)), WalkResult::skip());
  });
  replacer.recursivelyReplaceElementsIn(function, /*replaceAttrs=*/true, /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
}

void DimUnifier::emitGuards(OpBuilder &builder, Location loc) const {
  Block *block = builder.getInsertionBlock();
  // A guard stands in the innermost block that gives one of its sizes a value.
  llvm::StringMap<Block *> blocks;
  block->walk([&](BindSizesOp bind) {
    for (auto name : bind.getSymbols().getAsRange<StringAttr>())
      blocks[name.getValue()] = bind->getBlock();
  });
  for (const Guard &guard : guards) {
    SmallVector<StringRef> symbols;
    dim::collectSymbols(guard.lhs, symbols);
    dim::collectSymbols(guard.rhs, symbols);
    bool isBorn = llvm::any_of(symbols, [&](StringRef name) { return bornSymbols.contains(name); });
    if (guard.lhs == guard.rhs)
      continue;
    Block *home = block;
    for (StringRef name : symbols)
      if (Block *own = blocks.lookup(name); own && home->findAncestorOpInBlock(*own->getParentOp()))
        home = own;
    OpBuilder last(home->getTerminator());
    GuardOp::create(isBorn ? last : builder, loc, guard.lhs, guard.rhs, guard.message);
  }
}

} // namespace torsh
