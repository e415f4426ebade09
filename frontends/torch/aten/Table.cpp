//===-- Table.cpp - The supported ATen operators ------------------------------------------------------------===//
#include "frontends/torch/aten/Table.h"

using namespace mlir;

namespace torsh::torch {

void Table::add(StringRef text, ImportFunction function) {
  Schema schema = Schema::parse(text);
  std::vector<Overload> &list = overloads[schema.name];
  list.push_back({std::move(schema), function});
}

ArrayRef<Table::Overload> Table::lookup(StringRef name) const {
  auto it = overloads.find(name);
  return it == overloads.end() ? ArrayRef<Overload>() : ArrayRef<Overload>(it->second);
}

std::vector<std::string> Table::names() const {
  std::vector<std::string> result;
  for (const auto &entry : overloads)
    result.push_back(entry.first);
  return result;
}

const Table &Table::get() {
  static const Table table = [] {
    Table built;
    addElementwiseOps(built);
    addActivationOps(built);
    addComparisonOps(built);
    addViewOps(built);
    addShapeOps(built);
    addIndexingOps(built);
    addCreationOps(built);
    addReductionOps(built);
    addContractionOps(built);
    addConvolutionOps(built);
    addPoolingOps(built);
    addNormalizationOps(built);
    addAttentionOps(built);
    addRecurrentOps(built);
    addResizeOps(built);
    addInPlaceOps(built);
    return built;
  }();
  return table;
}

/// The kinds of arguments, for the refusal of a call that no overload takes.
static std::string describe(ArrayRef<Val> positional, ArrayRef<std::pair<StringRef, Val>> named) {
  std::string text;
  for (const Val &value : positional)
    text += (text.empty() ? "" : ", ") + kindName(value).str();
  for (const auto &[name, value] : named)
    text += (text.empty() ? "" : ", ") + (name + "=" + kindName(value)).str();
  return "(" + text + ")";
}

std::optional<Val> callOperator(TensorBuilder &b, StringRef name, ArrayRef<Val> positional,
                                ArrayRef<std::pair<StringRef, Val>> named, int64_t formatVersion) {
  ArrayRef<Table::Overload> overloads = Table::get().lookup(name);
  bool writesBack = false;
  if (overloads.empty() && name.ends_with("_") && !name.ends_with("__")) {
    overloads = Table::get().lookup(name.drop_back());
    writesBack = true;
  }
  if (overloads.empty())
    return std::nullopt;
  for (const Table::Overload &overload : overloads) {
    std::optional<std::vector<Val>> arguments = overload.schema.bind(b.context(), positional, named);
    if (!arguments)
      continue;
    Call call(b, overload.schema, std::move(*arguments), formatVersion);
    if (failed(overload.function(call)) || b.hasFailed()) {
      (void)b.fail("the call is not supported");
      return Val();
    }
    if (!writesBack)
      return call.result;
    const Val &target = positional.empty() ? Val() : positional[0];
    if (!target.isTensor() || !call.result.isTensor()) {
      (void)b.fail("only a tensor can be written in place");
      return Val();
    }
    Value before = b.read(target);
    Value after = b.broadcastTo(b.cast(b.read(call.result), elementTypeOf(before)), getDims(before));
    if (!b.hasFailed())
      b.write(target.asCell(), after);
    return target;
  }
  (void)b.fail("there is no overload for the arguments " + describe(positional, named));
  return Val();
}

} // namespace torsh::torch
