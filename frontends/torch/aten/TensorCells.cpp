//===-- TensorCells.cpp - Tensors that are written in place, as values --------------------------------------===//
#include "frontends/torch/aten/TensorBuilder.h"

using namespace mlir;

namespace torsh::torch {

TensorRef TensorBuilder::cell(Value value) {
  auto result = std::make_shared<TensorCell>();
  result->value = value;
  result->regionDepth = regions.size();
  return result;
}

TensorRef TensorBuilder::knownCell(DimAttr value, Type elementType) {
  TensorRef result = cell({});
  result->known = value;
  result->knownType = elementType;
  return result;
}

Value TensorBuilder::read(TensorCell &cell) {
  if (cell.base) {
    Value base = read(*cell.base);
    if (cell.baseVersion != cell.base->version) {
      cell.value = cell.forward(base);
      cell.baseVersion = cell.base->version;
      ++cell.version;
    }
  }
  if (!cell.value && cell.load)
    cell.value = cell.load();
  if (!cell.value && cell.known) {
    // Not kept: a value built inside a region does not exist outside of it.
    return cast(fromDims({cell.known}, true), cell.knownType);
  }
  return cell.value;
}

void TensorBuilder::write(const TensorRef &cell, Value value) {
  if (cell->base) {
    if (!cell->backward) {
      (void)fail("a write through this view of a tensor is not supported");
      return;
    }
    write(cell->base, cell->backward(read(*cell->base), value));
    cell->value = value;
    cell->baseVersion = cell->base->version;
    ++cell->version;
    return;
  }
  Value before = read(*cell);
  for (size_t depth = cell->regionDepth; depth < regions.size(); ++depth) {
    auto &written = regions[depth].written;
    if (llvm::none_of(written, [&](auto &entry) { return entry.first == cell; }))
      written.emplace_back(cell, before);
  }
  cell->value = value;
  cell->known = {};
  ++cell->version;
}

Val TensorBuilder::view(const TensorRef &base, std::function<Value(Value)> forward,
                        std::function<Value(Value, Value)> backward) {
  TensorRef result = cell(forward(read(*base)));
  result->base = base;
  result->baseVersion = base->version;
  result->forward = std::move(forward);
  result->backward = std::move(backward);
  return Val::tensor(result);
}

} // namespace torsh::torch
