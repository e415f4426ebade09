//===-- CheckImport.cpp - Verifies the import contract ------------------------------------------------------===//
#include "mlir/IR/DialectResourceBlobManager.h"
#include "passes/graph/ConstantValues.h"
#include "passes/graph/Passes.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_CHECKIMPORTPASS
#include "passes/graph/Passes.h.inc"

namespace {

/// Checks one function, in the order of its ops: a size is used only after it has a value.
class ImportChecker {
public:
  explicit ImportChecker(func::FuncOp function) : function(function) {}
  bool check();

private:
  /// Adds the symbols that the types give a value to.
  void bind(TypeRange types);
  bool checkBlock(Block &block);
  bool checkOp(Operation *op);
  bool checkTypes(Operation *op, TypeRange types);
  bool checkDim(Operation *op, DimAttr dim);
  bool checkAttributes(Operation *op);

  func::FuncOp function;
  llvm::StringSet<> bound;
};

/// Ops whose result sizes are found at run time.
bool bearsSizes(Operation *op) { return isa<NonZeroOp, NonMaxSuppressionOp, IfOp, ForOp, WhileOp>(op); }

/// Whether a person can find the source: a node's name or a place in a text.
bool hasSource(Location location) {
  bool found = false;
  location->walk([&](Location part) {
    found |= isa<NameLoc, FileLineColLoc>(part);
    return found ? WalkResult::interrupt() : WalkResult::advance();
  });
  return found;
}

void ImportChecker::bind(TypeRange types) {
  for (Type type : types)
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      for (DimAttr dim : getDims(tensor))
        if (auto name = dim::asSymbol(dim))
          bound.insert(*name);
}

bool ImportChecker::checkDim(Operation *op, DimAttr dim) {
  SmallVector<StringRef> symbols;
  dim::collectSymbols(dim, symbols);
  for (StringRef name : symbols)
    if (!bound.contains(name)) {
      op->emitError("TSH-0514: the size '") << name << "' in '" << dim::toString(dim)
                                            << "' has no value: no input has it as a dim and no op before "
                                               "gives it one; name it as a dim of an input";
      return false;
    }
  return true;
}

bool ImportChecker::checkTypes(Operation *op, TypeRange types) {
  for (Type type : types) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor) {
      op->emitError("TSH-0519: a value of type ")
          << type << " is no ranked tensor; import a model whose ranks are known";
      return false;
    }
    if (tensor.hasStaticShape())
      continue;
    auto dims = dyn_cast_or_null<DimsAttr>(tensor.getEncoding());
    if (!dims) {
      op->emitError("TSH-0513: the type ")
          << tensor << " has a dim without an expression; write #torsh.dims<[...]> as its encoding";
      return false;
    }
    for (DimAttr dim : dims.getDims())
      if (!checkDim(op, dim))
        return false;
  }
  return true;
}

bool ImportChecker::checkAttributes(Operation *op) {
  for (NamedAttribute named : op->getAttrDictionary()) {
    Attribute value = named.getValue();
    if (auto dim = dyn_cast<DimAttr>(value); dim && !checkDim(op, dim))
      return false;
    if (auto dims = dyn_cast<DimsAttr>(value))
      for (DimAttr dim : dims.getDims())
        if (!checkDim(op, dim))
          return false;
    auto dense = dyn_cast<DenseElementsAttr>(value);
    bool large = dense && !dense.isSplat() && int64_t(dense.getRawData().size()) > kMaxDenseBytes;
    if (large || isa<DenseResourceElementsAttr>(value)) {
      op->emitError("TSH-0515: the attribute '")
          << named.getName().getValue() << "' holds more than " << kMaxDenseBytes
          << " bytes of numbers; large constants are #torsh.weight recipes";
      return false;
    }
  }
  return true;
}

bool ImportChecker::checkOp(Operation *op) {
  if (!isa_and_present<TorshDialect>(op->getDialect()) && !isa<func::ReturnOp>(op)) {
    op->emitError("TSH-0518: '") << op->getName()
                                 << "' is no torsh op; a frontend translates every op of its source";
    return false;
  }
  if (!hasSource(op->getLoc())) {
    op->emitError("TSH-0516: '") << op->getName()
                                 << "' has no source position; create it with the location of its node";
    return false;
  }
  if (bearsSizes(op))
    bind(op->getResultTypes());
  if (auto sizes = dyn_cast<BindSizesOp>(op))
    for (auto name : sizes.getSymbols().getAsRange<StringAttr>())
      bound.insert(name.getValue());
  if (!checkTypes(op, op->getResultTypes()) || !checkAttributes(op))
    return false;
  for (Region &region : op->getRegions())
    for (Block &block : region) {
      // A carried value can have another size in each iteration.
      bind(block.getArgumentTypes());
      if (!checkTypes(op, block.getArgumentTypes()) || !checkBlock(block))
        return false;
    }
  return true;
}

bool ImportChecker::checkBlock(Block &block) {
  for (Operation &op : block)
    if (!checkOp(&op))
      return false;
  return true;
}

bool ImportChecker::check() {
  bind(function.getArgumentTypes());
  if (!checkTypes(function, function.getArgumentTypes()) || !checkAttributes(function))
    return false;
  return function.isExternal() || checkBlock(function.getBody().front());
}

struct CheckImport : impl::CheckImportPassBase<CheckImport> {
  void runOnOperation() override {
    bool good = true;
    for (auto function : getOperation().getOps<func::FuncOp>())
      good &= ImportChecker(function).check();
    if (!good)
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};

} // namespace
} // namespace torsh
