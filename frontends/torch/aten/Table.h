//===-- Table.h - The supported ATen operators --------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_ATEN_TABLE_H
#define TORSH_FRONTENDS_TORCH_ATEN_TABLE_H

#include "frontends/torch/aten/Call.h"

namespace torsh::torch {

/// Imports one call: composes torsh ops and sets `result`.
using ImportFunction = llvm::LogicalResult (*)(Call &);

/// Name -> overloads, in the order in which they are tried. One operator is one function in the file of its topic.
class Table {
public:
  struct Overload {
    Schema schema;
    ImportFunction function;
  };
  void add(llvm::StringRef schema, ImportFunction function);
  llvm::ArrayRef<Overload> lookup(llvm::StringRef name) const;
  /// All names in order, for the support table.
  std::vector<std::string> names() const;
  static const Table &get();

private:
  std::map<std::string, std::vector<Overload>, std::less<>> overloads;
};

/// Calls an operator by name. `relu_` without an entry of its own is relu, written back into its first argument. None
/// when there is no operator of the name; the builder has the problem when the call is refused.
std::optional<Val> callOperator(TensorBuilder &b, llvm::StringRef name, llvm::ArrayRef<Val> positional,
                                llvm::ArrayRef<std::pair<llvm::StringRef, Val>> named, int64_t formatVersion);

// One registration function a topic file.
void addElementwiseOps(Table &table);
void addActivationOps(Table &table);
void addComparisonOps(Table &table);
void addViewOps(Table &table);
void addShapeOps(Table &table);
void addIndexingOps(Table &table);
void addCreationOps(Table &table);
void addReductionOps(Table &table);
void addContractionOps(Table &table);
void addConvolutionOps(Table &table);
void addPoolingOps(Table &table);
void addNormalizationOps(Table &table);
void addAttentionOps(Table &table);
void addRecurrentOps(Table &table);
void addResizeOps(Table &table);
void addInPlaceOps(Table &table);

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_ATEN_TABLE_H
