//===-- KernelKey.cpp - What makes two kernels the same for the tuner ----------------------------------------===//
#include "passes/tuning/KernelKey.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/OwningOpRef.h"
#include "passes/lowering/KernelBuilder.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"

using namespace mlir;

namespace torsh {

std::string getCanonicalText(KernelOp kernel) {
  OwningOpRef<KernelOp> alone = kernel.clone();
  alone->setSymName("k");
  (*alone)->removeAttr(choicesAttrName);
  std::string text;
  llvm::raw_string_ostream os(text);
  (*alone)->print(os);
  return text;
}

std::string getCanonicalText(Operation *op) {
  MLIRContext *context = op->getContext();
  llvm::StringMap<DimAttr> names;
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](DimAttr dim) -> std::pair<Attribute, WalkResult> {
    SmallVector<StringRef> symbols;
    dim::collectSymbols(dim, symbols);
    for (StringRef symbol : symbols)
      if (!names.contains(symbol))
        names[symbol] = dim::symbol(context, ("s" + Twine(names.size())).str());
    return {dim::substitute(dim, names), WalkResult::skip()};
  });
  NamedAttrList attributes(op->getAttrDictionary());
  attributes.erase(choicesAttrName);
  std::string text;
  llvm::raw_string_ostream os(text);
  os << op->getName() << " ";
  replacer.replace(attributes.getDictionary(context)).print(os);
  auto printTypes = [&](TypeRange types) {
    os << " (";
    llvm::interleaveComma(types, os, [&](Type type) { os << replacer.replace(type); });
    os << ")";
  };
  printTypes(op->getOperandTypes());
  os << " ->";
  printTypes(op->getResultTypes());
  return text;
}

std::string getEpilogueText(Operation *root) {
  llvm::SmallSetVector<Operation *, 16> behind;
  behind.insert(root);
  std::vector<std::string> names;
  auto shape = getDims(root->getResult(0));
  for (size_t i = 0; i < behind.size(); ++i)
    for (Operation *user : behind[i]->getUsers())
      if (user->hasTrait<ElementwiseOp>() && user->getBlock() == root->getBlock() &&
          getDims(user->getResult(0)) == shape && behind.insert(user))
        names.push_back(user->getName().getStringRef().str());
  llvm::sort(names);
  std::string text = getCanonicalText(root) + " before";
  for (const std::string &name : names)
    text += " " + name;
  return text;
}

std::string makeKey(StringRef canonicalText) {
  return llvm::toHex(llvm::SHA256::hash(llvm::arrayRefFromStringRef(canonicalText)), true).substr(0, 32);
}

std::string summarise(Operation *op) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << op->getName().stripDialect();
  auto printShapes = [&](TypeRange types) {
    llvm::interleave(
        types, os,
        [&](Type type) {
          auto tensor = dyn_cast<RankedTensorType>(type);
          if (!tensor)
            return;
          for (int64_t size : tensor.getShape())
            ShapedType::isDynamic(size) ? os << "?x" : os << size << "x";
          os << tensor.getElementType();
        },
        " ");
  };
  os << " ";
  printShapes(op->getOperandTypes());
  os << " -> ";
  printShapes(op->getResultTypes());
  return text;
}

std::string summarise(KernelOp kernel) {
  Operation *root = findAnyOf<DotGeneralOp, ConvOp>(kernel);
  if (!root)
    for (Operation &op : kernel.getBody().front().without_terminator())
      root = root ? root : &op;
  return root ? kernel.getAnchor().str() + ": " + summarise(root) : kernel.getAnchor().str();
}

} // namespace torsh
