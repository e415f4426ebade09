//===-- OutlineKernels.cpp - Fusion groups -> kernels and launches ------------------------------------------===//
#include "dialects/torsh/HostControl.h"
#include "dialects/torsh/Objects.h"
#include "dialects/torsh/Updates.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/IRMapping.h"
#include "passes/cpu/InPlaceReads.h"
#include "passes/cpu/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_OUTLINEKERNELSPASS
#include "passes/cpu/Passes.h.inc"

namespace {

/// The source node's name behind a location, for the kernel's symbol.
std::string nodeName(Location loc) {
  if (auto name = dyn_cast<NameLoc>(loc))
    return name.getName().str();
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (std::string name = nodeName(part); !name.empty())
        return name;
  return "";
}

/// A name that an ELF symbol and an MLIR symbol take as it is.
std::string symbolName(unsigned index, StringRef anchor, StringRef node) {
  std::string result = ("k" + Twine(index) + "_" + anchor).str();
  std::string clean;
  for (char c : node.take_back(48))
    clean += llvm::isAlnum(c) ? c : '_';
  StringRef trimmed = StringRef(clean).trim('_');
  return trimmed.empty() ? result : result + "_" + trimmed.str();
}

/// Renames the symbols of all dims in types and attributes of a region's ops, in order of appearance.
class SymbolRenamer {
public:
  explicit SymbolRenamer(MLIRContext *context) : context(context) {
    replacer.addReplacement([this](DimAttr dim) -> std::pair<Attribute, WalkResult> {
      SmallVector<StringRef> symbols;
      dim::collectSymbols(dim, symbols);
      for (StringRef symbol : symbols)
        if (!names.contains(symbol)) {
          names[symbol] = dim::symbol(this->context, ("s" + Twine(original.size())).str());
          original.push_back(dim::symbol(this->context, symbol));
        }
      return {dim::substitute(dim, names), WalkResult::skip()};
    });
  }
  void rename(Operation *op) { replacer.recursivelyReplaceElementsIn(op, true, false, true); }

  SmallVector<DimAttr> original;

private:
  MLIRContext *context;
  llvm::StringMap<DimAttr> names;
  AttrTypeReplacer replacer;
};

class Outliner {
public:
  explicit Outliner(ModuleOp module) : module(module), builder(module.getContext()) {}

  void outline(GroupOp group);
  void ownReturns(func::FuncOp function);

private:
  ModuleOp module;
  OpBuilder builder;
  llvm::StringMap<KernelOp> kernels; ///< by text
  unsigned count = 0;
};

void Outliner::outline(GroupOp group) {
  builder.setInsertionPointToEnd(module.getBody());
  auto kernel =
      KernelOp::create(builder, group.getLoc(), "k", group.getAnchor(), builder.getStrArrayAttr({}));
  IRMapping mapping;
  group.getBody().cloneInto(&kernel.getBody(), mapping);
  SymbolRenamer renamer(module.getContext());
  renamer.rename(kernel);
  SmallVector<std::string> names;
  for (size_t i = 0; i < renamer.original.size(); ++i)
    names.push_back("s" + std::to_string(i));
  SmallVector<StringRef> nameRefs(names.begin(), names.end());
  kernel.setSymbolsAttr(builder.getStrArrayAttr(nameRefs));

  std::string text;
  llvm::raw_string_ostream os(text);
  kernel->print(os);
  auto [it, isNew] = kernels.try_emplace(text, kernel);
  if (isNew)
    kernel.setSymName(symbolName(count++, group.getAnchor(), nodeName(group.getLoc())));
  else
    kernel.erase();

  builder.setInsertionPoint(group);
  auto launch =
      LaunchOp::create(builder, group.getLoc(), group.getResultTypes(), it->second.getSymName(),
                       group.getInputs(), DimsAttr::get(module.getContext(), renamer.original), ArrayAttr());
  for (StringRef name : {"images", "segment"})
    if (Attribute attribute = group->getAttr(name))
      launch->setAttr(name, attribute);
  group.replaceAllUsesWith(launch.getResults());
  group.erase();
}

/// Every returned value must be the only owner of a buffer that a group writes; an argument that stays as it is has one.
void Outliner::ownReturns(func::FuncOp function) {
  Operation *terminator = function.getBody().front().getTerminator();
  llvm::SmallDenseSet<Value> seen;
  for (OpOperand &operand : terminator->getOpOperands()) {
    Value buffer = bufferOf(operand.get());
    if (isa_and_present<GroupOp, ObjectOp>(buffer.getDefiningOp()) && seen.insert(buffer).second)
      continue;
    auto argument = dyn_cast<BlockArgument>(buffer);
    if (argument && getUpdatedArgument(function, operand.getOperandNumber()) == argument.getArgNumber())
      continue;
    builder.setInsertionPoint(terminator);
    Location loc = operand.get().getLoc();
    auto copy = GroupOp::create(builder, loc, TypeRange(operand.get().getType()), ValueRange(operand.get()),
                                builder.getStringAttr("elementwise"));
    Block *body = &copy.getBody().emplaceBlock();
    Value whole = body->addArgument(operand.get().getType(), loc);
    builder.setInsertionPointToStart(body);
    YieldOp::create(builder, loc, whole);
    operand.set(copy.getResult(0));
    seen.insert(copy.getResult(0));
  }
}

struct OutlineKernels : impl::OutlineKernelsPassBase<OutlineKernels> {
  void runOnOperation() override {
    Outliner outliner(getOperation());
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      if (function.isExternal())
        continue;
      outliner.ownReturns(function);
      SmallVector<GroupOp> groups(function.getOps<GroupOp>());
      // The host plan runs control flow itself.
      for (GroupOp group : groups)
        if (!isControl(group))
          outliner.outline(group);
    }
  }
};

} // namespace
} // namespace torsh
