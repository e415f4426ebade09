//===-- PlanMemory.cpp - Places of all buffers --------------------------------------------------------------===//
#include "passes/cpu/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_PLANMEMORYPASS
#include "passes/cpu/Passes.h.inc"

namespace {

constexpr int64_t alignment = 64;

Value bufferOf(Value value) {
  while (auto reshape = value.getDefiningOp<ReshapeOp>())
    value = reshape.getX();
  return value;
}

/// Bytes of a tensor, rounded up to the alignment, as an expression.
DimAttr bytesOf(RankedTensorType type) {
  MLIRContext *context = type.getContext();
  int64_t bits = std::max<int64_t>(8, type.getElementTypeBitWidth());
  DimAttr bytes = dim::mul(getNumElements(type), dim::constant(context, bits / 8));
  DimAttr unit = dim::constant(context, alignment);
  return dim::mul(dim::ceilDiv(bytes, unit), unit);
}

/// A buffer of the arena: alive from step `from` to step `to`, both included.
struct Buffer {
  Value value;
  unsigned from = 0, to = 0;
  DimAttr size, offset;
};

/// Greedy best fit, largest first: each buffer takes the lowest gap that its overlapping neighbours leave.
int64_t placeStatic(MutableArrayRef<Buffer *> buffers) {
  // Equal sizes keep the order of their steps, so the plan is the same on every machine.
  llvm::sort(buffers, [](Buffer *a, Buffer *b) {
    return std::pair(-*dim::asConstant(a->size), a->from) < std::pair(-*dim::asConstant(b->size), b->from);
  });
  int64_t top = 0;
  SmallVector<Buffer *> placed;
  for (Buffer *buffer : buffers) {
    int64_t size = *dim::asConstant(buffer->size);
    SmallVector<std::pair<int64_t, int64_t>> busy;
    for (Buffer *other : placed)
      if (other->from <= buffer->to && buffer->from <= other->to)
        busy.push_back({*dim::asConstant(other->offset),
                        *dim::asConstant(other->offset) + *dim::asConstant(other->size)});
    llvm::sort(busy);
    int64_t best = -1, bestGap = INT64_MAX, cursor = 0;
    for (auto [start, stop] : busy) {
      int64_t gap = start - cursor;
      if (gap >= size && gap < bestGap) {
        best = cursor;
        bestGap = gap;
      }
      cursor = std::max(cursor, stop);
    }
    if (best < 0)
      best = cursor;
    buffer->offset = dim::constant(buffer->value.getContext(), best);
    top = std::max(top, best + size);
    placed.push_back(buffer);
  }
  return top;
}

/// Buffers of symbolic size take a free slot of the same size expression or open a new one behind all others.
DimAttr placeSymbolic(MutableArrayRef<Buffer *> buffers, DimAttr base) {
  struct Slot {
    DimAttr offset, size;
    unsigned busyTo;
  };
  SmallVector<Slot> slots;
  DimAttr top = base;
  for (Buffer *buffer : buffers) {
    Slot *found = nullptr;
    for (Slot &slot : slots)
      if (slot.size == buffer->size && slot.busyTo < buffer->from)
        found = &slot;
    if (!found) {
      slots.push_back({top, buffer->size, 0});
      top = dim::add(top, buffer->size);
      found = &slots.back();
    }
    found->busyTo = buffer->to;
    buffer->offset = found->offset;
  }
  return top;
}

struct PlanMemory : impl::PlanMemoryPassBase<PlanMemory> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    MLIRContext *context = &getContext();
    Block &block = function.getBody().front();
    auto place = [&](StringRef space, DimAttr offset) {
      return PlaceAttr::get(context, StringAttr::get(context, space), offset);
    };
    llvm::DenseMap<Operation *, unsigned> steps;
    for (Operation &op : block)
      steps[&op] = steps.size();
    llvm::DenseMap<Value, unsigned> outputs;
    for (auto [index, operand] : llvm::enumerate(block.getTerminator()->getOperands()))
      outputs[bufferOf(operand)] = index;

    std::vector<Buffer> buffers;
    llvm::DenseMap<Value, Attribute> places;
    int64_t weightBytes = 0;
    for (Operation &op : block) {
      if (auto constant = dyn_cast<ConstantOp>(op)) {
        constant->setAttr("place", place("weights", dim::constant(context, weightBytes)));
        weightBytes += *dim::asConstant(bytesOf(cast<RankedTensorType>(constant.getType())));
        continue;
      }
      if (!isa<LaunchOp, FromDimsOp>(op))
        continue;
      for (Value result : op.getResults()) {
        if (auto it = outputs.find(result); it != outputs.end()) {
          places[result] = place("output", dim::constant(context, it->second));
          continue;
        }
        Buffer buffer;
        buffer.value = result;
        buffer.from = buffer.to = steps[&op];
        buffer.size = bytesOf(cast<RankedTensorType>(result.getType()));
        SmallVector<Value> aliases{result};
        while (!aliases.empty()) {
          for (Operation *user : aliases.pop_back_val().getUsers()) {
            buffer.to = std::max(buffer.to, steps[user]);
            if (isa<ReshapeOp>(user))
              aliases.push_back(user->getResult(0));
          }
        }
        buffers.push_back(buffer);
      }
    }
    SmallVector<Buffer *> fixed, symbolic;
    for (Buffer &buffer : buffers)
      (dim::asConstant(buffer.size) ? fixed : symbolic).push_back(&buffer);
    DimAttr top = dim::constant(context, placeStatic(fixed));
    top = placeSymbolic(symbolic, top);
    for (Buffer &buffer : buffers)
      places[buffer.value] = place("arena", buffer.offset);
    for (Operation &op : block) {
      SmallVector<Attribute> own;
      for (Value result : op.getResults())
        if (Attribute attribute = places.lookup(result))
          own.push_back(attribute);
      if (!own.empty())
        op.setAttr("places", ArrayAttr::get(context, own));
    }
    function->setAttr("torsh.arena_bytes", top);
    function->setAttr("torsh.weight_bytes", IntegerAttr::get(IntegerType::get(context, 64), weightBytes));
  }
};

} // namespace
} // namespace torsh
