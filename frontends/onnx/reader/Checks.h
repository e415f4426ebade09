//===- Checks.h - Structure of a parsed model -------------------*- C++ -*-===//
#ifndef TORSH_FRONTENDS_ONNX_READER_CHECKS_H
#define TORSH_FRONTENDS_ONNX_READER_CHECKS_H

#include "frontends/onnx/reader/Limits.h"
#include "frontends/onnx/reader/Model.h"
#include "frontends/onnx/reader/ReaderError.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include <string>

namespace torsh::onnx {

/// One thing that is wrong with a model.
struct Finding {
  Code code;
  std::string sentence;
};

/// Positions of nodes in an order in which each value is computed before it is used. Equal to the order of
/// the file where that is sorted already, which ONNX asks for.
using NodeOrder = llvm::SmallVector<uint32_t, 0>;

/// What a structural check learnt.
struct CheckedModel {
  /// Empty when the model is sound. At most `maxFindings` are kept.
  llvm::SmallVector<Finding, 0> findings;
  bool moreFindings = false;
  /// The order of every graph, those nested in attributes included.
  llvm::DenseMap<const Graph *, NodeOrder> graphOrders;
  llvm::DenseMap<const Function *, NodeOrder> functionOrders;

  static constexpr size_t maxFindings = 64;
  void add(Code code, const llvm::Twine &sentence);
  /// All findings as one error, or success.
  llvm::Error takeError() const;
};

/// Checks that every value is defined once and before its use, that graphs have no cycle, that used operator
/// domains are imported, and that tensors and declared types are plausible. Does not know any operator.
CheckedModel checkModel(const Model &model, const ReadLimits &limits = {});

/// How messages speak of a node: by its name, or by operator, position and outputs.
std::string describeNode(const Node &node, size_t index);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_READER_CHECKS_H
